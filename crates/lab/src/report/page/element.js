// Elements from a name, properties and children, for the report and the studio alike. Text becomes
// a text node, never markup: a model may write anything.

/**
 * @typedef {Node | string | null | undefined | false} One
 * @typedef {One | One[]} Child
 * @typedef {string | number | boolean | null | undefined | ((event: any) => unknown)} Property
 * @typedef {Record<string, Property>} Properties
 */

const SVG = "http://www.w3.org/2000/svg";
/** Properties that an attribute would set only once. */
const LIVE = ["value", "checked", "disabled", "selected"];

/**
 * An HTML element. `on…` properties are listeners, `--…` are CSS variables, `class`, `aria-…` and
 * the like are attributes; null, undefined and false leave one out.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Properties} [properties]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(name, properties = {}, ...children) {
  return fill(document.createElement(name), properties, children);
}

/**
 * An SVG element; properties as for `h`.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} name
 * @param {Properties} [properties]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function s(name, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, name), properties, children);
}

/**
 * @template {HTMLElement | SVGElement} E
 * @param {E} element
 * @param {Properties} properties
 * @param {Child[]} children
 */
function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, String(value));
    else if (LIVE.includes(name)) Object.assign(element, { [name]: value });
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

/**
 * Empties an element, and returns it.
 * @template {Element} E
 * @param {E} element
 */
export function clear(element) {
  element.replaceChildren();
  return element;
}
