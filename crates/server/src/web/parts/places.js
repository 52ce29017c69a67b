// One place of several texts: what each column could have written there, raw and final, and what it
// took.

import { bars } from "../draw/bars.js";
import { h, clear } from "../dom.js";
import { share } from "../format.js";
import { written } from "./columns.js";
import * as heat from "../heat.js";
import { post } from "../server.js";

/** @import { Draws, End, Next, Piece, Subject, What } from "../types.js" */

const ROWS = 8;

/**
 * A column whose place is looked at: its text so far, how it draws, its colour.
 * @typedef {object} Text
 * @property {string} name
 * @property {What} what
 * @property {Piece[]} list
 * @property {number[]} ids
 * @property {boolean} over whether it came to its own end
 * @property {Pick<End, "finish"> | null} end
 * @property {Draws} ask
 * @property {string} colour
 */

/** @typedef {[Text, Next | null]} Seen */

/**
 * Makes a panel that is hidden until `show(at, columns, subject, close)`.
 * @param {(error: unknown) => void} fail
 */
export function places(fail) {
  const title = h("h2", { tabindex: "-1" });
  const note = h("p", { class: "note" });
  // On a phone the columns are scrolled sideways, by keyboard too.
  const scrolls = { role: "group", tabindex: "0", "aria-label": "Columns at this place" };
  const row = h("div", { class: "compare places", ...scrolls });
  let close = () => {};
  let turn = 0;
  const shut = h("button", { type: "button", class: "quiet icon", "aria-label": "Close" }, "×");
  shut.addEventListener("click", () => close());
  const root = h(
    "section",
    { class: "panel place-panel", "aria-label": "Distribution at a place", hidden: true },
    h("div", { class: "panel-head" }, title, shut),
    note,
    row,
  );

  /**
   * @param {number} at
   * @param {Text[]} columns
   * @param {Subject} subject
   * @param {() => void} whenClosed
   */
  async function show(at, columns, subject, whenClosed) {
    const mine = (turn += 1);
    close = whenClosed;
    /** @type {Seen[]} */
    const seen = [];
    try {
      for (const one of columns) {
        seen.push([one, await look(one, at, subject)]);
        if (mine !== turn) return;
      }
    } catch (error) {
      fail(error);
      return;
    }
    const comes = root.hidden;
    root.hidden = false;
    title.textContent = `At token ${at + 1}`;
    note.textContent = words(at, seen);
    clear(row).append(...seen.map(([one, answer]) => card(one, answer, at)));
    if (comes) root.scrollIntoView({ block: "nearest" });
  }
  function hide() {
    turn += 1;
    root.hidden = true;
  }
  return { root, show, hide };
}

/**
 * What a column took at a place: a token of its text, or the one that ended it.
 * @param {Text} one
 * @param {number} at
 */
function tookAt(one, at) {
  return one.ids[at] ?? one.end?.finish.ids?.[0];
}

/**
 * The distribution at a place of a column; null where it ended before.
 * @param {Text} one
 * @param {number} at
 * @param {Subject} subject
 */
async function look(one, at, subject) {
  if (at > one.list.length || (at === one.list.length && !one.over)) return null;
  const took = tookAt(one, at);
  return post("/studio/next", {
    ...subject,
    ...one.ask,
    continuation: [...(subject.continuation ?? []), ...one.ids.slice(0, at)],
    learned: one.list[at - 1]?.learned,
    top: ROWS,
    watch: took === undefined ? [] : [took],
  });
}

/**
 * @param {number} at
 * @param {Seen[]} seen
 */
function words(at, seen) {
  const before = seen.map(([one]) => one.ids.slice(0, at).join("."));
  const same = seen.every(([, answer], i) => !answer || before[i] === before[0]);
  const u = seen.find(([, answer]) => answer)?.[1]?.dart.u;
  const read = same
    ? "All columns have read the same text up to here, so their raw probabilities are the same."
    : "The columns have parted before: each has read another text.";
  const thrown = u === undefined ? "" : `The dice throw u = ${u.toFixed(6)} in all of them.`;
  return `${read} Pale: raw (T = 1). Colour: final. ${thrown}`;
}

/**
 * @param {Text} one
 * @param {Next | null} answer
 * @param {number} at
 */
function card(one, answer, at) {
  const { t } = one.what;
  const how = t === null ? h("code", {}, written(one.what)) : `T = ${heat.written(t)}`;
  const head = h("h3", {}, h("span", { class: "letter" }, one.name), how);
  const look = { class: "column", "--heat": one.colour, "data-column": one.name };
  const body = answer ? rows(one, answer, at) : h("p", { class: "note" }, "It had ended before.");
  return h("div", look, head, body);
}

/**
 * @param {Text} one
 * @param {Next} answer
 * @param {number} at
 */
function rows(one, answer, at) {
  const table = bars(`Column ${one.name} at token ${at + 1}`, ["token", "raw", "final"]);
  const took = tookAt(one, at);
  const all = answer.top.map(({ id, shown, raw, final }) => ({ id, shown, raw, final }));
  if (took !== undefined && !all.some((entry) => entry.id === took)) {
    const [{ shown, places }] = answer.watched;
    const final = places[places.length - 1].probability;
    all.push({ id: took, shown, raw: places[0].probability, final });
  }
  const most = Math.max(...all.map((entry) => Math.max(entry.raw, entry.final)), 0.02);
  table.show(
    all.map(({ id, shown, raw, final }) => ({
      name: `${id === took ? "▸" : " "} ${shown}`,
      bar: final,
      ghost: raw,
      cells: [share(raw), share(final)],
      mark: id === took,
      dim: final === 0,
      title: id === took ? `${shown}, which was taken` : shown,
    })),
    { most },
  );
  return table.root;
}
