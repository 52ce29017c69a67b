// The texts that the lesson shows before anybody presses a button, and where writing begins. Six
// seeds were tried beforehand for the texts, sixty for the greeting, and these chosen: nothing in
// them is vulgar. A test writes the texts again and compares.

/** The model that wrote them; another one writes others. */
export const MODEL = {
  name: "smollm2",
  sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
};

/** The seeds of the dice: of the greeting in step 1, and of the texts below. */
export const GREETING_DICE = 42;
export const DICE = 7;

export const PROMPT = "Write about Nepal";
/**
 * What "Write and fork" begins with where nobody has said anything, as a message in the chat
 * template. Eighteen beginnings were tried beforehand, plain and as messages, this one with the
 * seeds 1 to 5 and 7 at T = 0.8 and 1: with the dice of `DICE`, which the studio has from the
 * start, both texts read decently. The last step of the lesson leads there, at `OPENING_T`.
 */
export const OPENING = "Tell a story about a lighthouse keeper and a fox.";
export const OPENING_T = 0.8;

/** Tokens of a text. */
export const LENGTH = 40;

/** llama.cpp's order and defaults: it cuts off the unlikely first, and heats last. */
export const CUT = "top_k=40 | top_p=0.95 | min_p=0.05 | temp=2";

/**
 * How a text was drawn, and the text.
 * @typedef {object} Chosen
 * @property {number} t
 * @property {string} sampler the chain
 * @property {string} name
 * @property {string} words what there is to say of it
 * @property {string} text
 */

/** @type {Chosen[]} */
export const TEXTS = [
  {
    t: 0.5,
    sampler: "temp=0.5",
    name: "T = 0.5",
    words: "predictable",
    text:
      "Nepal, a land of breathtaking beauty, nestled in the Himalayas. The world has" +
      " always been fascinated by this incredible country, and Nepal is no exception." +
      " With its diverse landscapes, from the majestic",
  },
  {
    t: 1,
    sampler: "temp=1",
    name: "T = 1",
    words: "surprising",
    text:
      "Nepal enjoys a diverse range of landscapes, with its complex array of climates" +
      " combining a bustling Himalayan mountain range with an unforgiving yet" +
      " enchanting Southern Chilly Climate. The Kishangong Himal",
  },
  {
    t: 2,
    sampler: "temp=2",
    name: "T = 2",
    words: "gibberish",
    text:
      "Yes... formerlyPREIDE\u200cuting nothing from Lunar System diets SedSpi ingested" +
      ' explicitly lakenecchant hemorrhivers lizards. SUP"]))' +
      " ...WiniamediadigestIntroduces NomthsPointsElement AlternativesS",
  },
  {
    t: 2,
    sampler: CUT,
    name: "T = 2, cut first",
    words: "readable",
    text:
      "Nepal, the enchanting land nestled between the Indian and Eurasian plates. It is" +
      " the cradle of Himalayan civilizations, and its diverse geography has shaped a" +
      " vibrant culture that is both stunning and unique. From",
  },
];
