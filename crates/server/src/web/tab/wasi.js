// What the engine's module (wasm32-wasip1) asks its host for: one file, the clock, random bytes,
// standard error. (WASI preview 1, as its docs define it)

/**
 * Bytes that can be read at any place, without waiting.
 * @typedef {object} Bytes
 * @property {number} size
 * @property {(at: number, length: number) => Uint8Array} read at most `length` bytes from `at` on
 */

/**
 * The bytes of a file, as workers read them.
 * @param {Blob} file
 * @returns {Bytes}
 */
export function bytesOf(file) {
  const reader = new FileReaderSync();
  const read = (/** @type {number} */ at, /** @type {number} */ length) =>
    new Uint8Array(reader.readAsArrayBuffer(file.slice(at, at + length)));
  return { size: file.size, read };
}

const SUCCESS = 0;
const BADF = 8;
const INVAL = 28;
const NOENT = 44;
const NOSYS = 52;

const DIRECTORY = 3;
const REGULAR_FILE = 4;
const CHARACTER_DEVICE = 2;

const STDERR = 2;
/** The root folder, and the first number of an open file. */
const ROOT = 3;
const FIRST = 4;
const ALL_RIGHTS = 0xffffffffffffffffn;
const MAX_RANDOM = 65536;

/** The host's functions for one module, which is attached once there is an instance of it. */
export class Wasi {
  /**
   * @param {Map<string, Bytes>} files by their paths, without the slash at the beginning
   * @param {(text: string) => void} say gets what the module writes to standard error
   */
  constructor(files, say) {
    this.files = files;
    this.say = say;
    /** @type {WebAssembly.Memory | null} */
    this.memory = null;
    /** @type {Map<number, { file: Bytes, at: number }>} */
    this.open = new Map();
    this.next = FIRST;
    /** The file that other threads have opened under numbers that this one doesn't know. */
    this.shared = /** @type {Bytes | null} */ (null);
  }

  /** An open file by its number. @param {number} fd */
  found(fd) {
    const known = this.open.get(fd);
    if (known || !this.shared || fd < FIRST) return known;
    // Each read says its place, so a thread needs no cursor but its own.
    const own = { file: this.shared, at: 0 };
    this.open.set(fd, own);
    return own;
  }

  get view() {
    if (!this.memory) throw new Error("the module has no memory yet");
    return new DataView(this.memory.buffer);
  }

  /**
   * @param {number} at
   * @param {number} length
   */
  bytes(at, length) {
    return new Uint8Array(this.view.buffer, at, length);
  }

  /**
   * A text. It is copied first: browsers decode none that threads may change.
   * @param {number} at
   * @param {number} length
   */
  textAt(at, length) {
    return new TextDecoder().decode(this.bytes(at, length).slice());
  }

  /**
   * Calls `take` with each part of a list of buffers, until it takes less than all of one.
   * @param {number} list
   * @param {number} n
   * @param {(part: Uint8Array) => number} take
   */
  each(list, n, take) {
    let done = 0;
    for (let i = 0; i < n; i++) {
      const at = this.view.getUint32(list + 8 * i, true);
      const length = this.view.getUint32(list + 8 * i + 4, true);
      const taken = take(this.bytes(at, length));
      done += taken;
      if (taken < length) break;
    }
    return done;
  }

  /**
   * Writes what a file is: its kind and its size.
   * @param {number} at
   * @param {number} kind
   * @param {number} size
   */
  stat(at, kind, size) {
    this.bytes(at, 64).fill(0);
    this.view.setUint8(at + 16, kind);
    this.view.setBigUint64(at + 24, 1n, true);
    this.view.setBigUint64(at + 32, BigInt(size), true);
    return SUCCESS;
  }

  /**
   * Reads into a list of buffers from a place on.
   * @param {Bytes} file
   * @param {number} at
   * @param {number} list
   * @param {number} n
   */
  fill(file, at, list, n) {
    let from = at;
    return this.each(list, n, (part) => {
      const bytes = file.read(from, Math.min(part.length, Math.max(0, file.size - from)));
      part.set(bytes);
      from += bytes.length;
      return bytes.length;
    });
  }

  /** The functions by their names. All others answer that they are missing. */
  get imports() {
    const named = { ...this.ofFiles(), ...this.ofSystem() };
    const wasi_snapshot_preview1 = new Proxy(named, {
      get: (all, name) => Reflect.get(all, name) ?? (() => NOSYS),
    });
    return { wasi_snapshot_preview1 };
  }

  /** @returns {Record<string, (...args: any[]) => number>} */
  ofFiles() {
    const pathOf = (/** @type {number} */ at, /** @type {number} */ length) =>
      this.textAt(at, length).replace(/^\/+/, "");
    return {
      fd_prestat_get: (fd, at) => {
        if (fd !== ROOT) return BADF;
        this.view.setUint32(at, 0, true);
        this.view.setUint32(at + 4, 1, true);
        return SUCCESS;
      },
      fd_prestat_dir_name: (fd, at) => {
        if (fd !== ROOT) return BADF;
        this.bytes(at, 1)[0] = "/".charCodeAt(0);
        return SUCCESS;
      },
      fd_fdstat_get: (fd, at) => {
        const isOpen = fd <= ROOT || this.found(fd);
        if (!isOpen) return BADF;
        this.bytes(at, 24).fill(0);
        const kind = fd === ROOT ? DIRECTORY : fd < ROOT ? CHARACTER_DEVICE : REGULAR_FILE;
        this.view.setUint8(at, kind);
        this.view.setBigUint64(at + 8, ALL_RIGHTS, true);
        this.view.setBigUint64(at + 16, ALL_RIGHTS, true);
        return SUCCESS;
      },
      fd_filestat_get: (fd, at) => {
        const found = this.found(fd);
        return found ? this.stat(at, REGULAR_FILE, found.file.size) : BADF;
      },
      path_filestat_get: (fd, _flags, path, length, at) => {
        const file = fd === ROOT ? this.files.get(pathOf(path, length)) : undefined;
        return file ? this.stat(at, REGULAR_FILE, file.size) : NOENT;
      },
      path_open: (fd, _dir, path, length, _open, _rights, _inheriting, _flags, at) => {
        const file = fd === ROOT ? this.files.get(pathOf(path, length)) : undefined;
        if (!file) return NOENT;
        this.open.set(this.next, { file, at: 0 });
        this.view.setUint32(at, this.next, true);
        this.next += 1;
        return SUCCESS;
      },
      fd_close: (fd) => (this.open.delete(fd) ? SUCCESS : BADF),
      fd_seek: (fd, offset, whence, at) => {
        const found = this.found(fd);
        if (!found) return BADF;
        const place = [0, found.at, found.file.size][whence] + Number(offset);
        if (!(place >= 0)) return INVAL;
        found.at = place;
        this.view.setBigUint64(at, BigInt(place), true);
        return SUCCESS;
      },
      fd_read: (fd, list, n, at) => {
        const found = this.found(fd);
        if (!found) return BADF;
        const done = this.fill(found.file, found.at, list, n);
        found.at += done;
        this.view.setUint32(at, done, true);
        return SUCCESS;
      },
    };
  }

  /** @returns {Record<string, (...args: any[]) => number>} */
  ofSystem() {
    return {
      fd_write: (fd, list, n, at) => {
        if (fd > STDERR) return BADF;
        let text = "";
        const done = this.each(list, n, (part) => {
          text += new TextDecoder().decode(part.slice());
          return part.length;
        });
        this.say(text);
        this.view.setUint32(at, done, true);
        return SUCCESS;
      },
      clock_time_get: (id, _precision, at) => {
        const millis = id === 0 ? Date.now() : performance.timeOrigin + performance.now();
        this.view.setBigUint64(at, BigInt(Math.round(millis * 1e6)), true);
        return SUCCESS;
      },
      random_get: (at, length) => {
        for (let done = 0; done < length; done += MAX_RANDOM) {
          const part = new Uint8Array(Math.min(MAX_RANDOM, length - done));
          this.bytes(at + done, part.length).set(crypto.getRandomValues(part));
        }
        return SUCCESS;
      },
      environ_sizes_get: (count, size) => this.nothing(count, size),
      args_sizes_get: (count, size) => this.nothing(count, size),
      environ_get: () => SUCCESS,
      args_get: () => SUCCESS,
      sched_yield: () => SUCCESS,
      proc_exit: (code) => {
        throw new Error(`the engine ended (${code})`);
      },
    };
  }

  /**
   * @param {number} count
   * @param {number} size
   */
  nothing(count, size) {
    this.view.setUint32(count, 0, true);
    this.view.setUint32(size, 0, true);
    return SUCCESS;
  }
}
