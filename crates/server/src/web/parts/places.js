// One place of several texts: what each column could have written there, raw and final, and what it
// took.

import { bars } from "../draw/bars.js";
import { h, clear } from "../dom.js";
import { share } from "../format.js";
import { written } from "./columns.js";
import * as heat from "../heat.js";
import { post } from "../server.js";

const ROWS = 8;

/** Makes a panel that is hidden until `show(at, columns, subject, close)`; `fail` hears of errors. */
export function places(fail) {
  const title = h("h2", { tabindex: "-1" });
  const note = h("p", { class: "note" });
  const row = h("div", { class: "compare places" });
  let close = () => {};
  const shut = h(
    "button",
    { type: "button", class: "quiet icon", "aria-label": "Close", onclick: () => close() },
    "×",
  );
  const root = h(
    "section",
    { class: "panel place-panel", "aria-label": "Distribution at a place", hidden: true },
    h("div", { class: "panel-head" }, title, shut),
    note,
    row,
  );
  let turn = 0;

  async function show(at, columns, subject, whenClosed) {
    const mine = (turn += 1);
    close = whenClosed;
    const made = [];
    try {
      for (const one of columns) {
        // What ended before has nothing there.
        if (at > one.list.length || (at === one.list.length && !one.over)) {
          made.push([one, null]);
          continue;
        }
        const continuation = [...(subject.continuation ?? []), ...one.ids.slice(0, at)];
        const took = one.ids[at] ?? one.end?.finish?.ids?.[0];
        made.push([
          one,
          await post("/studio/next", {
            ...subject,
            ...one.ask,
            continuation,
            learned: one.list[at - 1]?.learned,
            top: ROWS,
            watch: took === undefined ? [] : [took],
          }),
        ]);
        if (mine !== turn) return;
      }
    } catch (error) {
      fail(error);
      return;
    }
    paint(at, made);
  }

  function paint(at, made) {
    const comes = root.hidden;
    root.hidden = false;
    const before = made.map(([one]) => one.ids.slice(0, at).join("."));
    const same = made.every(([, answer], i) => !answer || before[i] === before[0]);
    const u = made.find(([, answer]) => answer)?.[1].dart.u;
    title.textContent = `At token ${at + 1}`;
    note.textContent = `${same ? "All columns have read the same text up to here, so their raw probabilities are the same." : "The columns have parted before: each has read another text."} Pale: raw (T = 1). Colour: final. ${u === undefined ? "" : `The dice throw u = ${u.toFixed(6)} in all of them.`}`;
    clear(row).append(
      ...made.map(([one, answer]) => {
        const head = h(
          "h3",
          {},
          h("span", { class: "letter" }, one.name),
          one.what.t === null
            ? h("code", {}, written(one.what))
            : `T = ${heat.written(one.what.t)}`,
        );
        const card = h(
          "div",
          { class: "column", "--heat": one.colour, "data-column": one.name },
          head,
        );
        if (!answer) {
          card.append(h("p", { class: "note" }, "It had ended before."));
          return card;
        }
        const table = bars(`Column ${one.name} at token ${at + 1}`, ["token", "raw", "final"]);
        const took = one.ids[at] ?? one.end?.finish?.ids?.[0];
        const rows = answer.top.map(({ id, shown, raw, final }) => ({ id, shown, raw, final }));
        if (took !== undefined && !rows.some((entry) => entry.id === took)) {
          const [watched] = answer.watched;
          rows.push({
            id: took,
            shown: watched.shown,
            raw: watched.places[0].probability,
            final: watched.places.at(-1).probability,
          });
        }
        const high = Math.max(...rows.map((entry) => Math.max(entry.raw, entry.final)), 0.02);
        table.show(
          rows.map(({ id, shown, raw, final }) => ({
            name: `${id === took ? "▸" : " "} ${shown}`,
            bar: final,
            ghost: raw,
            cells: [share(raw), share(final)],
            mark: id === took,
            dim: final === 0,
            title: id === took ? `${shown}, which was taken` : shown,
          })),
          { most: high },
        );
        card.append(table.root);
        return card;
      }),
    );
    if (comes) root.scrollIntoView({ block: "nearest" });
  }

  return {
    root,
    show,
    hide: () => {
      turn += 1;
      root.hidden = true;
    },
  };
}
