// What to say where the page was opened as a file: browsers load no module, no worker and no
// WebAssembly from there. This script is no module, so it runs.

if (location.protocol === "file:") {
  const main = document.getElementById("main");
  const words =
    "Browsers don't let a page from a disk load its parts. Open kelvin.html beside it, which has " +
    "them inside; or start a web server here, for example python3 -m http.server.";
  main?.append(words);
}
