// Charts as plotly draws them, in the page's colours.
const drawn = new Map();

function layout(extra) {
  const axis = { gridcolor: colour("--rule"), linecolor: colour("--strong"), zeroline: false, tickcolor: colour("--rule"), automargin: true };
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: "ui-sans-serif, system-ui, sans-serif", size: 12, color: colour("--soft") },
    margin: { l: 54, r: 14, t: 10, b: 56 }, showlegend: false, hovermode: "closest", hoverlabel: { bgcolor: colour("--sheet"), bordercolor: colour("--strong"), font: { color: colour("--ink") } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("--strong"), activecolor: colour("--ink") },
    ...extra, xaxis: { ...axis, ...extra.xaxis }, yaxis: { ...axis, ...extra.yaxis },
  };
}

// `make` gives traces and layout anew, since they hold colours, which change with the theme.
function draw(target, make) {
  drawn.set(target, make);
  const { traces, extra } = make();
  Plotly.react(target, traces, layout(extra), { displaylogo: false, responsive: true, displayModeBar: target.classList.contains("chart") ? "hover" : false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] });
}

const redraw = () => drawn.forEach((make, target) => draw(target, make));

// Lines with bands, one for each family; `value` gives a mean with its interval for a setting, `shown` whether a point is filled.
function bands(value, shown = () => true) {
  const traces = [];
  for (const family of families) {
    const there = family.settings.filter((i) => value(i) && place(i) !== null);
    if (!there.length) continue;
    const line = colour(family.colour);
    const banded = there.filter((i) => value(i).low !== null);
    if (banded.length > 1 && hasTemperatures) {
      traces.push({
        x: [...banded.map(place), ...banded.map(place).reverse()], y: [...banded.map((i) => value(i).high), ...banded.map((i) => value(i).low).reverse()],
        fill: "toself", fillcolor: faded(line, 0.16), line: { width: 0 }, mode: "lines", hoverinfo: "skip", type: "scatter",
      });
    }
    traces.push({
      x: there.map(place), y: there.map((i) => value(i).mean), type: "scatter", mode: hasTemperatures ? "lines+markers" : "markers", name: family.label,
      line: { color: line, width: 2, dash: family.dash }, marker: { color: line, size: 7, symbol: there.map((i) => (shown(i) ? "circle" : "circle-open")), line: { width: 1.5, color: line } },
      error_y: hasTemperatures ? undefined : { type: "data", symmetric: false, array: there.map((i) => (value(i).high ?? value(i).mean) - value(i).mean), arrayminus: there.map((i) => value(i).mean - (value(i).low ?? value(i).mean)), color: line },
      text: there.map((i) => `${plain(report.settings[i].label)}<br>${short(value(i).mean)} (${interval(value(i))})`), hovertemplate: "%{text}<extra></extra>",
    });
  }
  return traces;
}

// plotly reads a few tags in hover texts; a chain has none of these characters, a model's name might.
const plain = (text) => text.replace(/[<>&]/g, " ");
