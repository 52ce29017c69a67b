// The exercises of the lesson. Questions stand in the book's chapter `creative.md` word for word; a
// test computes the answers anew.

/**
 * An exercise: its `answers` are [what of, value], `why` says how one gets there. Questions to talk
 * about have no answers.
 * @typedef {object} Exercise
 * @property {string} id
 * @property {string} question
 * @property {[string, string][]} answers
 * @property {string} why
 */

/** @type {Exercise[]} */
export const EXERCISES = [
  {
    id: "hand",
    question:
      "Two tokens have the logits 1 and 2. Compute their probabilities at T = 1 with a pocket " +
      "calculator.",
    answers: [
      ["of the logit 1", "26.9 %"],
      ["of the logit 2", "73.1 %"],
    ],
    why: "e^1 = 2.718 and e^2 = 7.389. Their sum is 10.107, and 2.718 / 10.107 = 0.269.",
  },
  {
    id: "add",
    question: "Add 100 to both logits. What are the probabilities now?",
    answers: [
      ["of the logit 101", "26.9 %"],
      ["of the logit 102", "73.1 %"],
    ],
    why: "Nothing changes: every e^x is multiplied by the same number, e^100.",
  },
  {
    id: "criteria",
    question:
      "Divide each logit by the sum of all: which criterion breaks for -1 and 2? Square each " +
      "logit first: which criterion breaks for -3 and 2?",
    answers: [
      ["each divided by the sum", "criterion 2"],
      ["each squared first", "criterion 3"],
    ],
    why:
      "-1 and 2 become -1 and 2, and -1 is negative. -3 and 2 become 9/13 and 4/13: the smaller " +
      "logit gets more.",
  },
  {
    id: "ratio",
    question:
      "Two logits differ by 3. How many times as likely is the larger at T = 1, at T = 3, at " +
      "T = 0.5?",
    answers: [
      ["at T = 1", "20.1"],
      ["at T = 3", "2.7"],
      ["at T = 0.5", "403.4"],
    ],
    why: "The ratio is e^(3/T): e^3, e^1 and e^6.",
  },
  {
    id: "even",
    question: "At which T is Hello as likely as the five other greetings together?",
    answers: [["T", "2.2"]],
    why: "Try it with the slider, or with kelvin softmax: at T = 2.2 Hello has half of it all.",
  },
  {
    id: "surprise",
    question:
      "The surprisal of a token is -ln(probability). Which probability has a token with a " +
      "surprisal of 2.6 nats? One with 10.8 nats?",
    answers: [
      ["2.6 nats", "7.4 %"],
      ["10.8 nats", "0.002 %"],
    ],
    why: "e^-2.6 = 0.074, and e^-10.8 = 0.00002: one in 49,000.",
  },
  {
    id: "cut",
    question:
      "Four tokens have the probabilities 50 %, 30 %, 15 % and 5 %. min-p with 0.2 keeps those " +
      "that are at least a fifth as likely as the likeliest. Which probabilities are left?",
    answers: [
      ["the first", "52.6 %"],
      ["the second", "31.6 %"],
      ["the third", "15.8 %"],
      ["the fourth", "0 %"],
    ],
    why: "A fifth of 50 % is 10 %, so the fourth goes. The others are divided by their sum, 95 %.",
  },
  {
    id: "circles",
    question: "Why does the text at T = 0 go in circles if it is long?",
    answers: [],
    why:
      "The likeliest token is always taken. Once a stretch has come twice, its repetition is the " +
      "likeliest, and nothing leads out.",
  },
  {
    id: "seeds",
    question:
      "Write about Nepal at T = 0.5, 1 and 2 with five seeds. Which of the three texts changes " +
      "most from seed to seed?",
    answers: [],
    why: "The one at T = 2. The one at T = 0.5 changes least: the dice matter less when it's cold.",
  },
  {
    id: "creative",
    question:
      "Is a text at T = 1 “creative”? Which number of this lesson would you call creativity? " +
      "Which one would you not?",
    answers: [],
    why: "There is no one answer. Temperature is chosen by people; surprisal is measured on texts.",
  },
];
