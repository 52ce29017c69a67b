// The page: which view the address names, the navigation, the theme, the guide, the model's name.
//
// How a view is added:
//   1. Write `views/NAME.js`. It exports `view`: { id, name, lead, mount(root, page) }. `id` is its
//      place in the address
//      (`#/id?key=value`), `name` stands in the navigation, `lead` is one sentence below the title.
//      `mount` fills `root` and may return a function that is called when the view goes (stop
//      streams and timers there). `page.model` is what GET /studio/model says. What the view shows
//      is read from and written to `address.js`, so that the address is the whole state; when
//      somebody changes the address by hand the view is mounted anew.
//   2. Name it in `views` below, and its file in `web/mod.rs`.
// What to build with: `dom.js` makes elements (a model's text is always a text node), `server.js`
// asks and streams, `types.js` says what it answers, `heat.js` has the scale of temperatures and
// its colours, `draw/` draws, `parts/` are controls that views share. A view's state is one object,
// which its functions take as `v`.

import * as address from "./address.js";
import { h, clear } from "./dom.js";
import { exactly } from "./format.js";
import { guide } from "./guide.js";
import { modelMenu } from "./parts/models.js";
import { copyLink, otherModel } from "./parts/share.js";
import { get, explain } from "./server.js";
import { keep, recall } from "./store.js";
import { API, controls } from "./transport.js";
import { view as softmax } from "./views/softmax.js";
import { view as next } from "./views/next.js";
import { view as search } from "./views/search.js";
import { view as chain } from "./views/chain.js";
import { view as compare } from "./views/compare.js";
import { view as decide } from "./views/decide.js";
import { view as learn } from "./views/learn.js";
import { view as write } from "./views/write.js";
import { offer } from "./write/sessions.js";

/** @import { Model, View } from "./types.js" */

/** @type {View[]} */
const views = [softmax, next, chain, compare, search, write, decide, learn];

/** Elements of `index.html`. */
const main = at("main");
const nav = at("nav");
const tools = at("tools");
/** The place of the menu of models. */
const menu = h("span", {});
let leave = () => {};
/** How many times a view was asked for: one that waits for the model gives way to a later one. */
let asked = 0;
/** @type {Model | null} */
let model = null;

/** @param {string} id */
function at(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no #${id}`);
  return found;
}

/** Shows the view that the address names. */
async function show() {
  const { view: id } = address.read();
  asked += 1;
  const mine = asked;
  const view = views.find((one) => one.id === id) ?? views[0];
  leave();
  leave = () => {};
  document.title = `${view.name} · Kelvin`;
  links(view);
  clear(main);
  try {
    model ??= await get("/studio/model");
  } catch (error) {
    if (mine === asked) main.append(explain(error, show));
    return;
  }
  if (mine !== asked) return;
  modelMenu(menu, model, restart);
  offer(model.sessions);
  const isExact = address.maybe("exact") === "1";
  exactly(isExact);
  footer(model, isExact);
  const root = h("div", { class: `view view-${view.id}` });
  main.append(
    h(
      "div",
      { class: "title" },
      h("h1", {}, view.title ?? view.name),
      h("p", { class: "lead" }, view.lead),
    ),
    root,
  );
  const other = otherModel(model);
  if (other) main.prepend(other);
  leave = view.mount(root, { model }) ?? (() => {});
}

/**
 * The navigation; what views share of the state goes along.
 * @param {View} current
 */
function links(current) {
  clear(nav);
  for (const view of views) {
    const link = h("a", { href: address.link(view.id) }, view.name);
    if (view === current) link.setAttribute("aria-current", "page");
    // The state may have moved on since the link was made.
    const fresh = () => {
      link.href = address.link(view.id);
    };
    link.addEventListener("pointerdown", fresh);
    link.addEventListener("focus", fresh);
    nav.append(link);
  }
}

/**
 * @param {Model} model
 * @param {boolean} isExact
 */
function footer(model, isExact) {
  const foot = clear(at("foot"));
  const api = API ? [h("span", {}, "API at ", h("code", {}, API))] : [];
  const exact = h("button", { type: "button", class: "quiet", "aria-pressed": String(isExact) });
  exact.append("Exact numbers");
  exact.addEventListener("click", () => {
    address.write({ exact: isExact ? null : 1 });
    show();
  });
  foot.append(
    h("span", {}, "Model ", h("strong", {}, model.name)),
    h("span", {}, `${model.n_vocab.toLocaleString("en")} tokens in its vocabulary`),
    h("span", {}, "Everything is computed on this machine"),
    ...api,
    exact,
  );
}

/** Light, dark, or as the system has it. */
function theme() {
  const themes = [
    { name: "auto", words: ["◐", " Auto"] },
    { name: "light", words: ["☀", " Light"] },
    { name: "dark", words: ["☾", " Dark"] },
  ];
  let now = Math.max(
    0,
    themes.findIndex(({ name }) => name === recall("theme")),
  );
  const button = h("button", { class: "quiet theme", type: "button" });
  const apply = () => {
    const { name, words } = themes[now];
    const [sign, word] = words;
    if (name === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    clear(button).append(sign, h("span", { class: "word" }, word));
    button.title = `Theme: ${name}. Switch`;
    button.setAttribute("aria-label", button.title);
  };
  button.addEventListener("click", () => {
    now = (now + 1) % themes.length;
    keep("theme", themes[now].name);
    apply();
  });
  apply();
  tools.append(button);
}

/** Tells the style sheets how high the head is: it has as many lines as its links need. */
function measured() {
  const head = nav.parentElement;
  if (!head) return;
  const tell = () => {
    document.documentElement.style.setProperty("--head", `${head.offsetHeight}px`);
  };
  new ResizeObserver(tell).observe(head);
}

// A fragment that isn't an address of ours is a place on the page (the skip link).
document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
/** Asks which model there is, and shows the view anew. */
function restart() {
  model = null;
  show();
}

tools.append(
  menu,
  ...controls(restart),
  copyLink(() => model),
);
theme();
guide(tools, main);
measured();
address.onChange(show);
show();
