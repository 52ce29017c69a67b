// The four criteria that a function has to meet to make probabilities of scores, in the order in
// which the server judges them.

export const CRITERIA = [
  "As many numbers as logits",
  "None is negative",
  "A larger logit gets no smaller probability",
  "They add up to 1",
];
