// Step 6: "Write about Nepal" at three temperatures, with the same dice.

import { h } from "../dom.js";
import { columns } from "./columns.js";
import { PROMPT, TEXTS } from "./texts.js";

/** @import { LessonStep, Model } from "../types.js" */

/**
 * @param {HTMLElement} stage
 * @param {{ model: Model }} page
 */
function mount(stage, { model }) {
  const made = columns(model, TEXTS.slice(0, 3), () => h("span", {}));
  stage.append(made.root);
  return made.stop;
}

/** @type {LessonStep} */
export const nepal = {
  name: "Nepal",
  title: `“${PROMPT}”, at three temperatures`,
  idea: "The question is the same, and so are the dice. Only T differs.",
  short: true,
  notes: [
    "Read the three texts aloud. Ask which one the class would call creative, and why.",
    "At T = 1 the model invents names. It doesn't know that they don't exist.",
    "With “Other dice” the text at T = 0.5 changes little, the one at T = 2 entirely.",
    "The question stands in the model's chat template, as a message from a user would.",
    "Texts at other seeds weren't looked at beforehand: at T = 2 anything may come.",
  ],
  mount,
};
