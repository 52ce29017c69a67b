// Probability by rank on two logarithmic axes: the whole vocabulary in one line, where a power law
// would be straight; and the mass of all that stand behind a rank.

import { h, s } from "../dom.js";
import { count } from "../format.js";
import * as heat from "../heat.js";
import { chart, path } from "./chart.js";

const LEFT = 56;
const RIGHT = 16;
const TOP = 12;
const BOTTOM = 42;

/** Makes one. `show({ points, t })`: points are { rank, raw, final, tail }, `final` null where a token was removed. */
export function ranks(height) {
  let data = null;
  const drawing = chart("Probability by rank", height, paint);

  function paint(svg, width) {
    if (!data) return;
    const { points } = data;
    const last = points[points.length - 1].rank;
    const all = points.flatMap((point) => [point.raw, point.final]).filter((p) => p > 0);
    const high = 0;
    const low = Math.max(-16, Math.floor(Math.log10(Math.min(...all))));
    const x = (rank) => LEFT + (Math.log10(rank) / Math.log10(last)) * (width - LEFT - RIGHT);
    const y = (p) =>
      TOP + ((high - Math.max(Math.log10(p), low)) / (high - low)) * (height - TOP - BOTTOM);
    const every = Math.ceil((high - low) / 7);
    for (let power = high; power >= low; power -= every) {
      svg.append(
        s("line", {
          class: "grid",
          x1: LEFT,
          x2: width - RIGHT,
          y1: y(10 ** power),
          y2: y(10 ** power),
        }),
        s(
          "text",
          { class: "tick", x: LEFT - 7, y: y(10 ** power) + 3.5, "text-anchor": "end" },
          power === 0 ? "100 %" : `1e${power + 2} %`,
        ),
      );
    }
    for (let rank = 1; rank <= last; rank *= 10) {
      svg.append(
        s("line", { class: "grid", x1: x(rank), x2: x(rank), y1: TOP, y2: height - BOTTOM }),
        s(
          "text",
          { class: "tick", x: x(rank), y: height - BOTTOM + 16, "text-anchor": "middle" },
          count(rank),
        ),
      );
    }
    svg.append(
      s(
        "text",
        { class: "name", x: (LEFT + width - RIGHT) / 2, y: height - 6, "text-anchor": "middle" },
        "rank, from the likeliest",
      ),
    );
    const line = (name) =>
      path(points.map((point) => [x(point.rank), point[name] > 0 ? y(point[name]) : NaN]));
    svg.append(
      s("path", { class: "curve tail-line", d: line("tail") }),
      s("path", { class: "curve ghost-line", d: line("raw") }),
      s("path", { class: "curve thick", d: line("final") }),
    );
  }

  return {
    root: h(
      "div",
      {},
      drawing.root,
      h(
        "ul",
        { class: "legend" },
        [
          ["key-heat", "final"],
          ["key-ghost", "raw"],
          ["key-tail", "mass beyond the rank"],
        ].map(([key, name]) => h("li", { class: key }, name)),
      ),
    ),
    show(next) {
      data = next;
      drawing.root.style.setProperty("--heat", heat.colour(next.t));
      drawing.again();
    },
  };
}
