#!/usr/bin/env bash
# jstat 1.9.6 (npm): the binomial of 2,000 answers is infinite, the Poisson of 200 is NaN.
#
# Guess: pdf of 600 right answers of 2,000 with a chance of 0.3 is 0.0195, that of 200 events where 200
#        are expected 0.0282.
# Seen:  Infinity and NaN, without an error, and Poisson's cdf is NaN as well; up to 1,000 answers and
#        100 events they are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" jstat@1.9.6
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import jstat from "jstat";

const { binomial, poisson } = jstat.jStat;
const close = (seen, right) => assert(Math.abs(seen - right) < 1e-4, "the behaviour has changed");

const half = [binomial.pdf(300, 1000, 0.3), poisson.pdf(100, 100), poisson.cdf(100, 100)];
console.log("300 of 1,000; 100 where 100 are expected, at most so many:", half);
close(half[0], 0.02752);
close(half[1], 0.03986);
close(half[2], 0.52656);
const whole = [binomial.pdf(600, 2000, 0.3), poisson.pdf(200, 200), poisson.cdf(200, 200)];
console.log("600 of 2,000; 200 where 200 are expected, at most so many:", whole);
assert.strictEqual(whole[0], Infinity, "the behaviour has changed");
assert(whole.slice(1).every(Number.isNaN), "the behaviour has changed");
NODE
node "$folder/look.mjs"
