// Paint after an edit: it stays on its tokens. Painted stretches are positions, which an edit
// before them moves.

/** @import { Paint } from "./tree.js" */

/** Of no stretch. */
const NONE = -1;

/**
 * The painted stretches after an edit of a text that had `n` tokens. `from` says of each token now
 * where it stood before, null for a new one. A new token belongs to a stretch if all tokens do in
 * whose place it came, or, where it came in the place of none, those on both sides of it. What was
 * painted behind the text stays behind it.
 * @param {Paint[]} paint rising, none in another
 * @param {number} n
 * @param {(number | null)[]} from
 * @returns {Paint[]}
 */
export function moved(paint, n, from) {
  const at = (/** @type {number} */ pos) =>
    paint.findIndex((one) => one.from <= pos && pos < one.to);
  const after = nexts(n, from);
  let before = -1;
  const owners = from.map((pos, k) => {
    if (pos !== null) {
      before = pos;
      return at(pos);
    }
    const [a, b] = [before + 1, after[k]];
    const beside = a < b ? Array.from({ length: b - a }, (_, i) => a + i) : [before, b];
    const [first, ...rest] = beside.map(at);
    return rest.every((one) => one === first) ? first : NONE;
  });
  const behind = paint.at(-1)?.to ?? 0;
  for (let pos = n; pos < behind; pos += 1) owners.push(at(pos));
  /** @type {Paint[]} */
  const all = [];
  owners.forEach((owner, k) => {
    if (owner === NONE) return;
    if (k > 0 && owners[k - 1] === owner) all[all.length - 1].to = k + 1;
    else all.push({ ...paint[owner], from: k, to: k + 1 });
  });
  return all;
}

/**
 * For each token now where the next one stood that was there before; `n` if there is none.
 * @param {number} n
 * @param {(number | null)[]} from
 */
function nexts(n, from) {
  const after = Array.from({ length: from.length }, () => n);
  let next = n;
  for (let k = from.length - 1; k >= 0; k -= 1) {
    next = from[k] ?? next;
    after[k] = next;
  }
  return after;
}
