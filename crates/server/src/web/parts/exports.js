// A chain in the words of other engines, to be copied: kelvin's command line, and settings as JSON,
// with what can't be said.

import { h, clear, choose } from "../dom.js";

/** @import { ChainSaid } from "../types.js" */

/** @type {Record<string, string>} */
const PLACES = {
  "llama.cpp": "llama.cpp, the flags of llama-cli and llama-server",
  vllm: "vLLM, in Python",
  transformers: "transformers, in Python",
  ollama: "Ollama, lines of a Modelfile",
  openai: "OpenAI's client, in Python",
};

/** Makes a panel. */
export function exports() {
  /** @type {ChainSaid | null} */
  let said = null;
  let chosen = "kelvin";
  let form = "flags";
  const tabs = h("div", {});
  /** @type {[string, string][]} */
  const ways = [
    ["flags", "As typed"],
    ["json", "JSON"],
  ];
  const forms = choose("Form", ways, form, (name) => {
    form = name;
    paint();
  });
  const place = h("p", { class: "note" });
  const code = h("pre", { class: "code", tabindex: "0", "aria-label": "To copy" });
  const missing = h("ul", { class: "missing" });
  const copied = h("span", { class: "note", role: "status" });
  const copy = h("button", { type: "button", onclick: () => copyFrom(code, copied) }, "Copy");

  function paint() {
    if (!said) return;
    const { words, text, items } = written(said, chosen, form);
    forms.hidden = chosen === "kelvin" || chosen === "json";
    place.textContent = words;
    code.textContent = text;
    clear(missing).append(...items);
  }

  const head = h("div", { class: "row middle" }, place, forms, copy, copied);
  return {
    root: h("div", {}, tabs, head, code, missing),
    /** @param {ChainSaid} next */
    show(next) {
      if (!said) {
        const engines = next.translations.map(
          ({ to }) => /** @type {[string, string]} */ ([to, to]),
        );
        const all = [["kelvin", "kelvin"], ["json", "Kelvin's API"], ...engines];
        const names = /** @type {[string, string][]} */ (all);
        const choice = choose("Engine", names, chosen, (name) => {
          chosen = name;
          paint();
        });
        tabs.append(choice);
      }
      said = next;
      paint();
    },
  };
}

/**
 * The chain for one engine: where it goes, its text, and what there is to say about it.
 * @param {ChainSaid} said
 * @param {string} chosen
 * @param {string} form "flags" or "json"
 */
function written(said, chosen, form) {
  if (chosen === "kelvin") return { words: "Kelvin's command line", text: said.command, items: [] };
  const one = said.translations.find(({ to }) => to === chosen);
  if (!one) {
    const words = "Kelvin's API, in the body of /v1/completions or /v1/chat/completions";
    return { words, text: JSON.stringify({ sampler: said.chain }, null, 2), items: [] };
  }
  const runs = h("li", {}, "It runs as ", h("code", {}, one.runs));
  const lacks = one.missing.map((what) => h("li", { class: "cannot" }, `Can't be said: ${what}`));
  const items = [runs, ...lacks];
  if (form === "flags") return { words: PLACES[one.to] ?? one.place, text: one.flags, items };
  return { words: one.place, text: JSON.stringify(one.settings, null, 2), items };
}

/**
 * Copies what stands in `code`, or selects it where the browser doesn't let a page copy.
 * @param {HTMLElement} code
 * @param {HTMLElement} copied says what came of it, for a moment
 */
async function copyFrom(code, copied) {
  try {
    await navigator.clipboard.writeText(code.textContent ?? "");
    copied.textContent = "Copied";
  } catch {
    getSelection()?.selectAllChildren(code);
    copied.textContent = "Press Ctrl+C";
  }
  setTimeout(() => {
    copied.textContent = "";
  }, 2500);
}
