// Compare: one text goes on in several ways at once, with the same dice. Where two columns part,
// their settings alone are the cause.

import * as address from "../address.js";
import * as chains from "../chain.js";
import { h, clear, field, panel } from "../dom.js";
import { number } from "../format.js";
import * as heat from "../heat.js";
import { ask, another, parsed, parting, read, write, written } from "../parts/columns.js";
import { places } from "../parts/places.js";
import { dice, seed } from "../parts/seed.js";
import { request, subject, taken } from "../parts/subject.js";
import { tokens } from "../parts/tokens.js";
import { stream, explain } from "../server.js";

const FEW = 40;
const MANY = 2000;
const LETTERS = "ABCDEFGHIJKLMNOP";

function mount(root, { model }) {
  const most = Math.min(8, model.parallel);
  let columns = read(most).map(column);
  let length = Math.min(MANY, Math.max(1, Math.floor(Number(address.key("n", FEW))) || FEW));
  let at = address.key("at") === undefined ? null : Number(address.key("at"));
  let running = null;
  let due = false;

  const trouble = h("div", { "aria-live": "polite" });
  const says = h("p", { class: "note says-run", "aria-live": "polite" });
  const row = h("div", {
    class: "compare",
    role: "group",
    "aria-label": "Columns",
    tabindex: "-1",
  });
  const box = subject(model, stale);
  const go = h("button", { type: "button", class: "strong", onclick: () => run() }, "Compare");
  const stop = h("button", { type: "button", onclick: () => halt() }, "Stop");
  const size = h("input", {
    type: "number",
    min: "1",
    max: String(MANY),
    value: String(length),
    class: "short",
    onchange: () => {
      length = Math.min(MANY, Math.max(1, Math.floor(Number(size.value)) || FEW));
      size.value = String(length);
      address.write({ n: length === FEW ? null : length });
      run();
    },
  });
  const more = h(
    "button",
    { type: "button", onclick: () => add(another(columns.map((one) => one.what))) },
    "+ Temperature",
  );
  const chain = h(
    "button",
    { type: "button", onclick: () => add({ t: null, chain: "temp=1 | top_p=0.9" }) },
    "+ Chain",
  );
  const kept = h("p", { class: "note" });
  const base = h(
    "p",
    { class: "note chain-line" },
    "Temperatures stand in the chain ",
    h("code", {}, chains.sent(address.key("chain", chains.NEUTRAL))),
    ". ",
    h("a", { href: address.link("chain") }, "Change it"),
  );
  const look = places((error) => clear(trouble).append(explain(error, () => open(at))));
  box.text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
  });

  root.append(
    h(
      "div",
      { class: "columns wide" },
      panel("Which text goes on?", box.root, kept),
      panel(
        "How?",
        h(
          "div",
          { class: "row" },
          dice(() => run()),
          field("Tokens", size),
        ),
        base,
      ),
    ),
    h("div", { class: "toolbar" }, go, stop, h("span", { class: "gap" }), more, chain, says),
    trouble,
    row,
    look.root,
  );

  /** A column before it has run. */
  function column(what) {
    const one = { what, list: [], ids: [], over: false, end: null, mark: null };
    one.text = tokens({ label: "", choose: (i) => open(i), range: null });
    one.input = h("input", {
      type: "text",
      class: "column-what",
      spellcheck: "false",
      autocomplete: "off",
    });
    one.input.addEventListener("change", () => {
      one.what = parsed(one.input.value || "1");
      save();
      run();
    });
    one.head = h("div", { class: "column-head" });
    one.figures = h("dl", { class: "column-figures" });
    one.drop = h(
      "button",
      { type: "button", class: "quiet icon", onclick: () => remove(one) },
      "×",
    );
    one.root = h(
      "section",
      { class: "column" },
      h(
        "div",
        { class: "column-head" },
        (one.letter = h("span", { class: "letter" })),
        (one.eq = h("span", { class: "column-t" })),
        one.input,
        one.drop,
      ),
      one.text.root,
      one.figures,
    );
    return one;
  }

  function add(what) {
    columns.push(column(what));
    save();
    run();
    row.scrollTo?.({ left: row.scrollWidth });
  }
  function remove(one) {
    columns = columns.filter((other) => other !== one);
    save();
    run();
    more.focus();
  }
  function save() {
    write(columns.map((one) => one.what));
  }
  /** The text is another than the columns'. */
  function stale() {
    halt();
    root.classList.add("stale");
    says.textContent = "The text has changed.";
    about();
  }
  function about() {
    const n = taken().length;
    clear(kept).append(
      ...(n === 0
        ? []
        : [
            `It goes on after ${n} tokens that were taken or written elsewhere. `,
            h(
              "button",
              {
                type: "button",
                class: "quiet",
                onclick: () => {
                  address.write({ cont: null });
                  run();
                },
              },
              "Without them",
            ),
          ]),
    );
  }

  /** All columns, from the beginning. */
  async function run() {
    halt();
    const mine = new AbortController();
    running = mine;
    root.classList.remove("stale");
    clear(trouble);
    about();
    for (const one of columns)
      Object.assign(one, { list: [], ids: [], over: false, end: null, mark: null });
    lay();
    says.textContent = "Reading …";
    const text = request();
    const body = {
      ...text,
      max_tokens: length,
      columns: columns.map((one) => ask(one.what, address.key("chain", chains.NEUTRAL), seed())),
    };
    const asked = columns;
    try {
      for await (const event of stream("/studio/write", body, mine.signal)) {
        if (event.read) says.textContent = `Writing, after ${event.read.n_tokens} tokens …`;
        if (event.token) put(asked[event.token.column], event.token);
        if (event.end) Object.assign(asked[event.end.column], { over: true, end: event.end });
        soon();
      }
      if (running === mine) {
        const speed = asked.reduce((sum, one) => sum + (one.end?.timings.tokens_per_sec ?? 0), 0);
        says.textContent = `Done: all together ${number(speed, 1)} tokens/s.`;
      }
    } catch (error) {
      if (error.name !== "AbortError" && running === mine) {
        clear(trouble).append(explain(error, run));
        says.textContent = "";
      }
    }
    if (running !== mine) return;
    running = null;
    paint();
    if (at !== null) open(at);
  }
  function put(one, { id, text, shown, surprisal, surprisal_final: last, entropy, rank, learned }) {
    one.ids.push(id);
    one.list.push({
      id,
      text,
      shown,
      surprisal,
      entropy,
      rank,
      final: Math.exp(-last),
      by: "drawn",
      learned,
    });
  }
  function halt() {
    if (!running) return;
    running.abort();
    running = null;
    says.textContent = "Stopped.";
    for (const one of columns) one.end ??= { words: "interrupted", figures: null, timings: null };
    paint();
  }

  function soon() {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      paint();
    });
  }

  /** The columns' frames. */
  function lay() {
    root.style.setProperty("--n", columns.length);
    row.replaceChildren(...columns.map((one) => one.root));
    columns.forEach((one, i) => {
      const { t } = one.what;
      one.root.setAttribute("aria-label", `Column ${LETTERS[i]}`);
      one.root.dataset.column = i;
      one.letter.textContent = LETTERS[i];
      one.eq.textContent = t === null ? "" : "T =";
      if (document.activeElement !== one.input)
        one.input.value = t === null ? written(one.what) : heat.written(t);
      one.input.setAttribute("aria-label", `Temperature or chain of column ${LETTERS[i]}`);
      one.root.style.setProperty("--heat", heat.colour(t ?? chains.heat(one.what.chain) ?? 1));
      one.root.classList.toggle("is-chain", t === null);
      one.drop.setAttribute("aria-label", `Remove column ${LETTERS[i]}`);
      one.drop.hidden = columns.length === 1;
      one.text.root.setAttribute(
        "aria-label",
        `Text of column ${LETTERS[i]}; choose a token to see what could have stood there`,
      );
    });
    more.disabled = chain.disabled = columns.length >= most;
    paint();
  }

  function paint() {
    stop.disabled = !running;
    const [first] = columns;
    columns.forEach((one, i) => {
      one.mark = i === 0 ? null : parting(first, one);
      one.text.show(one.list, {
        mark: one.mark,
        place: at !== null && at < one.list.length ? at : null,
      });
      one.root.classList.toggle("waits", !!running && one.list.length === 0);
      // A copy of the first column until now.
      one.root.classList.toggle("same", i > 0 && one.mark === null && one.list.length > 0);
      figures(one, i);
    });
  }

  function figures(one, i) {
    const { end, mark, list } = one;
    const f = end?.figures;
    const where =
      i === 0
        ? "–"
        : mark === null
          ? list.length === 0
            ? "…"
            : "nowhere"
          : `${mark + 1} ${list[mark] ? list[mark].shown : "its end"}`;
    const rows = [
      [
        "parts",
        "parts from A at",
        where,
        "the first token that differs from column A's, which has the same dice",
      ],
      ["tokens", "tokens", String(list.length)],
      [
        "entropy",
        "entropy",
        f ? number(f.mean_entropy_raw, 3) : "…",
        "raw (T = 1), mean over tokens, in nats",
      ],
      [
        "surprisal",
        "surprisal",
        f ? number(f.mean_surprisal_raw, 3) : "…",
        "raw (T = 1), mean over tokens, in nats",
      ],
      [
        "distinct-2",
        "distinct-2",
        f ? number(f.distinct_2, 3) : "…",
        "distinct pairs of neighbouring tokens, as a share of all",
      ],
      ["speed", "tokens/s", end?.timings ? number(end.timings.tokens_per_sec, 1) : "…"],
      ["end", "ended by", end?.words ?? "…"],
    ];
    const stopped = end && !f;
    clear(one.figures).append(
      ...rows.map(([name, words, value, title]) =>
        h(
          "div",
          title ? { title } : {},
          h("dt", {}, words),
          h("dd", { "data-figure": name }, stopped && value === "…" ? "–" : value),
        ),
      ),
    );
  }

  /** Looks at a place in all columns. */
  function open(i) {
    at = i;
    address.write({ at: at === null ? null : at });
    paint();
    if (at === null || running) return look.hide();
    return look.show(
      at,
      columns.map((one, c) => ({
        name: LETTERS[c],
        what: one.what,
        list: one.list,
        ids: one.ids,
        over: one.over,
        end: one.end,
        ask: ask(one.what, address.key("chain", chains.NEUTRAL), seed()),
        colour: heat.colour(one.what.t ?? chains.heat(one.what.chain) ?? 1),
      })),
      request(),
      () => open(null),
    );
  }

  run();
  return () => halt();
}

export const view = {
  id: "compare",
  name: "Compare",
  lead: "One text, several temperatures, the same dice: where two columns part, temperature alone is the cause.",
  mount,
};
