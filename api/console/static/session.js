// Who is signed in: a bearer token of this tab, kept fresh, shared with tabs that ask.

const KEY = "session";
const EARLY_SECONDS = 30;
const ANSWER_MILLISECONDS = 120;
const API = "/api/v1";

const tabs = new BroadcastChannel("session");
let renewing = null;
let isLeaving = false;

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `The answer was ${status}.`);
    this.status = status;
    this.problem = problem;
  }
}

export function current() {
  return JSON.parse(sessionStorage.getItem(KEY) || "null");
}

// A tab opened from another one has no storage of its own yet: the others are asked.
export function found() {
  if (current() || !hasBeenSignedIn()) return Promise.resolve(current());
  return new Promise((resolve) => {
    const done = () => resolve(current());
    addEventListener("session", done, { once: true });
    setTimeout(done, ANSWER_MILLISECONDS);
    tabs.postMessage({ ask: true });
  });
}

export async function logIn(email, password) {
  const tokens = await send("POST", "/auth/login", { email, password });
  keep(tokens);
  const profile = await call("/users/profile");
  keep({ ...current(), handle: profile.handle });
}

// From here on this page asks for nothing: it belongs to somebody who has gone.
export function leave(path) {
  isLeaving = true;
  location.assign(path);
}

export const register = (email, password) =>
  send("POST", "/auth/register", { email, password });

export async function logOut() {
  const session = current();
  isLeaving = true;
  if (session) {
    await send("POST", "/auth/logout", { refresh_token: session.refresh_token }).catch(() => {});
  }
  keep(null);
}

// Ask the API as whoever is signed in, or as nobody; a token that has run out is renewed.
export async function call(path, { method = "GET", body, key, signal } = {}) {
  const answer = await authorized(API + path, (headers) => {
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (key) headers["Idempotency-Key"] = key;
    return { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) };
  });
  if (!answer.ok) throw await refusal(answer);
  return answer.status === 204 ? null : answer.json();
}

export async function authorized(url, request) {
  if (isLeaving) return new Promise(() => {});
  let session = current();
  if (session && session.until - EARLY_SECONDS * 1000 < Date.now()) session = await renew();
  const headers = session ? { Authorization: `Bearer ${session.access_token}` } : {};
  const answer = await fetch(url, request(headers));
  if (answer.status !== 401 || !session || !(session = await renew())) return answer;
  return fetch(url, request({ ...headers, Authorization: `Bearer ${session.access_token}` }));
}

export async function refusal(answer) {
  return new Refused(answer.status, await answer.json().catch(() => ({})));
}

export function remember(accountId) {
  const mine = new Set((sessionStorage.getItem("mine") || "").split(" ").filter(Boolean));
  sessionStorage.setItem("mine", [...mine.add(accountId)].join(" "));
}

function renew() {
  renewing ??= renewed().finally(() => (renewing = null));
  return renewing;
}

async function renewed() {
  const { refresh_token, handle } = current() || {};
  if (!refresh_token) return null;
  try {
    keep({ ...(await send("POST", "/auth/refresh", { refresh_token })), handle });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    keep(null);
  }
  return current();
}

async function send(method, path, body) {
  const answer = await fetch(API + path, {
    method,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw await refusal(answer);
  return answer.status === 200 ? answer.json() : null;
}

function keep(session) {
  if (session && !session.until) session = { ...session, until: Date.now() + session.expires_in * 1000 };
  store(session);
  tabs.postMessage({ session });
}

function store(session) {
  if (session) {
    sessionStorage.setItem(KEY, JSON.stringify(session));
    localStorage.setItem("signed-in", "yes");
  } else {
    sessionStorage.removeItem(KEY);
    sessionStorage.removeItem("mine");
    localStorage.removeItem("signed-in");
  }
  dispatchEvent(new Event("session"));
}

const hasBeenSignedIn = () => localStorage.getItem("signed-in") === "yes";

tabs.onmessage = ({ data }) => {
  if (data.ask) {
    const session = current();
    if (session) tabs.postMessage({ session });
  } else if (JSON.stringify(data.session) !== JSON.stringify(current())) {
    store(data.session);
  }
};
