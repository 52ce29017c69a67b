// Rules for the JavaScript of the studio and of the report. Types are `tsc`'s, form is prettier's.

const BROWSER = [
  "AbortController",
  "AbortSignal",
  "Blob",
  "DOMException",
  "Element",
  "HTMLElement",
  "HTMLSelectElement",
  "Headers",
  "Node",
  "Range",
  "ResizeObserver",
  "TextDecoderStream",
  "URL",
  "URLSearchParams",
  "clearTimeout",
  "console",
  "crypto",
  "document",
  "fetch",
  "getComputedStyle",
  "getSelection",
  "history",
  "localStorage",
  "location",
  "matchMedia",
  "navigator",
  "performance",
  "requestAnimationFrame",
  "sessionStorage",
  "setTimeout",
  "window",
];

/** Ways in which text could become markup, or text code. */
const MARKUP = [
  { property: "innerHTML" },
  { property: "outerHTML" },
  { property: "insertAdjacentHTML" },
  { object: "document", property: "write" },
  { object: "document", property: "writeln" },
];

export default [
  {
    files: ["**/*.js"],
    linterOptions: { reportUnusedDisableDirectives: "error" },
    languageOptions: {
      ecmaVersion: 2024,
      sourceType: "module",
      globals: Object.fromEntries(BROWSER.map((name) => [name, "readonly"])),
    },
    rules: {
      "array-callback-return": "error",
      "consistent-return": "error",
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "max-len": ["error", { code: 100, ignoreUrls: true }],
      "max-lines": ["error", 500],
      "max-lines-per-function": ["error", 80],
      "no-constant-condition": ["error", { checkLoops: "none" }],
      "no-eval": "error",
      "no-implicit-globals": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-redeclare": "error",
      "no-restricted-properties": ["error", ...MARKUP],
      "no-undef": "error",
      "no-unused-expressions": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-use-before-define": ["error", { functions: false, variables: false }],
      "no-useless-assignment": "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  {
    // plotly.js stands in the file of a report before the report's own script.
    files: ["**/report/page/*.js"],
    languageOptions: { globals: { Plotly: "readonly" } },
  },
];
