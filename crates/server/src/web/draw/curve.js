// The curve of a function of x/T over the logits, with the tangent at each: how steeply a logit's
// weight answers to it.

import { s } from "../dom.js";
import * as heat from "../heat.js";
import { chart, path, ticks } from "./chart.js";

const FUNCTIONS = { exp: Math.exp, two: (x) => 2 ** x, square: (x) => x * x, magnitude: Math.abs };
const LEFT = 46;
const RIGHT = 16;
const TOP = 14;
const BOTTOM = 26;

/** Makes one. `show({ t, of, logits, labels, chosen, slopes })` paints; `of` names the function, `slopes` are those of e^(x/T). */
export function curve(height, choose) {
  let data = null;
  const drawing = chart("Curve of the weight of a logit", height, paint);

  function paint(svg, width) {
    if (!data) return;
    const { t, of, logits, labels, chosen, slopes } = data;
    const finite = logits.filter(Number.isFinite);
    const spread = Math.max(...finite) - Math.min(...finite);
    const from = Math.min(0, ...finite) - Math.max(0.5, spread * 0.12);
    const to = Math.max(1, ...finite) + Math.max(0.5, spread * 0.12);
    const f = (x) => FUNCTIONS[of](x / t);
    const values = finite.map(f);
    const high = Math.max(1.2, ...values, f(0)) * 1.12;
    const x = (value) => LEFT + ((value - from) / (to - from)) * (width - LEFT - RIGHT);
    const y = (value) => height - BOTTOM - (value / high) * (height - BOTTOM - TOP);
    for (const value of ticks(from, to, Math.max(3, width / 110))) {
      svg.append(
        s("line", { class: "grid", x1: x(value), x2: x(value), y1: TOP, y2: height - BOTTOM }),
        s(
          "text",
          { class: "tick", x: x(value), y: height - 8, "text-anchor": "middle" },
          String(value).replace("-", "−"),
        ),
      );
    }
    for (const value of ticks(0, high, 4)) {
      const words = value >= 1e5 ? value.toExponential(0).replace("e+", "e") : String(value);
      svg.append(
        s("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
        s("text", { class: "tick", x: LEFT - 7, y: y(value) + 3.5, "text-anchor": "end" }, words),
      );
    }
    const along = (g) =>
      Array.from({ length: 161 }, (_, i) => from + (i / 160) * (to - from))
        .map((value) => [value, g(value)])
        .filter(([, value]) => value <= high * 1.02)
        .map(([a, b]) => [x(a), y(b)]);
    if (t !== 1)
      svg.append(
        s("path", { class: "curve ghost-line", d: path(along((value) => FUNCTIONS[of](value))) }),
      );
    svg.append(s("path", { class: "curve line-heat thick", d: path(along(f)) }));
    logits.forEach((logit, i) => {
      if (!Number.isFinite(logit)) return;
      const [cx, cy] = [x(logit), y(f(logit))];
      svg.append(s("line", { class: "stem", x1: cx, x2: cx, y1: cy, y2: height - BOTTOM }));
      if (of === "exp" && i === chosen && slopes[i] !== null) {
        // The tangent, as long as half an inch, whatever the axes.
        const rise = (slopes[i] * (y(0) - y(1))) / (x(1) - x(0));
        const reach = 46 / Math.hypot(1, rise);
        svg.append(
          s("line", {
            class: "tangent",
            x1: cx - reach,
            y1: cy + reach * rise,
            x2: cx + reach,
            y2: cy - reach * rise,
          }),
        );
      }
      svg.append(
        s(
          "circle",
          {
            class: `dot dot-heat pick${i === chosen ? " chosen" : ""}`,
            cx,
            cy,
            r: i === chosen ? 5.5 : 4,
            onclick: () => choose(i),
          },
          s("title", {}, `${labels[i]}: x = ${logit}`),
        ),
      );
    });
  }

  return {
    root: drawing.root,
    show(next) {
      data = next;
      drawing.again();
      drawing.root.style.setProperty("--heat", heat.colour(next.t));
      drawing.say(
        `Curve of the weight of a logit at T = ${heat.written(next.t)}, with ${next.logits.length} logits marked`,
      );
    },
  };
}
