// Where fetched models are kept: a folder of the browser's storage for this page's origin, so that
// a model is there again without a network. Without such storage it stays in memory.

import { download, isFull } from "./download.js";

/** @import { Store, Tell } from "./download.js" */
/** @import { About } from "./model.js" */

const FOLDER = "kelvin";

/**
 * The model's file, from storage or fetched.
 * @param {About} about
 * @param {string} url
 * @param {Tell} tell
 * @returns {Promise<Blob>}
 */
export async function obtain(about, url, tell) {
  const folder = await storage();
  if (!folder) return inMemory(about, url, tell);
  const place = placeOf(about);
  // Of several tabs one fetches, and the others wait for it.
  return navigator.locks.request(`${FOLDER} ${place}`, async () => {
    const kept = await folder.getFileHandle(place, { create: true });
    if (!(await isWhole(folder, about))) {
      try {
        await into(kept, about, url, tell);
      } catch (error) {
        if (!isFull(error)) throw error;
        await folder.removeEntry(place).catch(() => {});
        return inMemory(about, url, tell);
      }
      await folder.getFileHandle(mark(place), { create: true });
    }
    return kept.getFile();
  });
}

/**
 * Has a stored model compared with its hashes the next time: it couldn't be opened.
 * @param {About} about
 */
export async function doubt(about) {
  const folder = await storage();
  await folder?.removeEntry(mark(placeOf(about))).catch(() => {});
}

/** @returns {Promise<FileSystemDirectoryHandle | null>} */
async function storage() {
  try {
    const root = await navigator.storage.getDirectory();
    return await root.getDirectoryHandle(FOLDER, { create: true });
  } catch {
    // Not for pages from http:, and not in some private windows.
    return null;
  }
}

/** @param {About} about */
function placeOf({ sha256, size, name }) {
  return `${sha256 ?? `${size}-${name.replace(/[^\w.-]/g, "_")}`}.gguf`;
}

/** The name of the empty file that says that a model is whole. @param {string} place */
function mark(place) {
  return `${place}.whole`;
}

/**
 * @param {FileSystemDirectoryHandle} folder
 * @param {About} about
 */
async function isWhole(folder, about) {
  const place = placeOf(about);
  try {
    await folder.getFileHandle(mark(place));
    const file = await (await folder.getFileHandle(place)).getFile();
    return file.size === about.size;
  } catch {
    return false;
  }
}

/**
 * Fetches into a file of the storage, which keeps what came if the tab is closed meanwhile.
 * @param {FileSystemFileHandle} kept
 * @param {About} about
 * @param {string} url
 * @param {Tell} tell
 */
async function into(kept, about, url, tell) {
  const file = await kept.createSyncAccessHandle();
  /** @type {Store} */
  const store = {
    size: () => file.getSize(),
    append(bytes) {
      const at = file.getSize();
      if (file.write(bytes, { at }) !== bytes.length) {
        throw new DOMException("the browser's storage is full", "QuotaExceededError");
      }
    },
    read(at, length) {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, file.read(bytes, { at }));
    },
    cut: (size) => file.truncate(size),
  };
  try {
    await download(about, url, store, tell);
    file.flush();
  } finally {
    file.close();
  }
}

/**
 * Fetches into memory.
 * @param {About} about
 * @param {string} url
 * @param {Tell} tell
 */
async function inMemory(about, url, tell) {
  const bytes = new Uint8Array(about.size);
  let n = 0;
  await download(
    about,
    url,
    {
      size: () => n,
      append(more) {
        bytes.set(more, n);
        n += more.length;
      },
      read: (at, length) => bytes.subarray(at, at + length),
      cut: (size) => void (n = size),
    },
    tell,
  );
  return new Blob([bytes]);
}
