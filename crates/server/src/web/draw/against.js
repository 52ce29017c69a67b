// Curves against temperature, all of it from 0 to ∞, with a line at T that can be dragged.

import { s } from "../dom.js";
import * as heat from "../heat.js";
import { chart, path, ticks } from "./chart.js";

const LEFT = 46;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 24;
let clips = 0;
const MARKS = [0, 0.5, 1, 2, 5, Infinity];

/**
 * Makes one. `move` hears the temperature when somebody drags the line, if it's given.
 * `show({ series, log, low, high, written, t })`: a series has `name`, `values` at `temperatures`, and `colour`
 * (the number of a colour of the page, or none for the line of a single series); `now` are the exact values at `t`.
 */
export function against(label, height, move) {
  let data = null;
  const drawing = chart(label, height, paint);
  const root = drawing.root;
  if (move) {
    root.classList.add("movable");
    const to = (event) => {
      const box = root.getBoundingClientRect();
      const where = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
      const near = MARKS.find((t) => Math.abs(heat.place(t) - where) < 0.012);
      move(near ?? heat.at(Math.min(1, Math.max(0, where))));
    };
    root.addEventListener("pointerdown", (event) => {
      root.setPointerCapture(event.pointerId);
      event.preventDefault();
      to(event);
    });
    root.addEventListener("pointermove", (event) => {
      if (root.hasPointerCapture(event.pointerId)) to(event);
    });
  }

  function paint(svg, width) {
    if (!data) return;
    const { series, temperatures, t, log = false, written = String, now = [] } = data;
    const all = series
      .flatMap((one) => one.values)
      .filter((value) => Number.isFinite(value) && (!log || value > 0));
    let low = data.low ?? Math.min(...all);
    let high = data.high ?? Math.max(...all);
    if (!(high > low)) [low, high] = [low - 0.5, high + 0.5];
    const scale = log ? Math.log10 : (value) => value;
    const x = (where) => LEFT + where * (width - LEFT - RIGHT);
    const y = (value) => {
      const part =
        (scale(Math.max(value, log ? low : -Infinity)) - scale(low)) / (scale(high) - scale(low));
      return height - BOTTOM - part * (height - BOTTOM - TOP);
    };
    const rows = log
      ? Array.from(
          { length: Math.floor(Math.log10(high) + 1e-9) - Math.ceil(Math.log10(low) - 1e-9) + 1 },
          (_, i) => 10 ** (Math.ceil(Math.log10(low) - 1e-9) + i),
        )
      : ticks(low, high, height < 140 ? 3 : 4);
    const every = Math.ceil(rows.length / 5);
    for (const value of rows.filter((_, i) => i % every === 0)) {
      svg.append(
        s("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
        s(
          "text",
          { class: "tick", x: LEFT - 7, y: y(value) + 3.5, "text-anchor": "end" },
          written(value),
        ),
      );
    }
    for (const mark of MARKS) {
      const at = x(heat.place(mark));
      svg.append(
        s("line", { class: "grid", x1: at, x2: at, y1: height - BOTTOM, y2: height - BOTTOM + 4 }),
        s(
          "text",
          { class: "tick", x: at, y: height - 7, "text-anchor": "middle" },
          heat.written(mark),
        ),
      );
    }
    // What's beyond the axis isn't drawn over the words above.
    const clip = `clip-${(clips += 1)}`;
    svg.append(
      s(
        "clipPath",
        { id: clip },
        s("rect", {
          x: LEFT,
          y: TOP - 4,
          width: Math.max(0, width - LEFT - RIGHT),
          height: height - BOTTOM - TOP + 6,
        }),
      ),
    );
    for (const one of series) {
      const points = temperatures.map((temperature, i) => [
        x(heat.place(temperature)),
        one.values[i] === null ? NaN : y(one.values[i]),
      ]);
      const colour = one.colour === undefined ? "line-heat" : `ink-${one.colour}`;
      svg.append(
        s("path", {
          class: `curve ${colour}${one.dashed ? " dashed" : ""}`,
          d: path(points),
          "clip-path": `url(#${clip})`,
        }),
      );
    }
    const at = x(heat.place(t));
    svg.append(s("line", { class: "here", x1: at, x2: at, y1: TOP - 6, y2: height - BOTTOM }));
    now.forEach((value, i) => {
      if (
        value === null ||
        value === undefined ||
        !Number.isFinite(value) ||
        (log && value <= 0) ||
        value > high ||
        value < low
      )
        return;
      const colour = series[i].colour === undefined ? "dot-heat" : `dot-${series[i].colour}`;
      svg.append(s("circle", { class: `dot ${colour}`, cx: at, cy: y(value), r: 3.5 }));
    });
    if (move) svg.append(s("circle", { class: "grip", cx: at, cy: TOP - 5, r: 5 }));
  }

  return {
    root,
    show(next) {
      data = next;
      drawing.again();
      root.style.setProperty("--heat", heat.colour(next.t));
      if (next.words) drawing.say(next.words);
    },
  };
}
