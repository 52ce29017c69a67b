// The notation of chains, as far as the page has to know it: stages joined by `|`, each
// `name=value,key:value`. A stage that is switched off stands in the address with `!` before it,
// and is never sent. What is allowed is the server's to say.

export const NEUTRAL = "temp=1";

/** The stages of a text: { name, on, value, named }, `value` the text right after the name, `named` the keys' texts. */
export function parse(text, table) {
  return text
    .split("|")
    .map((part) => part.trim())
    .filter((part) => part && part !== "draw")
    .map((part) => {
      const on = !part.startsWith("!");
      const [name, ...rest] = part.replace(/^!/, "").split("=");
      return { name: name.trim(), on, ...values(rest.join("=").trim(), table?.get(name.trim())) };
    });
}

function values(text, info) {
  const keys = (info?.knobs ?? []).map((knob) => knob.key).filter(Boolean);
  const named = {};
  const value = [];
  for (const item of text === "" ? [] : text.split(",")) {
    const at = item.indexOf(":");
    const key = item.slice(0, Math.max(at, 0)).trim();
    // A key without a knob (`ties:kept`) is kept as it stands, but `5:2` of a bias is its value.
    if (at > 0 && (keys.includes(key) || /^[a-z]+$/.test(key)))
      named[key] = item.slice(at + 1).trim();
    else value.push(item.trim());
  }
  return { value: value.join(","), named };
}

/** One stage in the notation. */
export function stage({ name, value, named }) {
  const parts = [value, ...Object.entries(named).map(([key, text]) => `${key}:${text}`)].filter(
    (part) => part !== "",
  );
  return parts.length ? `${name}=${parts.join(",")}` : name;
}

/** All of them, for the address. */
export function written(stages) {
  return stages.map((one) => (one.on ? "" : "!") + stage(one)).join(" | ");
}

/** Those that are on, for the server. */
export function sent(text) {
  const on = text
    .split("|")
    .map((part) => part.trim())
    .filter((part) => part && !part.startsWith("!"));
  return on.length ? on.join(" | ") : "draw";
}

/** The temperature of the chain's one `temp`; 1 where there is none, null where there are several. */
export function heat(text) {
  const temps = sent(text)
    .split("|")
    .map((part) => part.trim())
    .filter((part) => part.startsWith("temp="));
  return temps.length > 1 ? null : temps.length ? Number(temps[0].slice(5)) : 1;
}
