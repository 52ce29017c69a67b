// The painted stretches of a text in, the schedule that they are out: the notation that `--sampler`
// and the API's `sampler` have. `after N` there counts the tokens behind the text that was given.

import * as chains from "../chain.js";
import { before } from "./go_on.js";

/** @import { Paint, Tree } from "./tree.js" */

/**
 * From which token behind the given ones (from 0) a chain holds.
 * @typedef {{ from: number, chain: string }} Step
 */

/** Parts that a schedule may have. */
export const MOST = 16;
/** The place of a step. */
const AFTER = /^after\s+(\d+)$/;

/**
 * The chain of the page as steps along a text; null where it looks at what the text says, so that
 * nothing can be painted over it.
 * @param {string} base
 * @returns {Step[] | null}
 */
export function stepsOf(base) {
  const steps = chains.parts(chains.sent(base)).map(({ place, chain }) => ({
    from: place === "" ? 0 : Number(AFTER.exec(place)?.[1] ?? NaN),
    chain,
  }));
  const isPlain = steps.every(({ from, chain }) => !Number.isNaN(from) && !/^heat\b/.test(chain));
  return isPlain ? steps.sort((a, b) => a.from - b.from) : null;
}

/**
 * How many tokens of the text at hand were given.
 * @param {Tree} tree
 */
export function given(tree) {
  return before(tree, tree.path()).prompt.length;
}

/**
 * The chain that holds at a step of the page's chain, at temperature `t` if that is plain and
 * nothing else is painted.
 * @param {Step[]} own
 * @param {number} from
 * @param {Paint | null} paint
 * @param {number} t
 */
export function held(own, from, paint, t) {
  if (paint?.chain) return paint.chain;
  const { chain } = own.findLast((step) => step.from <= from) ?? own[0];
  if (paint?.t !== undefined) return chains.heated(chain, paint.t);
  return own.length === 1 ? chains.heated(chain, t) : chain;
}

/**
 * The text at hand as steps: the page's chain at `t`, with what is painted in its place. Null where
 * nothing can be painted over that.
 * @param {Tree} tree
 * @param {string} base
 * @param {number} t
 * @returns {Step[] | null}
 */
export function steps(tree, base, t) {
  const own = stepsOf(base);
  if (!own) return null;
  const start = given(tree);
  const ends = tree.paint.flatMap((one) => [one.from - start, one.to - start]);
  const cuts = new Set([0, ...own.map(({ from }) => from), ...ends].filter((at) => at >= 0));
  /** @type {Step[]} */
  const all = [];
  for (const from of [...cuts].sort((a, b) => a - b)) {
    const chain = held(own, from, tree.paintAt(from + start), t);
    if (chain !== all.at(-1)?.chain) all.push({ from, chain });
  }
  return all;
}

/**
 * Steps in the notation: the last comes first, since of the places that hold the first decides.
 * @param {Step[]} all
 */
export function written(all) {
  const parts = all.map(({ from, chain }) => ({ place: from > 0 ? `after ${from}` : "", chain }));
  return chains.joined(parts.reverse());
}
