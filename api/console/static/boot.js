// Runs before anything is painted, so that nothing jumps: colours, and who is signed in.
"use strict";
(() => {
  const root = document.documentElement;
  const read = (store, key) => {
    try {
      return store.getItem(key);
    } catch {
      return null; // storage is switched off: the defaults do
    }
  };
  const theme = read(localStorage, "theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  if (read(sessionStorage, "session")) root.classList.add("has-session");
  const mine = (read(sessionStorage, "mine") || "").split(" ");
  if (mine.includes(location.pathname.split("/").pop())) root.classList.add("is-mine");
})();
