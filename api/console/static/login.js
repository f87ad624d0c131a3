// In by e-mail and password, then on to where one came from.

import { ready } from "./shell.js";
import { all, find } from "./dom.js";
import { logIn, register } from "./session.js";

const form = find("#login");
const told = find("#login-told");

// Only a path of our own: an address from outside must not choose where we send people.
function next() {
  const wanted = new URLSearchParams(location.search).get("next") || "/challenges";
  const url = new URL(wanted, location.origin);
  return url.origin === location.origin && url.pathname !== "/login" ? url.pathname + url.search : "/challenges";
}

async function enter(email, password, how) {
  told.textContent = "";
  try {
    if (how === "register") await register(email, password);
    await logIn(email, password);
    location.assign(next());
  } catch (error) {
    const faults = error.problem?.errors?.map((fault) => `${fault.path}: ${fault.reason}`) || [];
    told.textContent = faults.join(", ") || error.message;
    told.className = "told refused";
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { email, password } = form.elements;
  enter(email.value, password.value, event.submitter?.value);
});
for (const button of all("[data-email]")) {
  button.addEventListener("click", () => enter(button.dataset.email, button.dataset.password, "login"));
}
ready();
