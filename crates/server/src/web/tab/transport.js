// How a request reaches the engine in this tab: through a worker, which opens the model first. The
// reader may open a file of their own in its place, also after another one has failed.

import { Host } from "./host.js";
import { Notice, chooser, dropped, fits, own } from "./model.js";
import { MISSING, keep } from "./place.js";
import { modules } from "./relaxed.js";

/** @import { Source } from "./model.js" */

/** What to say where `send` fails. */
export const SILENT = "the engine in this tab has ended; load the page again";

/** Where other programs find the server: there is none. */
export const API = null;

/** @type {Host | null} */
let host = null;
/** The model that the page has, once that is known. @type {Promise<Source> | null} */
let found = null;
/** The file that the reader opened in its place. @type {Source | null} */
let chosen = null;
/** Takes a file where the page waits for one. @type {((source: Source) => void) | null} */
let asking = null;
/** How many files the reader opened: what an earlier question finds out is of no use then. */
let choices = 0;

keep(modules()[0]);

/**
 * Controls for the page's head: a file of one's own in place of the model, which may be dropped
 * onto the page as well. `again` shows the page anew.
 * @param {() => void} again
 */
export function controls(again) {
  const take = (/** @type {Source} */ source) => {
    choices += 1;
    chosen = source;
    asking?.(source);
    host?.end("another model is being opened");
    again();
  };
  dropped(take);
  return [chooser("Open a model", take)];
}

/** The model of the page, or a file that the reader chooses. */
async function find() {
  const source = await own();
  if (source) return source;
  /** @type {PromiseWithResolvers<Source>} */
  const { promise, resolve } = Promise.withResolvers();
  const notice = new Notice(MISSING, " ", chooser("Choose a model", resolve));
  asking = resolve;
  const given = await promise;
  asking = null;
  notice.close();
  return given;
}

/** The host of the model that is open, or is being opened. @returns {Promise<Host>} */
async function current() {
  for (;;) {
    if (host?.reason === null) return host;
    const before = choices;
    const source = chosen ?? (await (found ??= find()));
    if (host?.reason === null || before !== choices) continue;
    fits(source);
    host = new Host(source);
    return host;
  }
}

/**
 * What a failure to open a model comes to: another one is asked for, or the page's own is tried
 * again.
 * @param {Source | null} source
 * @param {unknown} error
 */
function failed(source, error) {
  found = null;
  if (chosen === source) chosen = null;
  const words = error instanceof Error ? error.message : String(error);
  const which = source?.name ?? "the model";
  return new Error(`${which} can't be opened: ${words}. "Open a model" opens another one.`);
}

/**
 * @param {string} path
 * @param {RequestInit} options
 * @returns {Promise<Response>}
 */
export async function send(path, options) {
  /** @type {Host | null} */
  let mine = null;
  try {
    mine = await current();
    await mine.opening.promise;
  } catch (error) {
    throw failed(mine?.source ?? chosen, error);
  }
  return mine.ask(path, options);
}
