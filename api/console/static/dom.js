// Puts what is known where the markup has a place for it, and touches nothing else.

export const find = (selector, root = document) => root.querySelector(selector);
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];
export const field = (root, name) => root.querySelector(`[data-f="${name}"]`);

export function put(root, name, text) {
  const place = field(root, name);
  if (place && place.textContent !== String(text)) place.textContent = text;
  return place;
}

const TONES = ["up", "down", "flat"];

export function toned(place, tone) {
  for (const each of TONES) place.classList.toggle(each, each === tone);
}

// Rows by key: those that stay are the same elements, so a focus in them stays too.
export function rows(list, template, items, keyOf, paint) {
  const known = new Map([...list.children].map((row) => [row.dataset.key, row]));
  let before = null;
  for (const item of items) {
    const key = keyOf(item);
    const row = known.get(key) || template.content.firstElementChild.cloneNode(true);
    row.dataset.key = key;
    known.delete(key);
    paint(row, item);
    const place = before ? before.nextElementSibling : list.firstElementChild;
    if (place !== row) list.insertBefore(row, place);
    before = row;
  }
  for (const row of known.values()) row.remove();
}
