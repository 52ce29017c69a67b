// The dice: a seed to be typed, or a new one.

import * as address from "../address.js";
import { h, field } from "../dom.js";

/** The seed of the address. */
export function seed() {
  const typed = Number(address.key("seed", "7"));
  return Number.isSafeInteger(typed) && typed >= 0 ? typed : 7;
}

/**
 * Makes the box; `call` hears of every change.
 * @param {() => void} call
 */
export function dice(call) {
  const box = h("input", {
    type: "text",
    inputmode: "numeric",
    value: String(seed()),
    class: "seed",
  });
  const use = (/** @type {number} */ value) => {
    address.write({ seed: value === 7 ? null : value });
    call();
  };
  box.addEventListener("input", () => {
    const value = Number(box.value);
    const good = box.value.trim() !== "" && Number.isSafeInteger(value) && value >= 0;
    box.setAttribute("aria-invalid", String(!good));
    if (good) use(value);
  });
  const roll = h(
    "button",
    {
      type: "button",
      onclick: () => {
        const value = crypto.getRandomValues(new Uint16Array(1))[0];
        box.value = String(value);
        box.removeAttribute("aria-invalid");
        use(value);
      },
    },
    "New dice",
  );
  return h("div", { class: "dice" }, field("Seed of the dice", box), roll);
}
