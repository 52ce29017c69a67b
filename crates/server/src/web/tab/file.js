// What to say where the page was opened as a file: browsers load no module, no worker and no
// WebAssembly from there. This script is no module, so it runs.

if (location.protocol === "file:") {
  const main = document.getElementById("main");
  const words =
    "Browsers don't let a page from a disk load its parts. In its folder, python3 -m http.server " +
    "starts a web server.";
  main?.append(words);
}
