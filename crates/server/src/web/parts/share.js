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
  const status = h("span", { class: "unseen", role: "status" });
  button.addEventListener("click", async () => {
    const hash = address.naming(model()?.name ?? null);
    const link = new URL(hash, location.href).href;
    let words = "✓ Copied";
    try {
      await navigator.clipboard.writeText(link);
    } catch {
      // Where a page may not copy, the address bar has the link.
      history.replaceState(null, "", hash);
      words = "✓ In the address bar";
    }
    button.textContent = status.textContent = words;
    setTimeout(() => {
      button.textContent = name;
      status.textContent = "";
    }, MOMENT);
  });
  return [button, status];
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
