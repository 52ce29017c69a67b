// Next token: what could come after a text, live, at any temperature; where the dice fall; and the
// loop itself, step by step to the end.

import * as address from "../address.js";
import { against } from "../draw/against.js";
import { bars } from "../draw/bars.js";
import { ranks } from "../draw/ranks.js";
import { h, clear, panel, choose, terms } from "../dom.js";
import { choices, count, number, percent, share } from "../format.js";
import * as heat from "../heat.js";
import * as chains from "../chain.js";
import { dart } from "../parts/dart.js";
import { draws } from "../parts/draws.js";
import { loop } from "../parts/loop.js";
import { search } from "../parts/search.js";
import { dice, seed } from "../parts/seed.js";
import { request, subject } from "../parts/subject.js";
import { temperature } from "../parts/temperature.js";
import { latest, post, explain } from "../server.js";

const SIZES = [12, 30, 100];
/** Rows of the fan. */
const RAYS = 8;

function mount(root, { model }) {
  let t = heat.parsed(address.key("t"), chains.heat(address.key("chain", chains.NEUTRAL)) ?? 1);
  let axis = address.key("axis", "linear");
  let size = SIZES.includes(Number(address.key("rows"))) ? Number(address.key("rows")) : SIZES[0];
  let answer = null;
  let fanned = null;
  let resting;
  let watched = address.key("watch", "").split(".").filter(Boolean).map(Number);

  const trouble = h("div", { "aria-live": "polite" });
  const about = h("p", { class: "note" });
  const table = bars("What could come next", ["token", "raw", "final"], (row) => {
    if (row.id !== undefined) take(row.id);
  });
  const ranked = ranks(360);
  const figures = h("div", {});
  const slider = temperature(t, move);
  const fan = against("Probabilities of the likeliest tokens against temperature", 280, move);
  const legend = h("ul", { class: "legend" });
  const box = subject(model, () => {
    renew();
  });
  const chain = h("p", { class: "note chain-line" });
  const throws = dart(move);
  const many = draws(
    () => ({ ...base(), temperature: heat.sent(t) }),
    (error) => fail(error),
  );
  const looped = loop({
    ask: (body) => post("/studio/next", body),
    base,
    at: () => heat.sent(t),
    changed: () => renew(),
    fail,
  });
  const find = search(watched, (ids) => {
    watched = ids;
    address.write({ watch: ids.join(".") || null });
    renew();
  });

  root.append(
    h(
      "div",
      { class: "columns wide" },
      panel("After which text?", box.root),
      panel(
        "Drawn how?",
        dice(() => renew()),
        chain,
      ),
    ),
    h("section", { class: "panel lifted sticky" }, slider.root),
    trouble,
    h(
      "div",
      { class: "columns wide" },
      h(
        "section",
        { class: "panel", "aria-label": "What could come next" },
        h(
          "div",
          { class: "panel-head" },
          h("h2", {}, "What could come next"),
          choose(
            "Axis",
            [
              ["linear", "linear"],
              ["log", "log"],
              ["rank", "by rank"],
            ],
            axis,
            (next) => {
              axis = next;
              address.write({ axis: axis === "linear" ? null : axis });
              ask();
            },
          ),
        ),
        about,
        table.root,
        ranked.root,
        h(
          "div",
          { class: "row middle after" },
          h("span", { class: "note" }, "Rows"),
          choose(
            "Rows",
            SIZES.map((n) => [String(n), String(n)]),
            String(size),
            (next) => {
              size = Number(next);
              address.write({ rows: size === SIZES[0] ? null : size });
              ask();
            },
          ),
        ),
      ),
      h(
        "div",
        { class: "stack" },
        h(
          "section",
          { class: "panel", "aria-label": "Figures" },
          h("h2", {}, "In figures"),
          figures,
        ),
        panel("Any token, however rare", find.root),
      ),
    ),
    panel("The dart", throws.root),
    panel(
      "At every temperature",
      h(
        "p",
        { class: "note" },
        "How the likeliest tokens of T = 1 fare from T = 0 to ∞. Drag the line.",
      ),
      fan.root,
      legend,
    ),
    h("div", { class: "columns" }, panel("Draw", many.root), panel("The loop", looped.root)),
  );

  /** What every question says. */
  function base() {
    return {
      ...request(),
      sampler: chains.sent(address.key("chain", chains.NEUTRAL)),
      seed: seed(),
      learned: looped.learned(),
    };
  }
  const look = latest(
    (body) => post("/studio/next", body),
    (next) => {
      answer = next;
      clear(trouble);
      paint();
    },
    fail,
  );
  const close = latest(
    (body) => post("/studio/nearest", body),
    (next) => throws.nearest(next),
    fail,
  );
  const slow = latest(
    async (body) => {
      const [fan, flips] = await Promise.all([
        post("/studio/fan", { ...body, top: RAYS, watch: watched }),
        post("/studio/flips", body),
      ]);
      return { fan, flips };
    },
    (next) => {
      fanned = next.fan;
      throws.flips(next.flips);
      paintFan();
    },
    fail,
  );

  function fail(error) {
    clear(trouble).append(explain(error, renew));
  }
  /** At another temperature. */
  function ask() {
    clearTimeout(resting);
    resting = setTimeout(() => close({ ...base(), temperature: heat.sent(t) }), 120);
    look({
      ...base(),
      temperature: heat.sent(t),
      top: size,
      watch: watched,
      ranks: axis === "rank",
    });
  }
  /** After another text, with another chain or other dice. */
  function renew() {
    many.clear();
    looped.show();
    ask();
    slow(base());
  }
  function move(next) {
    t = next;
    slider.set(t);
    address.write({ t: heat.sent(t) });
    many.clear();
    ask();
    paintFan();
  }
  /** Somebody takes a token by hand. */
  function take(id) {
    looped.take(id);
  }

  function paint() {
    const { top, rest, end, raw, final: last, dart: thrown } = answer;
    root.style.setProperty("--heat", heat.colour(t));
    about.textContent = `${count(answer.n_vocab)} tokens after ${count(answer.n_tokens)} that were read. Pale: raw, the model's own (T = 1). Colour: final, after ${answer.chain}. Choose a row to take that token.`;
    table.root.hidden = axis === "rank";
    ranked.root.toggleAttribute("hidden", axis !== "rank");
    const most =
      axis === "log" ? 1 : Math.max(...top.map((one) => Math.max(one.raw, one.final)), 0.02);
    table.show(
      [
        ...top.map((one) => ({
          id: one.id,
          name: one.shown,
          bar: one.final,
          ghost: one.raw,
          cells: [percent(one.raw), percent(one.final)],
          mark: one.id === thrown.id,
          dim: one.final === 0,
          title: `id ${one.id}, logit ${number(one.logit)}; raw ${percent(one.raw)}, after temperature ${percent(one.after_temperature)}, after truncation ${percent(one.after_truncation)}, final ${percent(one.final)}`,
        })),
        {
          name: `${count(rest.tokens)} others`,
          bar: Math.min(rest.final, most),
          ghost: Math.min(rest.raw, most),
          cells: [percent(rest.raw), percent(rest.final)],
          kind: rest.final > most ? "rest cut" : "rest",
        },
      ],
      { log: axis === "log", most },
    );
    if (axis === "rank" && answer.ranks) ranked.show({ points: answer.ranks, t });
    clear(figures).append(
      terms([
        [
          "Entropy",
          figure("entropy", number(last.entropy_nats, 4)),
          "of the final distribution, in nats",
        ],
        [
          "Effective choices",
          figure("choices", choices(last.effective_choices)),
          "e to the entropy",
        ],
        [
          "Can be drawn",
          figure("survivors", count(last.survivors)),
          "tokens that the chain leaves",
        ],
        [
          "Beyond the rows",
          figure("tail", share(rest.final)),
          "exact mass of all tokens that aren't shown",
        ],
        ["P(end)", figure("end", percent(end.final)), "that the text ends here"],
        [
          "Free energy",
          figure("free_energy", number(last.free_energy, 3)),
          "−T ln Σ e^(x/T), in logits",
        ],
        [
          "Heat capacity",
          figure("heat_capacity", number(last.heat_capacity, 3)),
          "how strongly the distribution answers to T",
        ],
        [
          "Raw entropy",
          figure("raw_entropy", number(raw.entropy_nats, 4)),
          "at T = 1, before any stage",
        ],
      ]),
    );
    find.show(answer.watched);
    throws.show(answer, t);
    looped.now(answer);
    chain.replaceChildren(
      "Chain: ",
      h("code", {}, answer.chain),
      " ",
      h("a", { href: address.link("chain") }, "Change it"),
      /mirostat|adaptive_p/.test(answer.chain)
        ? " A stage that learns from the tokens before begins afresh here."
        : "",
    );
    paintFan();
  }

  function figure(name, text) {
    return h("span", { "data-figure": name }, text);
  }

  function paintFan() {
    if (!fanned || !answer) return;
    const temperatures = fanned.temperatures.map((one) => heat.parsed(one, 0));
    const known = new Map([
      ...answer.top.map((one) => [one.id, one.final]),
      ...answer.watched.map((one) => [one.ids[0], one.places.at(-1).probability]),
    ]);
    const high = Math.max(...fanned.tokens.flatMap((ray) => ray.probabilities.slice(12)), 0.05);
    fan.show({
      temperatures,
      t,
      low: 0,
      high: Math.min(1, high * 1.08),
      written: (p) => `${Number((p * 100).toPrecision(3))} %`,
      series: [
        ...fanned.tokens.map((ray, i) => ({
          name: ray.shown,
          colour: i % 8,
          dashed: i >= RAYS,
          values: ray.probabilities,
        })),
      ],
      now: fanned.tokens.map((ray) => known.get(ray.id)),
      words: `Probabilities of ${fanned.tokens.map((ray) => ray.shown).join(", ")} against temperature`,
    });
    clear(legend).append(
      ...fanned.tokens.map((ray, i) => h("li", { class: `key-${i % 8}` }, ray.shown)),
    );
  }

  renew();
  return () => {
    clearTimeout(resting);
    looped.stop();
  };
}

export const view = {
  id: "next",
  name: "Next token",
  lead: "A model never writes a sentence. It says how likely every token is to come next, one is drawn, and it all begins again.",
  mount,
};
