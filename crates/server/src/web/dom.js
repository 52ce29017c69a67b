// Elements from a name, properties and children. Text becomes a text node, never markup: a model
// may write anything.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element. `on…` properties are listeners, `--…` are CSS variables, `class`, `aria-…` and the like are attributes. */
export function h(name, properties = {}, ...children) {
  return fill(document.createElement(name), properties, children);
}

/** The same of SVG. */
export function s(name, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, name), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else if (["value", "checked", "disabled", "selected"].includes(name)) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/** Empties an element, and returns it. */
export function clear(element) {
  element.replaceChildren();
  return element;
}

let names = 0;
/** A label and its control, tied together. */
export function field(label, control, note) {
  control.id ||= `field-${(names += 1)}`;
  return h(
    "div",
    { class: "field" },
    h("label", { for: control.id }, label),
    control,
    note ? h("p", { class: "note" }, note) : null,
  );
}

/** A panel with a heading. */
export function panel(title, ...children) {
  const id = `panel-${(names += 1)}`;
  return h(
    "section",
    { class: "panel", "aria-labelledby": id },
    h("h2", { id }, title),
    ...children,
  );
}

/** One choice of several: `choices` are [value, words]. */
export function choose(label, choices, chosen, call) {
  const buttons = choices.map(([value, words]) =>
    h(
      "button",
      {
        type: "button",
        "aria-pressed": String(value === chosen),
        "data-value": value,
        onclick: (event) => {
          for (const one of buttons)
            one.setAttribute("aria-pressed", String(one === event.currentTarget));
          call(value);
        },
      },
      words,
    ),
  );
  return h("div", { class: "choose", role: "group", "aria-label": label }, buttons);
}

/** Figures as a list of terms: `rows` are [term, element, title]. */
export function terms(rows) {
  return h(
    "dl",
    { class: "terms" },
    rows.map(([term, element, title]) =>
      h("div", title ? { title } : {}, h("dt", {}, term), h("dd", {}, element)),
    ),
  );
}
