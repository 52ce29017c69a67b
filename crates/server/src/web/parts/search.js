// Search for any token of the vocabulary, and watch where it stands.

import { h, clear, field } from "../dom.js";
import { count, number, percent } from "../format.js";
import { latest, post } from "../server.js";

const MOST = 6;

/** Makes one that watches `ids`; `call` hears of every change. `show(watched)` says where they stand. */
export function search(ids, call) {
  const box = h("input", {
    type: "search",
    placeholder: "Kath, or #19300",
    autocomplete: "off",
    spellcheck: "false",
  });
  const found = h("div", { class: "found", role: "group", "aria-label": "Tokens found" });
  const list = h("div", { class: "watched" });
  const ask = latest(
    (query) => post("/studio/tokens", { query }),
    (tokens) => {
      clear(found).append(
        ...tokens.slice(0, 12).map((token) =>
          h(
            "button",
            {
              type: "button",
              title: `id ${token.ids[0]}`,
              onclick: () => {
                ids = [...ids.filter((id) => id !== token.ids[0]), token.ids[0]].slice(-MOST);
                call(ids);
              },
            },
            token.shown,
          ),
        ),
      );
      if (tokens.length === 0 && box.value)
        found.append(h("p", { class: "note" }, "No token has this text: it's made of several."));
    },
    () => {},
  );
  box.addEventListener("input", () => ask(box.value));

  return {
    root: h("div", {}, field("Text or id", box), found, list),
    show(watched) {
      clear(list).append(
        ...watched.map((token) => {
          const [raw, last] = [token.places[0], token.places.at(-1)];
          return h(
            "div",
            { class: "watch" },
            h(
              "div",
              { class: "watch-head" },
              h("code", {}, token.shown),
              h("span", { class: "note" }, `id ${token.ids[0]}`),
              h(
                "button",
                {
                  type: "button",
                  class: "quiet icon",
                  "aria-label": `Watch ${token.shown} no more`,
                  onclick: () => call((ids = ids.filter((id) => id !== token.ids[0]))),
                },
                "×",
              ),
            ),
            h("dl", {}, row("raw", raw), row("final", last)),
          );
        }),
      );
    },
  };
}

function row(name, place) {
  const words =
    place.rank === null
      ? "gone: a stage removed it"
      : `rank ${count(place.rank + 1)} · ${number(place.surprisal_nats, 2)} nats`;
  return h(
    "div",
    {},
    h("dt", {}, name),
    h("dd", {}, h("strong", {}, percent(place.probability)), h("span", { class: "note" }, words)),
  );
}
