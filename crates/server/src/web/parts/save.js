// A drawing as a file: SVG as it is on the screen, or PNG at twice its size.

import { h } from "../dom.js";

/** Pixels of a PNG for each on the screen. */
const SCALE = 2;
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

/**
 * A drawing on the page, or what makes one that has its colours in itself.
 * @typedef {SVGSVGElement | (() => SVGSVGElement)} Source
 */

/**
 * Buttons that save a drawing.
 * @param {string} name of the file, and what the buttons are called after
 * @param {Source} source
 */
export function saves(name, source) {
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
  const file = `kelvin-${name.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;
  return h(
    "span",
    { class: "saves" },
    button("SVG", () => give(`${file}.svg`, fileOf(picture(source)))),
    button("PNG", async () => {
      const pixels = await painted(picture(source));
      if (pixels) give(`${file}.png`, pixels);
    }),
  );
}

/**
 * The drawing by itself, on the page's ground.
 * @param {Source} source
 */
function picture(source) {
  const svg = typeof source === "function" ? source() : copied(source);
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  ground.setAttribute("width", "100%");
  ground.setAttribute("height", "100%");
  ground.setAttribute("fill", getComputedStyle(document.body).backgroundColor);
  svg.prepend(ground);
  return svg;
}

/**
 * A copy that needs no style sheet.
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
  const [width, height] = ["width", "height"].map((name) => Number(svg.getAttribute(name)));
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
