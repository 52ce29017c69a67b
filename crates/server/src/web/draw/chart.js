// A drawing that fits its place: `paint` is called with the width in pixels whenever that changes,
// and with `again`.

import { s, clear } from "../dom.js";

/**
 * Makes a drawing, `height` pixels high. `paint(svg, width)` draws into an empty SVG.
 * @param {string} label
 * @param {number} height
 * @param {(svg: SVGSVGElement, width: number) => void} paint
 */
export function chart(label, height, paint) {
  const look = { class: "chart", role: "img", "aria-label": label, height: String(height) };
  const svg = s("svg", look);
  let width = 0;
  const draw = () => {
    if (width === 0) return;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    paint(clear(svg), width);
  };
  new ResizeObserver(([entry]) => {
    const next = Math.round(entry.contentRect.width);
    if (next === width) return;
    width = next;
    draw();
  }).observe(svg);
  return {
    root: svg,
    again: draw,
    /** @param {string} words */
    say: (words) => svg.setAttribute("aria-label", words),
  };
}

/**
 * Steps of 1, 2 or 5 that make about `n` ticks from `low` to `high`.
 * @param {number} low
 * @param {number} high
 * @param {number} n
 */
export function ticks(low, high, n) {
  const rough = (high - low) / n;
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const times = [1, 2, 5].find((one) => one * power >= rough * 0.999) ?? 10;
  const step = times * power;
  const all = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i += 1) {
    all.push(Number((i * step).toPrecision(12)));
  }
  return all;
}

/**
 * The path through points, broken where one isn't a number.
 * @param {[number, number][]} points
 */
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
