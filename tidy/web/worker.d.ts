// What workers have and pages don't; the page's types are those of `dom`.
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}
