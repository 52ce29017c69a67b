// Charts as plotly draws them, in the page's colours.
const drawn = new Map();

function layout(extra) {
  const axis = {
    gridcolor: colour("--rule"),
    linecolor: colour("--strong"),
    zeroline: false,
    rangemode: "nonnegative",
    tickcolor: colour("--rule"),
    automargin: true,
  };
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "ui-sans-serif, system-ui, sans-serif", size: 12, color: colour("--soft") },
    margin: { l: 54, r: 14, t: 10, b: 60 },
    showlegend: false,
    hovermode: "closest",
    hoverlabel: {
      bgcolor: colour("--sheet"),
      bordercolor: colour("--strong"),
      font: { color: colour("--ink") },
    },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("--strong"), activecolor: colour("--ink") },
    ...extra,
    xaxis: { ...axis, ...extra.xaxis },
    yaxis: {
      ...axis,
      ...(extra.yaxis?.type === "log" ? { nticks: 5, exponentformat: "SI" } : {}),
      ...extra.yaxis,
    },
  };
}

// `make` gives traces and layout anew, since they hold colours, which change with the theme, and
// what is to be done `then`, once and whenever the chart has been zoomed.
function draw(target, make) {
  const isNew = !drawn.has(target);
  drawn.set(target, make);
  const { traces, extra, then } = make();
  target.finish = then;
  const done = Plotly.react(target, traces, layout(extra), {
    displaylogo: false,
    responsive: true,
    displayModeBar: target.classList.contains("chart"),
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
  });
  if (then) done.then(() => target.finish(target));
  if (then && isNew) done.then(() => target.on("plotly_relayout", () => target.finish(target)));
}

// Gives the marks of a chart their labels, the most important first, each at a side where it covers
// no other label and no mark; where there is none, it stays away, and pointing at the mark says it.
// Where a text is empty plotly throws its place away, and finds none for a later one.
const BLANK = " ";
const SIDES = [
  ["top right", 1, -1],
  ["top left", -1, -1],
  ["bottom right", 1, 1],
  ["bottom left", -1, 1],
];
function label(target, traces) {
  const { xaxis, yaxis } = target._fullLayout;
  const marks = traces.flatMap(({ trace, x, y, labels, first }) =>
    labels.map((text, i) => ({
      trace,
      i,
      text,
      first: first(i),
      x: xaxis.d2p(x[i]),
      y: yaxis.d2p(y[i]),
    })),
  );
  const taken = marks.map(({ x, y }) => [x - 5, y - 5, x + 5, y + 5]);
  const free = (box) =>
    taken.every(
      ([left, top, right, bottom]) =>
        box[2] < left || box[0] > right || box[3] < top || box[1] > bottom,
    );
  const chosen = new Map(
    traces.map(({ trace, labels }) => [
      trace,
      { text: labels.map(() => BLANK), sides: labels.map(() => SIDES[0][0]) },
    ]),
  );
  for (const mark of marks.filter((mark) => mark.text).sort((a, b) => b.first - a.first)) {
    const width = 6.6 * mark.text.length;
    for (const [side, across, down] of SIDES) {
      const [near, middle] = [mark.x + across * 6, mark.y + down * 13];
      const box = [
        Math.min(near, near + across * width),
        middle - 7,
        Math.max(near, near + across * width),
        middle + 7,
      ];
      if (!free(box) || box[0] < -40 || box[2] > xaxis._length + 36 || box[1] < -22) continue;
      taken.push(box);
      chosen.get(mark.trace).text[mark.i] = mark.text;
      chosen.get(mark.trace).sides[mark.i] = side;
      break;
    }
  }
  const all = [...chosen];
  return Plotly.restyle(
    target,
    { text: all.map(([, one]) => one.text), textposition: all.map(([, one]) => one.sides) },
    all.map(([trace]) => trace),
  );
}

const redraw = () => drawn.forEach((make, target) => draw(target, make));

// Lines with bands, one for each family; `value` gives a mean with its interval for a setting,
// `shown` whether a point is filled.
function bands(value, shown = () => true) {
  const traces = [];
  for (const family of families) {
    const there = family.settings.filter((i) => value(i) && place(i) !== null);
    if (!there.length) continue;
    const line = colour(family.colour);
    const banded = there.filter((i) => value(i).low !== null);
    if (banded.length > 1 && hasTemperatures) {
      traces.push({
        x: [...banded.map(place), ...banded.map(place).reverse()],
        y: [...banded.map((i) => value(i).high), ...banded.map((i) => value(i).low).reverse()],
        fill: "toself",
        fillcolor: faded(line, 0.16),
        line: { width: 0 },
        mode: "lines",
        hoverinfo: "skip",
        type: "scatter",
      });
    }
    traces.push({
      x: there.map(place),
      y: there.map((i) => value(i).mean),
      type: "scatter",
      mode: hasTemperatures ? "lines+markers" : "markers",
      name: family.label,
      line: { color: line, width: 2, dash: family.dash },
      marker: {
        color: line,
        size: 7,
        symbol: there.map((i) => (shown(i) ? "circle" : "circle-open")),
        line: { width: 1.5, color: line },
      },
      error_y: hasTemperatures
        ? undefined
        : {
            type: "data",
            symmetric: false,
            array: there.map((i) => (value(i).high ?? value(i).mean) - value(i).mean),
            arrayminus: there.map((i) => value(i).mean - (value(i).low ?? value(i).mean)),
            color: line,
          },
      text: there.map(
        (i) =>
          `${plain(report.settings[i].label)}<br>${short(value(i).mean)} (${interval(value(i))})`,
      ),
      hovertemplate: "%{text}<extra></extra>",
    });
  }
  return traces;
}

// plotly reads a few tags in hover texts; a chain has none of these characters, a model's name
// might.
const plain = (text) => text.replace(/[<>&]/g, " ");
