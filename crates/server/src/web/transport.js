// How a request reaches the engine. This one speaks HTTP to the server that the page comes from;
// in a static studio `tab/transport.js` takes its place, and the engine runs in the page.

/**
 * @param {string} path
 * @param {RequestInit} options
 * @returns {Promise<Response>}
 */
export function send(path, options) {
  return fetch(path, options);
}

/** What to say where `send` fails. */
export const SILENT = "the server doesn't answer; is kelvin serve still running?";

/** Where other programs find the server. */
export const API = "/v1";

/**
 * Controls for the page's head: none, since the server has the model.
 * @param {() => void} _again shows the page anew
 * @returns {HTMLElement[]}
 */
export function controls(_again) {
  return [];
}
