// Cards that are dragged into another order, by mouse, pen or finger.

/** Makes the items of `list` movable by their `.grip-handle`; `call(from, to)` hears where one was dropped. Gives what ends it. */
export function sortable(list, call) {
  let drag = null;

  const down = (event) => {
    const grip = event.target.closest(".grip-handle");
    if (!grip || event.button !== 0) return;
    const item = grip.closest("li");
    drag = {
      item,
      from: [...list.children].indexOf(item),
      y: event.clientY,
      pointer: event.pointerId,
    };
    grip.setPointerCapture(event.pointerId);
    item.classList.add("dragged");
    event.preventDefault();
  };
  const over = (event) => {
    if (!drag || event.pointerId !== drag.pointer) return;
    const { item } = drag;
    item.style.setProperty("--dy", `${event.clientY - drag.y}px`);
    const others = [...list.children].filter((one) => one !== item);
    const after = others.find((one) => {
      const box = one.getBoundingClientRect();
      return event.clientY < box.top + box.height / 2;
    });
    // The item moves in the list at once, and its place under the pointer stays.
    const before = item.nextElementSibling;
    if ((after ?? null) !== before) {
      const top = item.getBoundingClientRect().top;
      list.insertBefore(item, after ?? null);
      drag.y += item.getBoundingClientRect().top - top;
      item.style.setProperty("--dy", `${event.clientY - drag.y}px`);
    }
  };
  const up = (event) => {
    if (!drag || event.pointerId !== drag.pointer) return;
    const { item, from } = drag;
    drag = null;
    item.classList.remove("dragged");
    item.style.removeProperty("--dy");
    const to = [...list.children].indexOf(item);
    if (to !== from) call(from, to);
  };
  list.addEventListener("pointerdown", down);
  list.addEventListener("pointermove", over);
  list.addEventListener("pointerup", up);
  list.addEventListener("pointercancel", up);
  return () => {
    drag = null;
  };
}
