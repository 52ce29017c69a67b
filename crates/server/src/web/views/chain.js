// Chain: the stages between a model's logits and the token drawn, as cards in the order in which
// they act.

import * as address from "../address.js";
import * as chains from "../chain.js";
import { waterfall } from "../draw/waterfall.js";
import { bars } from "../draw/bars.js";
import { h, clear, panel, choose } from "../dom.js";
import { count, percent, share } from "../format.js";
import * as heat from "../heat.js";
import { card } from "../parts/card.js";
import { exports } from "../parts/exports.js";
import { sortable } from "../parts/sortable.js";
import { seed } from "../parts/seed.js";
import { FIRST, request, subject } from "../parts/subject.js";
import { get, latest, post, explain } from "../server.js";

const ROWS = 10;

function mount(root, { model }) {
  let table = new Map();
  let stages = [];
  let answer = null;
  let said = null;
  let warned = "";

  const trouble = h("div", { "aria-live": "polite" });
  const warning = h("div", { "aria-live": "polite" });
  const list = h("ol", { class: "cards", "aria-label": "Stages in order" });
  const fall = waterfall();
  const left = bars("What is left", ["token", "raw", "final"]);
  const out = exports();
  const box = subject(model, () => look());
  const add = h("select", { "aria-label": "Add a stage" });
  const profiles = h("div", {});
  const notation = h("input", {
    type: "text",
    class: "notation",
    spellcheck: "false",
    "aria-label": "The chain in its notation",
  });
  const stop = sortable(list, (from, to) => shift(from, to));

  root.append(
    h(
      "div",
      { class: "columns chain-columns" },
      h(
        "div",
        { class: "stack" },
        h(
          "section",
          { class: "panel", "aria-label": "Stages" },
          h(
            "div",
            { class: "panel-head" },
            h("h2", {}, "Stages, in the order in which they act"),
            add,
          ),
          profiles,
          notation,
          trouble,
          list,
        ),
        panel("After which text?", box.root),
      ),
      h(
        "div",
        { class: "stack" },
        warning,
        panel(
          "What each stage leaves",
          fall.root,
          h(
            "p",
            { class: "note after" },
            "Bars are logarithmic; entropy is in nats. Probabilities are renormalised over what is left.",
          ),
        ),
        panel("What can be drawn", left.root),
      ),
    ),
    panel("Take it elsewhere", out.root),
  );

  const look = latest(
    () => post("/studio/next", { ...request(), sampler: sent(), seed: seed(), top: ROWS }),
    (next) => {
      answer = next;
      clear(trouble);
      paint();
    },
    fail,
  );
  const say = latest(
    () =>
      post("/studio/chain", {
        sampler: sent(),
        prompt: address.key("text", FIRST),
        chat: address.key("chat") === "1",
        seed: seed(),
      }),
    (next) => {
      said = next;
      out.show(said);
      paint();
    },
    fail,
  );

  function fail(error) {
    clear(trouble).append(explain(error, begin));
  }
  function sent() {
    return chains.sent(chains.written(stages));
  }

  function changed() {
    const text = chains.written(stages);
    notation.value = text;
    notation.removeAttribute("aria-invalid");
    // The temperature is the card's from here on.
    address.write({ chain: text === chains.NEUTRAL ? null : text || "draw", t: null });
    look();
    say();
  }
  function set(text) {
    stages = chains.parse(text, table);
    cards();
    changed();
  }
  function shift(from, to) {
    if (to < 0 || to >= stages.length || from === to) return;
    stages.splice(to, 0, ...stages.splice(from, 1));
    cards();
    list.children[to].querySelector(".grip-handle").focus();
    changed();
  }
  function cards() {
    clear(list).append(
      ...stages.map(
        (stage, i) =>
          card(stage, table.get(stage.name), {
            place: i,
            n: stages.length,
            turned: changed,
            move: (way) => shift(i, i + way),
            remove: () => {
              stages.splice(i, 1);
              cards();
              changed();
            },
          }).root,
      ),
    );
    if (stages.length === 0)
      list.append(
        h("li", { class: "note empty" }, "No stage: tokens are drawn as the model has it."),
      );
  }

  function paint() {
    if (!answer || !said) return;
    const t = said.temperature ?? 1;
    root.style.setProperty("--heat", heat.colour(t));
    fall.show(answer.stages, answer.n_vocab);
    const most = Math.max(...answer.top.map((one) => Math.max(one.raw, one.final)), 0.02);
    left.show(
      [
        ...answer.top.map((one) => ({
          name: one.shown,
          bar: one.final,
          ghost: one.raw,
          dim: one.final === 0,
          cells: [percent(one.raw), percent(one.final)],
        })),
        {
          name: `${count(answer.rest.tokens)} others`,
          bar: Math.min(answer.rest.final, most),
          ghost: Math.min(answer.rest.raw, most),
          kind: answer.rest.final > most ? "rest cut" : "rest",
          cells: [percent(answer.rest.raw), percent(answer.rest.final)],
        },
      ],
      { most },
    );
    let i = 0;
    [...list.querySelectorAll(".card")].forEach((element, place) => {
      const row = stages[place]?.on ? answer.stages[i++] : null;
      element.querySelector(".card-out").textContent = row
        ? `${count(row.survivors_after)} left${row.mass_removed > 0 ? `, ${share(row.mass_removed)} removed` : ""}`
        : "off";
    });
    warn();
  }

  /** Says aloud when heat can do little or nothing. */
  function warn() {
    if (!said.cut_before_heat) {
      clear(warning);
      warned = "";
      return;
    }
    const heated = answer.stages.findLastIndex((one) => /^(temp|dynatemp|edt)=/.test(one.stage));
    const reach = answer.stages[heated]?.survivors_before ?? 0;
    const inert = reach <= 1;
    // What says the same stays, so that it's neither read aloud again nor taken from under the
    // pointer.
    const now = `${said.cut_before_heat} ${reach}`;
    if (now === warned) return;
    warned = now;
    clear(warning).append(
      h(
        "p",
        { class: "warning", role: "status" },
        h("strong", {}, inert ? "Temperature is inert here. " : "Temperature can do little here. "),
        "It comes after ",
        h("code", {}, said.cut_before_heat),
        inert
          ? ", which has left a single token: at any T it's the same one."
          : `, so however hot, only the ${count(reach)} tokens that are left by then can come. Move temp above it to let heat bring others back.`,
        " ",
        h(
          "button",
          {
            type: "button",
            onclick: () => {
              const last = stages.findLastIndex(
                (one) => one.on && ["temp", "dynatemp", "edt"].includes(one.name),
              );
              const cut = stages.findIndex(
                (one) => one.on && chains.stage(one) === said.cut_before_heat,
              );
              shift(last, Math.max(0, cut));
            },
          },
          "Move it before",
        ),
      ),
    );
  }

  notation.addEventListener("change", () => set(notation.value));
  add.addEventListener("change", () => {
    const info = table.get(add.value);
    add.value = "";
    if (!info) return;
    const named = Object.fromEntries(
      info.knobs.filter((knob) => knob.key).map((knob) => [knob.key, knob.start]),
    );
    const stage = {
      name: info.name,
      on: true,
      value: info.knobs.find((knob) => !knob.key)?.start ?? "",
      named,
    };
    // A stage that learns stays the last.
    const last = stages.at(-1);
    stages.splice(
      last && ["mirostat", "adaptive_p"].includes(last.name) ? stages.length - 1 : stages.length,
      0,
      stage,
    );
    cards();
    changed();
    list.lastElementChild.scrollIntoView({ block: "nearest" });
  });

  async function begin() {
    try {
      const known = await get("/studio/stages");
      table = new Map(known.stages.map((info) => [info.name, info]));
      clear(add).append(
        h("option", { value: "" }, "+ Add a stage"),
        ...known.stages.map((info) =>
          h("option", { value: info.name }, `${info.name}: ${info.summary}`),
        ),
      );
      clear(profiles).append(
        choose(
          "Profiles of other engines",
          known.profiles.map((one) => [one.name, one.name]),
          null,
          (name) => set(known.profiles.find((one) => one.name === name).chain),
        ),
      );
      stages = chains.parse(address.key("chain", chains.NEUTRAL), table);
      const t = heat.parsed(address.key("t"), null);
      const temp = stages.filter((one) => one.name === "temp");
      if (t !== null && t !== Infinity) {
        if (temp.length === 1) temp[0].value = String(t);
        else if (temp.length === 0)
          stages.unshift({ name: "temp", on: true, value: String(t), named: {} });
      }
      cards();
      changed();
    } catch (error) {
      fail(error);
    }
  }
  begin();
  return stop;
}

export const view = {
  id: "chain",
  name: "Chain",
  lead: "Between a model's numbers and the token drawn stand stages that heat, cut and penalise. Their order matters: here it can be seen.",
  mount,
};
