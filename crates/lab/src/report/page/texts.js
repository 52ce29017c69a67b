// Texts side by side, each token on a ground as warm as its surprisal.

import { at, picker, report, temperature } from "./data.js";
import { h } from "./element.js";

/** @import { Text } from "./types.js" */

/** Nats at which the ground is as warm as it gets. */
const HOTTEST = 12;
/** Characters of a prompt that are shown. */
const LONGEST = 90;

/** @param {Text} text */
function words(text) {
  const spans = text.tokens.map(([piece, nats]) => {
    const heat = nats === null ? 0 : Math.min(nats / HOTTEST, 1);
    const title = nats === null ? null : `${nats.toFixed(2)} nats`;
    return h("span", { "--heat": heat, title }, piece);
  });
  return h("p", { class: "words" }, spans);
}

/**
 * How long a text is, how surprising, and what ended it.
 * @param {Text} text
 */
function figures({ tokens, finish }) {
  const nats = tokens.map(([, one]) => one).filter((one) => one !== null);
  const sum = nats.reduce((a, b) => a + b, 0);
  const mean = nats.length > 0 ? ` · ${(sum / nats.length).toFixed(2)} nats a piece` : "";
  return `${tokens.length} pieces${mean} · ended by ${finish.replaceAll("_", " ")}`;
}

/** @param {Text} text */
function promptOf({ setting, prompt }) {
  return report.runs[report.settings[setting].run].prompts[prompt];
}

/** Three settings to begin with: the base, and the coldest and the hottest like it. */
function firstSettings(/** @type {number[]} */ all) {
  const base = report.settings.findIndex((setting) => setting.is_base);
  const { family } = report.settings[base];
  const like = all.filter((i) => report.settings[i].family === family);
  const byHeat = like.length > 1 ? like : [...all];
  byHeat.sort((a, b) => (temperature(a) ?? 1) - (temperature(b) ?? 1));
  const chosen = [byHeat[0], base, byHeat[byHeat.length - 1]].filter((i) => all.includes(i));
  return [...new Set(chosen)];
}

export function showTexts() {
  if (report.texts.length === 0) {
    at("texts").remove();
    return;
  }
  const prompts = [...new Set(report.runs.flatMap((run) => run.prompts))];
  const samples = [...new Set(report.texts.map((text) => text.sample))].sort((a, b) => a - b);
  const cut = (/** @type {string} */ text) =>
    text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
  const options = prompts.map((prompt, i) => h("option", { value: i }, cut(prompt)));
  at("prompt").replaceChildren(...options);
  const dice = samples.map((sample) => h("option", { value: sample }, `sample ${sample}`));
  at("sample").replaceChildren(...dice);
  const written = new Set(report.texts.map((text) => text.setting));
  const all = report.settings.map((_, i) => i).filter((i) => written.has(i));
  const columns = firstSettings(all).map((setting) => column(all, setting));
  at("columns").replaceChildren(...columns.map(({ article }) => article));
  const update = () => {
    const prompt = prompts[Number(picker("prompt").value)];
    const sample = Number(picker("sample").value);
    for (const { select, body } of columns) {
      const setting = Number(select.value);
      const found = report.texts.find(
        (text) => text.setting === setting && text.sample === sample && promptOf(text) === prompt,
      );
      const note = found ? figures(found) : "This text isn't in the report.";
      body.replaceChildren(...(found ? [words(found)] : []), h("p", { class: "note" }, note));
    }
  };
  at("prompt").addEventListener("change", update);
  at("sample").addEventListener("change", update);
  for (const { select } of columns) select.addEventListener("change", update);
  update();
}

/**
 * A column for one setting of those that have texts.
 * @param {number[]} all
 * @param {number} setting
 */
function column(all, setting) {
  const options = all.map((i) =>
    h("option", { value: i, selected: i === setting }, report.settings[i].label),
  );
  const select = h("select", { "aria-label": "Setting" }, options);
  const body = h("div");
  return { select, body, article: h("article", {}, select, body) };
}
