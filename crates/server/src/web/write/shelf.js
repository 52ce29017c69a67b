// The list of sessions: searched, opened, duplicated, exported, deleted, and others imported.

import { h, choose, clear } from "../dom.js";
import { count } from "../format.js";
import { isOnDisk } from "./disk.js";
import { FORMS } from "./export.js";
import { has, read } from "./find.js";
import * as sessions from "./sessions.js";

/** @import { Form } from "./export.js" */
/** @import { Head, Where } from "./sessions.js" */

/** @type {[Where, string][]} */
const PLACES = [
  ["browser", "in this browser"],
  ["disk", "on the server's disk"],
];

/**
 * Who hears what is wanted.
 * @typedef {object} Host
 * @property {(head: Head) => void} open
 * @property {(head: Head) => void} duplicate
 * @property {(head: Head, form: Form) => void} save
 * @property {(head: Head) => void} remove
 * @property {(file: File) => void} load
 */

/**
 * Where sessions are kept, in words, and a choice where there is one.
 * @param {boolean} isOffered whether the server keeps sessions
 */
function places(isOffered) {
  if (!isOffered) {
    return h("p", { class: "note" }, "Sessions are kept in this browser, on this machine.");
  }
  const chosen = (/** @type {string} */ place) => {
    sessions.choose(place === "disk" ? "disk" : "browser");
  };
  return h(
    "div",
    { class: "row middle" },
    h("span", { class: "note" }, "New sessions are kept"),
    choose("Where new sessions are kept", PLACES, sessions.where(), chosen),
  );
}

/**
 * Makes a list, and what stands above it.
 * @param {Host} host
 * @param {boolean} isOffered whether the server keeps sessions
 */
export function shelf(host, isOffered) {
  const find = h("input", {
    type: "search",
    placeholder: "Search",
    "aria-label": "Search sessions",
  });
  const files = { type: "file", accept: ".json,application/json", hidden: true };
  const file = h("input", { ...files, "aria-label": "File of a session" });
  const load = h("button", { type: "button" }, "Import …");
  const list = h("ul", { class: "sessions", "aria-label": "Sessions" });
  const none = h("p", { class: "note" });
  /** @type {Head[]} */
  let all = [];
  let open = "";
  load.addEventListener("click", () => file.click());
  file.addEventListener("change", () => {
    const [picked] = file.files ?? [];
    if (picked) host.load(picked);
    file.value = "";
  });
  find.addEventListener("input", async () => {
    paint();
    // The texts themselves, where the names don't say it.
    if (words().length > 0 && (await read(all))) paint();
  });
  const words = () => find.value.toLowerCase().split(/\s+/).filter(Boolean);
  function paint() {
    const wanted = words();
    const found = all.filter((head) => has(head, wanted));
    // A session may be saved, and the list made anew, while somebody is at it.
    const controls = () =>
      /** @type {HTMLElement[]} */ ([...list.querySelectorAll("button, summary")]);
    const focused = controls().findIndex((one) => one === document.activeElement);
    const menu = list.querySelector("details[open]")?.closest("li")?.dataset.id;
    clear(list).append(...found.map((head) => item(head, head.id === open, host)));
    for (const { dataset, lastElementChild } of list.querySelectorAll("li")) {
      const details = lastElementChild?.querySelector("details");
      if (details && dataset.id === menu) details.open = true;
    }
    if (focused >= 0) controls()[focused]?.focus();
    none.hidden = found.length > 0;
    none.textContent = all.length === 0 ? "No session is kept yet." : "No session has these words.";
  }
  return {
    root: h(
      "div",
      { class: "shelf" },
      places(isOffered),
      h("div", { class: "row middle" }, find, load, file),
      none,
      list,
    ),
    /**
     * @param {Head[]} heads
     * @param {string} id of the session that is open
     */
    show(heads, id) {
      all = heads;
      open = id;
      paint();
    },
  };
}

/**
 * The menu of the forms that a session can be exported in.
 * @param {string} name
 * @param {(form: Form) => void} save
 */
function exporter(name, save) {
  const menu = h("details", { class: "menu" });
  const items = FORMS.map((form) => {
    const choose = () => {
      menu.open = false;
      save(form);
    };
    return h("button", { type: "button", class: "quiet", onclick: choose }, form.words);
  });
  menu.append(
    h("summary", { "aria-label": `Export ${name}` }, "Export"),
    h("div", { class: "menu-items" }, items),
  );
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") menu.open = false;
  });
  return menu;
}

/**
 * @param {Head} head
 * @param {boolean} here whether it is open
 * @param {Host} host
 */
function item(head, here, { open, duplicate, save, remove }) {
  const { name, n_tokens: tokens, changed, excerpt } = head;
  const when = new Date(changed).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  const kept = isOnDisk(head.id) ? " · on the server" : "";
  const button = (/** @type {string} */ words, /** @type {(head: Head) => void} */ call) =>
    h(
      "button",
      {
        type: "button",
        class: "quiet",
        "aria-label": `${words} ${name}`,
        onclick: () => call(head),
      },
      words,
    );
  const title = h(
    "button",
    {
      type: "button",
      class: "session-open",
      "aria-current": here ? "true" : null,
      onclick: () => open(head),
    },
    h("strong", {}, name),
    h(
      "span",
      { class: "note" },
      `${here ? "open · " : ""}${count(tokens)} tokens · ${when}${kept}`,
    ),
    h("span", { class: "session-excerpt" }, excerpt.replaceAll(/\s+/g, " ")),
  );
  const does = h(
    "div",
    { class: "session-does" },
    button("Duplicate", duplicate),
    exporter(name, (form) => save(head, form)),
    button("Delete", remove),
  );
  return h("li", { class: here ? "here" : "", "data-id": head.id }, title, does);
}
