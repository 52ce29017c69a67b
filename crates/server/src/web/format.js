// Numbers as people read them: rounded, unless somebody asks for all digits.

let isExact = false;

/**
 * Whether `percent`, `decimal` and `measure` have all their digits from now on.
 * @param {boolean} is
 */
export function exactly(is) {
  isExact = is;
}

/**
 * A probability as a decimal.
 * @param {number} p
 */
export function decimal(p) {
  return p.toFixed(isExact ? 8 : 3);
}

/**
 * What was computed of a distribution: an entropy, a number of choices.
 * @param {Parameters<typeof number>[0]} x
 */
export function measure(x) {
  return number(x, isExact ? 4 : 2);
}

/**
 * A probability as a percentage whose small values still show.
 * @param {number} p
 */
export function percent(p) {
  if (!isExact) return share(p);
  if (p === 0) return "0 %";
  if (p < 5e-6) return `${(p * 100).toExponential(1)} %`;
  return `${(p * 100).toFixed(4)} %`;
}

/**
 * A probability as a percentage in few digits, for where there is little room.
 * @param {number} p
 */
export function share(p) {
  if (p === 0) return "0 %";
  if (p < 5e-5) return `${(p * 100).toExponential(0)} %`;
  return `${(p * 100).toFixed(p < 0.0995 ? 2 : 1)} %`;
}

/**
 * A number with so many digits after the point, or a power of ten where those wouldn't show it.
 * @param {number | "inf" | "-inf" | null | undefined} x
 */
export function number(x, digits = 3) {
  if (x === null || x === undefined) return "–";
  if (x === "inf" || x === Infinity) return "∞";
  if (x === "-inf" || x === -Infinity) return "−∞";
  const size = Math.abs(x);
  const text =
    x !== 0 && (size < 0.5 * 10 ** -digits || size >= 1e7) ? x.toExponential(2) : x.toFixed(digits);
  return text.replace("-", "−").replace("e+", "e");
}

/**
 * How many.
 * @param {number} n
 */
export function count(n) {
  return n.toLocaleString("en");
}

/**
 * A number of choices: three digits behind the point mean nothing for thousands.
 * @param {number} x
 */
export function choices(x) {
  return x < 100 ? x.toFixed(2) : x < 10000 ? x.toFixed(0) : count(Math.round(x));
}
