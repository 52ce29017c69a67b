// Chain: the stages between a model's logits and the token drawn, as cards in the order in which
// they act.

import * as address from "../address.js";
import * as chains from "../chain.js";
import { figureOf } from "../draw/figure.js";
import { waterfall } from "../draw/waterfall.js";
import { bars } from "../draw/bars.js";
import { h, clear, panel, choose } from "../dom.js";
import { count, percent, share } from "../format.js";
import * as heat from "../heat.js";
import { card } from "../parts/card.js";
import { exports } from "../parts/exports.js";
import { saves } from "../parts/save.js";
import { sortable } from "../parts/sortable.js";
import { seed } from "../parts/seed.js";
import { FIRST, ending, isChat, request, subject } from "../parts/subject.js";
import { get, latest, post, explain } from "../server.js";

/** @import { ChainSaid, Model, Next, Stage, StageInfo, Stages, View } from "../types.js" */
/** @import { BarRow } from "../draw/bars.js" */

/** @typedef {ReturnType<typeof build>} Chain */

const ROWS = 10;
/** Stages that act by temperature. */
const HEATS = ["temp", "dynatemp", "edt"];
/** @typedef {chains.Part} Part */

/** Stages that learn: they stay the last. */
const LEARN = ["mirostat", "adaptive_p"];

/**
 * @param {HTMLElement} root
 * @param {{ model: Model }} page
 */
function mount(root, { model }) {
  const v = build(root, model);
  const box = subject(model, () => v.ask());
  root.append(...layout(v, box.root));
  const ask = () => ({ ...request(), sampler: sent(v), seed: seed(), top: ROWS });
  const look = latest(
    () => post("/studio/next", ask()),
    (next) => {
      v.answer = next;
      clear(v.trouble);
      paint(v);
    },
    (error) => fail(v, error),
  );
  const text = () => ({ prompt: address.key("text", FIRST), chat: isChat() });
  const say = latest(
    () => post("/studio/chain", { ...text(), sampler: sent(v), seed: seed() }),
    (next) => {
      v.said = next;
      v.out.show(next);
      paint(v);
    },
    (error) => fail(v, error),
  );
  v.ask = () => {
    look();
    say();
  };
  v.notation.addEventListener("change", () => set(v, v.notation.value));
  v.add.addEventListener("change", () => {
    const info = v.table.get(v.add.value);
    v.add.value = "";
    if (info) put(v, info);
  });
  begin(v);
  return sortable(v.list, (from, to) => shift(v, from, to));
}

/**
 * @param {HTMLElement} root
 * @param {Model} model
 */
function build(root, model) {
  return {
    root,
    model,
    trouble: h("div", { "aria-live": "polite" }),
    warning: h("div", { "aria-live": "polite" }),
    list: h("ol", { class: "cards", "aria-label": "Stages in order" }),
    fall: waterfall(),
    left: bars("What is left", ["token", "raw", "final"]),
    out: exports(),
    add: h("select", { "aria-label": "Add a stage" }),
    profiles: h("div", {}),
    places: h("div", {}),
    notation: h("input", {
      type: "text",
      class: "notation",
      spellcheck: "false",
      "aria-label": "The chain in its notation",
    }),
    /** Every stage there is, by its name. */
    table: /** @type {Map<string, StageInfo>} */ (new Map()),
    /** The parts of a schedule; of a plain chain there is one. `stages` are those of one part. */
    parts: /** @type {Part[]} */ ([{ place: "", chain: chains.NEUTRAL }]),
    part: 0,
    stages: /** @type {Stage[]} */ ([]),
    answer: /** @type {Next | null} */ (null),
    said: /** @type {ChainSaid | null} */ (null),
    /** What the warning says, in short. */
    warned: "",
    /** Asks what the chain does, and how it's said elsewhere. */
    ask: () => {},
  };
}

/**
 * @param {Chain} v
 * @param {HTMLElement} text
 */
function layout(v, text) {
  const title = h("h2", {}, "Stages, in the order in which they act");
  const about =
    "Bars are logarithmic; entropy is in nats. " +
    "Probabilities are renormalised over what is left.";
  const stages = h(
    "section",
    { class: "panel", "aria-label": "Stages" },
    h("div", { class: "panel-head" }, title, v.add),
    v.profiles,
    v.notation,
    v.places,
    v.trouble,
    v.list,
  );
  const fallen = "What each stage leaves";
  const settings = () => ({
    words: `${v.answer?.chain} · ${v.model.name} · after “${ending()}”. ${about}`,
  });
  const fall = panel(
    fallen,
    v.fall.root,
    h("p", { class: "note after" }, about),
    saves(fallen, () => figureOf(v.fall.root), settings),
  );
  const left = "What can be drawn";
  const drawn = panel(
    left,
    v.left.root,
    saves(left, () => figureOf(v.left.root), settings),
  );
  return [
    h(
      "div",
      { class: "columns chain-columns" },
      h("div", { class: "stack" }, stages, panel("After which text?", text)),
      h("div", { class: "stack" }, v.warning, fall, drawn),
    ),
    panel("Take it elsewhere", v.out.root),
  ];
}

/**
 * @param {Chain} v
 * @param {unknown} error
 */
function fail(v, error) {
  clear(v.trouble).append(explain(error, () => begin(v)));
}

/** @param {Chain} v */
function sent(v) {
  return chains.sent(whole(v));
}

/**
 * The chain with all its parts, for the address.
 * @param {Chain} v
 */
function whole(v) {
  v.parts[v.part].chain = chains.written(v.stages);
  return chains.joined(v.parts);
}

/**
 * Takes a chain, and shows its part that is asked for.
 * @param {Chain} v
 * @param {string} text
 * @param {number} [part]
 */
function take(v, text, part = 0) {
  v.parts = chains.parts(text);
  v.part = Math.min(part, v.parts.length - 1);
  v.stages = chains.parse(v.parts[v.part].chain, v.table);
  places(v);
  cards(v);
}

/**
 * The places of a schedule: one of them has its stages below.
 * @param {Chain} v
 */
function places(v) {
  clear(v.places);
  if (!chains.isSchedule(chains.joined(v.parts))) return;
  /** @type {[string, string][]} */
  const all = chains.placesOf(v.parts).map((words, i) => [String(i), words]);
  const words = `A schedule, no sequence. ${chains.DECIDES} The stages below are those of`;
  v.places.append(
    h("p", { class: "note" }, words),
    choose("Places of the schedule", all, String(v.part), (i) => {
      const text = whole(v);
      take(v, text, Number(i));
      paint(v);
    }),
  );
}

/** @param {Chain} v */
function changed(v) {
  const text = whole(v);
  v.notation.value = text;
  v.notation.removeAttribute("aria-invalid");
  // The temperature is the card's from here on.
  address.write({ chain: text === chains.NEUTRAL ? null : text || "draw", t: null });
  v.ask();
}

/**
 * @param {Chain} v
 * @param {string} text
 */
function set(v, text) {
  take(v, text);
  changed(v);
}

/**
 * @param {Chain} v
 * @param {number} from
 * @param {number} to
 */
function shift(v, from, to) {
  const { stages, list } = v;
  if (to < 0 || to >= stages.length || from === to) return;
  stages.splice(to, 0, ...stages.splice(from, 1));
  cards(v);
  /** @type {HTMLElement | null} */
  const grip = list.children[to].querySelector(".grip-handle");
  grip?.focus();
  changed(v);
}

/**
 * Puts a stage with its first settings behind the others; a stage that learns stays the last.
 * @param {Chain} v
 * @param {StageInfo} info
 */
function put(v, { name, knobs }) {
  /** @type {Record<string, string>} */
  const named = {};
  for (const { key, start } of knobs) if (key) named[key] = start;
  const value = knobs.find((knob) => !knob.key)?.start ?? "";
  const { stages } = v;
  const last = stages.at(-1);
  const at = last && LEARN.includes(last.name) ? stages.length - 1 : stages.length;
  stages.splice(at, 0, { name, on: true, value, named });
  cards(v);
  changed(v);
  v.list.lastElementChild?.scrollIntoView({ block: "nearest" });
}

/** @param {Chain} v */
function cards(v) {
  const { list, stages, table } = v;
  const all = stages.map((stage, i) =>
    card(stage, table.get(stage.name), {
      place: i,
      n: stages.length,
      turned: () => changed(v),
      move: (way) => shift(v, i, i + way),
      remove: () => {
        stages.splice(i, 1);
        cards(v);
        changed(v);
      },
    }),
  );
  clear(list).append(...all);
  if (stages.length > 0) return;
  const words = "No stage: tokens are drawn as the model has it.";
  list.append(h("li", { class: "note empty" }, words));
}

/** @param {Chain} v */
function paint(v) {
  const { answer, said, stages, root, list } = v;
  if (!answer || !said) return;
  root.style.setProperty("--heat", heat.colour(said.temperature ?? 1));
  v.fall.show(answer.stages, answer.n_vocab);
  const most = Math.max(...answer.top.map((one) => Math.max(one.raw, one.final)), 0.02);
  v.left.show([...rowsOf(answer), restOf(answer, most)], { most });
  let i = 0;
  // Of a schedule, the answer is about the part that holds after this text.
  const isHeld = answer.at === undefined || answer.at === chains.placeOf(v.parts[v.part]);
  list.querySelectorAll(".card-out").forEach((element, place) => {
    if (!isHeld) {
      element.textContent = `${answer.at} holds after this text`;
      return;
    }
    const row = stages[place]?.on ? answer.stages[i++] : null;
    const removed = row && row.mass_removed > 0 ? `, ${share(row.mass_removed)} removed` : "";
    element.textContent = row ? `${count(row.survivors_after)} left${removed}` : "off";
  });
  warn(v, answer, said);
}

/**
 * @param {Next} answer
 * @returns {BarRow[]}
 */
function rowsOf({ top }) {
  return top.map(({ shown, raw, final }) => ({
    name: shown,
    bar: final,
    ghost: raw,
    dim: final === 0,
    cells: [percent(raw), percent(final)],
  }));
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
    kind: final > most ? "rest cut" : "rest",
    cells: [percent(raw), percent(final)],
  };
}

/**
 * Says aloud when heat can do little or nothing.
 * @param {Chain} v
 * @param {Next} answer
 * @param {ChainSaid} said
 */
function warn(v, answer, { cut_before_heat: cut }) {
  if (!cut) {
    clear(v.warning);
    v.warned = "";
    return;
  }
  const heated = answer.stages.findLast((one) => HEATS.includes(one.stage.split("=")[0]));
  const reach = heated?.survivors_before ?? 0;
  // What says the same stays, so that it's neither read aloud again nor taken from under the
  // pointer.
  const now = `${cut} ${reach}`;
  if (now === v.warned) return;
  v.warned = now;
  const inert = reach <= 1;
  const title = inert ? "Temperature is inert here. " : "Temperature can do little here. ";
  const words = inert
    ? ", which has left a single token: at any T it's the same one."
    : `, so however hot, only the ${count(reach)} tokens that are left by then can come. ` +
      "Move temp above it to let heat bring others back.";
  const move = h("button", { type: "button" }, "Move it before");
  move.addEventListener("click", () => {
    const last = v.stages.findLastIndex((one) => one.on && HEATS.includes(one.name));
    const first = v.stages.findIndex((one) => one.on && chains.stage(one) === cut);
    shift(v, last, Math.max(0, first));
  });
  const look = { class: "warning", role: "status" };
  const parts = [h("strong", {}, title), "It comes after ", h("code", {}, cut), words, " ", move];
  clear(v.warning).append(h("p", look, ...parts));
}

/** @param {Chain} v */
async function begin(v) {
  try {
    const known = await get("/studio/stages");
    v.table = new Map(known.stages.map((info) => [info.name, info]));
    offer(v, known);
    take(v, address.key("chain", chains.NEUTRAL));
    const t = heat.parsed(address.maybe("t"), null);
    // Each chain of a schedule has its own temperature.
    if (t !== null && t !== Infinity && v.parts.length === 1) warm(v.stages, t);
    cards(v);
    changed(v);
  } catch (error) {
    fail(v, error);
  }
}

/**
 * What can be added, and the profiles.
 * @param {Chain} v
 * @param {Stages} known
 */
function offer(v, { stages, profiles }) {
  clear(v.add).append(
    h("option", { value: "" }, "+ Add a stage"),
    ...stages.map(({ name, summary }) => h("option", { value: name }, `${name}: ${summary}`)),
  );
  const names = profiles.map(({ name }) => /** @type {[string, string]} */ ([name, name]));
  const choice = choose("Profiles of other engines", names, null, (name) => {
    const found = profiles.find((one) => one.name === name);
    if (found) set(v, found.chain);
  });
  clear(v.profiles).append(choice);
}

/**
 * The temperature of the address takes the place of the chain's own, or comes before all.
 * @param {Stage[]} stages
 * @param {number} t
 */
function warm(stages, t) {
  const temps = stages.filter((one) => one.name === "temp");
  if (temps.length === 1) temps[0].value = String(t);
  else if (temps.length === 0) {
    stages.unshift({ name: "temp", on: true, value: String(t), named: {} });
  }
}

/** @type {View} */
export const view = {
  id: "chain",
  name: "Chain",
  lead:
    "Between a model's numbers and the token drawn stand stages that heat, cut and penalise. " +
    "Their order matters: here it can be seen.",
  mount,
};
