// The evidence is the server's; only the curve that led to it is drawn here.

import { ready } from "./shell.js";
import { Curve } from "./curve.js";
import { find } from "./dom.js";
import { admitted } from "./guard.js";
import { call } from "./session.js";

ready();
if (await admitted()) {
  const id = find("#breach").dataset.account;
  const [{ account }, curve] = await Promise.all([call(`/accounts/${id}/overview`), call(`/accounts/${id}/curve`)]);
  const kinds = Object.fromEntries(account.limits.map((limit) => [limit.rule, limit.kind]));
  new Curve(find("[data-curve]")).show(curve, kinds);
}
