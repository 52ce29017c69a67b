// How a token is drawn: the chain of the page at the page's temperature, or what is painted there.

import * as chains from "../chain.js";
import * as heat from "../heat.js";
import { seed } from "../parts/seed.js";
import { chain } from "./page.js";
import { held, steps, stepsOf, given, written } from "./schedule.js";

/** @import { Draws } from "../types.js" */
/** @import { Page } from "./page.js" */
/** @import { Drawn } from "./go_on.js" */
/** @import { What } from "./vary.js" */

/**
 * How the page draws where nothing else is painted.
 * @param {Page} v
 * @returns {Draws}
 */
function everywhere(v) {
  const base = chains.sent(chain());
  if (chains.isSchedule(base)) return { sampler: base, seed: seed() };
  return { sampler: base, temperature: heat.sent(v.t), seed: seed() };
}

/**
 * How the token at a place is drawn.
 * @param {Page} v
 * @param {number} place
 * @returns {Draws}
 */
export function drawsAt(v, place) {
  const own = stepsOf(chain());
  const paint = v.tree.paintAt(place);
  if (!own || (own.length === 1 && !paint)) return everywhere(v);
  return { sampler: held(own, place - given(v.tree), paint, v.t), seed: seed() };
}

/**
 * How the text is written on from its end: if something is painted there, by a schedule.
 * @param {Page} v
 * @returns {Draws}
 */
export function drawsOn(v) {
  const { tree } = v;
  const n = tree.path().length;
  const all = tree.paint.some((one) => one.to > n) ? steps(tree, chain(), v.t) : null;
  return all ? { sampler: written(all), seed: seed() } : everywhere(v);
}

/**
 * What a token at a place says about how it was drawn.
 * @param {Page} v
 * @param {number} place
 * @returns {Drawn}
 */
export function drawnAt(v, place) {
  const { sampler, temperature } = drawsAt(v, place);
  const painted = stepsOf(chain()) ? v.tree.paintAt(place)?.chain : undefined;
  return { t: temperature ?? chains.heat(sampler), ...(painted ? { chain: painted } : {}) };
}

/**
 * How versions of what stands at a place are drawn: at a temperature in the place of that of the
 * chain there, or with a chain of their own.
 * @param {Page} v
 * @param {number} place
 * @param {What} what
 * @returns {Draws}
 */
export function drawsAs(v, place, { t, chain: chosen }) {
  if (chosen !== undefined) return { sampler: chosen, seed: seed() };
  const own = stepsOf(chain());
  const sampler = own
    ? held(own, place - given(v.tree), v.tree.paintAt(place), 1)
    : chains.sent(chain());
  return { sampler, temperature: heat.sent(t ?? v.t), seed: seed() };
}
