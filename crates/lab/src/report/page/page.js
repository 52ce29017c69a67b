// The page: what is said of the runs, the theme, and every part in its order.
function showHead() {
  const models = [...new Set(report.runs.map((_, i) => modelOf(i)))].join(", ");
  const texts = report.runs.reduce((sum, run) => sum + run.n_texts, 0);
  const budgets = report.settings.map((setting) => setting.budget);
  const equal = budgets.every(
    (b) =>
      b.prompts === budgets[0].prompts &&
      b.samples === budgets[0].samples &&
      b.max_tokens === budgets[0].max_tokens,
  );
  at("lead").textContent =
    `${models}: ${counted(texts, "text")}, ${counted(report.settings.length, "setting")}. ${equal ? `Each had the same budget: ${counted(budgets[0].prompts, "prompt")}, ${counted(budgets[0].samples, "text")} of up to ${counted(budgets[0].max_tokens, "token")}.` : ""} Samples share their dice across settings, so differences are between pairs.`;
  at("warnings").replaceChildren(...report.warnings.map((warning) => element("li", {}, warning)));
  const rows = report.runs.map((run) => {
    const where = run.source.local ? `file ${run.source.local.sha256}` : run.source.server.url;
    return [
      run.hash,
      `${run.source.local?.model ?? run.source.server.model}, ${where}`,
      `${run.seed}`,
      `${run.n_samples}`,
      `${run.max_tokens}`,
      `Kelvin ${run.version}`,
    ];
  });
  const head = ["recipe", "texts of", "seed", "samples", "tokens at most", "made by"];
  at("runs").replaceChildren(
    element(
      "thead",
      {},
      element("tr", {}, ...head.map((name) => element("th", { class: "left" }, name))),
    ),
    element(
      "tbody",
      {},
      ...rows.map((row) => element("tr", {}, ...row.map((cell) => element("td", {}, cell)))),
    ),
  );
  at("commands").textContent = [...report.runs.map((run) => run.command), report.command].join(
    "\n\n",
  );
  at("save").addEventListener("click", () => {
    const link = element("a", {
      href: URL.createObjectURL(
        new Blob([JSON.stringify(report, null, 1)], { type: "application/json" }),
      ),
      download: "kelvin-report.json",
    });
    link.click();
  });
}

const dark = matchMedia("(prefers-color-scheme: dark)");
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
