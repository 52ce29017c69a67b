// How a request reaches the engine in this tab: through a worker, which opens the model first. The
// reader may open a file of their own in its place. A model that is open stays until the other one
// has been opened, and stays if that fails.

import { h } from "../dom.js";
import { Host } from "./host.js";
import { Notice, chooser, dropped, fits, own } from "./model.js";
import { MISSING, keep } from "./place.js";
import { modules } from "./relaxed.js";

/** @import { Source } from "./model.js" */

/** What to say where `send` fails. */
export const SILENT = "the engine in this tab has ended; load the page again";

/** Where other programs find the server: there is none. */
export const API = null;

/** Models that are larger together than so many bytes aren't open beside each other. */
const TOGETHER = 2e9;
/** Why a model ends for which another one comes. */
const ANOTHER = "another model is being opened";

/** @type {Host | null} */
let host = null;
/** A model that is being opened while `host` has one. @type {Host | null} */
let next = null;
/** Why the last file that was given couldn't take the place of `host`. @type {Notice | null} */
let trouble = null;
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
    trouble?.close();
    next?.end(ANOTHER);
    next = null;
    if (host?.isOpen && host.reason === null) {
      replace(host, source, again);
      return;
    }
    chosen = source;
    asking?.(source);
    host?.end(ANOTHER);
    again();
  };
  dropped(take);
  return [chooser("Open a model", take)];
}

/**
 * Opens a model in the place of one that is open, which answers until then. If the other one can't
 * be opened, that is said, and nothing else changes.
 * @param {Host} old
 * @param {Source} source
 * @param {() => void} again
 */
async function replace(old, source, again) {
  const mine = choices;
  const isRoomy = old.source.size + source.size <= TOGETHER;
  try {
    fits(source);
    if (!isRoomy) old.end(ANOTHER);
    next = new Host(source);
    await next.opening.promise;
  } catch (error) {
    if (mine !== choices) return;
    next = null;
    const words = error instanceof Error ? error.message : String(error);
    const close = h("button", { type: "button", class: "quiet" }, "Close");
    trouble = new Notice(
      `${source.name} can't be opened: ${words}. ${old.source.name} stays open. `,
      close,
    );
    close.addEventListener("click", () => trouble?.close());
    // It was given up for the other one, so it is opened again.
    if (!isRoomy) again();
    return;
  }
  if (mine !== choices) return;
  [host, next, chosen] = [next, null, source];
  old.end(ANOTHER);
  again();
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
    if (next) {
      await next.opening.promise.catch(() => {});
      continue;
    }
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
