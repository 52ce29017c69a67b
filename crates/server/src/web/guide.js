// The guided minute is the lesson's short form. It's offered at the first visit, never again once
// somebody has answered, and always behind the button with the question mark.

import { h } from "./dom.js";
import { keep, recall } from "./store.js";

const NAME = "guide";
const PLACE = "#/learn?step=1&short=1";

/**
 * Makes the guide: `tools` gets its button, the offer stands before `main`.
 * @param {HTMLElement} tools
 * @param {HTMLElement} main
 */
export function guide(tools, main) {
  const word = h("span", { class: "word" }, " Guide");
  const look = { type: "button", class: "quiet help", title: "A guided minute in four steps" };
  const help = h("button", look, "?", word);
  const accept = h("button", { type: "button", class: "strong" }, "Show me");
  const decline = h("button", { type: "button", class: "quiet" }, "No, thanks");
  const offer = h(
    "aside",
    { class: "offer", "aria-label": "First visit" },
    h(
      "p",
      {},
      h("strong", {}, "New here?"),
      " A guided minute in four steps shows what temperature does to a text.",
    ),
    h("div", { class: "row middle" }, accept, decline),
  );
  const answered = () => {
    keep(NAME, "seen");
    const inside = offer.contains(document.activeElement);
    offer.remove();
    if (inside) main.focus();
  };
  const start = () => {
    answered();
    location.hash = PLACE;
  };
  tools.prepend(help);
  help.addEventListener("click", start);
  accept.addEventListener("click", start);
  decline.addEventListener("click", answered);
  if (recall(NAME) === null) main.before(offer);
}
