// A figure as a file: SVG, or PNG at twice the size of the screen. The file stands alone: above the
// drawing it says what it shows and at which settings, below it has the legend.

import { h, s } from "../dom.js";
import { copied } from "../draw/figure.js";

/** Pixels of a PNG for each on the screen. */
const SCALE = 2;
/** Pixels around the words. */
const MARGIN = 14;
const TITLE = 16;
const WORDS = 13;
/** Height of a line of words. */
const LINE = 19;

/**
 * A drawing on the page, or what makes one that has its colours in itself.
 * @typedef {SVGSVGElement | (() => SVGSVGElement)} Source
 */

/**
 * What a file says besides the drawing: settings, among them the temperature, and the list on the
 * page that says what colours mean.
 * @typedef {{ words?: string, legend?: HTMLElement | null }} About
 */

/**
 * Buttons that save a drawing.
 * @param {string} name of the file, its title, and what the buttons are called after
 * @param {Source} source
 * @param {() => About} about asked when a file is made
 */
export function saves(name, source, about) {
  const button = (/** @type {string} */ kind, /** @type {() => unknown} */ save) =>
    h(
      "button",
      {
        type: "button",
        class: "quiet",
        "aria-label": `Save “${name}” as ${kind}`,
        onclick: save,
      },
      kind,
    );
  const file = `kelvin-${name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/-$/, "")}`;
  const made = () => {
    const drawing = typeof source === "function" ? source() : copied(source);
    return framed(drawing, name, about());
  };
  return h(
    "span",
    { class: "saves" },
    button("SVG", () => give(`${file}.svg`, fileOf(made()))),
    button("PNG", async () => {
      const pixels = await painted(made());
      if (pixels) give(`${file}.png`, pixels);
    }),
  );
}

/**
 * A drawing with its title, what there is to say of it, and its legend, on the page's ground.
 * @param {SVGSVGElement} drawing
 * @param {string} title
 * @param {About} about
 */
function framed(drawing, title, { words = "", legend }) {
  const page = getComputedStyle(document.body);
  const [width, height] = sizeOf(drawing);
  const svg = s("svg", { xmlns: "http://www.w3.org/2000/svg", width });
  svg.append(s("title", {}, title));
  svg.append(s("rect", { width: "100%", height: "100%", fill: page.backgroundColor }));
  const look = { x: MARGIN, fill: page.color, "font-family": page.fontFamily };
  let y = MARGIN + TITLE;
  svg.append(s("text", { ...look, y, "font-size": TITLE, "font-weight": 600 }, title));
  for (const line of broken(words, width - 2 * MARGIN, page.fontFamily)) {
    y += LINE;
    svg.append(s("text", { ...look, y, "font-size": WORDS, opacity: 0.75 }, line));
  }
  y += 10;
  drawing.setAttribute("y", String(y));
  svg.append(drawing);
  y += height;
  if (legend) y = key(svg, legend, width, y, look);
  svg.setAttribute("height", String(Math.ceil(y)));
  svg.setAttribute("viewBox", `0 0 ${width} ${Math.ceil(y)}`);
  return svg;
}

/**
 * Draws a legend below `y`, and gives its end.
 * @param {SVGSVGElement} svg
 * @param {HTMLElement} legend
 * @param {number} width
 * @param {number} y
 * @param {{ fill: string, "font-family": string }} look
 */
function key(svg, legend, width, y, { fill, "font-family": family }) {
  const measure = ruler(family);
  let [x, line] = [MARGIN, y + LINE];
  for (const item of legend.children) {
    const words = item.textContent ?? "";
    const wide = 21 + measure(words);
    if (x > MARGIN && x + wide > width - MARGIN) [x, line] = [MARGIN, line + LINE];
    const colour = getComputedStyle(item, "::before").backgroundColor;
    const text = { x: x + 20, y: line, fill, "font-family": family, "font-size": WORDS };
    svg.append(
      s("rect", { x, y: line - 7, width: 14, height: 4, rx: 2, fill: colour }),
      s("text", { ...text, "xml:space": "preserve" }, words),
    );
    x += wide + 18;
  }
  return line + MARGIN;
}

/**
 * Measures words of a file, in pixels.
 * @param {string} family
 */
function ruler(family) {
  const paper = h("canvas").getContext("2d");
  if (paper) paper.font = `${WORDS}px ${family}`;
  return (/** @type {string} */ words) => paper?.measureText(words).width ?? 0;
}

/**
 * Words as lines of at most `width` pixels.
 * @param {string} words
 * @param {number} width
 * @param {string} family
 */
function broken(words, width, family) {
  const measure = ruler(family);
  /** @type {string[]} */
  const lines = [];
  for (const word of words.split(/\s+/).filter(Boolean)) {
    const longer = `${lines.at(-1) ?? ""} ${word}`.trim();
    if (lines.length > 0 && measure(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** @param {SVGSVGElement} svg */
function sizeOf(svg) {
  return ["width", "height"].map((name) => Number(svg.getAttribute(name)));
}

/** @param {SVGSVGElement} svg */
function fileOf(svg) {
  return new Blob([new XMLSerializer().serializeToString(svg)], { type: "image/svg+xml" });
}

/**
 * The drawing as a PNG.
 * @param {SVGSVGElement} svg
 * @returns {Promise<Blob | null>}
 */
async function painted(svg) {
  const [width, height] = sizeOf(svg);
  const url = URL.createObjectURL(fileOf(svg));
  try {
    const image = h("img", { src: url, alt: "" });
    await image.decode();
    const canvas = h("canvas", {
      width: Math.round(width * SCALE),
      height: Math.round(height * SCALE),
    });
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((done) => canvas.toBlob(done, "image/png"));
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * @param {string} name
 * @param {Blob} blob
 */
function give(name, blob) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
