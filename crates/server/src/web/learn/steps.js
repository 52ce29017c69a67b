// The steps of the lesson, in its order.
//
// A step is a file in this folder that exports a `LessonStep` (see `types.js`): what it's called,
// one sentence, notes for the teacher, and `mount`, which fills the stage and may return what ends
// it. The book's chapter `creative.md` tells the same story in the same order.

import { contrast } from "./contrast.js";
import { criteria } from "./criteria.js";
import { bend } from "./curve.js";
import { greetings } from "./greetings.js";
import { nepal } from "./nepal.js";
import { scores } from "./scores.js";
import { token } from "./token.js";

export const STEPS = [token, scores, criteria, bend, greetings, nepal, contrast];
