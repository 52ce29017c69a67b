// Elements, numbers and colours. Text goes in as text: nothing here makes markup of data.
const report = JSON.parse(document.getElementById("data").textContent);

const at = (id) => document.getElementById(id);

// So many of a thing, as a sentence has it.
function counted(n, thing) {
  return `${n} ${thing}${n === 1 ? "" : "s"}`;
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "style")
      for (const [property, v] of Object.entries(value)) made.style.setProperty(property, v);
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function short(x) {
  if (x === null || x === undefined) return "–";
  const size = Math.abs(x);
  if (size === 0) return "0";
  if (size >= 1e6 || size < 1e-3) return x.toExponential(2).replace("e+", "e");
  if (size >= 1000) return x.toFixed(0);
  if (size >= 100) return x.toFixed(1);
  return x.toFixed(size >= 10 ? 2 : 3);
}

const interval = (value) =>
  value.low === null ? "–" : `${short(value.low)} … ${short(value.high)}`;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function faded(hex, share) {
  const channel = (i) => parseInt(hex.slice(i, i + 2), 16);
  return `rgba(${channel(1)}, ${channel(3)}, ${channel(5)}, ${share})`;
}

// Families of chains in the order of the settings; each has its colour.
const modelOf = (run) =>
  report.runs[run].source.local?.model ?? report.runs[run].source.server?.model;
const familyName = (run, family) =>
  report.runs.length > 1 ? `${modelOf(run)} · ${family}` : family;
const families = [];
report.settings.forEach((setting, i) => {
  let family = families.find((one) => one.run === setting.run && one.name === setting.family);
  if (!family)
    families.push(
      (family = {
        run: setting.run,
        name: setting.family,
        label: familyName(setting.run, setting.family),
        settings: [],
      }),
    );
  family.settings.push(i);
});
const temperature = (i) => report.settings[i].temperature;
families.forEach((family, i) => {
  family.colour = `--c${i % 8}`;
  family.dash = ["solid", "dash", "dot"][Math.floor(i / 8) % 3];
  family.settings.sort((a, b) => (temperature(a) ?? 0) - (temperature(b) ?? 0));
});
// A figure has temperatures along its bottom if there are any to speak of, else the chains' names.
const hasTemperatures = families.some(
  (family) => family.settings.filter((i) => temperature(i) !== null).length > 1,
);
const place = (i) => (hasTemperatures ? temperature(i) : report.settings[i].label);
const measured = (name) => report.metrics.find((metric) => metric.name === name);
const hasValues = (metric) => metric && metric.values.some((value) => value !== null);
// Means that are a thousand times one another need a scale of tenfold steps, which only numbers
// above 0 have.
const inTenfolds = (metric) => {
  const there = metric.values.filter((value) => value !== null);
  const least = Math.min(...there.map((value) => value.low ?? value.mean));
  return (
    least > 0 &&
    Math.max(...there.map((value) => value.mean)) >
      1000 * Math.min(...there.map((value) => value.mean))
  );
};
const titled = (metric) => metric.title + (metric.unit ? ` (${metric.unit})` : "");
