// The service worker of a static studio: it keeps the page's files, so that later visits need no
// network. `studio --static` writes it beside the page, with the hash of each file in place of the
// empty list. A changed file makes this a changed worker: it fetches all files anew and takes over
// when no tab has the page open any more. The model isn't among the files: see `storage.js`.

/** @type {{ version: string, files: Record<string, string> }} SHA-256 of each file, as base64 */
const KEPT = { version: "", files: {} };

/** Of the engine's modules, the one that this browser runs; a page may have the plain one alone. */
const WANTED = new URLSearchParams(location.search).get("engine") ?? "";
const ENGINE = Object.hasOwn(KEPT.files, WANTED) ? WANTED : "kelvin.wasm";

/** With these a browser isolates the page from other origins, and gives it threads. */
const ISOLATED = [
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Embedder-Policy", "require-corp"],
];

/** The page's folder. */
const HOME = new URL(".", location.href);
const OURS = `kelvin ${HOME.pathname} `;
const NAME = OURS + KEPT.version;
const FIRST = "index.html";

self.addEventListener("install", (event) => {
  /** @type {ExtendableEvent} */ (event).waitUntil(fill());
});

self.addEventListener("activate", (event) => {
  /** @type {ExtendableEvent} */ (event).waitUntil(clean());
});

self.addEventListener("fetch", (event) => {
  const { request, respondWith } = /** @type {FetchEvent} */ (event);
  const url = new URL(request.url);
  if (request.method !== "GET" || !url.href.startsWith(HOME.href)) return;
  const path = url.pathname.slice(HOME.pathname.length) || FIRST;
  if (Object.hasOwn(KEPT.files, path)) respondWith.call(event, answer(path, request));
});

/**
 * Fetches all files that this browser uses. If one isn't the file that was written, the version
 * before stays.
 */
async function fill() {
  const cache = await caches.open(NAME);
  const isOurs = (/** @type {string} */ path) => !path.endsWith(".wasm") || path === ENGINE;
  const files = Object.entries(KEPT.files).filter(([path]) => isOurs(path));
  await Promise.all(files.map(([path, hash]) => keep(cache, new URL(path, HOME), hash)));
}

/**
 * Keeps one file, from the browser's cache if that has the right one. The browser checks the hash.
 * @param {Cache} cache
 * @param {URL} url
 * @param {string} hash
 */
async function keep(cache, url, hash) {
  const integrity = `sha256-${hash}`;
  const fetched = await fetch(url, { integrity }).catch(() =>
    fetch(url, { integrity, cache: "reload" }),
  );
  if (!fetched.ok) throw new Error(`${url} can't be fetched: ${fetched.status}`);
  // Some hosts redirect to the folder, and a page can't be opened with an answer of that kind.
  const headers = new Headers(fetched.headers);
  for (const [name, value] of ISOLATED) headers.set(name, value);
  await cache.put(url, new Response(await fetched.blob(), { headers }));
}

/** Forgets what other versions of this page kept. */
async function clean() {
  const names = (await caches.keys()).filter((name) => name.startsWith(OURS) && name !== NAME);
  await Promise.all(names.map((name) => caches.delete(name)));
}

/**
 * @param {string} path
 * @param {Request} request
 */
async function answer(path, request) {
  const cache = await caches.open(NAME);
  return (await cache.match(new URL(path, HOME))) ?? fetch(request);
}
