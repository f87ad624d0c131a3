// A page of what is not public comes empty; who may see it fetches it again as themselves.

import { find } from "./dom.js";
import { authorized, current, found } from "./session.js";
import { localize } from "./words.js";

const AGAIN_MILLISECONDS = 2_000;

// True when there is something on the page to keep current.
export async function admitted() {
  await found();
  const guarded = find("[data-guarded]");
  if (!guarded) return true;
  if (!current()) return false;
  const answer = await authorized(location.pathname, (headers) => ({ headers }));
  if (answer.status === 503) {
    setTimeout(() => location.reload(), AGAIN_MILLISECONDS);
    return false;
  }
  if (!answer.ok) {
    find("h1", guarded).textContent = "There is nothing of yours here";
    find("p", guarded).textContent = "It does not exist, or it is somebody else's.";
    return false;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  find("main").replaceWith(find("main", page));
  document.title = page.title;
  localize();
  return !find("[data-guarded]");
}
