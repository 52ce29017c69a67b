// Fetches a model's file piece by piece. What has come is kept, and each piece is compared with its
// hash. A connection that breaks goes on where it was, if the server answers for a range.

/** @import { About } from "./model.js" */

/**
 * Where the bytes go.
 * @typedef {object} Store
 * @property {() => number} size bytes that are there
 * @property {(bytes: Uint8Array<ArrayBuffer>) => void} append
 * @property {(at: number, length: number) => Uint8Array<ArrayBuffer>} read
 * @property {(size: number) => void} cut forgets all bytes from `size` on
 */

/** @typedef {(done: number, trouble?: string) => void} Tell */

/** Attempts in a row that bring nothing. */
const TRIES = 5;
/** The wait before the second attempt; it doubles with each. */
const PAUSE_MILLIS = 500;
/** A connection that is silent for so long counts as broken. */
const SILENCE_MILLIS = 30_000;
/** Pieces that may be wrong before the server's file counts as another one. */
const WRONG = 3;

/** What no further attempt mends. */
class Refused extends Error {}

/** Compares pieces with their hashes as soon as they are whole. */
class Checked {
  /**
   * @param {About} about
   * @param {Store} store
   */
  constructor(about, store) {
    this.about = about;
    this.store = store;
    /** Pieces that are right. */
    this.n = 0;
    this.wrong = 0;
  }

  /** Goes as far as there are pieces; cuts off what is wrong. */
  async go() {
    const { about, store } = this;
    if (store.size() > about.size) store.cut(0);
    while (this.n < about.pieces.length) {
      const from = this.n * about.piece;
      const length = Math.min(about.piece, about.size - from);
      if (from + length > store.size()) return;
      // Browsers compute hashes for pages from https: and from this machine alone.
      const hash = crypto.subtle && (await sha256(store.read(from, length)));
      if (hash && hash !== about.pieces[this.n]) {
        store.cut(from);
        this.wrong += 1;
        if (this.wrong < WRONG) throw new Error("a piece came with errors");
        throw new Refused(`the server's file isn't ${about.name} as the page was made with it`);
      }
      this.n += 1;
    }
  }

  again() {
    this.store.cut(0);
    this.n = 0;
  }
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function sha256(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Fetches what isn't there yet.
 * @param {About} about
 * @param {string} url
 * @param {Store} store
 * @param {Tell} tell
 */
export async function download(about, url, store, tell) {
  const checked = new Checked(about, store);
  await checked.go();
  let failures = 0;
  while (store.size() < about.size) {
    const before = store.size();
    tell(before);
    try {
      await goOn(about, url, store, checked, tell);
      if (store.size() < about.size) throw new Error("the connection ended early");
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      if (error instanceof Refused || isFull(error)) throw error;
      failures = store.size() > before ? 1 : failures + 1;
      if (failures > TRIES) throw new Error(broken(about, store.size(), words), { cause: error });
      tell(store.size(), "the connection broke, trying again");
      const wait = PAUSE_MILLIS * 2 ** (failures - 1);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

/** Whether the browser's storage has no more room. @param {unknown} error */
export function isFull(error) {
  return error instanceof DOMException && error.name === "QuotaExceededError";
}

/**
 * @param {About} about
 * @param {number} done
 * @param {string} words
 */
function broken({ name, size }, done, words) {
  const [of, all] = [done, size].map((bytes) => (bytes / 1e6).toFixed(0));
  const when = "It goes on from there when it is opened again";
  return `${name} came only to ${of} of ${all} MB (${words}). ${when}`;
}

/**
 * One connection.
 * @param {About} about
 * @param {string} url
 * @param {Store} store
 * @param {Checked} checked
 * @param {Tell} tell
 */
async function goOn(about, url, store, checked, tell) {
  const from = store.size();
  const silent = new AbortController();
  const giveUp = () => silent.abort(new Error("the server fell silent"));
  let timer = setTimeout(giveUp, SILENCE_MILLIS);
  try {
    /** @type {Record<string, string>} */
    const headers = from > 0 ? { Range: `bytes=${from}-` } : {};
    const answer = await fetch(url, { headers, cache: "no-store", signal: silent.signal });
    if (!goesOn(answer, from)) checked.again();
    if (answer.status === 416) throw new Error("the server hasn't that range");
    if (answer.status >= 400 && answer.status < 500) {
      throw new Refused(`the model can't be fetched: the server answered ${answer.status}`);
    }
    if (!answer.ok || !answer.body) throw new Error(`the server answered ${answer.status}`);
    const reader = answer.body.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      clearTimeout(timer);
      if (done) return;
      timer = setTimeout(giveUp, SILENCE_MILLIS);
      if (store.size() + value.length > about.size) {
        throw new Refused(`the server's file is longer than ${about.name}`);
      }
      store.append(value);
      await checked.go();
      tell(store.size());
    }
  } finally {
    clearTimeout(timer);
    silent.abort();
  }
}

/**
 * Whether an answer goes on from a place. A server that knows no ranges sends all of it.
 * @param {Response} answer
 * @param {number} from
 */
function goesOn(answer, from) {
  const begins = answer.headers.get("Content-Range")?.match(/^bytes (\d+)-/)?.[1];
  return from === 0 || (answer.status === 206 && Number(begins) === from) || answer.status >= 500;
}
