// Write and fork: a text as the tokens that it was drawn as. At each the alternatives can be seen
// and taken; what was written stays as a branch of a tree.

import * as address from "../address.js";
import * as chains from "../chain.js";
import { h, clear, choose, field, panel } from "../dom.js";
import { LENSES, legend, said, sentence } from "../draw/lens.js";
import { number } from "../format.js";
import * as heat from "../heat.js";
import { dice, seed } from "../parts/seed.js";
import { FIRST, request, subject, taken } from "../parts/subject.js";
import { temperature } from "../parts/temperature.js";
import { tokens } from "../parts/tokens.js";
import { latest, post, explain } from "../server.js";
import { FEW, MANY, alternatives } from "../write/alternatives.js";
import { brush } from "../write/brush.js";
import * as files from "../write/file.js";
import { before, goOn, learned, score } from "../write/go_on.js";
import { outline } from "../write/outline.js";
import { Tree } from "../write/tree.js";

const LENGTH = 40;
const LONGEST = 2000;

/** The tree stays while other views are looked at: { subject, tree }. */
let kept = null;

function mount(root, { model }) {
  let tree = new Tree();
  let place = 0;
  let range = [0, 0];
  let size = FEW;
  let answer = null;
  let running = null;
  let turn = 0;
  let due = false;
  let numbers = false;
  let length = Math.min(
    LONGEST,
    Math.max(1, Math.floor(Number(address.key("n", LENGTH))) || LENGTH),
  );
  let t = heat.parsed(address.key("t"), chains.heat(chain()) ?? 1);
  let lens = LENSES[address.key("lens")] ? address.key("lens") : "probability";

  const trouble = h("div", { "aria-live": "polite" });
  const says = h("p", { class: "note says-run", "aria-live": "polite" });
  const read = h("p", { class: "note says-read", "aria-live": "polite" });
  const readout = h("p", { class: "readout" });
  const sums = h("p", { class: "note sums" });
  const key = h("div", {});
  const text = tokens({
    label:
      "The text, token by token. Arrows move, digits take an alternative, Enter draws, Backspace goes back, Shift and arrows select a stretch to paint.",
    choose: go,
    range: select,
    key: typed,
    open: true,
  });
  const beside = alternatives({
    take: (row) => {
      take(row);
      text.focus();
    },
    draw,
    back,
    more: () => {
      size = MANY;
      look();
    },
  });
  const forks = outline({ go: visit, cut });
  const heats = brush({ paint, select, close: () => select(0, 0) });
  const slider = temperature(t, (next) => {
    t = next;
    address.write({ t: heat.sent(t) });
    look();
  });
  const button = (words, call, kind = "") =>
    h("button", { type: "button", class: kind, onclick: call }, words);
  const on = button("Write on", () => write(), "strong");
  const halt = button("Stop", stop);
  const undo = button("Undo", () => step("undo"));
  const redo = button("Redo", () => step("redo"));
  const file = h("input", {
    type: "file",
    accept: ".json,application/json",
    hidden: true,
    "aria-label": "File of a tree",
    onchange: load,
  });
  const many = h("input", {
    type: "number",
    min: "1",
    max: String(LONGEST),
    value: String(length),
    class: "short",
    onchange: () => {
      length = Math.min(LONGEST, Math.max(1, Math.floor(Number(many.value)) || LENGTH));
      many.value = String(length);
      address.write({ n: length === LENGTH ? null : length });
    },
  });
  const anew = button("Begin anew with this text", () => open(true), "strong");
  const box = subject(model, () => {
    anew.hidden = false;
  });
  anew.hidden = true;

  root.append(
    trouble,
    h(
      "div",
      { class: "columns wide writing" },
      h(
        "div",
        { class: "stack" },
        h(
          "section",
          { class: "panel sheet", "aria-label": "Text" },
          h(
            "div",
            { class: "panel-head" },
            choose(
              "Colour says",
              Object.entries(LENSES).map(([id, one]) => [id, one.name]),
              lens,
              (next) => {
                lens = next;
                address.write({ lens: lens === "probability" ? null : lens });
                paintText();
              },
            ),
            h(
              "label",
              { class: "check" },
              h("input", {
                type: "checkbox",
                onchange: (event) => {
                  numbers = event.target.checked;
                  paintText();
                },
              }),
              "numbers",
            ),
          ),
          key,
          text.root,
          readout,
          heats.root,
          h(
            "div",
            { class: "toolbar" },
            on,
            halt,
            undo,
            redo,
            h("span", { class: "gap" }),
            button("Save", save),
            button("Load", () => file.click()),
            file,
            h("span", { class: "gap" }),
            button("Paint …", () => select(Math.min(place, path().length - 1), path().length)),
          ),
          says,
          read,
          sums,
        ),
        h(
          "section",
          { class: "panel lifted" },
          slider.root,
          h(
            "p",
            { class: "note" },
            "For what is drawn from now on. To give a stretch of the text a temperature of its own, select it with the mouse, with Shift and the arrow keys, or by “Paint …”.",
          ),
        ),
      ),
      h("div", { class: "stack" }, beside.root, forks.root),
    ),
    h(
      "div",
      { class: "columns" },
      panel("How it begins", box.root, h("div", { class: "row after" }, anew)),
      panel(
        "How it goes on",
        h(
          "div",
          { class: "row" },
          dice(() => look()),
          field("Tokens to write", many),
        ),
        h(
          "p",
          { class: "note chain-line" },
          "Chain: ",
          h("code", {}, chains.sent(chain())),
          " ",
          h("a", { href: address.link("chain") }, "Change it"),
        ),
      ),
    ),
  );

  function chain() {
    return address.key("chain", chains.NEUTRAL);
  }
  /** How a token is drawn, at a temperature that was painted or as everywhere. */
  function ask(painted) {
    return { sampler: chains.sent(chain()), temperature: heat.sent(painted ?? t), seed: seed() };
  }
  const path = () => tree.path();

  /** Looks at the place. */
  const looked = latest(
    (body) => post("/studio/next", body),
    (next, body, asked) => {
      // Of a place that was left meanwhile nothing is taken.
      if (asked !== turn) return;
      answer = next;
      paintPlace();
    },
    fail,
  );
  function look() {
    const way = path();
    answer = null;
    turn += 1;
    if (place < 1 || running) return paintPlace();
    const { t: painted } = tree.heatAt(place);
    return looked(
      {
        ...before(tree, way, place),
        ...ask(painted),
        learned: learned(tree, way, place),
        top: size,
      },
      turn,
    );
  }
  function fail(error) {
    clear(trouble).append(explain(error, look));
  }

  /** A token is chosen. */
  function go(i) {
    place = i;
    size = FEW;
    paintText();
    look();
  }
  function select(from, to) {
    const way = path();
    range = [from, Math.min(to, way.length)];
    if (to > from)
      heats.show(
        from,
        to,
        way
          .slice(from, to)
          .map((i) => tree.nodes[i].text)
          .join(""),
        tree.heatAt(from).t,
      );
    else heats.hide();
    paintText();
  }

  /** Keys in the text. */
  function typed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (/^[0-9]$/.test(event.key)) {
      const row = beside.rows()[(Number(event.key) + 9) % 10];
      if (row && answer) take(row);
      return true;
    }
    const call = {
      Enter: draw,
      Backspace: back,
      Escape: () => (range[1] > range[0] ? select(0, 0) : go(path().length)),
    }[event.key];
    call?.();
    return !!call;
  }

  /** Puts a token at the place: at the end the text is one longer, elsewhere it forks. */
  function take(row, by = "taken") {
    const way = path();
    const parent = way[place - 1];
    if (parent === undefined || !answer || tree.nodes[parent].ends) return;
    if (tree.nodes[way[place]]?.id === row.id) return go(place + 1);
    stop();
    const inside = place < way.length;
    const had = tree.children(parent).find((i) => tree.nodes[i].id === row.id);
    tree.begin();
    try {
      const { t: painted } = tree.heatAt(place);
      tree.leaf = tree.add(parent, {
        id: row.id,
        text: row.text.includes("\ufffd") ? "" : row.text,
        shown: row.shown,
        by,
        t: by === "drawn" ? (painted ?? t) : null,
        surprisal: row.raw > 0 ? -Math.log(row.raw) : null,
        rank: row.rank ?? answer.top.findIndex((one) => one.id === row.id),
        entropy: answer.raw.entropy_nats,
        final: row.final,
        ends: row.ends === true,
        learned: row.learned ?? answer.learned?.[row.id] ?? null,
      });
    } catch (error) {
      fail(error);
      return;
    }
    if (had !== undefined) tree.leaf = inside ? tree.deepest(had) : had;
    if (inside && had === undefined && !row.ends)
      return write(way.length - place - 1 || length, false);
    if (!inside) place += 1;
    changed();
  }
  function draw() {
    if (!answer) return undefined;
    const { dart, top } = answer;
    const known = top.find((one) => one.id === dart.id);
    return known ? take(known, "drawn") : far(dart, answer);
  }
  /** Draws a token that isn't among those shown: what is known of it is asked for first. */
  async function far({ id, text: of, shown, ends, from, to }, seen) {
    try {
      const known = { ...ask(tree.heatAt(place).t), learned: learned(tree, path(), place) };
      const {
        watched: [
          {
            places: [raw],
          },
        ],
        learned: next,
      } = await post("/studio/next", {
        ...before(tree, path(), place),
        ...known,
        top: 0,
        watch: [id],
      });
      if (seen === answer)
        take(
          {
            id,
            text: of,
            shown,
            ends,
            raw: raw.probability,
            rank: raw.rank,
            final: to - from,
            learned: next?.[id],
          },
          "drawn",
        );
    } catch (error) {
      fail(error);
    }
  }
  /** Takes the token before the place off, and what is behind it. */
  function back() {
    const way = path();
    if (place < 2) return;
    stop();
    tree.begin();
    tree.leaf = way[place - 2];
    place -= 1;
    changed();
  }
  /** Somebody wants to another stretch of the tree. */
  function visit(first) {
    stop();
    tree.begin();
    tree.leaf = tree.deepest(first);
    place = path().indexOf(first);
    changed();
  }
  function cut(first) {
    stop();
    tree.begin();
    tree.cut(first);
    place = path().length;
    changed();
  }
  function step(way) {
    stop();
    if (!tree[way]()) return;
    place = Math.min(place, path().length);
    range = [0, 0];
    heats.hide();
    changed();
  }
  /** Paints a stretch with a temperature, and rewrites the text from there to where it ended. */
  function paint(from, to, painted) {
    const way = path();
    const given = way.filter((i) => tree.nodes[i].by === "given").length;
    const begin = Math.max(from, given, 1);
    if (begin >= to) {
      says.textContent = "What was given isn't rewritten: select tokens behind it.";
      return;
    }
    stop();
    tree.begin();
    tree.heat(begin, to, painted);
    tree.leaf = way[begin - 1];
    place = begin;
    select(0, 0);
    write(way.length - begin, false);
  }

  /** The server goes on from the leaf. */
  async function write(n = length, begins = true) {
    stop();
    if (t === Infinity) {
      says.textContent = "Nothing is drawn at T = ∞: move the slider off its end.";
      return changed();
    }
    const mine = new AbortController();
    running = mine;
    const atEnd = place === path().length;
    if (begins) tree.begin();
    clear(trouble);
    says.textContent = "Writing …";
    let first = true;
    const from = performance.now();
    let written = 0;
    try {
      const why = await goOn(tree, n, {
        ask,
        signal: mine.signal,
        read: ({ n_tokens: all, cached_tokens: cached }) => {
          // What a temperature of its own begins later says nothing about the fork.
          if (first)
            read.replaceChildren(
              "Of the ",
              h("b", { "data-figure": "read-all" }, String(all)),
              " tokens before, ",
              h("b", { "data-figure": "cached" }, String(cached)),
              " came from the cache (cached_tokens) and ",
              h("b", { "data-figure": "read-new" }, String(all - cached)),
              all - cached === 1 ? " was read." : " were read.",
            );
          first = false;
        },
        changed: () => {
          written += 1;
          soon();
        },
      });
      if (running === mine)
        says.textContent = `${why === "length" ? "Written" : `Ended: ${why}`}, ${number(written / ((performance.now() - from) / 1000), 1)} tokens/s.`;
    } catch (error) {
      if (running === mine && error.name !== "AbortError") {
        fail(error);
        says.textContent = "";
      }
    }
    if (running !== mine) return undefined;
    running = null;
    if (atEnd) place = path().length;
    return changed();
  }
  function stop() {
    if (!running) return;
    running.abort();
    running = null;
    says.textContent = "Stopped.";
    place = Math.min(place, path().length);
  }

  function soon() {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      if (running) paintText();
    });
  }
  function changed() {
    const way = path();
    const all = tree.path().map((i) => tree.nodes[i]);
    const cutAt = all.findIndex((node) => node.by !== "given");
    const n = cutAt < 0 ? all.length : cutAt;
    // The text that was given may itself be forked; the other views know only what comes after all
    // of it.
    const whole = n === 0 || tree.children(way[n - 1]).every((i) => tree.nodes[i].by !== "given");
    const ids = all
      .slice(n)
      .map((node) => node.id)
      .join(".");
    address.write({ cont: whole ? ids || null : null, fork: whole ? null : `${n}:${ids}` });
    kept = { subject: whose(), tree };
    paintText();
    forks.show(tree);
    look();
  }
  function whose() {
    return JSON.stringify([address.key("text", FIRST), address.key("chat") === "1", model.name]);
  }

  function paintText() {
    const way = path();
    const all = way.map((i) => tree.nodes[i]);
    text.show(all, {
      lens: LENSES[lens],
      place: running ? null : place,
      range,
      numbers,
      heats: (pos) => tree.heatAt(pos).t,
      endWords: "the end: what comes next",
    });
    clear(key).append(legend(LENSES[lens]));
    halt.disabled = !running;
    on.disabled = !!running || all.at(-1)?.ends === true;
    undo.disabled = tree.past.length === 0;
    redo.disabled = tree.future.length === 0;
    point(place);
    const known = all.filter((node) => node.by !== "given" && node.surprisal !== null);
    sums.textContent =
      known.length === 0
        ? `${all.length} tokens, all given.`
        : `${all.length} tokens, ${all.filter((node) => node.by !== "given").length} of them new; raw surprisal ${number(known.reduce((sum, node) => sum + node.surprisal, 0) / known.length, 2)} nats a token.`;
  }
  /** Says all about a token. */
  function point(i) {
    const node = tree.nodes[path()[i]];
    if (!node)
      return readout.replaceChildren(
        place === path().length && place > 0
          ? "The end. Point at a token to read its numbers."
          : "",
      );
    const how = {
      given: "given",
      drawn:
        node.t === null || node.t === undefined
          ? "drawn"
          : `drawn at T = ${heat.written(heat.parsed(node.t, 1))}`,
      taken: "taken by hand",
      link: "from a link",
    }[node.by];
    return readout.replaceChildren(
      h("code", {}, node.shown),
      ` ${i + 1}: ${sentence(node)} · ${how}`,
    );
  }
  text.root.addEventListener("pointerover", (event) => {
    const i = event.target.closest?.("[data-i]")?.dataset.i;
    if (i !== undefined && i !== "end") point(Number(i));
  });
  text.root.addEventListener("pointerleave", () => point(place));

  function paintPlace() {
    const way = path();
    const last = tree.nodes[way[place - 1]];
    if (running) return beside.nothing("The text is being written.");
    if (place < 1)
      return beside.nothing(
        "Nothing comes before the first token, so nothing predicts it. Choose another.",
      );
    if (last.ends) return beside.nothing("The text has ended. Go back, or fork it somewhere.");
    if (!answer) return undefined;
    const stands = tree.nodes[way[place]];
    const branches = tree.children(way[place - 1]).map((i) => tree.nodes[i].id);
    return beside.show(answer, {
      stands,
      branches,
      k: place,
      t: tree.heatAt(place).t ?? t,
      can: true,
    });
  }

  function save() {
    const about = {
      model: model.name,
      text: address.key("text", FIRST),
      chat: address.key("chat") === "1",
      chain: chain(),
      t: t === Infinity ? 1 : t,
      seed: seed(),
    };
    const url = URL.createObjectURL(
      new Blob([files.written(tree, about)], { type: "application/json" }),
    );
    h("a", { href: url, download: "tree.kelvin.json" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
    says.textContent = "Saved as tree.kelvin.json.";
  }
  async function load() {
    const [picked] = file.files;
    if (!picked) return;
    file.value = "";
    stop();
    try {
      const found = await files.read(picked, model.n_vocab);
      if (found.about.model !== model.name)
        throw new Error(
          `the tree was made with ${found.about.model}, and its tokens mean nothing to ${model.name}`,
        );
      ({ tree } = found);
      const { about } = found;
      address.write({
        text: about.text === FIRST ? null : about.text,
        chat: about.chat ? "1" : null,
        chain: about.chain === chains.NEUTRAL ? null : about.chain,
        seed: about.seed === 7 ? null : about.seed,
        t: about.t,
      });
      t = about.t;
      slider.set(t);
      box.text.value = about.text;
      place = path().length;
      clear(trouble);
      says.textContent = `Loaded: ${tree.size} tokens.`;
      changed();
    } catch (error) {
      clear(trouble).append(
        h(
          "div",
          { class: "problem", role: "alert" },
          h("p", {}, `It can't be loaded: ${error.message}.`),
        ),
      );
    }
  }

  /** Begins: with what is kept of this text, with what the address says, or anew. */
  async function open(again = false) {
    stop();
    anew.hidden = true;
    says.textContent = "Reading …";
    const mine = new AbortController();
    running = mine;
    const [cutAt, ids] = again
      ? []
      : (address.key("fork", "").match(/^(\d+):([\d.]*)$/) ?? []).slice(1);
    try {
      const base = { ...request(), continuation: undefined };
      const kin = !again && kept?.subject === whose() ? kept.tree : null;
      if (kin) tree = kin;
      const { tokens: all } = await score(base, mine.signal);
      const continuation =
        ids === undefined ? (again ? [] : taken()) : ids.split(".").filter(Boolean).map(Number);
      const keep =
        ids === undefined ? all.length : Math.min(all.length, Math.max(1, Number(cutAt)));
      if (!kin) {
        tree = new Tree();
        grow(-1, all, "given");
      }
      const stem = follow(all.slice(0, keep));
      let leaf = stem;
      if (continuation.length > 0) {
        const { tokens: read } = await score(
          { prompt: all.slice(0, keep).map((one) => one.id), continuation },
          mine.signal,
        );
        leaf = grow(stem, read.slice(keep), "link");
      }
      if (!kin || leaf !== stem) tree.leaf = leaf;
      const ends = new Set(model.ends.map((one) => one.id));
      if (tree.nodes[tree.leaf].by !== "given" && ends.has(tree.nodes[tree.leaf].id))
        tree.nodes[tree.leaf].ends = true;
    } catch (error) {
      if (error.name === "AbortError") return;
      running = null;
      says.textContent = "";
      fail(error);
      return;
    }
    if (running !== mine) return;
    running = null;
    place = path().length;
    says.textContent = "";
    changed();
    if (tree.nodes[tree.leaf].by === "given") write(length, true);
  }
  function grow(parent, all, by) {
    let at = parent;
    for (const one of all) {
      const had = tree.children(at).find((i) => tree.nodes[i].id === one.id);
      at = had ?? tree.add(at, { ...one, by, t: null, final: null, ends: false });
    }
    return at;
  }
  function follow(all) {
    return grow(-1, all, "given");
  }

  const keys = (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.target.matches?.("input, textarea")) return;
    const letter = event.key.toLowerCase();
    if (letter !== "z" && letter !== "y") return;
    event.preventDefault();
    step(letter === "y" || event.shiftKey ? "redo" : "undo");
  };
  document.addEventListener("keydown", keys);
  open();
  return () => {
    stop();
    text.stop();
    document.removeEventListener("keydown", keys);
  };
}

export const view = {
  id: "write",
  name: "Write and fork",
  lead: "Every token was one of many. See what else could have stood there, take it, and the text forks.",
  mount,
};
