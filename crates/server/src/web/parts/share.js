// A link to what is on the screen. It names the model, since another one gives other numbers; where
// another one is served, the page says so.

import * as address from "../address.js";
import { h } from "../dom.js";

/** @import { Model } from "../types.js" */

/** How long the button says what came of a click, in milliseconds. */
const MOMENT = 2500;

/**
 * Makes the button; `model()` is the model that is served, once that is known.
 * @param {() => Model | null} model
 */
export function copyLink(model) {
  const name = "↗ Copy link";
  const button = h("button", { class: "quiet", type: "button" }, name);
  const status = h("span", { class: "bubble", role: "status" });
  button.addEventListener("click", async () => {
    const hash = address.naming(model()?.name ?? null);
    const link = new URL(hash, location.href).href;
    let [words, more] = ["✓ Copied", "The link is copied."];
    try {
      await navigator.clipboard.writeText(link);
    } catch {
      // Where a page may not copy, the address bar has the link.
      history.replaceState(null, "", hash);
      [words, more] = ["✓ Link", "The link is in the address bar."];
    }
    // Nothing beside the button moves, however wide its words are.
    button.style.minWidth ||= `${button.getBoundingClientRect().width}px`;
    button.textContent = words;
    status.textContent = more;
    setTimeout(() => {
      button.textContent = name;
      status.textContent = "";
    }, MOMENT);
  });
  return h("span", { class: "with-bubble" }, button, status);
}

/**
 * What there is to say where a link names another model than the one that is served.
 * @param {Model} model
 */
export function otherModel({ name }) {
  const meant = address.maybe("model");
  if (meant === undefined || meant === name) return null;
  const words =
    `This link was made with the model ${meant}. This server has ${name}: ` +
    "numbers and texts will differ.";
  return h("p", { class: "warning other-model", role: "note" }, words);
}
