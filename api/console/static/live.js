// The board, one account's curve beside it, and the news, as they change.

import { ready } from "./shell.js";
import { all, field, find, put, rows, toned } from "./dom.js";
import { heard } from "./pulse.js";
import { call } from "./session.js";
import { Standing } from "./standing.js";
import { every, follow } from "./stream.js";
import { beyond, clock, kind, money, percent, tone } from "./words.js";

const RANKED = 20;
const NEWS = 20;
const SPOKEN_MILLISECONDS = 15_000;

const watch = find("#watch");
const board = find("#board tbody");
const news = find("#feed");
const standing = new Standing(watch);

// Whom the address names, else the best of those who trade now, else who comes first.
let watched = new URLSearchParams(location.search).get("watch") || watch.dataset.watched || null;
let unspoken = [];
let known = new Set(all("li", news).map((item) => item.dataset.key));

async function askBoard() {
  showBoard((await call(`/leaderboard?limit=${RANKED}`)).items);
}

async function askFeed() {
  showFeed((await call(`/feed?limit=${NEWS}`)).items);
}

// The stream is ahead of the tables, which alone know the address of the evidence.
async function askFeedOf({ account_id, at }, tries = 5) {
  await askFeed();
  if (tries && !known.has(account_id + at)) setTimeout(() => askFeedOf({ account_id, at }, tries - 1), 500);
}

function showBoard(items) {
  rows(board, find("#board-row"), items.slice(0, RANKED), (it) => it.account_id, (row, it) => {
    put(row, "rank", it.rank);
    put(row, "handle", it.handle).href = `/accounts/${it.account_id}`;
    put(row, "phase", it.phase);
    toned(put(row, "return", percent(it.return_percent)), tone(it.return_percent));
    put(row, "drawdown", `${money(it.equity_drawdown)} %`);
    put(row, "watch", it.handle);
  });
  find("#board-empty").hidden = items.length > 0;
  if (!watched && items.length) look(items[0].account_id, false).catch(() => (watched = null));
  press();
}

function showFeed(items) {
  rows(news, find("#feed-item"), items, keyOf, (row, it) => {
    row.className = `event ${it.kind}`;
    field(row, "link").href = it.breach_id ? `/breaches/${it.breach_id}` : `/accounts/${it.account_id}`;
    put(row, "handle", it.handle);
    put(row, "what", whatOf(it));
    put(row, "why", it.kind === "breach"
      ? `${money(it.observed)} is ${beyond(it.observed, it.floor)} ${money(it.floor)}`
      : `balance ${money(it.balance)} ${it.currency}`);
    const at = put(row, "at", clock(it.at));
    at.dateTime = it.at;
  });
  find("#feed-empty").hidden = items.length > 0;
  unspoken.push(...items.filter((it) => !known.has(keyOf(it))));
  known = new Set(items.map(keyOf));
}

const keyOf = (it) => it.account_id + it.at;

function whatOf(it) {
  if (it.kind === "pass") return `passed ${it.phase}`;
  return `${it.effect === "pause" ? "paused by" : "breached"} ${kind(it.rule).toLowerCase()}`;
}

// Said now and then, all at once: a busy floor must not talk without pause.
function speak() {
  if (!unspoken.length) return;
  const few = unspoken.slice(-2).map((it) => `${it.handle} ${whatOf(it)}`).join(", ");
  const rest = unspoken.length > 2 ? `, and ${unspoken.length - 2} more` : "";
  find("#news").textContent = few + rest;
  unspoken = [];
}

// Choose whose curve is shown; the address says so, so that it can be passed on.
async function look(accountId, isChosen = true) {
  watched = accountId;
  if (isChosen) history.replaceState(null, "", `/?watch=${accountId}`);
  press();
  const { account, handle } = await call(`/accounts/${accountId}/overview`);
  if (watched !== accountId) return;
  put(watch, "handle", handle).href = `/accounts/${accountId}`;
  await standing.begin(account);
}

function press() {
  for (const row of board.children) {
    field(row, "watch").closest("button").setAttribute("aria-pressed", row.dataset.key === watched);
  }
}

board.addEventListener("click", ({ target }) => {
  if (target.closest("[data-watch]")) look(target.closest("tr").dataset.key);
});

every(async () => {
  const before = standing.account;
  if (!before || document.hidden || before.account_id !== watched) return;
  const { account } = await call(`/accounts/${watched}/overview`);
  if (account.account_id !== watched) return;
  standing.take(account);
  heard();
});
setInterval(speak, SPOKEN_MILLISECONDS);

follow(
  ["leaderboard:main", "feed:public"],
  ({ channel, type, data }) => {
    if (channel === "leaderboard:main") showBoard(data.items);
    if (channel === "feed:public") (type === "snapshot" ? askFeed() : askFeedOf(data)).catch(() => {});
  },
  () => Promise.all([askBoard(), askFeed()]),
);

ready();
if (watched) look(watched, false).catch(() => (watched = null));
