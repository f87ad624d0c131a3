// Plans on sale, and what one has bought.

import { ready } from "./shell.js";
import { all, field, find, put, rows } from "./dom.js";
import { call, current, found, remember } from "./session.js";
import { told } from "./ticket.js";
import { clock, money } from "./words.js";

async function showMine() {
  if (!current()) return;
  const { items } = await call("/challenges");
  rows(find("#owned tbody"), find("#owned-row"), items, (it) => it.challenge_id, (row, it) => {
    remember(it.account_id);
    put(row, "account", it.phase);
    for (const name of ["account", "open"]) field(row, name).href = `/accounts/${it.account_id}`;
    put(row, "deposit", money(it.deposit));
    put(row, "status", it.status.replace("_", " ")).className = `chip status ${it.status}`;
    put(row, "purchased_at", clock(it.purchased_at)).dateTime = it.purchased_at;
  });
  find("#owned-empty").hidden = items.length > 0;
}

for (const form of all("form[data-plan]")) {
  const key = crypto.randomUUID(); // one purchase a visit of the page: never two by a double click
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = {
      plan_id: form.dataset.plan,
      deposit: new FormData(form).get("deposit"),
      payment: { method: "dev" },
    };
    await told(find("[role=status]", form), event.submitter, async () => {
      const bought = await call("/challenges", { method: "POST", body, key: `${key}-${body.deposit}` });
      remember(bought.account_id);
      location.assign(`/accounts/${bought.account_id}`);
      return "Bought. Its account is open.";
    });
  });
}

ready();
await found();
addEventListener("session", showMine);
await showMine();
