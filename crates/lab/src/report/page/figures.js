// What each figure shows.
const xAxis = () => ({
  title: { text: hasTemperatures ? "T" : "" },
  type: hasTemperatures ? "linear" : "category",
});

function drawCurves() {
  at("legend").replaceChildren(
    ...families.map((family) =>
      element("li", { style: { "--key": `var(${family.colour})` }, class: "mono" }, family.label),
    ),
  );
  const figures = [];
  // What has no values, and why, comes last.
  const metrics = [
    ...report.metrics.filter(hasValues),
    ...report.metrics.filter((metric) => !hasValues(metric)),
  ];
  for (const metric of metrics) {
    const room = element("div", { class: "plot" });
    const tenfold = hasValues(metric) && inTenfolds(metric);
    const arrow = metric.more_is_better === null ? "" : metric.more_is_better ? " ↑" : " ↓";
    const absent = metric.absent.map(([why, n]) =>
      element(
        "p",
        { class: "absent" },
        `${hasValues(metric) ? `absent ${counted(n, "time")}` : "absent"}: ${why}`,
      ),
    );
    const figure = element(
      "figure",
      {},
      element(
        "figcaption",
        {},
        element("strong", {}, metric.title + arrow),
        metric.summary +
          (metric.unit ? `, in ${metric.unit}` : "") +
          (tenfold ? "; the scale goes up tenfold" : ""),
      ),
      hasValues(metric) ? room : null,
      ...absent,
      element(
        "details",
        {},
        element("summary", {}, "how, and its trap"),
        element("p", {}, `${metric.formula}. ${metric.source}.`),
        element("p", {}, metric.trap),
      ),
    );
    figures.push(figure);
    if (hasValues(metric)) {
      const shown = (i) => ["more", "less"].includes(metric.differences[i]?.verdict);
      figure.draw = () =>
        draw(room, () => ({
          traces: bands((i) => metric.values[i], shown),
          extra: {
            xaxis: xAxis(),
            yaxis: { type: tenfold ? "log" : "linear" },
            margin: { l: 48, r: 8, t: 8, b: 34 },
          },
        }));
    }
  }
  at("curve-charts").replaceChildren(...figures);
  figures.forEach((figure) => figure.draw?.());
}

// Settings that no other beats at both axes; `up` says whether more is better.
function frontierOf(quality, diversity) {
  const rising = (metric, i) => (metric.more_is_better ? 1 : -1) * metric.values[i].mean;
  const points = report.settings
    .map((_, i) => i)
    .filter((i) => quality.values[i] && diversity.values[i]);
  points.sort(
    (a, b) =>
      rising(quality, b) - rising(quality, a) || rising(diversity, b) - rising(diversity, a),
  );
  let best = -Infinity;
  return points.filter((i) => rising(diversity, i) > best && ((best = rising(diversity, i)), true));
}

function drawPlane() {
  const axes = report.metrics.filter(
    (metric) => metric.more_is_better !== null && hasValues(metric),
  );
  if (!report.plane) {
    at("plane-words").textContent =
      "There is no metric of quality or none of diversity with values, so there is no plane.";
    at("plane-chart").remove();
    at("beaten").remove();
    at("plane").querySelector(".pickers").remove();
    return;
  }
  for (const [id, chosen] of [
    ["quality", report.plane.quality],
    ["diversity", report.plane.diversity],
  ]) {
    at(id).replaceChildren(
      ...axes.map((metric) =>
        element(
          "option",
          { value: metric.name, selected: metric.name === chosen ? "" : undefined },
          metric.title,
        ),
      ),
    );
    at(id).addEventListener("change", update);
  }
  function update() {
    const [quality, diversity] = [measured(at("quality").value), measured(at("diversity").value)];
    const asReported =
      quality.name === report.plane.quality && diversity.name === report.plane.diversity;
    const frontier = frontierOf(quality, diversity);
    const knee = asReported ? report.plane.knee : null;
    at("plane-words").replaceChildren(
      "Up is more diverse, right is better; crosses are 95 % intervals. The grey line joins what none beats at both, going by the means.",
      knee === null
        ? ""
        : element(
            "span",
            {},
            " The knee, beyond which a little more of one costs much of the other: ",
            element("strong", {}, report.settings[knee].label),
            ".",
          ),
    );
    at("beaten").querySelector("summary").textContent =
      `beaten at both by none: ${frontier.length} of ${report.settings.length} settings`;
    at("beaten")
      .querySelector("ul")
      .replaceChildren(
        ...frontier.map((i) => element("li", { class: "mono" }, report.settings[i].label)),
      );
    const axis = (metric) => ({
      type: inTenfolds(metric) ? "log" : "linear",
      title: { text: titled(metric) + (metric.more_is_better ? "" : ", reversed") },
      autorange: metric.more_is_better ? true : "reversed",
    });
    draw(at("plane-chart"), () => {
      const arms = (metric, i) => [
        (metric.values[i].high ?? metric.values[i].mean) - metric.values[i].mean,
        metric.values[i].mean - (metric.values[i].low ?? metric.values[i].mean),
      ];
      const labelled = [];
      const traces = [
        {
          x: frontier.map((i) => quality.values[i].mean),
          y: frontier.map((i) => diversity.values[i].mean),
          mode: "lines",
          type: "scatter",
          line: { color: colour("--strong"), width: 8 },
          hoverinfo: "skip",
        },
      ];
      for (const family of families) {
        const there = family.settings.filter((i) => quality.values[i] && diversity.values[i]);
        const line = colour(family.colour);
        const errors = (metric) => ({
          type: "data",
          symmetric: false,
          array: there.map((i) => arms(metric, i)[0]),
          arrayminus: there.map((i) => arms(metric, i)[1]),
          color: faded(line, 0.35),
          width: 0,
          thickness: 1.5,
        });
        labelled.push({
          trace: traces.length,
          x: there.map((i) => quality.values[i].mean),
          y: there.map((i) => diversity.values[i].mean),
          labels: there.map((i) => (temperature(i) === null ? "" : `T ${temperature(i)}`)),
          first: (n) => (there[n] === knee ? 2 : frontier.includes(there[n]) ? 1 : 0),
        });
        traces.push({
          x: there.map((i) => quality.values[i].mean),
          y: there.map((i) => diversity.values[i].mean),
          error_x: errors(quality),
          error_y: errors(diversity),
          type: "scatter",
          mode: "lines+markers+text",
          line: { color: faded(line, 0.45), width: 1.5, dash: family.dash },
          marker: {
            color: line,
            size: there.map((i) => (i === knee ? 15 : 9)),
            symbol: there.map((i) => (i === knee ? "star" : "circle")),
          },
          text: there.map(() => BLANK),
          textfont: { size: 11, color: line },
          cliponaxis: false,
          customdata: there.map(
            (i) =>
              `${plain(report.settings[i].label)}<br>${plain(quality.title)} ${short(quality.values[i].mean)}<br>${plain(diversity.title)} ${short(diversity.values[i].mean)}`,
          ),
          hovertemplate: "%{customdata}<extra></extra>",
        });
      }
      return {
        traces,
        extra: {
          xaxis: axis(quality),
          yaxis: axis(diversity),
          margin: { l: 60, r: 40, t: 24, b: 60 },
        },
        then: (target) => label(target, labelled),
      };
    });
  }
  update();
}

function drawMelting() {
  const [raw, final, heat] = ["entropy", "entropy_final", "heat_capacity"].map(measured);
  const points = report.melting.filter((one) => one.point);
  const words = at("melting-words");
  if (!points.length)
    words.textContent =
      "Heat capacity says where: it has to be recorded (kelvin sweep --record shift), at three temperatures or more. ";
  for (const { run, family, point } of points) {
    words.append(
      element(
        "strong",
        {},
        `${familyName(run, family)} melts at T = ${point.temperature.toFixed(2)}`,
      ),
      ` (95 % ${point.low.toFixed(2)} … ${point.high.toFixed(2)}${point.at_the_edge ? "; it's the edge of what was tried, so it may lie beyond" : ""}). `,
    );
  }
  if (points.length)
    words.append(
      "There heat capacity is largest (between settings by a parabola): a little more heat opens up the most choices. Below, text is nearly frozen; above, it's noise.",
    );
  const shapes = () =>
    points.map(({ run, family, point }) => {
      const line = colour(families.find((one) => one.run === run && one.name === family).colour);
      return {
        type: "line",
        x0: point.temperature,
        x1: point.temperature,
        y0: 0,
        y1: 1,
        yref: "paper",
        line: { color: line, width: 1.5, dash: "dot" },
      };
    });
  const show = (id, metric, title, traces) => {
    if (!hasValues(metric) || !hasTemperatures) return at(id).remove();
    draw(at(id), () => ({
      traces: traces(),
      extra: { xaxis: xAxis(), yaxis: { title: { text: title } }, shapes: shapes() },
    }));
  };
  // The model's own entropy on the way, without its band, behind the entropy that the chain left.
  const own = () =>
    hasValues(raw)
      ? bands(
          (i) => raw.values[i] && { ...raw.values[i], low: null, high: null },
          () => false,
        ).map((trace) => ({ ...trace, opacity: 0.55 }))
      : [];
  show("entropy-chart", final, "final entropy; hollow: the model's own (nats)", () => [
    ...own(),
    ...bands((i) => final.values[i]),
  ]);
  show("heat-chart", heat, "heat capacity (nats)", () => bands((i) => heat.values[i]));
}

function drawParting() {
  if (!report.partings.length) return at("parting").remove();
  const of = new Map(report.partings.map((one) => [one.colder, one]));
  draw(at("parting-chart"), () => {
    const traces = bands((i) => of.get(i)?.token ?? null);
    traces.forEach((trace) => {
      if (trace.hovertemplate) trace.showlegend = false;
    });
    return {
      traces,
      extra: {
        xaxis: { ...xAxis(), title: { text: "T of the colder text" } },
        yaxis: {
          title: { text: "token at which it parts from the next hotter" },
          rangemode: "tozero",
        },
      },
    };
  });
}
