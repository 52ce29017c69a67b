// What the file of a report holds as data, as types for `tsc --checkJs`. This file isn't part of
// it. The Rust side is `report/mod.rs`.

export {};

/**
 * A mean with its 95 % interval, and how many values it's the mean of.
 * @typedef {{ mean: number, low: number | null, high: number | null, n: number }} Value
 */

/** @typedef {Value & { p_holm: number | null, verdict: string }} Difference */

/**
 * What all texts of a setting could have at most, and the tokens that were drawn.
 * @typedef {{ prompts: number, samples: number, max_tokens: number, tokens: number }} Budget
 */

/**
 * Where texts come from: a model on this machine, or a server.
 * @typedef {{ local: { model: string, sha256: string }, server?: undefined } |
 *   { local?: undefined, server: { model: string, url: string } }} Source
 */

/**
 * @typedef {object} Run
 * @property {string} name no other run's
 * @property {string} hash of its recipe
 * @property {Source} source
 * @property {string} version
 * @property {string} command makes it again
 * @property {number} seed
 * @property {number} max_tokens
 * @property {number} n_samples
 * @property {string[]} prompts
 * @property {number} n_texts
 */

/**
 * A chain of a run; `family` is the chain without its temperature.
 * @typedef {object} Setting
 * @property {number} run
 * @property {string} label
 * @property {string} family
 * @property {number | null} temperature
 * @property {boolean} is_base whether its run's other settings are compared with it
 * @property {Budget} budget
 */

/**
 * A metric: what it is, and what it says of each setting.
 * @typedef {object} Metric
 * @property {string} name
 * @property {string} title
 * @property {string} summary
 * @property {string} formula
 * @property {string} unit
 * @property {string} range
 * @property {string} source
 * @property {string} trap
 * @property {boolean | null} more_is_better
 * @property {(Value | null)[]} values
 * @property {(Difference | null)[]} differences
 * @property {[string, number][]} absent why values are missing, and how often
 */

/**
 * What a run's texts advise.
 * @typedef {object} Advice
 * @property {number} run
 * @property {number} setting
 * @property {number} reference the setting whose quality others may fall behind by a tenth
 * @property {boolean} is_shown whether the setting is shown to hold every demand
 * @property {boolean} is_told whether any other setting is shown to be worse
 * @property {string[]} sentences
 */

/** @typedef {{ quality: string, diversity: string, knee: number | null }} Plane */

/** @typedef {Difference & { metric: string, family_has: number }} MatchedDifference */

/**
 * A setting beside the base's family at equal quality: the family's temperature there.
 * @typedef {object} MatchedSetting
 * @property {number} setting
 * @property {string} family
 * @property {number} quality
 * @property {number} temperature
 * @property {MatchedDifference[]} differences
 */

/**
 * Where a family's heat capacity is largest.
 * @typedef {{ temperature: number, low: number, high: number, at_the_edge: boolean,
 *   between: [number, number] | null }} MeltingPoint
 */

/**
 * A figure with its standard error.
 * @typedef {{ value: number, error: number | null }} Estimate
 */

/**
 * Thermodynamics of whole texts at one temperature, in nats a text.
 * @typedef {object} WholeHeat
 * @property {number} prompts
 * @property {Estimate} free_energy
 * @property {Estimate} energy
 * @property {Estimate} entropy
 * @property {Estimate} heat_capacity
 */

/**
 * What the texts of a setting cost, beside texts that were drawn as a whole.
 * @typedef {object} Whole
 * @property {number} setting
 * @property {number} tokens of a text, a mean
 * @property {number} computed tokens that the model computed for it, a mean
 * @property {number} not_accepted texts of which no try was accepted
 * @property {string | null} quality what the method says of its own quality
 * @property {WholeHeat | null} heat
 */

/**
 * A text: its tokens with their surprisals in nats.
 * @typedef {object} Text
 * @property {number} setting
 * @property {number} prompt
 * @property {number} sample
 * @property {[string, number | null][]} tokens
 * @property {string} finish
 */

/**
 * @typedef {object} Report
 * @property {string} command
 * @property {Run[]} runs
 * @property {Setting[]} settings
 * @property {string[]} warnings
 * @property {Advice[]} advice
 * @property {string | null} ceiling metrics that can't tell settings apart, in a sentence
 * @property {Metric[]} metrics
 * @property {Plane | null} plane
 * @property {{ quality: string, settings: MatchedSetting[] } | null} matched
 * @property {{ run: number, family: string, point: MeltingPoint | null,
 *   turning: MeltingPoint | null }[]} melting
 * @property {{ colder: number, token: Value | null }[]} partings
 * @property {Whole[]} [whole] empty if no text was drawn as a whole
 * @property {Text[]} texts
 */

/**
 * Settings that differ in temperature alone, and how a figure shows them.
 * @typedef {object} Family
 * @property {number} run
 * @property {string} name
 * @property {string} label
 * @property {string} colour
 * @property {string} dash
 * @property {number[]} settings the colder first
 */
