// The notation of chains, as far as the page has to know it: stages joined by `|`, each
// `name=value,key:value`. A stage that is switched off stands in the address with `!` before it,
// and is never sent. What is allowed is the server's to say.

/** @import { Stage, StageInfo } from "./types.js" */

export const NEUTRAL = "temp=1";

/**
 * The stages of a text.
 * @param {string} text
 * @param {Map<string, StageInfo>} table
 * @returns {Stage[]}
 */
export function parse(text, table) {
  return text
    .split("|")
    .map((part) => part.trim())
    .filter((part) => part && part !== "draw")
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
  for (const item of text === "" ? [] : text.split(",")) {
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
  const on = text
    .split("|")
    .map((part) => part.trim())
    .filter((part) => part && !part.startsWith("!"));
  return on.length ? on.join(" | ") : "draw";
}

/**
 * The temperature of the chain's one `temp`; 1 where there is none, null where there are several.
 * @param {string} text
 */
export function heat(text) {
  const temps = sent(text)
    .split("|")
    .map((part) => part.trim())
    .filter((part) => part.startsWith("temp="));
  return temps.length > 1 ? null : temps.length ? Number(temps[0].slice(5)) : 1;
}
