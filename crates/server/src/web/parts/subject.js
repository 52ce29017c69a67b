// The text that is continued: typed as it is, or as a message in the model's chat template, and the
// tokens that were taken after it.

import * as address from "../address.js";
import { h, field } from "../dom.js";

export const FIRST = "A: Hey, How you doin'?\nB:";

/** What the address says of it, as the server takes it. */
export function request() {
  const text = address.key("text", FIRST);
  const continuation = taken();
  const subject =
    address.key("chat") === "1"
      ? { messages: [{ role: "user", content: text }] }
      : { prompt: text };
  return continuation.length ? { ...subject, continuation } : subject;
}

/** The token ids that were taken after the text. */
export function taken() {
  return address.key("cont", "").split(".").filter(Boolean).map(Number).filter(Number.isInteger);
}

/** Makes the boxes; `call` hears of every change, some moments after the last key. */
export function subject(model, call) {
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
  const chat = h("input", { type: "checkbox", checked: address.key("chat") === "1" });
  chat.addEventListener("change", () => {
    address.write({ chat: chat.checked ? "1" : null, cont: null });
    call();
  });
  const root = h(
    "div",
    { class: "subject" },
    field("Text", text),
    model.chat ? h("label", { class: "check" }, chat, "as a message in the chat template") : null,
  );
  return { root, text };
}
