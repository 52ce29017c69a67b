#!/usr/bin/env bash
# zod 4.6.7 (npm): the JSON schema that a model is bound to refuses what Zod allows.
#
# Guess: a pattern with a flag, which JSON schemas don't have, is refused or rewritten.
# Seen:  `toJSONSchema` drops the flag, so "Yes" is fine by Zod for /^(yes|no)$/i and not by the
#        JSON schema made of it; so are texts in lines by the flags m and s. Valibot's converter
#        refuses.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    zod@4.6.7 ajv@8.20.0 valibot@1.5.0 @valibot/to-json-schema@1.8.0
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import { toJsonSchema } from "@valibot/to-json-schema";
import Ajv from "ajv/dist/2020.js";
import * as valibot from "valibot";
import { z } from "zod";

for (const [pattern, text] of [[/^(yes|no)$/i, "Yes"], [/^b$/m, "a\nb"], [/^a.b$/s, "a\nb"]]) {
    const schema = z.string().regex(pattern);
    const written = z.toJSONSchema(schema);
    const byZod = schema.safeParse(text).success;
    const bySchema = new Ajv.default().compile(written)(text);
    console.log(pattern, "becomes", written.pattern, "by Zod:", byZod, "by the schema:", bySchema);
    assert(byZod && !bySchema, "the behaviour has changed");
    assert.throws(() => toJsonSchema(valibot.pipe(valibot.string(), valibot.regex(pattern))));
}
NODE
node "$folder/look.mjs"
