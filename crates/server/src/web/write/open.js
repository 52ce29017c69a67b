// Where a session comes from: begun with a text, taken up from what this browser keeps, or loaded
// from a file.

import * as address from "../address.js";
import * as chains from "../chain.js";
import { h, clear } from "../dom.js";
import { OPENING } from "../learn/texts.js";
import { FIRST, taken } from "../parts/subject.js";
import { isAborted, post } from "../server.js";
import { write } from "./change.js";
import { carried, changed, fail, show, stop, stopReading } from "./follow.js";
import * as files from "./file.js";
import * as keeper from "./keeper.js";
import { draft, drafted, how } from "./page.js";
import { paintText } from "./paint.js";
import * as sessions from "./sessions.js";
import { Tree } from "./tree.js";
import { UNASKED, offer, readAll, settled } from "./typing.js";

/** @import { By } from "../types.js" */
/** @import { Held } from "./keeper.js" */
/** @import { Named } from "./edit.js" */
/** @import { Page } from "./page.js" */
/** @import { Head, How } from "./sessions.js" */
/** @import { Begun } from "./tree.js" */

/**
 * Opens what the address says: a session by its name, a text, or else the session that was changed
 * last.
 * @param {Page} v
 */
export async function open(v) {
  const cont = taken();
  const says = address.maybe("text") !== undefined || cont.length > 0;
  const begun = says
    ? { text: address.key("text", FIRST), chat: address.maybe("chat") === "1" }
    : { text: OPENING, chat: v.model.chat };
  v.begin.value = begun.text;
  v.chat.checked = begun.chat;
  const was = keeper.current(v.model.name);
  try {
    const found = await wanted(v, says);
    const isMeant = found && (!says || isCarried(found.tree));
    if (found && (isMeant || isBegun(found.tree, begun))) {
      // What another view has changed of the way of drawing counts in the session of this tab.
      if (found !== was) draws(v, found.head.how);
      adopt(v, found);
      if (!isMeant) await hang(v, cont);
    } else await create(v, begun, { cont, isMeant: says || isKeptUnasked() });
  } catch (error) {
    if (!isAborted(error)) fail(v, error);
  }
  await list(v);
}

/**
 * Whether a session that nobody asked for is kept: where others would see it, or where the address
 * named another one, it isn't.
 */
function isKeptUnasked() {
  return address.maybe("session") === undefined && sessions.where() === "browser";
}

/**
 * The session that the address means; null if it means none that there is.
 * @param {Page} v
 * @param {boolean} says whether the address says a text
 */
async function wanted(v, says) {
  const held = keeper.current(v.model.name);
  const name = address.maybe("session");
  if (name === undefined) {
    if (held || says) return held;
    const found = await newest(v);
    if (found?.release) return found;
    v.told.textContent = "";
    return null;
  }
  if (held?.head.name === name) return held;
  const found = (await heads(v)).find((one) => one.name === name);
  if (found) return keeper.take(found.id);
  const where = v.model.sessions ? "in this browser or on the server" : "in this browser";
  v.told.textContent = `There is no session “${name}” of ${v.model.name} ${where}.`;
  return null;
}

/**
 * Takes up the session of this browser that was changed last; null if there is none.
 * @param {Page} v
 */
async function newest(v) {
  const last = (await heads(v)).find(({ id }) => sessions.isOwn(id));
  return last ? keeper.take(last.id) : null;
}

/**
 * The sessions that are kept; none where the browser keeps nothing.
 * @param {Page} v
 * @returns {Promise<Head[]>}
 */
async function heads({ model }) {
  try {
    return await sessions.list(model.name);
  } catch {
    return [];
  }
}

/** @param {Page} v */
export async function list(v) {
  v.shelf.show(await heads(v), keeper.current(v.model.name)?.head.id ?? "");
}

/**
 * Whether the address says of a tree what links to other views do.
 * @param {Tree} tree
 */
function isCarried(tree) {
  const of = carried(tree);
  return ["text", "chat", "cont"].every(
    (name) => (address.maybe(name) ?? null) === of[/** @type {keyof typeof of} */ (name)],
  );
}

/**
 * @param {Tree} tree
 * @param {Begun} begun
 */
function isBegun(tree, { text, chat }) {
  return tree.begun.text === text && tree.begun.chat === chat;
}

/**
 * The page draws as a session was drawn, where the address doesn't say otherwise.
 * @param {Page} v
 * @param {How} how
 */
function draws(v, { chain, t, seed }) {
  const says = (/** @type {string} */ name) => address.maybe(name) !== undefined;
  if (!says("chain") && chain !== chains.NEUTRAL) address.write({ chain });
  if (!says("seed") && seed !== 7) address.write({ seed });
  if (says("t")) return;
  v.t = t;
  v.slider.set(t);
  address.write({ t });
}

/**
 * The page shows a session; the address has its name instead of a text.
 * @param {Page} v
 * @param {Held} held
 */
function adopt(v, { tree, head, isMeant }) {
  v.tree = tree;
  v.place = tree.path().length;
  v.range = [0, 0];
  v.burst = null;
  v.begin.value = drafted() || tree.begun.text;
  v.chat.checked = tree.begun.chat;
  address.write({ session: isMeant ? head.name : null, text: null, chat: null, cont: null });
  clear(v.trouble);
  v.answer = null;
  // A long text is read when somebody wants to know something of it.
  show(v, v.place <= UNASKED);
  offer(v);
  if (tree.draft) settled(v);
}

/**
 * Makes a session that begins with a text, and writes on.
 * @param {Page} v
 * @param {Begun} begun
 * @param {{ cont?: number[], isMeant?: boolean }} options tokens that were taken after it, and
 *   whether somebody asked for the session
 */
async function create(v, begun, { cont = [], isMeant = true } = {}) {
  const tree = new Tree();
  grow(tree, begun, await encoded(begun));
  const about = { name: keeper.nameOf(begun.text), model: v.model.name, how: how(v) };
  adopt(v, await keeper.create(tree, about, isMeant));
  if (cont.length > 0) await hang(v, cont);
  else if (begun.text !== "") await goOn(v);
}

/**
 * Reads the text that was begun, and writes on if that wasn't stopped.
 * @param {Page} v
 */
async function goOn(v) {
  const { tree } = v;
  const { leaf } = tree;
  v.says.textContent = "Reading …";
  const isRead = await readAll(v);
  v.says.textContent = "";
  if (isRead && v.tree === tree && tree.leaf === leaf && !tree.draft) await write(v);
}

/**
 * Begins anew in the session at hand; undo goes back to what was there.
 * @param {Page} v
 */
export async function again(v) {
  if (!(await settled(v))) return;
  stop(v);
  stopReading(v);
  const { tree } = v;
  const begun = { text: v.begin.value, chat: v.chat.checked };
  try {
    const tokens = await encoded(begun);
    draft("");
    tree.begin();
    tree.paint = [];
    grow(tree, begun, tokens);
    v.place = tree.path().length;
    clear(v.trouble);
    changed(v);
    await goOn(v);
  } catch (error) {
    fail(v, error);
  }
}

/**
 * Begins a session of its own.
 * @param {Page} v
 */
export async function fresh(v) {
  if (!(await settled(v))) return;
  quiet(v);
  const begun = { text: v.begin.value, chat: v.chat.checked };
  try {
    draft("");
    await create(v, begun);
  } catch (error) {
    fail(v, error);
  }
  await list(v);
}

/**
 * The tokens of a text to begin with.
 * @param {Begun} begun
 */
export function encoded({ text, chat }) {
  const subject = chat ? { messages: [{ role: "user", content: text }] } : { prompt: text };
  return post("/studio/encode", subject);
}

/**
 * Hangs a beginning in a tree as the text at hand.
 * @param {Tree} tree
 * @param {Begun} begun
 * @param {Named[]} tokens
 */
export function grow(tree, begun, tokens) {
  const whole = tokens.map((one) => one.text).join("");
  // What stands around the message is the chat template's.
  const from = begun.chat ? whole.lastIndexOf(begun.text.trim()) : -1;
  const to = from + begun.text.trim().length;
  let start = 0;
  const frames = tokens.map(({ text }) => {
    const frame = from >= 0 && (start + text.length <= from || start >= to);
    start += text.length;
    return frame;
  });
  tree.begun = begun;
  tree.leaf = tokens.reduce((at, one, i) => hung(tree, at, one, "given", frames[i]), -1);
}

/**
 * A token behind another one, if it isn't there.
 * @param {Tree} tree
 * @param {number} at
 * @param {Named} token
 * @param {By} by
 */
export function hung(tree, at, token, by, frame = false) {
  const had = tree.children(at).find((i) => tree.nodes[i].id === token.id);
  if (had !== undefined) return had;
  const unread = { t: null, surprisal: null, rank: null, entropy: null, final: null };
  return tree.push(at, { ...token, ...unread, by, ends: false, ...(frame ? { frame } : {}) });
}

/**
 * Hangs what the address says was taken after the beginning in the tree, as the text at hand.
 * @param {Page} v
 * @param {number[]} ids
 */
async function hang(v, ids) {
  const { tree } = v;
  if (ids.length > 0) {
    const path = tree.path();
    const n = path.findIndex((i) => tree.nodes[i].by !== "given");
    const stem = n < 0 ? path : path.slice(0, n);
    const prompt = stem.map((i) => tree.nodes[i].id);
    const tokens = await post("/studio/encode", { prompt, continuation: ids });
    tree.begin();
    const last = tokens
      .slice(prompt.length)
      .reduce((at, one) => hung(tree, at, one, "link"), stem[stem.length - 1] ?? -1);
    tree.leaf = last;
    if (v.model.ends.some((one) => one.id === tree.nodes[last].id)) tree.tell(last, { ends: true });
  }
  v.place = tree.path().length;
  changed(v);
  await readAll(v);
}

/**
 * Nothing of the session at hand goes on.
 * @param {Page} v
 */
function quiet(v) {
  stop(v);
  stopReading(v);
  v.told.textContent = v.says.textContent = v.read.textContent = "";
}

/**
 * Leaves the session at hand for one that has a way of drawing of its own.
 * @param {Page} v
 */
function leave(v) {
  quiet(v);
  address.write({ chain: null, seed: null, t: null });
}

/**
 * Opens a session of the list.
 * @param {Page} v
 * @param {Head} head
 */
export async function visit(v, { id }) {
  if (!(await settled(v))) return;
  leave(v);
  const held = await keeper.take(id);
  if (held) {
    draws(v, held.head.how);
    adopt(v, held);
  }
  await list(v);
}

/**
 * Copies a session, without what can only be undone.
 * @param {Page} v
 * @param {Head} head
 */
export async function duplicate(v, head) {
  await keeper.flush();
  const found = await sessions.read(head.id);
  if (!found || !(await settled(v))) return;
  const tree = files.compact(Tree.of(found.nodes, found.state));
  leave(v);
  await take(v, tree, head.name, head.how);
}

/**
 * Takes up a tree as a new session.
 * @param {Page} v
 * @param {Tree} tree
 * @param {string} name
 * @param {How} of
 */
async function take(v, tree, name, of) {
  const held = await keeper.create(tree, { name, model: v.model.name, how: of });
  draws(v, of);
  adopt(v, held);
  await keeper.flush();
  await list(v);
}

/**
 * Deletes a session; until another is deleted or the view is left it can be put back.
 * @param {Page} v
 * @param {Head} head
 */
export async function remove(v, head) {
  const here = keeper.current(v.model.name)?.head.id === head.id;
  if (here) {
    leave(v);
    await keeper.flush();
  }
  const gone = await sessions.read(head.id);
  if (!(await keeper.alone(head.id, () => sessions.remove(head.id)))) {
    const where = sessions.elsewhere(head.id);
    v.told.textContent = `“${head.name}” is open in ${where}: close it there first.`;
    return;
  }
  let after = "";
  if (here) {
    keeper.drop();
    const held = await newest(v);
    if (held) {
      draws(v, held.head.how);
      adopt(v, held);
    } else {
      draft("");
      await create(v, { text: "", chat: false }, { isMeant: false });
      after = "Here is an empty one: type, or begin with a text below. ";
    }
  }
  const back = h("button", { type: "button" }, "Put it back");
  back.addEventListener("click", async () => {
    v.told.textContent = "";
    if (!gone) return;
    const name = await sessions.unused(head.name);
    await sessions.write({ ...gone, head: { ...gone.head, name, revision: 0 } }, []);
    await list(v);
  });
  v.told.replaceChildren(`“${head.name}” is deleted. ${after}`, back);
  await list(v);
}

/**
 * Loads a session from a file.
 * @param {Page} v
 * @param {File} file
 */
export async function load(v, file) {
  if (!(await settled(v))) return;
  try {
    const { tree, about } = await files.read(file, v.model.n_vocab);
    if (about.model !== v.model.name) {
      const why = `its tokens mean nothing to ${v.model.name}`;
      throw new Error(`the session was made with ${about.model}, and ${why}`);
    }
    leave(v);
    await take(v, tree, about.name, about);
    v.told.textContent = `Imported: ${tree.size} tokens.`;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const words = h("p", {}, `It can't be imported: ${why}.`);
    clear(v.trouble).append(h("div", { class: "problem", role: "alert" }, words));
    paintText(v);
  }
}
