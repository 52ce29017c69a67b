// Cards that are dragged into another order, by mouse, pen or finger.

/** @typedef {{ item: HTMLElement, from: number, y: number, pointer: number }} Drag */

/**
 * Makes the items of `list` movable by their `.grip-handle`; `call(from, to)` hears where one was
 * dropped. Gives what ends it.
 * @param {HTMLElement} list
 * @param {(from: number, to: number) => void} call
 */
export function sortable(list, call) {
  /** @type {Drag | null} */
  let drag = null;

  const up = (/** @type {PointerEvent} */ event) => {
    if (!drag || event.pointerId !== drag.pointer) return;
    const { item, from } = drag;
    drag = null;
    item.classList.remove("dragged");
    item.style.removeProperty("--dy");
    const to = [...list.children].indexOf(item);
    if (to !== from) call(from, to);
  };
  list.addEventListener("pointerdown", (event) => {
    drag = begun(list, event) ?? drag;
  });
  list.addEventListener("pointermove", (event) => {
    if (drag && event.pointerId === drag.pointer) over(list, drag, event);
  });
  list.addEventListener("pointerup", up);
  list.addEventListener("pointercancel", up);
  return () => {
    drag = null;
  };
}

/**
 * @param {HTMLElement} list
 * @param {PointerEvent} event
 * @returns {Drag | null}
 */
function begun(list, event) {
  const grip = event.target instanceof Element ? event.target.closest(".grip-handle") : null;
  const item = grip?.closest("li");
  if (!grip || !item || event.button !== 0) return null;
  grip.setPointerCapture(event.pointerId);
  item.classList.add("dragged");
  event.preventDefault();
  const from = [...list.children].indexOf(item);
  return { item, from, y: event.clientY, pointer: event.pointerId };
}

/**
 * The item moves in the list at once, and its place under the pointer stays.
 * @param {HTMLElement} list
 * @param {Drag} drag
 * @param {PointerEvent} event
 */
function over(list, drag, event) {
  const { item } = drag;
  const follow = () => item.style.setProperty("--dy", `${event.clientY - drag.y}px`);
  follow();
  const others = [...list.children].filter((one) => one !== item);
  const after = others.find((one) => {
    const box = one.getBoundingClientRect();
    return event.clientY < box.top + box.height / 2;
  });
  if ((after ?? null) === item.nextElementSibling) return;
  const { top } = item.getBoundingClientRect();
  list.insertBefore(item, after ?? null);
  drag.y += item.getBoundingClientRect().top - top;
  follow();
}
