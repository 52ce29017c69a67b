// What is on the screen as a drawing for a file: an SVG that needs no style sheet. Of a drawing it
// is a copy, of any other element its rectangles, lines and texts, where they are.

import { s } from "../dom.js";

/** Pixels around an element. */
const MARGIN = 14;
/** What a drawing gets from the page's style sheets, written into the file as attributes. */
const PROPERTIES = [
  "fill",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-linejoin",
  "opacity",
  "font-family",
  "font-size",
  "font-weight",
];
const SIDES = /** @type {const} */ (["Top", "Right", "Bottom", "Left"]);

/**
 * Where the drawing has its zero, on the screen.
 * @typedef {{ left: number, top: number }} Zero
 */

/**
 * A copy of a drawing that needs no style sheet.
 * @param {SVGSVGElement} svg
 */
export function copied(svg) {
  const copy = /** @type {SVGSVGElement} */ (svg.cloneNode(true));
  const { width, height } = svg.getBoundingClientRect();
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  copy.removeAttribute("class");
  const [from, to] = [[...svg.querySelectorAll("*")], [...copy.querySelectorAll("*")]];
  from.forEach((element, i) => {
    const style = getComputedStyle(element);
    for (const name of PROPERTIES) to[i].setAttribute(name, style.getPropertyValue(name));
    to[i].removeAttribute("class");
    to[i].removeAttribute("style");
  });
  copy.removeAttribute("style");
  return copy;
}

/**
 * The drawing of an element that is on the screen, all of it where it scrolls.
 * @param {Element} root
 */
export function figureOf(root) {
  const box = root.getBoundingClientRect();
  const width = Math.ceil(Math.max(box.width, root.scrollWidth) + 2 * MARGIN);
  const height = Math.ceil(Math.max(box.height, root.scrollHeight) + 2 * MARGIN);
  const svg = s("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
  const left = box.left - root.scrollLeft - MARGIN;
  draw(svg, root, { left, top: box.top - root.scrollTop - MARGIN });
  return svg;
}

/**
 * @param {SVGSVGElement} svg
 * @param {Element} element
 * @param {Zero} zero
 */
function draw(svg, element, zero) {
  if (!element.checkVisibility({ visibilityProperty: true })) return;
  if (element.matches(".unseen, .saves")) return;
  const box = element.getBoundingClientRect();
  if (element instanceof SVGSVGElement) {
    const copy = copied(element);
    copy.setAttribute("x", String(box.left - zero.left));
    copy.setAttribute("y", String(box.top - zero.top));
    svg.append(copy);
    return;
  }
  shape(svg, element, box, zero);
  for (const child of element.childNodes) {
    if (child instanceof Element) draw(svg, child, zero);
    else if (child instanceof Text) svg.append(...texts(child, getComputedStyle(element), zero));
  }
}

/**
 * An element's ground and its borders.
 * @param {SVGSVGElement} svg
 * @param {Element} element
 * @param {DOMRect} box
 * @param {Zero} zero
 */
function shape(svg, element, box, zero) {
  const style = getComputedStyle(element);
  const [x, y] = [box.left - zero.left, box.top - zero.top];
  const { width, height } = box;
  const ground = style.backgroundColor;
  const sides = SIDES.filter(
    (side) => parseFloat(style[`border${side}Width`]) > 0 && style[`border${side}Style`] !== "none",
  );
  const isFramed = sides.length === SIDES.length;
  const isSeen = !/^(transparent|rgba\(.*, 0\))$/.test(ground);
  if (width > 0 && height > 0 && (isSeen || isFramed)) {
    const fill = isSeen ? ground : "none";
    const stroke = isFramed ? style.borderTopColor : "none";
    const rx = Math.min(parseFloat(style.borderTopLeftRadius) || 0, height / 2);
    svg.append(s("rect", { x, y, width, height, rx, fill, stroke, opacity: style.opacity }));
  }
  if (isFramed) return;
  for (const side of sides) {
    const [isRight, isBottom] = [side === "Right", side === "Bottom"];
    const across = side === "Top" || isBottom;
    const [x1, y1] = [isRight ? x + width : x, isBottom ? y + height : y];
    const dash = style[`border${side}Style`] === "dashed" ? "4 3" : null;
    svg.append(
      s("line", {
        x1,
        y1,
        x2: across ? x + width : x1,
        y2: across ? y1 : y + height,
        stroke: style[`border${side}Color`],
        "stroke-width": style[`border${side}Width`],
        "stroke-dasharray": dash,
      }),
    );
  }
}

/**
 * A text, line by line.
 * @param {Text} node
 * @param {CSSStyleDeclaration} style
 * @param {Zero} zero
 */
function texts(node, style, zero) {
  const isRight = style.textAlign === "right" || style.textAlign === "end";
  const look = {
    "text-anchor": isRight ? "end" : "start",
    "dominant-baseline": "central",
    "xml:space": "preserve",
    fill: style.color,
    "font-family": style.fontFamily,
    "font-size": style.fontSize,
    "font-weight": style.fontWeight,
  };
  return linesOf(node).map(({ words, left, right, top, bottom }) => {
    const x = (isRight ? right : left) - zero.left;
    return s("text", { ...look, x, y: (top + bottom) / 2 - zero.top }, words);
  });
}

/**
 * The lines of a text as the screen breaks them.
 * @param {Text} node
 */
function linesOf(node) {
  const range = document.createRange();
  /** @type {{ words: string, left: number, right: number, top: number, bottom: number }[]} */
  const lines = [];
  for (const { 0: words, index } of node.data.matchAll(/\S+|\s+/g)) {
    range.setStart(node, index);
    range.setEnd(node, index + words.length);
    const [box] = range.getClientRects();
    if (!box || box.width === 0) continue;
    const last = lines.at(-1);
    if (last && Math.abs(last.top - box.top) < 2) {
      last.words += words;
      last.right = box.right;
      continue;
    }
    const { left, right, top, bottom } = box;
    lines.push({ words, left, right, top, bottom });
  }
  return lines.filter(({ words }) => words.trim() !== "");
}
