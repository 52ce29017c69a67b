// Step 4: temperature bends the curve. e^(x/T) over the scores of the greetings, its slope at one
// score, and the slider of T.

import { curve } from "../draw/curve.js";
import { clear, h } from "../dom.js";
import { number } from "../format.js";
import { saves } from "../parts/save.js";
import * as heat from "../heat.js";
import { temperature } from "../parts/temperature.js";
import { explain, latest, post } from "../server.js";
import { GREETINGS, HELLO, sentOf } from "./greetings.js";

/** @import { LessonStep, Softened } from "../types.js" */

const HEIGHT = 250;

/** @param {HTMLElement} stage */
function mount(stage) {
  let chosen = HELLO;
  let t = 1;
  /** @type {Softened | null} */
  let answer = null;
  const trouble = h("div", {});
  const says = h("p", { class: "lesson-says big", "aria-live": "off" });
  const drawn = curve(HEIGHT, (i) => {
    chosen = i;
    paint();
  });
  const look = latest(
    (/** @type {number} */ now) =>
      post("/studio/softmax", { logits: sentOf(GREETINGS), temperature: heat.sent(now) }),
    (next) => {
      answer = next;
      clear(trouble);
      paint();
    },
    (error) => {
      clear(trouble).append(explain(error, () => look(t)));
    },
  );
  const moved = (/** @type {number} */ next) => {
    t = next;
    look(t);
  };
  const slider = temperature(t, moved, { plays: true });

  function paint() {
    if (!answer) return;
    const now = heat.parsed(answer.at.temperature, 1);
    const finite = now > 0 && now < Infinity;
    stage.style.setProperty("--heat", heat.colour(now));
    drawn.show({
      t: finite ? now : now === 0 ? 0.05 : 1e6,
      of: "exp",
      logits: GREETINGS.map(([, logit]) => logit),
      labels: GREETINGS.map(([name]) => name),
      chosen,
      slopes: answer.slopes,
    });
    says.textContent = finite
      ? `One step to the right makes a token ${number(Math.exp(1 / now), 2)} times as likely. ` +
        `Slope at ${GREETINGS[chosen][0]}: ${number(answer.slopes[chosen], 2)}.`
      : now === 0
        ? "At T = 0 the curve is a wall: the highest score takes all."
        : "At T = ∞ the curve is flat: all tokens are alike.";
  }

  const dots = GREETINGS.map(([name, logit]) => `${name} ${logit}`).join(", ");
  const saved = saves("The curve e^(x/T)", drawn.root, () => {
    const now = `T = ${heat.written(t)}${t === 1 ? "" : "; dashed: T = 1"}`;
    return { words: `${now}. Dots: ${dots}. ${says.textContent}` };
  });
  stage.append(
    h("div", { class: "lesson-slide" }, slider.root),
    drawn.root,
    h("div", { class: "lesson-head" }, says, saved),
    trouble,
  );
  look(t);
}

/** @type {LessonStep} */
export const bend = {
  name: "Temperature",
  title: "Temperature bends the curve",
  idea:
    "First divide every score by a number T. A small T makes the curve e^(x/T) steep, a large " +
    "one flat.",
  notes: [
    "A steep curve lets the highest scores win. A flat one gives the others a chance.",
    "The dashed curve is T = 1, the model as it was trained.",
    "Click a dot to see the slope there: how strongly that token's weight answers to its score.",
    "At T = 1 one step is a factor of 2.72, at T = 5 of 1.22, at T = 0.5 of 7.39.",
    "The order never changes: whoever is first at T = 1 is first at every T.",
    "The word is from physics: Boltzmann's law has −E/kT where softmax has x/T.",
  ],
  mount,
};
