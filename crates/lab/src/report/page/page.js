// The page: what is said of the runs, the theme, and every part in its order.

import { redraw } from "./charts.js";
import { at, counted, modelOf, report } from "./data.js";
import { h } from "./element.js";
import { drawCurves, drawMelting, drawParting } from "./figures.js";
import { drawPlane } from "./plane.js";
import { showMatched, showTables } from "./tables.js";
import { showTexts } from "./texts.js";
import { showWhole } from "./whole.js";

function showHead() {
  at("advice").replaceChildren(...advice());
  at("lead").textContent = lead();
  at("warnings").replaceChildren(...report.warnings.map((warning) => h("li", {}, warning)));
  showRuns();
  at("commands").textContent = [...report.runs.map((run) => run.command), report.command].join(
    "\n\n",
  );
  at("save").addEventListener("click", () => {
    const file = new Blob([JSON.stringify(report, null, 1)], { type: "application/json" });
    const href = URL.createObjectURL(file);
    h("a", { href, download: "kelvin-report.json" }).click();
  });
}

/** What to use and why; then what can't tell settings apart. */
function advice() {
  const several = report.advice.length > 1;
  const said = report.advice.map(({ run, sentences, is_shown, is_told }) => {
    const [first, ...others] = sentences;
    const name = several ? `${report.runs[run].name}. ` : "";
    const headline = is_shown && is_told ? h("strong", {}, first) : first;
    return h("p", { class: "advice" }, name, headline, ` ${others.join(" ")}`);
  });
  if (report.ceiling) said.push(h("p", {}, `Metrics ${report.ceiling}.`));
  return said;
}

/** What was compared, in two sentences or three. */
function lead() {
  const models = [...new Set(report.runs.map((_, i) => modelOf(i)))].join(", ");
  const texts = report.runs.reduce((sum, run) => sum + run.n_texts, 0);
  const [first, ...others] = report.settings.map((setting) => setting.budget);
  const equal = others.every(
    (one) =>
      one.prompts === first.prompts &&
      one.samples === first.samples &&
      one.max_tokens === first.max_tokens,
  );
  const settings = counted(report.settings.length, "setting");
  const size = `${models}: ${counted(texts, "text")}, ${settings}.`;
  const budget =
    `Each had the same budget: ${counted(first.prompts, "prompt")}, ` +
    `${counted(first.samples, "text")} of up to ${counted(first.max_tokens, "token")}.`;
  const dice = "Samples share their dice across settings, so differences are between pairs.";
  return `${size} ${equal ? budget : ""} ${dice}`;
}

function showRuns() {
  const rows = report.runs.map(({ hash, source, seed, n_samples, max_tokens, version }, i) => {
    const { local, server } = source;
    const where = local ? `file ${local.sha256}` : server.url;
    const from = `${modelOf(i)}, ${where}`;
    const cells = [hash, from, `${seed}`, `${n_samples}`, `${max_tokens}`, `Kelvin ${version}`];
    return h(
      "tr",
      {},
      cells.map((cell) => h("td", {}, cell)),
    );
  });
  const names = ["recipe", "texts of", "seed", "samples", "tokens at most", "made by"];
  const heads = names.map((name) => h("th", { class: "left" }, name));
  at("runs").replaceChildren(h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows));
}

const dark = matchMedia("(prefers-color-scheme: dark)");
/** @type {string | null} */
let chosenTheme = null;

function paint() {
  document.documentElement.dataset.theme = chosenTheme ?? (dark.matches ? "dark" : "light");
  redraw();
}

at("theme").addEventListener("click", () => {
  chosenTheme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  paint();
});
dark.addEventListener("change", paint);

paint();
showHead();
drawPlane();
showMatched();
drawCurves();
drawMelting();
drawParting();
showTexts();
showTables();
showWhole();
