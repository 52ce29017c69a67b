// The notation of chains, as far as the page has to know it: stages joined by `|`, each
// `name=value,key:value`. A stage that is switched off stands in the address with `!` before it,
// and is never sent. What is allowed is the server's to say.

/** @import { Stage, StageInfo } from "./types.js" */

/**
 * A part of a schedule: where its chain holds, and the chain. The last part may have no place.
 * @typedef {{ place: string, chain: string }} Part
 */

export const NEUTRAL = "temp=1";

/**
 * Splits a text at a character that isn't in quotes.
 * @param {string} text
 * @param {string} at
 */
function split(text, at) {
  let quoted = false;
  const parts = [""];
  for (const c of text) {
    if (c === '"') quoted = !quoted;
    if (c === at && !quoted) parts.push("");
    else parts[parts.length - 1] += c;
  }
  return parts;
}

/**
 * The texts of a chain's stages.
 * @param {string} text
 */
function stagesOf(text) {
  return split(text, "|")
    .map((part) => part.trim())
    .filter(Boolean);
}

/**
 * The parts of a schedule; a plain chain is one without a place.
 * @param {string} text
 * @returns {Part[]}
 */
export function parts(text) {
  return split(text, ";").map((part) => {
    const [place, ...rest] = split(part, ":");
    // In a chain, a colon stands behind the `=` of a stage alone.
    const isPlace = rest.length > 0 && !/[=|]/.test(place.replace(/"[^"]*"/g, ""));
    return isPlace
      ? { place: place.trim(), chain: rest.join(":").trim() }
      : { place: "", chain: part.trim() };
  });
}

/**
 * Parts as one text.
 * @param {Part[]} all
 */
export function joined(all) {
  return all.map(({ place, chain }) => (place ? `${place}: ${chain}` : chain)).join("; ");
}

/**
 * Whether other chains hold in other places.
 * @param {string} text
 */
export function isSchedule(text) {
  return parts(text).some(({ place }) => place !== "");
}

/**
 * A part's place in words.
 * @param {Part} part
 */
export function placeOf({ place }) {
  return place || "elsewhere";
}

/** How the parts of a schedule are read: they are no sequence. */
export const DECIDES = "For each token the first place that holds decides.";

/**
 * The places of a schedule in words that say so: "think", "else repeats 8", "else".
 * @param {Part[]} all
 */
export function placesOf(all) {
  return all.map(({ place }, i) => (i === 0 ? place : `else ${place}`.trim()));
}

/**
 * The stages of a text.
 * @param {string} text
 * @param {Map<string, StageInfo>} table
 * @returns {Stage[]}
 */
export function parse(text, table) {
  return stagesOf(text)
    .filter((part) => part !== "draw")
    .map((part) => {
      const on = !part.startsWith("!");
      const [name, ...rest] = part.replace(/^!/, "").split("=");
      return { name: name.trim(), on, ...values(rest.join("=").trim(), table.get(name.trim())) };
    });
}

/**
 * @param {string} text
 * @param {StageInfo} [info]
 */
function values(text, info) {
  const keys = (info?.knobs ?? []).map((knob) => knob.key).filter(Boolean);
  /** @type {Record<string, string>} */
  const named = {};
  const value = [];
  for (const item of text === "" ? [] : split(text, ",")) {
    const at = item.indexOf(":");
    const key = item.slice(0, Math.max(at, 0)).trim();
    // A key without a knob (`ties:kept`) is kept as it stands, but `5:2` of a bias is its value.
    if (at > 0 && (keys.includes(key) || /^[a-z]+$/.test(key))) {
      named[key] = item.slice(at + 1).trim();
    } else value.push(item.trim());
  }
  return { value: value.join(","), named };
}

/**
 * One stage in the notation.
 * @param {Stage} stage
 */
export function stage({ name, value, named }) {
  const parts = [value, ...Object.entries(named).map(([key, text]) => `${key}:${text}`)].filter(
    (part) => part !== "",
  );
  return parts.length ? `${name}=${parts.join(",")}` : name;
}

/**
 * All stages in the notation, for the address.
 * @param {Stage[]} stages
 */
export function written(stages) {
  return stages.map((one) => (one.on ? "" : "!") + stage(one)).join(" | ");
}

/**
 * The stages that are on, for the server.
 * @param {string} text
 */
export function sent(text) {
  return joined(parts(text).map(({ place, chain }) => ({ place, chain: stagesOn(chain) })));
}

/**
 * The stages of a chain that are on.
 * @param {string} text
 */
function stagesOn(text) {
  const on = stagesOf(text).filter((part) => !part.startsWith("!"));
  return on.length ? on.join(" | ") : "draw";
}

/**
 * The temperature of the chain's one `temp`; 1 where there is none, null where there are several
 * or the chain is a schedule.
 * @param {string} text
 */
export function heat(text) {
  if (isSchedule(text)) return null;
  const temps = stagesOf(sent(text)).filter((part) => part.startsWith("temp="));
  return temps.length > 1 ? null : temps.length ? Number(temps[0].slice(5)) : 1;
}

/**
 * A chain at a temperature, which takes the place of its own.
 * @param {string} text
 * @param {number} t
 */
export function heated(text, t) {
  const temp = `temp=${t}`;
  const stages = stagesOf(sent(text)).filter((part) => part !== "draw");
  const at = stages.findIndex((part) => part.startsWith("temp="));
  return (at < 0 ? [temp, ...stages] : stages.with(at, temp)).join(" | ");
}
