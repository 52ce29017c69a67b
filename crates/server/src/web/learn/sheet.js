// The sheet of exercises, made to be printed: questions on the first page, answers on a page of
// their own.

import { h } from "../dom.js";
import { EXERCISES } from "./exercises.js";

/** @import { Exercise } from "./exercises.js" */

export function sheet() {
  const print = h("button", { type: "button", class: "strong", onclick: () => window.print() });
  print.append("Print");
  const back = h("a", { href: "#/learn?step=1" }, "Back to the lesson");
  return h(
    "div",
    { class: "sheet-page" },
    h("div", { class: "row middle no-print" }, print, back),
    h("h2", {}, "Exercises"),
    h("ol", { class: "exercises" }, EXERCISES.map(question)),
    h("h2", { class: "answers-head" }, "Answers"),
    h("ol", { class: "exercises answers" }, EXERCISES.map(answer)),
  );
}

/** @param {Exercise} exercise */
function question({ id, question: words }) {
  return h("li", { "data-exercise": id }, h("p", { class: "question" }, words));
}

/** @param {Exercise} exercise */
function answer({ id, answers, why }) {
  const values = answers.map(([of, value]) => h("div", {}, h("dt", {}, of), h("dd", {}, value)));
  return h(
    "li",
    { "data-answer": id },
    values.length > 0 ? h("dl", {}, values) : null,
    h("p", { class: "why" }, why),
  );
}
