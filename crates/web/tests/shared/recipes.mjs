// The list of recipes that every place has to continue with equal bits: instruction sets, programs
// of other platforms, modules in Node and in a browser.

const PROMPTS = [
  "Once upon a time",
  "The capital of France is",
  "def add(a, b):",
  "Größe 東京 🙂 Mein Name ist",
];
/** Every stage of a chain is in one of them, and so are schedules. */
const CHAINS = [
  "temp=0",
  "temp=1",
  "temp=0.5",
  "temp=2 | min_p=0.05",
  "top_k=40 | top_p=0.9 | temp=0.8",
  "typical=0.9 | temp=1.3",
  "repetition=1.2 | temp=1",
  "frequency=0.5 | presence=0.3 | temp=1.1",
  "dry=0.8 | temp=1.2",
  "no_repeat_ngram=2 | temp=0.3",
  "bias=11:2,12:-inf | mask=not,13 | temp=1",
  "dynatemp=0.5..2",
  "edt=1.2,theta:0.5",
  "quadratic=0.3,curve:1.5",
  "top_n_sigma=1 | temp=3",
  "top_h=0.5 | temp=1.5",
  "epsilon=0.001 | temp=1",
  "eta=0.002 | top_a=0.1 | temp=1.2",
  "p_less | temp=1.5",
  "tfs=0.95 | temp=1",
  "xtc=0.5,threshold:0.05 | temp=1",
  "adaptive_p=0.3",
  "mirostat=5,eta:0.1",
  "mirostat=4,version:1",
  "after 2: temp=0.3; entropy > 2.5: heat 2; temp=1",
];
const SEEDS = [7, 2 ** 32 + 1];
/** Texts of a request: one text is multiplied by other code than a few, and a few than many. */
const BATCHES = [1, 3, 5, 16];

/**
 * The recipes as requests, each for some columns of `nTokens`.
 * @param {number} nTokens
 */
export function recipes(nTokens) {
  const asked = [];
  for (const prompt of PROMPTS) {
    for (const seed of SEEDS) {
      let from = 0;
      for (const n of BATCHES) {
        const chains = CHAINS.slice(from, from + n);
        const columns = chains.map((sampler) => ({ sampler, seed, sample: 0 }));
        asked.push({ path: "/studio/write", body: { prompt, max_tokens: nTokens, columns } });
        from += n;
      }
    }
  }
  return asked;
}

const SCHEMA = {
  type: "object",
  properties: {
    name: { type: "string", maxLength: 8 },
    age: { type: "integer", minimum: 0, maximum: 120 },
  },
  required: ["name", "age"],
  additionalProperties: false,
};
/** Forms of structured output, of which the last one is refused. */
const FORMS = [
  { structured_outputs: { choice: ["yes", "no", "perhaps"] } },
  { structured_outputs: { regex: "[0-9]{3}-[a-z]{2}" } },
  { response_format: { type: "json_schema", json_schema: { name: "one", schema: SCHEMA } } },
  { structured_outputs: { regex: "[" } },
];

/** Requests of other kinds, some of them refused. */
export function others() {
  const asked = [
    { path: "/studio/model" },
    { path: "/studio/stages" },
    { path: "/studio/chain", body: { sampler: "temp=2 | min_p=0.1" } },
    { path: "/studio/softmax", body: { logits: [1, 2, 3.5], temperature: 0.7 } },
    { path: "/tokenize", body: { prompt: "Größe 東京 🙂 \u0000" } },
    {
      path: "/studio/next",
      body: { prompt: "Once upon a", sampler: "top_k=5 | temp=2", seed: 3 },
    },
    { path: "/v1/search", body: { prompt: "The capital of", max_tokens: 8, tree: true } },
    {
      path: "/v1/search",
      body: { prompt: "Once", method: "mbr", samples: 5, seed: 3, max_tokens: 8, tree: true },
    },
    { path: "/studio/nowhere", body: {} },
    { path: "/studio/next", body: { prompt: "x", sampler: "top_z=5" } },
  ];
  for (const form of FORMS) {
    const body = { prompt: "Say it in this form:", max_tokens: 40, seed: 2, ...form };
    asked.push({ path: "/v1/completions", body });
  }
  return asked;
}

/** How many recipes some requests have. */
export function count(asked) {
  return asked.reduce((n, { body }) => n + (body?.columns?.length ?? 0), 0);
}

/** Ids and text of each column of an answer with recipes; throws if one was refused. */
export function columnsOf({ status, text }) {
  if (status !== 200) throw new Error(`recipes were refused with ${status}: ${text}`);
  const columns = [];
  for (const line of text.split("\n").filter((one) => one.startsWith("data: {"))) {
    const event = JSON.parse(line.slice(6));
    if (event.error) throw new Error(JSON.stringify(event.error));
    const told = event.token ?? event.end ?? {};
    if (told.column === undefined) continue;
    const column = (columns[told.column] ??= { ids: [], text: "", hasEnded: false });
    if (event.token) column.ids.push(told.id);
    else column.hasEnded = true;
    column.text += told.text;
  }
  return columns;
}
