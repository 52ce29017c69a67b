// A table of bars as a drawing, for a file: its rectangles and texts where they are on the screen.

import { s } from "../dom.js";

/** Pixels around it. */
const MARGIN = 8;

/**
 * The drawing of a table that is on the screen.
 * @param {HTMLTableElement} table
 */
export function tableFigure(table) {
  const box = table.getBoundingClientRect();
  const [width, height] = [box.width + 2 * MARGIN, box.height + 2 * MARGIN].map(Math.ceil);
  const svg = s("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
  const [left, top] = [box.left - MARGIN, box.top - MARGIN];
  for (const one of table.querySelectorAll(".ghost, .bar, .tick-mark")) {
    const { x, y, width: w, height: h } = one.getBoundingClientRect();
    const { backgroundColor: fill } = getComputedStyle(one);
    if (w > 0) svg.append(s("rect", { x: x - left, y: y - top, width: w, height: h, fill }));
  }
  for (const cell of table.querySelectorAll("th, td:not(.bar-cell)")) {
    const words = cell.querySelector(".unseen") ? "" : (cell.textContent ?? "");
    if (words !== "") svg.append(text(cell, words, left, top));
  }
  return svg;
}

/**
 * @param {Element} cell
 * @param {string} words
 * @param {number} left
 * @param {number} top
 */
function text(cell, words, left, top) {
  const inner = cell.firstElementChild ?? cell;
  const { color, fontFamily, fontSize, fontWeight } = getComputedStyle(inner);
  const { x, y, right, height } = cell.getBoundingClientRect();
  const style = getComputedStyle(cell);
  const isRight = style.textAlign === "right" || style.textAlign === "end";
  const at = isRight ? right - parseFloat(style.paddingRight) : x + parseFloat(style.paddingLeft);
  const look = {
    x: at - left,
    y: y - top + height / 2,
    "text-anchor": isRight ? "end" : "start",
    "dominant-baseline": "central",
    "xml:space": "preserve",
    fill: color,
    "font-family": fontFamily,
    "font-size": fontSize,
    "font-weight": fontWeight,
  };
  return s("text", look, words);
}
