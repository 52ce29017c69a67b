// The official `openai` client of npm against a running `kelvin serve`.
//
//     node openai_client.mjs BASE_URL API_KEY
//
// Fails with an assertion if the client finds something other than what it finds at OpenAI's.
import assert from "node:assert/strict";
import OpenAI from "openai";

const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const fixed = {
  model: "smollm2",
  messages: [{ role: "user", content: "Write about Nepal" }],
  seed: 7,
  max_completion_tokens: 12,
};

const models = await client.models.list();
assert.deepEqual(models.data.map((model) => model.id), ["smollm2"]);

const whole = await client.chat.completions.create(fixed);
const text = whole.choices[0].message.content;
assert.ok(text.length > 0 && whole.usage.completion_tokens === 12);
const turns = [...fixed.messages, whole.choices[0].message, { role: "user", content: "More" }];
const again = await client.chat.completions.create({ ...fixed, messages: turns, tools: [], tool_choice: "none" });
assert.ok(again.choices[0].message.content.length > 0);
let streamed = "";
for await (const chunk of await client.chat.completions.create({ ...fixed, stream: true })) {
  streamed += chunk.choices[0]?.delta?.content ?? "";
}
assert.equal(streamed, text);
const runner = client.chat.completions.stream(fixed);
assert.equal((await runner.finalChatCompletion()).choices[0].message.content, text);

const schema = {
  type: "object",
  properties: { name: { type: "string", maxLength: 20 }, high: { type: "boolean" } },
  required: ["name", "high"],
  additionalProperties: false,
};
const held = await client.chat.completions.create({
  ...fixed,
  max_completion_tokens: 100,
  response_format: { type: "json_schema", json_schema: { name: "mountain", schema, strict: true } },
});
assert.equal(typeof JSON.parse(held.choices[0].message.content).high, "boolean");

const done = await client.completions.create({ model: "smollm2", prompt: "Tea", max_tokens: 4, echo: true, logprobs: 1 });
assert.ok(done.choices[0].text.startsWith("Tea") && done.choices[0].logprobs.token_logprobs[0] === null);

const response = await client.responses.create({ model: "smollm2", input: "Write about Nepal", max_output_tokens: 12, seed: 7 });
assert.equal(response.output_text, text);
const kinds = [];
let deltas = "";
for await (const event of await client.responses.create({
  model: "smollm2",
  input: "Write about Nepal",
  max_output_tokens: 12,
  seed: 7,
  stream: true,
})) {
  assert.equal(event.sequence_number, kinds.length);
  kinds.push(event.type);
  if (event.type === "response.output_text.delta") deltas += event.delta;
}
assert.equal(deltas, text);
assert.equal(kinds[0], "response.created");
assert.equal(kinds.at(-1), "response.incomplete");

await assert.rejects(client.chat.completions.create({ ...fixed, n: 1_000_000 }), (error) => {
  assert.ok(error instanceof OpenAI.BadRequestError && error.param === "n");
  return true;
});
await assert.rejects(client.models.retrieve("gpt-4"), OpenAI.NotFoundError);
await assert.rejects(new OpenAI({ baseURL, apiKey: "wrong", maxRetries: 0 }).models.list(), OpenAI.AuthenticationError);

const endless = await client.completions.create({
  model: "smollm2",
  prompt: "Once",
  max_tokens: 450,
  ignore_eos: true,
  stream: true,
});
for await (const _ of endless) break;
console.log("all as expected");
