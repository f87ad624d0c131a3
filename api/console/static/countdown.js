// How long the trading day still is, by the venue's clock, in the plan's zone and ours.

import { put } from "./dom.js";
import { ZONE, duration, hours } from "./words.js";

export class Countdown {
  #root;
  #day = null;
  #ahead = 0; // of the venue's clock over this machine's
  #isRunning = false;
  #stands = 0;

  constructor(root) {
    this.#root = root;
    setInterval(() => this.#show(), 1000);
  }

  // A sandbox has a clock of its own, which moves when it is moved.
  take(account) {
    this.#day = account.status === "active" || account.status === "paused" ? account.day : null;
    this.#stands = Date.parse(account.valued_at);
    this.#ahead = this.#stands - Date.now();
    this.#isRunning = account.venue_id === "live";
    this.#show();
  }

  #show() {
    if (!this.#day) {
      put(this.#root, "left", "–");
      put(this.#root, "zones", "The account has ended.");
      return;
    }
    const ends = new Date(this.#day.ends_at);
    const now = this.#isRunning ? Date.now() + this.#ahead : this.#stands;
    put(this.#root, "left", duration((ends - now) / 1000));
    const plan = `${hours(ends, this.#day.zone)} ${this.#day.zone} (the plan)`;
    const mine = `${hours(ends, ZONE)} ${ZONE} (you)`;
    put(this.#root, "zones", this.#day.zone === ZONE ? `${hours(ends, ZONE)} ${ZONE}` : `${plan}\n${mine}`);
  }
}
