// A chain in the words of other engines, to be copied: kelvin's command line, and settings as JSON,
// with what can't be said.

import { h, clear, choose } from "../dom.js";

const PLACES = {
  "llama.cpp": "llama.cpp, the flags of llama-cli and llama-server",
  vllm: "vLLM, in Python",
  transformers: "transformers, in Python",
  ollama: "Ollama, lines of a Modelfile",
  openai: "OpenAI's client, in Python",
};

/** Makes one. `show(said)` takes what POST /studio/chain says. */
export function exports() {
  let said = null;
  let chosen = "kelvin";
  let form = "flags";
  const tabs = h("div", {});
  const forms = choose(
    "Form",
    [
      ["flags", "As typed"],
      ["json", "JSON"],
    ],
    form,
    (name) => {
      form = name;
      paint();
    },
  );
  const place = h("p", { class: "note" });
  const code = h("pre", { class: "code", tabindex: "0", "aria-label": "To copy" });
  const missing = h("ul", { class: "missing" });
  const copied = h("span", { class: "note", role: "status" });
  const copy = h(
    "button",
    {
      type: "button",
      onclick: async () => {
        try {
          await navigator.clipboard.writeText(code.textContent);
          copied.textContent = "Copied";
        } catch {
          getSelection().selectAllChildren(code);
          copied.textContent = "Press Ctrl+C";
        }
        setTimeout(() => {
          copied.textContent = "";
        }, 2500);
      },
    },
    "Copy",
  );

  function paint() {
    clear(missing);
    forms.hidden = chosen === "kelvin" || chosen === "json";
    if (chosen === "kelvin") {
      place.textContent = "Kelvin's command line";
      code.textContent = said.command;
      return;
    }
    if (chosen === "json") {
      place.textContent = "Kelvin's API, in the body of /v1/completions or /v1/chat/completions";
      code.textContent = JSON.stringify({ sampler: said.chain }, null, 2);
      return;
    }
    const one = said.translations.find(({ to }) => to === chosen);
    place.textContent = form === "flags" ? PLACES[one.to] : one.place;
    code.textContent = form === "flags" ? one.flags : JSON.stringify(one.settings, null, 2);
    missing.append(
      h("li", {}, "It runs as ", h("code", {}, one.runs)),
      ...one.missing.map((words) => h("li", { class: "cannot" }, `Can't be said: ${words}`)),
    );
  }

  return {
    root: h(
      "div",
      {},
      tabs,
      h("div", { class: "row middle" }, place, forms, copy, copied),
      code,
      missing,
    ),
    show(next) {
      const fresh = said === null;
      said = next;
      if (fresh) {
        tabs.append(
          choose(
            "Engine",
            [
              ["kelvin", "kelvin"],
              ["json", "Kelvin's API"],
              ...said.translations.map(({ to }) => [to, to]),
            ],
            chosen,
            (name) => {
              chosen = name;
              paint();
            },
          ),
        );
      }
      paint();
    },
  };
}
