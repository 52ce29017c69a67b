// What the server sends and takes, and what parts of the page hand to each other, as types for
// `tsc --checkJs`. Nothing here runs. The server's side is `server/studio/`; its API document is at
// /openapi.json.

/** @import { Head } from "./write/sessions.js" */

export {};

/**
 * A number where JSON has none for the infinities.
 * @typedef {number | "inf"} Sent
 */

/**
 * What stages that learn (mirostat, adaptive_p) know after a token: two numbers for each stage.
 * @typedef {Record<string, [number, number]>} Learned
 */

/**
 * GET /studio/model.
 * @typedef {object} Model
 * @property {string} name
 * @property {string | null} sha256 of its file, if the catalogue knows it
 * @property {number} n_vocab tokens in its vocabulary
 * @property {number} context tokens that a text can have
 * @property {boolean} chat whether the file has a chat template
 * @property {{ id: number, shown: string }[]} ends tokens that end a text
 * @property {number} parallel texts that are continued at once
 * @property {Calibrated | null} calibration what fits decisions, if the server has it
 * @property {string[]} models those of the menu, none where there is no menu
 * @property {string | null} problem why the model that was chosen last isn't served
 * @property {string} run sets a start of the server apart from others
 * @property {boolean} sessions whether the server keeps sessions on its disk
 */

/**
 * Temperatures of decisions by the kind of question, and how their examples were asked.
 * @typedef {{ temperatures: Record<string, number>, rotations: number, layout: string }} Calibrated
 */

/**
 * How an answer's probabilities were found.
 * @typedef {object} DecisionFigures
 * @property {number} temperature
 * @property {number} outside mass of all tokens that aren't labels
 * @property {number} spread
 * @property {string[]} labels
 * @property {number[]} raw probabilities at T = 1
 * @property {number[][]} rotations those of each order
 */

/**
 * The answer to a question.
 * @typedef {{ type: "predicate", kelvin: DecisionFigures }
 *   | { type: "choice", kelvin: DecisionFigures, probabilities: { value: string | boolean }[] }
 *   | { type: "score", kelvin: DecisionFigures,
 *       probabilities: { label: string, value: number }[] }} Decision
 */

/**
 * A text that a search found.
 * @typedef {object} SearchText
 * @property {number} rank from 1
 * @property {string} text
 * @property {number[]} ids
 * @property {number} tokens an end token included
 * @property {Sent | "-inf"} logprob
 * @property {Sent | "-inf"} score
 * @property {number} [group]
 * @property {number} [times] how often it was drawn
 * @property {object[]} [spellings] where tokens spell it in several ways
 * @property {{ reason: string }} finish
 */

/**
 * A token that a search weighed, or that drawn texts have.
 * @typedef {object} SearchNode
 * @property {number | null} parent the number of the node before, null after the prompt
 * @property {[number]} ids
 * @property {string} text
 * @property {number} depth tokens with it
 * @property {number} group
 * @property {Sent | "-inf"} logprob of all tokens up to it
 * @property {Sent | "-inf"} score
 * @property {"kept" | "ended" | "dropped" | "left"} fate
 * @property {number} [rank] of the text that ends here
 * @property {number} [times] drawn texts that have it
 */

/**
 * POST /v1/search.
 * @typedef {object} Searched
 * @property {string} method
 * @property {number} [groups]
 * @property {number} [samples]
 * @property {string} score what a text's score is
 * @property {number} [steps] forward passes after the prompt
 * @property {number} [rows] their rows in all
 * @property {SearchText[]} texts
 * @property {SearchNode[]} [tree]
 */

/**
 * One or more tokens by their ids, their text, and how that is shown where it is blank or a part.
 * @typedef {{ ids: number[], text: string, shown: string }} Named
 */

/**
 * A text as the server takes it.
 * @typedef {object} Subject
 * @property {string | number[]} [prompt] a text, or token ids
 * @property {{ role: string, content: string }[]} [messages] in the model's chat template
 * @property {number[]} [continuation] token ids after it
 */

/**
 * How a token is drawn, as the server takes it.
 * @typedef {object} Draws
 * @property {string} sampler a chain
 * @property {Sent} [temperature] takes the place of the chain's own
 * @property {number} seed
 * @property {Learned} [learned]
 */

/** @typedef {Subject & Draws} Base */

/**
 * Figures of a distribution.
 * @typedef {object} Figures
 * @property {number} entropy_nats
 * @property {number} effective_choices
 * @property {number | null} free_energy
 * @property {number | null} heat_capacity
 * @property {number} survivors tokens that can be drawn
 */

/**
 * A token among the likeliest: its logit, and its probability at four points of the chain.
 * @typedef {object} Row
 * @property {number} id
 * @property {string} text
 * @property {string} shown
 * @property {number} logit
 * @property {number} raw
 * @property {number} after_temperature
 * @property {number} after_truncation
 * @property {number} final
 * @property {boolean} ends whether it ends a text
 */

/**
 * Where the dice fall: `u`, the token there, its rank, and the stretch of [0, 1) that is its own.
 * @typedef {object} Thrown
 * @property {number} u
 * @property {number} id
 * @property {string} text
 * @property {string} shown
 * @property {number} rank
 * @property {number} from
 * @property {number} to
 * @property {boolean} ends
 */

/**
 * What one stage of a chain did.
 * @typedef {object} Trace
 * @property {string} stage
 * @property {number} survivors_before
 * @property {number} survivors_after
 * @property {number} entropy_before in nats
 * @property {number} entropy_after in nats
 * @property {number} mass_removed
 */

/**
 * Where a watched token stands after a stage; `rank` counts from 0, null where it was removed.
 * @typedef {object} Standing
 * @property {string} after
 * @property {number | null} rank
 * @property {number} probability
 * @property {number | null} surprisal_nats
 */

/** @typedef {Named & { places: [Standing, ...Standing[]] }} Watched */

/** @typedef {{ rank: number, raw: number, final: number | null, tail: number }} RankPoint */

/**
 * POST /studio/next.
 * @typedef {object} Next
 * @property {number} n_tokens that were read
 * @property {number} n_vocab
 * @property {Named[]} taken the continuation, token by token
 * @property {string} chain
 * @property {string} [at] where this chain of a schedule holds
 * @property {Figures} raw
 * @property {Figures} after_temperature
 * @property {Figures} after_truncation
 * @property {Figures} final
 * @property {Row[]} top
 * @property {{ tokens: number, raw: number, final: number }} rest all tokens that aren't in `top`
 * @property {{ ids: number[], raw: number, final: number }} end the tokens that end a text
 * @property {Trace[]} stages
 * @property {Watched[]} watched
 * @property {Thrown} dart
 * @property {RankPoint[]} [ranks]
 * @property {Record<number, Learned>} [learned] what stages that learn would know, by token id
 */

/**
 * POST /studio/draws.
 * @typedef {object} Drawn
 * @property {number} n
 * @property {number} distinct
 * @property {{ id: number, shown: string, observed: number, expected: number }[]} tokens
 * @property {{ observed: number, expected: number }} others
 */

/**
 * POST /studio/fan: probabilities of some tokens at each of `temperatures`.
 * @typedef {object} Fan
 * @property {Sent[]} temperatures
 * @property {{ id: number, shown: string, probabilities: number[] }[]} tokens
 */

/**
 * The two neighbouring 32-bit temperatures between which the dice change from one token to another.
 * @typedef {{ below: number, above: number, from: Named, to: Named }} Flip
 */

/**
 * POST /studio/flips.
 * @typedef {{ u: number, first: Named, flips: Flip[], more: boolean }} Flips
 */

/**
 * POST /studio/nearest.
 * @typedef {{ below: Flip | null, above: Flip | null }} Nearest
 */

/**
 * A logit as it is sent, both ways.
 * @typedef {{ label: string | null, logit: number | "-inf" }} Logit
 */

/** @typedef {Logit & { exp: number | null, probability: number }} Choice */

/**
 * A small distribution at a temperature.
 * @typedef {object} Softmax
 * @property {Sent} temperature
 * @property {Choice[]} choices
 * @property {number | null} [exp_sum]
 * @property {number} probability_sum
 * @property {number} entropy_nats
 * @property {number} effective_choices
 * @property {number | null} free_energy
 * @property {number | null} heat_capacity
 */

/**
 * Whether a function of x/T instead of e^(x/T) would make probabilities of these logits, by four
 * criteria, and an example where it wouldn't.
 * @typedef {object} Criterion
 * @property {string} name
 * @property {string} formula
 * @property {(number | null)[]} probabilities
 * @property {boolean[]} holds
 * @property {{ logits: number[], holds: boolean[] } | null} example
 * @property {string} remark
 */

/**
 * POST /studio/softmax: the distribution at the temperature and at 1.
 * @typedef {object} Softened
 * @property {Softmax} at
 * @property {Softmax} one
 * @property {(number | null)[]} slopes of e^(x/T) at each logit
 * @property {number} gap between the two largest probabilities
 * @property {Criterion[]} criteria
 */

/**
 * POST /studio/curves: figures of a small distribution against temperature.
 * @typedef {object} CurvePoint
 * @property {Sent} temperature
 * @property {number} entropy
 * @property {number} effective_choices
 * @property {number | null} free_energy
 * @property {number | null} heat_capacity
 * @property {number} gap
 * @property {number[]} probabilities
 */

/**
 * What can be turned on a stage; `key` is null for the value right after the stage's name.
 * @typedef {object} Knob
 * @property {string | null} key
 * @property {string} label
 * @property {string} kind number, whole, temperature, scope, text or range
 * @property {string} start
 * @property {number} low
 * @property {number} high
 * @property {number} step
 */

/** @typedef {{ name: string, summary: string, knobs: Knob[] }} StageInfo */

/**
 * GET /studio/stages.
 * @typedef {{ stages: StageInfo[], profiles: { name: string, chain: string }[] }} Stages
 */

/**
 * A chain in the words of another engine, and what can't be said there.
 * @typedef {object} Translation
 * @property {string} to
 * @property {string} place where the settings go
 * @property {object} settings
 * @property {string} flags
 * @property {string} runs the chain that the engine makes of them
 * @property {string[]} missing
 */

/**
 * POST /studio/chain.
 * @typedef {object} ChainSaid
 * @property {string} chain
 * @property {string[]} stages
 * @property {number | null} temperature
 * @property {string | null} cut_before_heat a truncation that leaves heat little to do
 * @property {string} command
 * @property {Translation[]} translations
 */

/**
 * A token that was read or written, with its figures in the raw distribution.
 * @typedef {object} Token
 * @property {number} id
 * @property {string} text
 * @property {string} shown
 * @property {number | null} surprisal in nats
 * @property {number | null} entropy of its place, in nats
 * @property {number | null} rank from 0
 */

/**
 * What was read before the first token; `tokens` if they were asked for.
 * @typedef {object} Read
 * @property {number} n_tokens
 * @property {number} cached_tokens
 * @property {number} n_prompt
 * @property {Token[]} [tokens]
 */

/**
 * A token as it is written, and what it was drawn from.
 * @typedef {object} Written
 * @property {number} column
 * @property {number} id
 * @property {string} text
 * @property {string} shown
 * @property {number} surprisal
 * @property {number} surprisal_final
 * @property {number} entropy
 * @property {number} rank
 * @property {Learned} [learned]
 * @property {string} [at] the place of a schedule whose chain drew it
 * @property {boolean} [thinks] whether it is one of the model's thoughts
 */

/**
 * How a column ended.
 * @typedef {object} End
 * @property {number} column
 * @property {string} text what was held back of the text until its end
 * @property {string} words
 * @property {{ reason: string, ids?: number[], text?: string }} finish
 * @property {{ mean_entropy_raw: number | null, mean_surprisal_raw: number | null,
 *   distinct_2: number | null }} figures
 * @property {{ tokens_per_sec: number }} timings
 */

/**
 * An event of POST /studio/write: one of these is there.
 * @typedef {{ read?: Read, token?: Written, end?: End }} Event
 */

/**
 * Where a token of a text comes from.
 * @typedef {"given" | "drawn" | "taken" | "own" | "link"} By
 */

/**
 * A token as the page shows it.
 * @typedef {object} Piece
 * @property {number} id
 * @property {string} text
 * @property {string} shown
 * @property {By} by
 * @property {number | null} surprisal
 * @property {number | null} rank
 * @property {number | null} entropy
 * @property {number | null} final its probability in what it was drawn from
 * @property {Learned | null} [learned]
 * @property {string} [at] the place of a schedule whose chain drew it
 * @property {boolean} [thinks] whether it is one of the model's thoughts
 */

/**
 * A token of a tree before it hangs in it; `t` is the temperature that it was drawn at, `chain` the
 * chain that drew it where one was painted, `frame` whether it belongs to the chat template.
 * @typedef {Piece & { t: Sent | null, chain?: string, ends: boolean, frame?: boolean }} Leaf
 */

/**
 * A token of a tree; `parent` is the number of the token before it, -1 for the first.
 * @typedef {Leaf & { parent: number }} Node
 */

/**
 * A stage of a chain as the page edits it: `value` is the text right after its name, `named` the
 * texts of its keys.
 * @typedef {{ name: string, on: boolean, value: string, named: Record<string, string> }} Stage
 */

/**
 * A column of a comparison: at a temperature, or with a chain of its own.
 * @typedef {{ t: number, chain: null } | { t: null, chain: string }} What
 */

/**
 * A view of the page: what `main.js` mounts. `mount` may return what ends it.
 * @typedef {object} View
 * @property {string} id
 * @property {string} name
 * @property {string} [title] its heading, where that isn't its name
 * @property {string} lead
 * @property {(root: HTMLElement, page: { model: Model }) => (() => void) | void} mount
 */

/**
 * A step of the lesson: one idea, said in a sentence, and something live that shows it.
 * @typedef {object} LessonStep
 * @property {string} name a word or two for the row of steps
 * @property {string} title
 * @property {string} idea
 * @property {string[]} notes for the teacher
 * @property {boolean} [short] whether the short form has it
 * @property {(stage: HTMLElement, page: { model: Model }) => (() => void) | void} mount
 */

/**
 * What each GET route answers.
 * @typedef {{ "/studio/model": Model, "/studio/stages": Stages }} Got
 */

/**
 * What each POST route answers.
 * @typedef {{
 *   "/studio/next": Next,
 *   "/studio/fan": Fan,
 *   "/studio/flips": Flips,
 *   "/studio/nearest": Nearest,
 *   "/studio/draws": Drawn,
 *   "/studio/softmax": Softened,
 *   "/studio/curves": { points: CurvePoint[] },
 *   "/studio/chain": ChainSaid,
 *   "/studio/tokens": Named[],
 *   "/studio/open": { opening: string },
 *   "/studio/sessions": { heads: Head[] },
 *   "/studio/sessions/read": { head: Head | null, state: string | null, parts: string[] },
 *   "/studio/sessions/write": { revision: number, changed: number },
 *   "/studio/sessions/ahead": {},
 *   "/studio/sessions/remove": {},
 *   "/v1/decisions": { answers: [Decision, ...Decision[]] },
 *   "/v1/search": Searched,
 *   "/studio/encode": Pick<Token, "id" | "text" | "shown">[],
 * }} Posted
 */
