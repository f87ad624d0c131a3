// One account: what stands, what is open, what was closed and crossed; its owner trades.

import { ready } from "./shell.js";
import { field, find, put, rows, toned } from "./dom.js";
import { admitted } from "./guard.js";
import { heard } from "./pulse.js";
import { call, current, remember } from "./session.js";
import { Standing } from "./standing.js";
import { every, follow } from "./stream.js";
import { Ticket, closing } from "./ticket.js";
import { clock, kind, money, signed, tone } from "./words.js";

const FEW_MILLISECONDS = 1_000;

ready();
if (await admitted()) await keep(find("#account"));

async function keep(page) {
  const { account: id } = page.dataset;
  const standing = new Standing(find("#watch"));
  let ticket = null;

  async function ask() {
    const view = await call(`/accounts/${id}/overview`);
    show(view);
    return view;
  }

  function show(view) {
    standing.take(view.account);
    showRules(view.account);
    showPositions(view);
    showTrades(view.trades);
    showBreaches(view.breaches);
    ticket?.allow(view.account.status);
  }

  const view = await ask();
  heard("live");
  await standing.begin(view.account);
  if (view.is_mine) {
    remember(id);
    document.documentElement.classList.add("is-mine");
    ticket = new Ticket(find("#ticket"), view.account, ask);
    find("#positions").addEventListener("click", ({ target }) => closing(target, ask));
  }

  let askedAt = 0;
  const seldom = async () => {
    if (performance.now() - askedAt < FEW_MILLISECONDS) return;
    askedAt = performance.now();
    await ask();
  };
  if (current()) {
    follow([`account:${id}`], ({ type, data }) => {
      if (type === "standing" || type === "snapshot") standing.take(data);
      (type === "standing" ? seldom() : ask()).catch(() => {});
    }, ask);
  } else {
    every(async () => {
      if (document.hidden) return;
      await ask();
      heard("live");
    });
  }
}

function showRules(account) {
  for (const name of ["margin", "free_margin"]) put(document, name, money(account[name]));
  put(document, "trading_days", account.trading_days);
  for (const limit of account.limits) {
    const row = find(`#limits [data-key="${CSS.escape(limit.rule)}"]`);
    put(row, "distance", money(limit.distance));
    put(row, "floor", money(limit.floor));
    if (limit.ceiling !== null) put(row, "ceiling", money(limit.ceiling));
    put(row, "paused", limit.is_paused ? " Paused until the day turns." : "");
    // How much of the way from the deposit, or from a higher equity, down to the floor.
    const whole = Math.max(account.deposit, account.equity) - limit.floor;
    const used = whole > 0 ? Math.min(100, Math.max(0, 100 - (100 * limit.distance) / whole)) : 100;
    const gauge = field(row, "gauge");
    gauge.setAttribute("aria-valuenow", Math.round(used));
    gauge.firstElementChild.setAttribute("width", used);
  }
  for (const goal of account.objectives) {
    const row = find(`#objectives [data-key="${CSS.escape(goal.rule)}"]`);
    const told = goal.kind.endsWith("target") ? money : String;
    put(row, "actual", told(goal.actual));
    put(row, "required", told(goal.required));
    put(row, "met", goal.met ? "met" : "open").classList.toggle("up", goal.met);
  }
}

function showPositions({ positions }) {
  rows(find("#positions tbody"), find("#position-row"), positions, (it) => it.trade_id, (row, it) => {
    paintTrade(row, it, ["price"]);
    put(row, "closing", it.symbol);
  });
  find("#positions-empty").hidden = positions.length > 0;
}

function showTrades(trades) {
  rows(find("#trades tbody"), find("#trade-row"), trades, (it) => it.trade_id, (row, it) => {
    paintTrade(row, it, ["close_price"]);
    put(row, "closed_at", clock(it.closed_at)).dateTime = it.closed_at;
  });
  find("#trades-empty").hidden = trades.length > 0;
}

function paintTrade(row, it, more) {
  for (const name of ["symbol", "quantity", "open_price", ...more]) put(row, name, it[name]);
  put(row, "side", it.side).className = `side ${it.side}`;
  toned(put(row, "profit", signed(it.profit)), tone(it.profit));
}

function showBreaches(breaches) {
  rows(find("#breaches"), find("#breach-item"), breaches, (it) => it.breach_id, (row, it) => {
    field(row, "link").href = `/breaches/${it.breach_id}`;
    put(row, "what", kind(it.rule));
    put(row, "observed", money(it.observed));
    put(row, "floor", money(it.floor));
    put(row, "at", clock(it.decided_at)).dateTime = it.decided_at;
  });
  find("#breaches-empty").hidden = breaches.length > 0;
}
