// The figures, the curve and the countdown of one account, kept current together.

import { Countdown } from "./countdown.js";
import { Curve } from "./curve.js";
import { find, put, toned } from "./dom.js";
import { call } from "./session.js";
import { kind, money, percent, tone } from "./words.js";

export class Standing {
  account = null;
  #root;
  #curve;
  #countdown;
  #isDrawing = false;

  constructor(root) {
    this.#root = root;
    this.#curve = new Curve(find("[data-curve]", root));
    this.#countdown = new Countdown(root);
  }

  // Draw the whole way first, then take what comes.
  async begin(account) {
    this.account = null;
    await this.#draw(account);
    this.take(account);
  }

  take(account) {
    const isKnown = this.account?.account_id === account.account_id;
    this.account = account;
    this.#countdown.take(account);
    this.#figures(account);
    if (isKnown && !this.#isDrawing && this.#curve.add(account)) this.#draw(account);
  }

  async #draw(account) {
    this.#isDrawing = true;
    try {
      const curve = await call(`/accounts/${account.account_id}/curve?points=400`);
      const kinds = Object.fromEntries(account.limits.map((limit) => [limit.rule, limit.kind]));
      this.#curve.show(curve, kinds);
    } finally {
      this.#isDrawing = false;
    }
  }

  #figures(account) {
    const root = this.#root;
    put(root, "phase", account.phase);
    const status = put(root, "status", account.status);
    status.className = `chip status ${account.status}`;
    put(root, "currency", account.currency);
    put(root, "equity", money(account.equity));
    put(root, "balance", money(account.balance));
    const gained = (account.equity / account.deposit - 1) * 100;
    toned(put(root, "return", percent(gained)), tone(gained));
    const nearest = account.limits.toSorted((a, b) => a.distance - b.distance)[0];
    put(root, "nearest", nearest ? `${money(nearest.distance)} ${kind(nearest.kind).toLowerCase()}` : "none");
  }
}
