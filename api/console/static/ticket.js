// Buys and sells at the market, and closes what is open. A key makes each try count once.

import { all, find, put } from "./dom.js";
import { call } from "./session.js";
import { every } from "./stream.js";
import { signed } from "./words.js";

const TRADING = ["active", "paused"];

export class Ticket {
  #form;
  #account;
  #acted;
  #symbols = new Map();

  constructor(form, account, acted) {
    this.#form = form;
    this.#account = account;
    this.#acted = acted;
    form.addEventListener("submit", (event) => this.#send(event));
    form.elements.symbol.addEventListener("change", () => this.#price());
    every(() => this.#ask());
  }

  allow(status) {
    for (const button of all("button", this.#form)) button.disabled = !TRADING.includes(status);
  }

  async #ask() {
    if (document.hidden) return;
    const { items } = await call(`/market-data/symbols?venue_id=${this.#account.venue_id}`);
    this.#symbols = new Map(items.map((item) => [item.symbol, item]));
    this.#list(items);
    this.#price();
  }

  // What can be traded now comes first: at a weekend that is little.
  #list(items) {
    const { symbol } = this.#form.elements;
    const open = (item) => item.session === "open" && item.bid !== null;
    const sorted = [...items.filter(open), ...items.filter((item) => !open(item))];
    const told = sorted.map((item) => [item.symbol, open(item) ? item.symbol : `${item.symbol} (closed)`]);
    const shown = [...symbol.options].map((option) => [option.value, option.text]);
    if (JSON.stringify(shown) === JSON.stringify(told)) return;
    const chosen = symbol.value;
    symbol.replaceChildren(...told.map(([name, text]) => new Option(text, name)));
    if (this.#symbols.has(chosen)) symbol.value = chosen;
  }

  #price() {
    const quoted = this.#symbols.get(this.#form.elements.symbol.value);
    put(this.#form, "bid", quoted?.bid ?? "–");
    put(this.#form, "ask", quoted?.ask ?? "–");
  }

  async #send(event) {
    event.preventDefault();
    const { symbol, quantity, stop_loss, take_profit } = this.#form.elements;
    const body = {
      account_id: this.#account.account_id,
      symbol: symbol.value,
      side: event.submitter.value,
      quantity: quantity.value,
    };
    if (stop_loss.value) body.stop_loss = stop_loss.value;
    if (take_profit.value) body.take_profit = take_profit.value;
    await told(find("#ticket-told"), event.submitter, async () => {
      const trade = await call("/trades", { method: "POST", body, key: crypto.randomUUID() });
      await this.#acted();
      return `${trade.side === "buy" ? "Bought" : "Sold"} ${trade.quantity} ${trade.symbol} at ${trade.open_price}.`;
    });
  }
}

export async function closing(target, acted) {
  const button = target.closest("[data-close]");
  if (!button) return;
  const { key } = button.closest("tr").dataset;
  await told(find("#positions-told"), button, async () => {
    const trade = await call(`/trades/${key}/close`, { method: "POST", body: {}, key: crypto.randomUUID() });
    await acted();
    if (!button.isConnected) find("#positions-title").focus();
    return `Closed ${trade.symbol} at ${trade.close_price}: ${signed(trade.profit)}.`;
  });
}

// Say what came of it, in the API's own words when it refused.
export async function told(place, button, work) {
  button.setAttribute("aria-busy", "true");
  try {
    place.textContent = await work();
    place.className = "told done";
  } catch (error) {
    const sum = error.problem?.arithmetic;
    place.textContent = sum ? `${error.message} (${sum.rule}: ${sum.actual}, limit ${sum.limit})` : error.message;
    place.className = "told refused";
  } finally {
    button.removeAttribute("aria-busy");
  }
}
