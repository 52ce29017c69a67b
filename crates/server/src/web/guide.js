// The guided minute: five steps through the views, on the conversation that the page begins with.
// Offered at the first visit, never again once somebody has answered, and always behind the button
// with the question mark.

import { h } from "./dom.js";
import { keep, recall } from "./store.js";

const NAME = "guide";
/** How often a step looks for what it points at, in milliseconds: views come and go beneath it. */
const OFTEN = 120;

const STEPS = [
  {
    to: "#/next",
    at: ".view-next .bars",
    title: "A model says what may come next",
    text: "“A: Hey, How you doin'? B:” and then? The model gives every token of its vocabulary a probability. These are the likeliest. It never writes more than one token at a time.",
  },
  {
    to: "#/next?t=0.4",
    at: ".view-next .heat",
    title: "Temperature decides how much the likely stand out",
    text: "Now T is 0.4, and the first few share nearly all. Drag the slider: at 0 the likeliest takes everything, at 1 the model is as it was trained, at ∞ all tokens are alike.",
  },
  {
    to: "#/next?t=1",
    at: ".view-next .panel:has(.flips)",
    title: "Then the dice fall",
    text: "The tokens lie in a row, each as long as its probability, and a dart hits one. Heat moves the tokens, not the dart. Below stands at which temperature it hits another.",
  },
  {
    to: "#/compare",
    at: ".view-compare .compare",
    title: "One text, four temperatures, the same dice",
    text: "The marked token is where a column parts from the first. Cold repeats itself, hot falls apart, and what is worth reading lies between. Choose any token to see what each column saw there.",
  },
  {
    to: "#/write?t=0.8",
    at: ".view-write .tokens",
    title: "Write, and fork",
    text: "Choose any token of the text: what else could have stood there appears beside it. Take one, and the text forks; nothing is lost. That was the minute. The ? above brings it back.",
  },
];

/** Makes the guide: `tools` gets its button, the offer stands before `main`. */
export function guide(tools, main) {
  let step = -1;
  let pointed = null;
  let came = null;
  const help = h(
    "button",
    {
      class: "quiet help",
      type: "button",
      title: "A guided minute in five steps",
      onclick: () => start(),
    },
    "?",
    h("span", { class: "word" }, " Guide"),
  );
  tools.prepend(help);

  const title = h("h2", { id: "guide-title", tabindex: "-1" });
  const text = h("p", { id: "guide-text" });
  const dots = h(
    "span",
    { class: "guide-dots", "aria-hidden": "true" },
    STEPS.map(() => h("i", {})),
  );
  const where = h("span", { class: "guide-where" });
  const back = h("button", { type: "button", class: "quiet", onclick: () => go(step - 1) }, "Back");
  const next = h("button", {
    type: "button",
    class: "strong",
    onclick: () => (step === STEPS.length - 1 ? end() : go(step + 1)),
  });
  const skip = h("button", { type: "button", class: "quiet", onclick: () => end() }, "Skip");
  const card = h(
    "section",
    {
      class: "guide",
      role: "dialog",
      "aria-modal": "false",
      "aria-labelledby": "guide-title",
      "aria-describedby": "guide-text",
      hidden: true,
    },
    h("div", { class: "guide-head" }, where, dots),
    title,
    text,
    h("div", { class: "guide-foot" }, skip, h("span", { class: "gap" }), back, next),
  );
  document.body.append(card);
  card.addEventListener("keydown", (event) => {
    if (event.key === "Escape") end();
  });

  const offer = h(
    "aside",
    { class: "offer", "aria-label": "First visit" },
    h(
      "p",
      {},
      h("strong", {}, "New here?"),
      " A guided minute in five steps shows what temperature does to a text.",
    ),
    h(
      "div",
      { class: "row middle" },
      h("button", { type: "button", class: "strong", onclick: () => start() }, "Show me"),
      h("button", { type: "button", class: "quiet", onclick: () => answered() }, "No, thanks"),
    ),
  );
  if (recall(NAME) === null) main.before(offer);

  function answered() {
    keep(NAME, "seen");
    const inside = offer.contains(document.activeElement);
    offer.remove();
    if (inside) main.focus();
  }
  function start() {
    answered();
    came = document.activeElement;
    card.hidden = false;
    document.body.classList.add("guided");
    go(0);
  }
  function end() {
    point(null);
    step = -1;
    card.hidden = true;
    document.body.classList.remove("guided");
    if (came?.isConnected && came !== document.body) came.focus();
    else help.focus();
  }

  function go(to) {
    step = to;
    const { title: words, text: more, to: hash } = STEPS[to];
    if (location.hash !== hash) location.hash = hash;
    title.textContent = words;
    text.textContent = more;
    where.textContent = `Step ${to + 1} of ${STEPS.length}`;
    [...dots.children].forEach((dot, i) => dot.classList.toggle("on", i <= to));
    back.hidden = to === 0;
    skip.hidden = to === STEPS.length - 1;
    next.textContent = to === STEPS.length - 1 ? "Done" : "Next";
    title.focus({ preventScroll: true });
    point(null);
    find(to);
  }
  /** Points at what the step is about, as soon as it's there. */
  function find(to) {
    if (step !== to) return;
    const found = document.querySelector(STEPS[to].at);
    if (found !== pointed && found?.getBoundingClientRect().height > 0) point(found);
    setTimeout(() => find(to), OFTEN);
  }
  function point(at) {
    pointed?.classList.remove("pointed");
    pointed = at;
    if (!at) return;
    at.classList.add("pointed");
    // Above the card, which lies at the bottom, and below what sticks to the top.
    const free = window.innerHeight - card.getBoundingClientRect().height;
    const box = at.getBoundingClientRect();
    const sticky = document.querySelector(".sticky");
    const top =
      80 +
      (sticky &&
      !sticky.contains(at) &&
      sticky.compareDocumentPosition(at) & Node.DOCUMENT_POSITION_FOLLOWING
        ? sticky.getBoundingClientRect().height
        : 0);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    window.scrollTo({
      top: window.scrollY + box.top - Math.max(top, (free - box.height) / 2),
      behavior: calm ? "auto" : "smooth",
    });
  }
}
