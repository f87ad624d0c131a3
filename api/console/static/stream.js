// Follows channels of the stream; while it is down, what it would say is asked for.

import { authorized } from "./session.js";
import { heard, lost } from "./pulse.js";

const SILENCE_MILLISECONDS = 20_000; // the stream itself says something each 15 s
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;
const POLL_MILLISECONDS = 1_000;

// `hear` gets each message; `poll` is awaited each second for as long as there is none.
export function follow(channels, hear, poll) {
  const streaming = new Streaming(channels, hear);
  streaming.run();
  setTimeout(every, POLL_MILLISECONDS, async () => {
    if (streaming.isUp || document.hidden) return;
    await poll();
    if (!streaming.isUp) heard("polling");
  });
}

// Again and again, one at a time, the page being looked at or not.
export function every(work, milliseconds = POLL_MILLISECONDS) {
  const turn = async () => {
    try {
      await work();
    } catch {
      // the badge says how old things are; the next turn tries again
    }
    setTimeout(turn, milliseconds);
  };
  turn();
}

class Streaming {
  isUp = false;
  #lastId = null;

  constructor(channels, hear) {
    this.url = `/api/v1/stream?channels=${channels.map(encodeURIComponent).join(",")}`;
    this.hear = hear;
  }

  async run() {
    let pause = FIRST_PAUSE;
    for (;;) {
      try {
        await this.#read();
        pause = FIRST_PAUSE;
      } catch {
        pause = Math.min(pause * 2, LONGEST_PAUSE);
      }
      this.isUp = false;
      lost();
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  async #read() {
    const gone = new AbortController();
    let watch = setTimeout(() => gone.abort(), SILENCE_MILLISECONDS);
    try {
      const answer = await authorized(this.url, (headers) => {
        if (this.#lastId) headers["Last-Event-ID"] = this.#lastId;
        return { headers: { ...headers, Accept: "text/event-stream" }, signal: gone.signal, cache: "no-store" };
      });
      if (!answer.ok) throw new Error(`the stream answered ${answer.status}`);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ""; ; ) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(watch);
        watch = setTimeout(() => gone.abort(), SILENCE_MILLISECONDS);
        this.isUp = true;
        heard("live");
        const events = (rest + value).split(/\r?\n\r?\n/);
        rest = events.pop();
        events.forEach((event) => this.#take(event));
      }
    } finally {
      clearTimeout(watch);
      gone.abort();
    }
  }

  #take(event) {
    const data = [];
    for (const line of event.split(/\r?\n/)) {
      const [, name, value] = /^([a-z]+): ?(.*)$/.exec(line) || [];
      if (name === "data") data.push(value);
      if (name === "id") this.#lastId = value;
    }
    if (data.length) this.hear(JSON.parse(data.join("\n")));
  }
}
