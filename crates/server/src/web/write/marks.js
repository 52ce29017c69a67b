// What somebody notes about the text at hand: a favourite, a label, a note.

import { h } from "../dom.js";

/** @import { Mark } from "./tree.js" */

/**
 * Makes the boxes; `call` hears of every change.
 * @param {(mark: Mark) => void} call
 */
export function marks(call) {
  const star = h(
    "button",
    { type: "button", class: "star", "aria-pressed": "false" },
    "☆ Favourite",
  );
  const label = h("input", {
    type: "text",
    maxlength: "80",
    placeholder: "Label",
    "aria-label": "Label",
  });
  const note = h("textarea", {
    rows: "2",
    maxlength: "4000",
    placeholder: "Note",
    "aria-label": "Note",
  });
  let starred = false;
  const tell = () => call({ star: starred, label: label.value, note: note.value });
  star.addEventListener("click", () => {
    starred = !starred;
    paint();
    tell();
  });
  label.addEventListener("input", tell);
  note.addEventListener("input", tell);
  function paint() {
    star.setAttribute("aria-pressed", String(starred));
    star.textContent = starred ? "★ Favourite" : "☆ Favourite";
  }
  const root = h(
    "div",
    { class: "marks", role: "group", "aria-label": "About this text" },
    h("div", { class: "row middle" }, star, label),
    note,
  );
  return {
    root,
    /** @param {Mark | undefined} mark */
    show(mark) {
      starred = mark?.star ?? false;
      if (document.activeElement !== label) label.value = mark?.label ?? "";
      if (document.activeElement !== note) note.value = mark?.note ?? "";
      paint();
    },
  };
}
