// Next token: what could come after a text, live, at any temperature; where the dice fall; and the
// loop itself, step by step to the end.

import * as address from "../address.js";
import { against } from "../draw/against.js";
import { bars } from "../draw/bars.js";
import { ranks } from "../draw/ranks.js";
import { copied, figureOf } from "../draw/figure.js";
import { h, clear, panel, choose, terms } from "../dom.js";
import { choices, count, measure, number, percent, share } from "../format.js";
import * as heat from "../heat.js";
import * as chains from "../chain.js";
import { dart } from "../parts/dart.js";
import { draws } from "../parts/draws.js";
import { loop } from "../parts/loop.js";
import { saves } from "../parts/save.js";
import { search } from "../parts/search.js";
import { dice, seed } from "../parts/seed.js";
import { ending, request, subject } from "../parts/subject.js";
import { temperature } from "../parts/temperature.js";
import { latest, post, explain } from "../server.js";

/** @import { Base, Fan, Model, Next, Sent, View } from "../types.js" */
/** @import { BarRow } from "../draw/bars.js" */

/** @typedef {ReturnType<typeof build>} Page */
/** @typedef {"linear" | "log" | "rank"} Axis */

const SIZES = [12, 30, 100];
/** Rows of the fan. */
const RAYS = 8;
/** Temperatures of the fan that are too cold to say how high its axis is. */
const COLD = 12;
/** How long T has to rest before the nearest flips are looked for, in milliseconds. */
const REST = 120;

/**
 * @param {HTMLElement} root
 * @param {{ model: Model }} page
 */
function mount(root, { model }) {
  const v = build(root, model);
  const box = subject(model, () => renew(v));
  root.append(...layout(v, box.root));
  v.look = latest(
    (/** @type {object} */ body) => post("/studio/next", body),
    (next) => {
      v.answer = next;
      clear(v.trouble);
      paint(v, next);
    },
    (error) => fail(v, error),
  );
  v.close = latest(
    (/** @type {object} */ body) => post("/studio/nearest", body),
    (next) => v.throws.nearest(next),
    (error) => fail(v, error),
  );
  v.slow = latest(
    async (/** @type {object} */ body) => {
      const rays = { ...body, top: RAYS, watch: v.watched };
      return Promise.all([post("/studio/fan", rays), post("/studio/flips", body)]);
    },
    ([fan, flips]) => {
      v.fanned = fan;
      v.throws.flips(flips);
      paintFan(v);
    },
    (error) => fail(v, error),
  );
  renew(v);
  return () => {
    clearTimeout(v.resting);
    v.looped.stop();
  };
}

/**
 * @param {HTMLElement} root
 * @param {Model} model
 */
function build(root, model) {
  const rows = Number(address.key("rows", ""));
  const axis = address.key("axis", "linear");
  const t = heat.parsed(address.maybe("t"), chains.heat(chain()) ?? 1);
  const watched = address.key("watch", "").split(".").filter(Boolean).map(Number);
  const names = ["token", "raw", "final"];
  const fan = "Probabilities of the likeliest tokens against temperature";
  const moved = (/** @type {number} */ next) => {
    move(v, next);
  };
  /** @type {() => Sent} */
  const at = () => heat.sent(v.t);
  /** @type {() => Base} */
  const asked = () => base(v);
  const failed = (/** @type {unknown} */ error) => {
    fail(v, error);
  };
  const v = {
    root,
    model,
    trouble: h("div", { "aria-live": "polite" }),
    about: h("p", { class: "note" }),
    table: bars("What could come next", names, (row) => {
      if (row.id !== undefined) v.looped.take(row.id);
    }),
    ranked: ranks(360),
    figures: h("div", {}),
    slider: temperature(t, moved),
    fan: against(fan, 280, moved),
    legend: h("ul", { class: "legend" }),
    chain: h("p", { class: "note chain-line" }),
    throws: dart(moved),
    many: draws(asked, at, failed),
    looped: loop({
      ask: (body) => post("/studio/next", body),
      base: asked,
      at,
      changed: () => {
        renew(v);
      },
      fail: failed,
    }),
    find: search(watched, (ids) => {
      v.watched = ids;
      address.write({ watch: ids.join(".") || null });
      renew(v);
    }),
    t,
    axis: /** @type {Axis} */ (["log", "rank"].includes(axis) ? axis : "linear"),
    /** Rows of the table. */
    size: SIZES.includes(rows) ? rows : SIZES[0],
    watched,
    answer: /** @type {Next | null} */ (null),
    fanned: /** @type {Fan | null} */ (null),
    resting: /** @type {number | undefined} */ (undefined),
    /** Asks for the distribution, for the nearest flips, and for the fan with all flips. */
    look: (/** @type {object} */ _body) => {},
    close: (/** @type {object} */ _body) => {},
    slow: (/** @type {object} */ _body) => {},
  };
  return v;
}

/**
 * @param {Page} v
 * @param {HTMLElement} text
 */
function layout(v, text) {
  const drawn = dice(() => renew(v));
  const figures = h("h2", {}, "In figures");
  const words = "How the likeliest tokens of T = 1 fare from T = 0 to ∞. Drag the line.";
  return [
    h(
      "div",
      { class: "columns wide" },
      panel("After which text?", text),
      panel("Drawn how?", drawn, v.chain),
    ),
    h("section", { class: "panel lifted sticky" }, v.slider.root),
    v.trouble,
    h(
      "div",
      { class: "columns wide" },
      tablePanel(v),
      h(
        "div",
        { class: "stack" },
        h("section", { class: "panel", "aria-label": "Figures" }, figures, v.figures),
        panel("Any token, however rare", v.find.root),
      ),
    ),
    panel(
      "The dart",
      v.throws.root,
      saves("The dart", v.throws.drawing, () => settings(v)),
    ),
    panel(
      "At every temperature",
      h("p", { class: "note" }, words),
      v.fan.root,
      v.legend,
      saves("Probabilities against temperature", v.fan.root, () => settings(v, v.legend)),
    ),
    h("div", { class: "columns" }, panel("Draw", v.many.root), panel("The loop", v.looped.root)),
  ];
}

/** @param {Page} v */
function tablePanel(v) {
  /** @type {[string, string][]} */
  const axes = [
    ["linear", "linear"],
    ["log", "log"],
    ["rank", "by rank"],
  ];
  const axis = choose("Axis", axes, v.axis, (next) => {
    v.axis = /** @type {Axis} */ (next);
    address.write({ axis: next === "linear" ? null : next });
    ask(v);
  });
  const sizes = SIZES.map((n) => /** @type {[string, string]} */ ([String(n), String(n)]));
  const size = choose("Rows", sizes, String(v.size), (next) => {
    v.size = Number(next);
    address.write({ rows: v.size === SIZES[0] ? null : v.size });
    ask(v);
  });
  const title = "What could come next";
  const isRanked = () => v.axis === "rank";
  const shown = () => (isRanked() ? copied(v.ranked.drawing) : figureOf(v.table.root));
  const saved = saves(title, shown, () =>
    isRanked()
      ? settings(v, v.ranked.legend)
      : settings(v, null, "Pale bars: raw; coloured: final."),
  );
  return h(
    "section",
    { class: "panel", "aria-label": title },
    h("div", { class: "panel-head" }, h("h2", {}, title), axis),
    v.about,
    v.table.root,
    v.ranked.root,
    h("div", { class: "row middle after" }, h("span", { class: "note" }, "Rows"), size, saved),
  );
}

/**
 * What a saved figure says of its settings.
 * @param {Page} v
 * @param {HTMLElement | null} [legend]
 * @param {string} [more]
 */
function settings({ t, answer, model }, legend, more = "") {
  const all = [
    `T = ${heat.written(t)}`,
    `chain ${answer?.chain}`,
    `dice of seed ${seed()}`,
    model.name,
    `after “${ending()}”`,
  ];
  return { words: `${all.join(" · ")}. ${more}`, legend };
}

/** The chain of the address. */
function chain() {
  return address.key("chain", chains.NEUTRAL);
}

/**
 * What every question says.
 * @param {Page} v
 * @returns {Base}
 */
function base(v) {
  const learned = v.looped.learned();
  return { ...request(), sampler: chains.sent(chain()), seed: seed(), learned };
}

/**
 * @param {Page} v
 * @param {unknown} error
 */
function fail(v, error) {
  clear(v.trouble).append(explain(error, () => renew(v)));
}

/**
 * At another temperature.
 * @param {Page} v
 */
function ask(v) {
  clearTimeout(v.resting);
  v.resting = setTimeout(() => v.close({ ...base(v), temperature: heat.sent(v.t) }), REST);
  const { size: top, watched: watch, axis } = v;
  v.look({ ...base(v), temperature: heat.sent(v.t), top, watch, ranks: axis === "rank" });
}

/**
 * After another text, with another chain or other dice.
 * @param {Page} v
 */
function renew(v) {
  v.many.clear();
  v.looped.show();
  ask(v);
  v.slow(base(v));
}

/**
 * @param {Page} v
 * @param {number} next
 */
function move(v, next) {
  v.t = next;
  v.slider.set(next);
  address.write({ t: heat.sent(next) });
  v.many.clear();
  ask(v);
  paintFan(v);
}

/**
 * @param {Page} v
 * @param {Next} answer
 */
function paint(v, answer) {
  v.root.style.setProperty("--heat", heat.colour(v.t));
  v.about.textContent =
    `${count(answer.n_vocab)} tokens after ${count(answer.n_tokens)} that were read. ` +
    `Pale: raw, the model's own (T = 1). Colour: final, after ${answer.chain}. ` +
    "Choose a row to take that token.";
  v.table.root.hidden = v.axis === "rank";
  v.ranked.root.hidden = v.axis !== "rank";
  const log = v.axis === "log";
  const high = Math.max(...answer.top.map((one) => Math.max(one.raw, one.final)), 0.02);
  const most = log ? 1 : high;
  v.table.show([...rowsOf(answer), restOf(answer, most)], { log, most });
  if (v.axis === "rank" && answer.ranks) v.ranked.show(answer.ranks, v.t);
  clear(v.figures).append(figures(answer));
  v.find.show(answer.watched);
  v.throws.show(answer, v.t);
  v.looped.now(answer);
  const learns = /mirostat|adaptive_p/.test(answer.chain);
  v.chain.replaceChildren(
    "Chain: ",
    h("code", {}, answer.chain),
    " ",
    h("a", { href: address.link("chain") }, "Change it"),
    learns ? " A stage that learns from the tokens before begins afresh here." : "",
  );
  paintFan(v);
}

/**
 * @param {Next} answer
 * @returns {BarRow[]}
 */
function rowsOf({ top, dart: thrown }) {
  return top.map((one) => {
    const { id, shown, logit, raw, final } = one;
    const parts = [
      `raw ${percent(raw)}`,
      `after temperature ${percent(one.after_temperature)}`,
      `after truncation ${percent(one.after_truncation)}`,
      `final ${percent(final)}`,
    ];
    return {
      id,
      name: shown,
      bar: final,
      ghost: raw,
      cells: [percent(raw), percent(final)],
      mark: id === thrown.id,
      dim: final === 0,
      title: `id ${id}, logit ${number(logit)}; ${parts.join(", ")}`,
    };
  });
}

/**
 * The row of all tokens that have none.
 * @param {Next} answer
 * @param {number} most the probability that fills the room of a bar
 * @returns {BarRow}
 */
function restOf({ rest: { tokens, raw, final } }, most) {
  return {
    name: `${count(tokens)} others`,
    bar: Math.min(final, most),
    ghost: Math.min(raw, most),
    cells: [percent(raw), percent(final)],
    kind: final > most ? "rest cut" : "rest",
  };
}

/** @param {Next} answer */
function figures({ raw, final, rest, end }) {
  const of = (/** @type {string} */ name, /** @type {string} */ text) =>
    h("span", { "data-figure": name }, text);
  const free = number(final.free_energy, 3);
  const capacity = number(final.heat_capacity, 3);
  return terms([
    ["Entropy", of("entropy", measure(final.entropy_nats)), "of the final distribution, in nats"],
    ["Effective choices", of("choices", choices(final.effective_choices)), "e to the entropy"],
    ["Can be drawn", of("survivors", count(final.survivors)), "tokens that the chain leaves"],
    [
      "Beyond the rows",
      of("tail", share(rest.final)),
      "exact mass of all tokens that aren't shown",
    ],
    ["P(end)", of("end", percent(end.final)), "that the text ends here"],
    ["Free energy", of("free_energy", free), "−T ln Σ e^(x/T), in logits"],
    ["Heat capacity", of("heat_capacity", capacity), "how strongly the distribution answers to T"],
    ["Raw entropy", of("raw_entropy", measure(raw.entropy_nats)), "at T = 1, before any stage"],
  ]);
}

/** @param {Page} v */
function paintFan({ fanned, answer, t, fan, legend }) {
  if (!fanned || !answer) return;
  const known = new Map(answer.top.map((one) => [one.id, one.final]));
  for (const { ids, places } of answer.watched) {
    known.set(ids[0], places[places.length - 1].probability);
  }
  const seen = fanned.tokens.flatMap((ray) => ray.probabilities.slice(COLD));
  const names = fanned.tokens.map((ray) => ray.shown);
  fan.show({
    temperatures: fanned.temperatures.map((one) => heat.parsed(one, 0)),
    t,
    low: 0,
    high: Math.min(1, Math.max(...seen, 0.05) * 1.08),
    written: (p) => `${Number((p * 100).toPrecision(3))} %`,
    series: fanned.tokens.map(({ shown, probabilities }, i) => ({
      name: shown,
      colour: i % 8,
      dashed: i >= RAYS,
      values: probabilities,
    })),
    now: fanned.tokens.map((ray) => known.get(ray.id)),
    words: `Probabilities of ${names.join(", ")} against temperature`,
  });
  clear(legend).append(...names.map((name, i) => h("li", { class: `key-${i % 8}` }, name)));
}

/** @type {View} */
export const view = {
  id: "next",
  name: "Next token",
  lead:
    "A model never writes a sentence. It says how likely every token is to come next, " +
    "one is drawn, and it all begins again.",
  mount,
};
