// Rows of a label and a number, to be typed.

import { h, clear } from "../dom.js";

/** From and to the address: `Hello=4;Namaste=1`. */
export function parse(text) {
  return text
    .split(";")
    .filter(Boolean)
    .map((part) => {
      const at = part.lastIndexOf("=");
      return { label: at < 0 ? "" : part.slice(0, at), logit: Number(part.slice(at + 1)) };
    })
    .filter(({ logit }) => !Number.isNaN(logit));
}

export function write(rows) {
  return rows.map(({ label, logit }) => `${label.replaceAll(";", ",")}=${logit}`).join(";");
}

/** As the server takes them. */
export function sent(rows) {
  return rows.map(({ label, logit }, i) => ({
    label: label || `x${i + 1}`,
    logit: logit === -Infinity ? "-inf" : logit,
  }));
}

/** Makes an editor of at most `most` rows; `call` hears of every change that is a number. */
export function logits(rows, most, call) {
  const list = h("ol", { class: "logits" });
  const add = h(
    "button",
    {
      type: "button",
      class: "quiet",
      onclick: () => {
        rows = [...rows, { label: "", logit: 0 }];
        paint();
        list.lastElementChild.querySelector("input").focus();
        call(rows);
      },
    },
    "+ Add a logit",
  );

  function paint() {
    clear(list);
    rows.forEach((row, i) => {
      const label = h("input", {
        type: "text",
        value: row.label,
        placeholder: `x${i + 1}`,
        "aria-label": `Label ${i + 1}`,
        class: "logit-label",
      });
      const number = h("input", {
        type: "text",
        inputmode: "decimal",
        value: String(row.logit),
        "aria-label": `Logit ${i + 1}`,
        class: "logit-number",
      });
      label.addEventListener("input", () => {
        row.label = label.value;
        call(rows);
      });
      number.addEventListener("input", () => {
        const typed = number.value.trim().replace("−", "-");
        const value = typed === "-inf" ? -Infinity : Number(typed);
        const good = typed !== "" && !Number.isNaN(value) && value < Infinity;
        number.setAttribute("aria-invalid", String(!good));
        if (!good) return;
        row.logit = value;
        call(rows);
      });
      const gone = h(
        "button",
        {
          type: "button",
          class: "quiet icon",
          "aria-label": `Remove ${row.label || `x${i + 1}`}`,
          disabled: rows.length < 2,
          onclick: () => {
            rows = rows.filter((_, j) => j !== i);
            paint();
            call(rows);
          },
        },
        "×",
      );
      list.append(h("li", {}, label, number, gone));
    });
    add.hidden = rows.length >= most;
  }
  paint();
  return {
    root: h("div", { class: "logits-box" }, list, add),
    set(next) {
      rows = next;
      paint();
    },
  };
}
