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
    text:
      "“A: Hey, How you doin'? B:” and then? The model gives every token of its vocabulary " +
      "a probability. These are the likeliest. It never writes more than one token at a " +
      "time.",
  },
  {
    to: "#/next?t=0.4",
    at: ".view-next .heat",
    title: "Temperature decides how much the likely stand out",
    text:
      "Now T is 0.4, and the first few share nearly all. Drag the slider: at 0 the " +
      "likeliest takes everything, at 1 the model is as it was trained, at ∞ all tokens " +
      "are alike.",
  },
  {
    to: "#/next?t=1",
    at: ".view-next .panel:has(.flips)",
    title: "Then the dice fall",
    text:
      "The tokens lie in a row, each as long as its probability, and a dart hits one. Heat " +
      "moves the tokens, not the dart. Below stands at which temperature it hits another.",
  },
  {
    to: "#/compare",
    at: ".view-compare .compare",
    title: "One text, four temperatures, the same dice",
    text:
      "The marked token is where a column parts from the first. Cold repeats itself, hot " +
      "falls apart, and what is worth reading lies between. Choose any token to see what " +
      "each column saw there.",
  },
  {
    to: "#/write?t=0.8",
    at: ".view-write .tokens",
    title: "Write, and fork",
    text:
      "Choose any token of the text: what else could have stood there appears beside it. " +
      "Take one, and the text forks; nothing is lost. That was the minute. The ? above " +
      "brings it back.",
  },
];

/** @typedef {ReturnType<typeof build>} Guide */

/**
 * Makes the guide: `tools` gets its button, the offer stands before `main`.
 * @param {HTMLElement} tools
 * @param {HTMLElement} main
 */
export function guide(tools, main) {
  const g = build(main);
  tools.prepend(g.help);
  document.body.append(g.card);
  g.help.addEventListener("click", () => start(g));
  g.back.addEventListener("click", () => go(g, g.step - 1));
  g.next.addEventListener("click", () =>
    g.step === STEPS.length - 1 ? end(g) : go(g, g.step + 1),
  );
  g.skip.addEventListener("click", () => end(g));
  g.card.addEventListener("keydown", (event) => {
    if (event.key === "Escape") end(g);
  });
  g.accept.addEventListener("click", () => start(g));
  g.decline.addEventListener("click", () => answered(g));
  if (recall(NAME) === null) main.before(g.offer);
}

/** @param {HTMLElement} main */
function build(main) {
  const quiet = { type: "button", class: "quiet" };
  const strong = { type: "button", class: "strong" };
  const word = h("span", { class: "word" }, " Guide");
  const about = "A guided minute in five steps";
  const help = h("button", { class: "quiet help", type: "button", title: about }, "?", word);
  const title = h("h2", { id: "guide-title", tabindex: "-1" });
  const text = h("p", { id: "guide-text" });
  const dots = h(
    "span",
    { class: "guide-dots", "aria-hidden": "true" },
    STEPS.map(() => h("i", {})),
  );
  const where = h("span", { class: "guide-where" });
  const back = h("button", quiet, "Back");
  const next = h("button", strong);
  const skip = h("button", quiet, "Skip");
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
  const accept = h("button", strong, "Show me");
  const decline = h("button", quiet, "No, thanks");
  const offer = h(
    "aside",
    { class: "offer", "aria-label": "First visit" },
    h(
      "p",
      {},
      h("strong", {}, "New here?"),
      " A guided minute in five steps shows what temperature does to a text.",
    ),
    h("div", { class: "row middle" }, accept, decline),
  );
  return {
    main,
    help,
    title,
    text,
    dots,
    where,
    back,
    next,
    skip,
    card,
    accept,
    decline,
    offer,
    /** The step at hand, -1 for none. */
    step: -1,
    /** What the step points at. */
    pointed: /** @type {Element | null} */ (null),
    /** What had the focus before. */
    came: /** @type {Element | null} */ (null),
  };
}

/** @param {Guide} g */
function answered({ main, offer }) {
  keep(NAME, "seen");
  const inside = offer.contains(document.activeElement);
  offer.remove();
  if (inside) main.focus();
}

/** @param {Guide} g */
function start(g) {
  answered(g);
  g.came = document.activeElement;
  g.card.hidden = false;
  document.body.classList.add("guided");
  go(g, 0);
}

/** @param {Guide} g */
function end(g) {
  point(g, null);
  g.step = -1;
  g.card.hidden = true;
  document.body.classList.remove("guided");
  const { came } = g;
  if (came instanceof HTMLElement && came.isConnected && came !== document.body) came.focus();
  else g.help.focus();
}

/**
 * @param {Guide} g
 * @param {number} to
 */
function go(g, to) {
  g.step = to;
  const { title, text, to: hash } = STEPS[to];
  if (location.hash !== hash) location.hash = hash;
  g.title.textContent = title;
  g.text.textContent = text;
  g.where.textContent = `Step ${to + 1} of ${STEPS.length}`;
  [...g.dots.children].forEach((dot, i) => dot.classList.toggle("on", i <= to));
  g.back.hidden = to === 0;
  g.skip.hidden = to === STEPS.length - 1;
  g.next.textContent = to === STEPS.length - 1 ? "Done" : "Next";
  g.title.focus({ preventScroll: true });
  point(g, null);
  find(g, to);
}

/**
 * Points at what the step is about, as soon as it's there.
 * @param {Guide} g
 * @param {number} to
 */
function find(g, to) {
  if (g.step !== to) return;
  const found = document.querySelector(STEPS[to].at);
  if (found && found !== g.pointed && found.getBoundingClientRect().height > 0) point(g, found);
  setTimeout(() => find(g, to), OFTEN);
}

/**
 * @param {Guide} g
 * @param {Element | null} at
 */
function point(g, at) {
  g.pointed?.classList.remove("pointed");
  g.pointed = at;
  if (!at) return;
  at.classList.add("pointed");
  // Above the card, which lies at the bottom, and below what sticks to the top.
  const free = window.innerHeight - g.card.getBoundingClientRect().height;
  const box = at.getBoundingClientRect();
  const sticky = document.querySelector(".sticky");
  const covers =
    sticky &&
    !sticky.contains(at) &&
    sticky.compareDocumentPosition(at) & Node.DOCUMENT_POSITION_FOLLOWING;
  const top = 80 + (covers ? sticky.getBoundingClientRect().height : 0);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  window.scrollTo({
    top: window.scrollY + box.top - Math.max(top, (free - box.height) / 2),
    behavior: calm ? "auto" : "smooth",
  });
}
