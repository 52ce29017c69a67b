// A plain file server for a folder, which can break connections as a bad network does.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const KINDS = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
};

export class Files {
  /** @param {string} folder */
  constructor(folder) {
    this.folder = folder;
    /** Requests: path, range, and what was answered. */
    this.asked = [];
    /** Whether ranges are answered. */
    this.hasRanges = true;
    /** Bytes of the model after which a connection breaks. */
    this.breaksAfter = Infinity;
    /** Changes the bytes of the model, given with their place. */
    this.spoil = null;
    /** Whether answers isolate the page from other origins. */
    this.isIsolated = false;
    /** Other bytes for a path. */
    this.instead = new Map();
    this.server = createServer((request, response) => this.answer(request, response));
  }

  async listen(port = 0) {
    await new Promise((resolve) => this.server.listen(port, "127.0.0.1", resolve));
    this.port = this.server.address().port;
    this.home = `http://127.0.0.1:${this.port}/`;
  }

  /** Nothing listens any more, and open connections are gone. */
  async close() {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  /** How often a path was asked for. */
  count(path) {
    return this.asked.filter((one) => one.path === path).length;
  }

  answer(request, response) {
    const path = normalize(new URL(request.url, "http://localhost").pathname);
    const place = join(this.folder, path === "/" ? "index.html" : path);
    const { range } = request.headers;
    const asked = { path, range, status: 200 };
    this.asked.push(asked);
    let size;
    try {
      size = statSync(place).size;
    } catch {
      asked.status = 404;
      response.writeHead(404).end();
      return;
    }
    const kind = KINDS[extname(place)] ?? "application/octet-stream";
    const isolated = {
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
    };
    const own = { "Content-Type": kind, ...(this.isIsolated ? isolated : {}) };
    if (this.instead.has(path)) {
      response.writeHead(200, own).end(this.instead.get(path));
      return;
    }
    const headers = { ...own, "Content-Length": size };
    let start = 0;
    if (range && this.hasRanges) {
      start = Number(range.match(/^bytes=(\d+)-$/)[1]);
      asked.status = 206;
      headers["Content-Length"] = size - start;
      headers["Content-Range"] = `bytes ${start}-${size - 1}/${size}`;
    }
    response.writeHead(asked.status, headers);
    const stream = createReadStream(place, { start });
    if (extname(place) !== ".gguf") {
      stream.pipe(response);
      return;
    }
    let sent = 0;
    stream.on("data", (bytes) => {
      this.spoil?.(bytes, start + sent);
      sent += bytes.length;
      if (sent > this.breaksAfter) {
        stream.destroy();
        // What was written before goes out first.
        response.write(bytes.subarray(0, 1000), () => response.destroy());
        return;
      }
      if (!response.write(bytes)) {
        stream.pause();
        response.once("drain", () => stream.resume());
      }
    });
    stream.on("end", () => response.end());
    response.on("close", () => stream.destroy());
  }
}
