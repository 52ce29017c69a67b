// A drawing that fits its place: `paint` is called with the width in pixels whenever that changes,
// and with `again`.

import { s, clear } from "../dom.js";

/** Makes one, `height` pixels high. `paint(svg, width, height)` draws into an empty SVG. */
export function chart(label, height, paint) {
  const svg = s("svg", {
    class: "chart",
    role: "img",
    "aria-label": label,
    height: String(height),
  });
  let width = 0;
  const draw = () => {
    if (width === 0) return;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    paint(clear(svg), width, height);
  };
  new ResizeObserver(([entry]) => {
    const next = Math.round(entry.contentRect.width);
    if (next === width) return;
    width = next;
    draw();
  }).observe(svg);
  return { root: svg, again: draw, say: (words) => svg.setAttribute("aria-label", words) };
}

/** Steps of 1, 2 or 5 that make about `n` ticks from `low` to `high`. */
export function ticks(low, high, n) {
  const rough = (high - low) / n;
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one >= rough * 0.999);
  const all = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i += 1)
    all.push(Number((i * step).toPrecision(12)));
  return all;
}

/** The path through points, broken where one isn't a number. */
export function path(points) {
  let open = false;
  let text = "";
  for (const [x, y] of points) {
    const good = Number.isFinite(x) && Number.isFinite(y);
    if (good) text += `${open ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    open = good;
  }
  return text;
}
