// The loop that a model is run in: look at the distribution, draw a token, put it behind the text,
// and again, until a token ends it.

import * as address from "../address.js";
import { h, clear } from "../dom.js";
import { percent } from "../format.js";
import { taken } from "./subject.js";

/** Tokens in a row that are drawn by themselves at most. */
const MOST = 400;

/**
 * Makes one. `ask(body)` gives the distribution after a text, `base()` what every question says, `at()` the temperature, `changed()` is called
 * when the text is another, `fail(error)` hears of errors.
 */
export function loop({ ask, base, at, changed, fail }) {
  let answer = null;
  let running = false;
  let steps = [];
  const body = h("tbody");
  const text = h("p", { class: "loop-text" });
  const says = h("p", { class: "note", "aria-live": "polite" });
  const step = h(
    "button",
    { type: "button", class: "strong", onclick: () => draw() },
    "Draw one token",
  );
  const run = h(
    "button",
    { type: "button", onclick: () => (running ? stop() : start()) },
    "Run to the end",
  );
  const back = h("button", { type: "button", onclick: () => undo() }, "Take one back");
  const again = h("button", { type: "button", onclick: () => set([]) }, "From the beginning");
  const table = h(
    "table",
    { class: "steps" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ["", "token", "its p", "P(end)"].map((name) => h("th", { scope: "col" }, name)),
      ),
    ),
    body,
  );

  function set(ids) {
    stop();
    address.write({ cont: ids.join(".") || null });
    steps = steps.slice(0, ids.length);
    changed();
  }
  function undo() {
    set(taken().slice(0, -1));
  }
  function put({ id, shown, text, ends }, p, end, from) {
    steps[taken().length] = { id, shown, text, p, end, ends, learned: from.learned?.[id] };
    address.write({ cont: [...taken(), id].join(".") });
  }
  /** Whether the answer is about the text as it is now, and not about the one before. */
  function fresh() {
    return answer !== null && answer.taken.map((one) => one.ids[0]).join() === taken().join();
  }
  function draw() {
    if (!fresh() || ended()) return;
    const { dart, end } = answer;
    put(dart, dart.to - dart.from, end.final, answer);
    changed();
  }
  /** A token by hand: what stands in the rows. */
  function take(id) {
    stop();
    const row = fresh() ? answer.top.find((one) => one.id === id) : null;
    if (!row || ended()) return;
    put(row, row.final, answer.end.final, answer);
    changed();
  }
  function ended() {
    return steps[taken().length - 1]?.ends === true;
  }
  async function start() {
    running = true;
    paint();
    try {
      for (let n = 0; n < MOST && running && !ended(); n += 1) {
        const next = await ask({ ...base(), temperature: at(), top: 0 });
        if (!running) break;
        const { dart, end } = next;
        put(dart, dart.to - dart.from, end.final, next);
        paint();
      }
    } catch (error) {
      fail(error);
    }
    stop();
    changed();
  }
  function stop() {
    running = false;
    paint();
  }

  /** What a link said was taken: its names, and then the numbers of each step, asked for one by one. */
  async function fill(names) {
    const ids = taken();
    for (let i = 0; i < ids.length && taken().join() === ids.join(); i += 1) {
      if (steps[i]?.id === ids[i]) continue;
      try {
        const { continuation, ...rest } = base();
        const before = await ask({
          ...rest,
          continuation: ids.slice(0, i),
          learned: steps[i - 1]?.learned,
          temperature: at(),
          top: 0,
          watch: [ids[i]],
        });
        const ends = before.end.ids.includes(ids[i]);
        steps[i] = {
          id: ids[i],
          shown: names[i].shown,
          text: names[i].text,
          p: before.watched[0].places.at(-1).probability,
          end: before.end.final,
          ends,
          learned: before.learned?.[ids[i]],
        };
      } catch (error) {
        return fail(error);
      }
      paint();
    }
    // What comes next was looked at before a stage that learns knew of these.
    return learned() ? changed() : undefined;
  }
  /** What a stage that learns knows of the text so far. */
  function learned() {
    const ids = taken();
    return steps[ids.length - 1]?.id === ids.at(-1) ? steps[ids.length - 1]?.learned : undefined;
  }

  function paint() {
    const ids = taken();
    run.textContent = running ? "Stop" : "Run to the end";
    // T = ∞ is a limit to look at: nothing is drawn there.
    const limit = at() === "inf";
    step.disabled = running || ended() || limit;
    run.disabled = !running && (ended() || limit);
    back.disabled = again.disabled = ids.length === 0 || running;
    const known = ids.map((id, i) =>
      steps[i]?.id === id
        ? steps[i]
        : { id, shown: `#${id}`, text: "…", p: null, end: null, ends: false },
    );
    clear(text).append(
      ...known.map((one) =>
        h("span", { class: one.ends ? "piece end" : "piece" }, one.ends ? one.shown : one.text),
      ),
    );
    text.hidden = ids.length === 0;
    table.hidden = ids.length === 0;
    clear(body).append(
      ...known
        .map((one, i) =>
          h(
            "tr",
            { class: one.ends ? "ends" : "" },
            h("td", {}, String(i + 1)),
            h("th", { scope: "row" }, one.shown),
            h("td", {}, one.p === null ? "–" : percent(one.p)),
            h("td", { "data-figure": "p-end" }, one.end === null ? "–" : percent(one.end)),
          ),
        )
        .reverse(),
    );
    says.textContent = limit
      ? "Nothing is drawn at T = ∞: it's a limit to look at."
      : ended()
        ? `It ended after ${ids.length} tokens.`
        : answer
          ? `P(end) now: ${percent(answer.end.final)}.`
          : "";
  }

  return {
    root: h(
      "div",
      {},
      h(
        "p",
        { class: "note" },
        "Look, draw, put it behind the text, and again, until a token that ends it is drawn.",
      ),
      h("div", { class: "row middle" }, step, run, back, again),
      text,
      says,
      h(
        "div",
        { class: "scroll", tabindex: "0", role: "group", "aria-label": "Steps so far" },
        table,
      ),
    ),
    show: paint,
    now(next) {
      answer = next;
      paint();
      if (
        !running &&
        taken().length === next.taken.length &&
        taken().some((id, i) => steps[i]?.id !== id)
      )
        fill(next.taken);
    },
    take,
    stop,
    learned,
  };
}
