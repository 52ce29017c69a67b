// Starts the page where it was opened as a file. Browsers load no module, no worker and no
// WebAssembly from a disk, but scripts like this one. So `studio --static` writes the page's
// modules as texts into `disk.js`, and the engine's modules as base64 into `NAME.wasm.js`. From
// each text a module is made with an address of its own.

/** @import { About } from "./model.js" */

/**
 * @typedef {object} Disk
 * @property {Record<string, string>} files the page's modules by their paths
 * @property {About} about the model
 * @property {string | null} given what the last script brought
 * @property {(path: string) => string} address of a module
 * @property {(path: string) => string} addressInWorker of a module in a worker
 * @property {(path: string) => Promise<string | null>} text what a script of the folder brings
 */

(() => {
  if (location.protocol !== "file:") return;
  const main = document.getElementById("main");
  /** @type {Disk} */
  const disk = {
    files: {},
    about: /** @type {any} */ (null),
    given: null,
    address,
    addressInWorker,
    text,
  };
  Object.assign(window, { kelvin: disk });
  /** Addresses of modules that were made. @type {Map<string, string>} */
  const made = new Map();
  const IMPORT = /^((?:(?:import|export)\b.*|\}) from |import )"(\.{1,2}\/[^"]+)";/gm;

  /** Makes a module after those that it imports. @param {string} path */
  function address(path) {
    const known = made.get(path);
    if (known) return known;
    const text = withAddresses(path, address);
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    made.set(path, url);
    return url;
  }

  /**
   * Workers of such a page load no modules but those that their address contains. It contains what
   * they import, so it is long; a page would have it for every module.
   * @param {string} path
   * @returns {string}
   */
  function addressInWorker(path) {
    const text = withAddresses(path, addressInWorker);
    return `data:text/javascript;charset=utf-8,${encodeURIComponent(text)}`;
  }

  /**
   * The text of a module that imports others by their addresses.
   * @param {string} path
   * @param {(path: string) => string} of
   */
  function withAddresses(path, of) {
    return disk.files[path].replaceAll(IMPORT, (_, start, from) => {
      const { pathname } = new URL(from, `https://disk/${path}`);
      return `${start}"${of(pathname.slice(1))}";`;
    });
  }

  /** @param {string} path @returns {Promise<string | null>} */
  function text(path) {
    const script = document.createElement("script");
    script.src = path;
    const came = new Promise((resolve) => {
      script.onload = () => resolve(disk.given);
      script.onerror = () => resolve(null);
    });
    document.head.append(script);
    return came.finally(() => {
      disk.given = null;
      script.remove();
    });
  }

  text("disk.js")
    .then(() => import(address("main.js")))
    .catch((error) => {
      const words =
        "This browser can't start the page from a disk. In its folder, python3 -m http.server " +
        "starts a web server.";
      main?.append(`${words} (${error instanceof Error ? error.message : error})`);
    });
})();
