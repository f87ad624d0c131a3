// Says where the numbers come from, and how old they are. Spoken only when that changes.

import { find, put } from "./dom.js";

const STALE_SECONDS = { live: 18, polling: 5, waiting: 5 }; // a quiet stream beats each 15 s
const WORDS = { live: "Live", polling: "Polling", stale: "Stale", offline: "Offline", waiting: "Connecting" };

let source = "waiting";
let heardAt = performance.now();

// `live`: the stream; `polling`: asked for each second, since the stream is down.
export function heard(from = source) {
  source = from;
  heardAt = performance.now();
  show();
}

export function lost() {
  if (source === "live") source = "polling";
}

function show() {
  const badge = find(".pulse");
  if (!badge) return;
  const age = Math.floor((performance.now() - heardAt) / 1000);
  const isStale = age >= STALE_SECONDS[source];
  const state = isStale ? (navigator.onLine ? "stale" : "offline") : source;
  badge.dataset.state = state;
  put(badge, "state", WORDS[state]);
  put(badge, "age", isStale ? `${age} s` : "");
}

setInterval(show, 1000);
