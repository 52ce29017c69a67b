// Texts side by side, each token on a ground as warm as its surprisal.
const HOTTEST = 12;

function words(text) {
  return element(
    "p",
    { class: "words" },
    ...text.tokens.map(([piece, nats]) =>
      element(
        "span",
        {
          style: { "--heat": String(nats === null ? 0 : Math.min(nats / HOTTEST, 1)) },
          title: nats === null ? null : `${nats.toFixed(2)} nats`,
        },
        piece,
      ),
    ),
  );
}

function showTexts() {
  if (!report.texts.length) return at("texts").remove();
  const prompts = [];
  report.runs.forEach((run) =>
    run.prompts.forEach((prompt) => {
      if (!prompts.includes(prompt)) prompts.push(prompt);
    }),
  );
  const promptOf = (text) => report.runs[report.settings[text.setting].run].prompts[text.prompt];
  const samples = [...new Set(report.texts.map((text) => text.sample))].sort((a, b) => a - b);
  at("prompt").replaceChildren(
    ...prompts.map((prompt, i) =>
      element("option", { value: i }, prompt.length > 90 ? prompt.slice(0, 89) + "…" : prompt),
    ),
  );
  at("sample").replaceChildren(
    ...samples.map((sample) => element("option", { value: sample }, `sample ${sample}`)),
  );
  // Three settings to begin with: the one that others are compared with, and the coldest and the
  // hottest like it.
  const all = report.settings
    .map((_, i) => i)
    .filter((i) => report.texts.some((text) => text.setting === i));
  const base = report.settings.findIndex((setting) => setting.is_base);
  const like = all.filter((i) => report.settings[i].family === report.settings[base].family);
  const byHeat = (like.length > 1 ? like : all).sort(
    (a, b) => (temperature(a) ?? 1) - (temperature(b) ?? 1),
  );
  const chosen = [byHeat[0], base, byHeat[byHeat.length - 1]].filter(
    (i, place, list) => i >= 0 && all.includes(i) && list.indexOf(i) === place,
  );
  const columns = chosen.map((setting) => {
    const select = element(
      "select",
      { "aria-label": "Setting", onchange: update },
      ...all.map((i) =>
        element(
          "option",
          { value: i, selected: i === setting ? "" : undefined },
          report.settings[i].label,
        ),
      ),
    );
    const body = element("div");
    return { select, body, article: element("article", {}, select, body) };
  });
  at("columns").replaceChildren(...columns.map((column) => column.article));
  at("prompt").addEventListener("change", update);
  at("sample").addEventListener("change", update);
  function update() {
    const [prompt, sample] = [prompts[at("prompt").value], Number(at("sample").value)];
    for (const { select, body } of columns) {
      const text = report.texts.find(
        (text) =>
          text.setting === Number(select.value) &&
          promptOf(text) === prompt &&
          text.sample === sample,
      );
      if (!text) {
        body.replaceChildren(element("p", { class: "note" }, "This text isn't in the report."));
        continue;
      }
      const nats = text.tokens.map(([, nats]) => nats).filter((nats) => nats !== null);
      const mean = nats.length
        ? ` · ${(nats.reduce((a, b) => a + b, 0) / nats.length).toFixed(2)} nats a piece`
        : "";
      body.replaceChildren(
        words(text),
        element(
          "p",
          { class: "note" },
          `${text.tokens.length} pieces${mean} · ended by ${text.finish.replaceAll("_", " ")}`,
        ),
      );
    }
  }
  update();
}
