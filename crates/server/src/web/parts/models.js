// The menu of models: another one is served in the place of this one. The server ends meanwhile, so
// the page asks until it is there again.

import * as address from "../address.js";
import { clear, h } from "../dom.js";
import { get, post } from "../server.js";

/** @import { Model } from "../types.js" */

/** How often the page asks whether the model is there, in milliseconds. */
const OFTEN = 250;
/** How long a model may take to open, in milliseconds. */
const PATIENCE = 600_000;

/** A line above the view, which stays while the view changes. */
const notice = h("div", { class: "notice", role: "status" });

/**
 * What there is to say of a model that was chosen and isn't served.
 * @param {Model} model
 */
function say({ problem }) {
  if (!problem) {
    notice.remove();
    return;
  }
  const close = h("button", { type: "button", class: "quiet icon", "aria-label": "Close" }, "×");
  close.addEventListener("click", () => notice.remove());
  clear(notice).append(problem, " ", close);
}

/**
 * Fills the place of the menu in the page's head; `again` shows the page anew.
 * @param {HTMLElement} place
 * @param {Model} model
 * @param {() => void} again
 */
export function modelMenu(place, model, again) {
  const { name, models, run } = model;
  clear(place);
  if (models.length < 2) return;
  const options = models.map((one) => {
    const words = one.includes(":") ? one.slice(one.lastIndexOf("/") + 1) : one;
    return h("option", { value: one, selected: one === name, title: one }, words);
  });
  const select = h("select", { class: "model-menu", "aria-label": "Model" }, options);
  select.addEventListener("change", async () => {
    select.disabled = true;
    clear(notice).append(`Opening ${select.value} …`);
    document.getElementById("main")?.before(notice);
    try {
      await post("/studio/open", { model: select.value });
      say(await reopened(run));
      // What belongs to a model stays with it.
      address.forget();
      again();
    } catch (error) {
      clear(notice).append(error instanceof Error ? error.message : String(error));
      select.disabled = false;
      select.value = name;
    }
  });
  place.append(select);
}

/**
 * Waits for another start of the server.
 * @param {string} run the one that ends
 * @returns {Promise<Model>}
 */
async function reopened(run) {
  const until = performance.now() + PATIENCE;
  while (performance.now() < until) {
    await new Promise((done) => setTimeout(done, OFTEN));
    const model = await get("/studio/model").catch(() => null);
    if (model && model.run !== run) return model;
  }
  throw new Error("the server doesn't answer any more: look at its window");
}
