// What every page has: colours, who is signed in, the way out, times in the reader's zone.

import { all, find, put } from "./dom.js";
import { current, leave, logOut } from "./session.js";
import { localize } from "./words.js";

const THEMES = ["system", "light", "dark"];
const NAMES = { system: "as the system has them", light: "light", dark: "dark" };

function theme() {
  return document.documentElement.dataset.theme || "system";
}

function named(button) {
  button.setAttribute("aria-label", `Colours: ${NAMES[theme()]}`);
}

function turnTheme(button) {
  const next = THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length];
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  localStorage.setItem("theme", next);
  named(button);
  dispatchEvent(new Event("theme"));
}

let wasSignedIn = false;

function showSession() {
  const session = current();
  if (wasSignedIn && !session) leave(location.pathname); // gone, here or in another tab
  wasSignedIn = Boolean(session);
  document.documentElement.classList.toggle("has-session", Boolean(session));
  put(document, "me", session?.handle || "");
}

// A button works from when its script has come, and not before.
export function ready() {
  for (const button of all("button[data-wait]")) button.disabled = false;
}

const button = find("#theme");
named(button);
button.addEventListener("click", () => turnTheme(button));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dispatchEvent(new Event("theme")));

find("#leave").addEventListener("click", async () => {
  await logOut();
  leave("/");
});
addEventListener("session", showSession);
showSession();

localize();
