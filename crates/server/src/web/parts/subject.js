// The text that is continued: typed as it is, or as a message in the model's chat template, and the
// tokens that were taken after it.

import * as address from "../address.js";
import { h, field } from "../dom.js";

/** @import { Model, Subject } from "../types.js" */

export const FIRST = "A: Hey, How you doin'?\nB:";
/** Characters of a text where it's named in one line. */
const LONGEST = 60;
/** Examples: a name, the text, and whether it's a message in the chat template. */
const PRESETS = [
  { name: "Greetings", words: FIRST, inChat: false },
  { name: "Write about Nepal", words: "Write about Nepal", inChat: true },
  { name: "The capital of Nepal", words: "The capital of Nepal is", inChat: false },
  { name: "Once upon a time", words: "Once upon a time", inChat: false },
];

/**
 * The text of the address without what was taken after it, as the server takes it.
 * @returns {Subject}
 */
export function given() {
  const text = address.key("text", FIRST);
  return isChat() ? { messages: [{ role: "user", content: text }] } : { prompt: text };
}

/**
 * The text of the address, as the server takes it.
 * @returns {Subject}
 */
export function request() {
  const continuation = taken();
  return continuation.length ? { ...given(), continuation } : given();
}

/** Whether the address says that the text is a message in the chat template. */
export function isChat() {
  return address.maybe("chat") === "1";
}

/** The token ids that were taken after the text. */
export function taken() {
  return address.key("cont", "").split(".").filter(Boolean).map(Number).filter(Number.isInteger);
}

/** The end of the text of the address in one line, as its reader knows it. */
export function ending() {
  const words = address.key("text", FIRST).trim().replaceAll("\n", "↵");
  const short = words.length > LONGEST ? `…${words.slice(-LONGEST)}` : words;
  return taken().length > 0 ? `${short} …` : short;
}

/**
 * Buttons of the examples.
 * @param {(example: typeof PRESETS[number]) => void} use
 */
export function examples(use) {
  const buttons = PRESETS.map((one) =>
    h("button", { type: "button", onclick: () => use(one) }, one.name),
  );
  return h("div", { class: "presets", role: "group", "aria-label": "Examples" }, buttons);
}

/**
 * Makes the boxes; `call` hears of every change, some moments after the last key.
 * @param {Model} model
 * @param {() => void} call
 */
export function subject(model, call) {
  /** @type {number | undefined} */
  let timer;
  const text = h("textarea", { rows: "3", value: address.key("text", FIRST), spellcheck: "false" });
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      // Tokens that were taken belong to another text.
      address.write({ text: text.value === FIRST ? null : text.value, cont: null });
      call();
    }, 180);
  };
  text.addEventListener("input", soon);
  const chat = h("input", { type: "checkbox", checked: isChat() });
  chat.addEventListener("change", () => {
    address.write({ chat: chat.checked ? "1" : null, cont: null });
    call();
  });
  const use = (/** @type {typeof PRESETS[number]} */ { words, inChat }) => {
    text.value = words;
    chat.checked = inChat && model.chat;
    const changed = words === FIRST ? null : words;
    address.write({ text: changed, chat: chat.checked ? "1" : null, cont: null });
    call();
  };
  const root = h(
    "div",
    { class: "subject" },
    examples(use),
    field("Text", text),
    model.chat ? h("label", { class: "check" }, chat, "as a message in the chat template") : null,
  );
  return { root, text };
}
