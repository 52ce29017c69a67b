//! What each stage does, by its definition: [`apply`] to a fully sorted list of tokens in integer
//! arithmetic, and for truncations [`keep`] in plain f64 arithmetic. A new stage needs its arms
//! here.

use std::collections::BTreeSet;

use kelvin_sampling::{Learned, Scope, Stage, State, TokenId, Window};

use crate::reference::{Reference, Refused, recent};

/// Applies one stage.
pub(crate) fn apply(
    stage: &Stage,
    left: &mut Reference,
    state: &State,
    random: &mut std::slice::Iter<'_, u64>,
    vocab: usize,
) -> Result<(), Refused> {
    let tokens = state.tokens();
    let output = &tokens[state.n_prompt()..];
    let counted = |window: Window, scope: Scope| {
        recent(if scope == Scope::All { tokens } else { output }, window)
    };
    match stage {
        Stage::Bias(bias) => {
            known(bias.get().iter().map(|(id, _)| id.0), vocab)?;
            change(left, |id, x| {
                let found = bias.get().iter().find(|(t, _)| t.0 == id);
                found.map_or(x, |(_, b)| x + b)
            })?;
        }
        Stage::Mask(mask) => {
            known(mask.ids(), vocab)?;
            left.survivors.retain(|(id, _)| mask.contains(*id) != mask.bans());
            not_empty(left)?;
        }
        Stage::Repetition(r) if r.theta() != 1.0 => {
            let seen = counted(r.window(), r.scope());
            change(left, |id, x| match seen.contains(&TokenId(id)) {
                true if x > 0.0 => x / r.theta(),
                true => x * r.theta(),
                false => x,
            })?;
        }
        Stage::Frequency(p) if p.alpha() != 0.0 => {
            let seen = counted(p.window(), p.scope());
            change(left, |id, x| {
                let count = seen.iter().filter(|t| t.0 == id).count();
                if count == 0 { x } else { x - p.alpha() * count as f32 }
            })?;
        }
        Stage::Presence(p) if p.alpha() != 0.0 => {
            let seen = counted(p.window(), p.scope());
            change(left, |id, x| if seen.contains(&TokenId(id)) { x - p.alpha() } else { x })?;
        }
        Stage::Repetition(_) | Stage::Frequency(_) | Stage::Presence(_) => {}
        Stage::Dry(dry) => {
            let text = recent(tokens, dry.window());
            if dry.multiplier() > 0.0 && text.len() >= 2 {
                change(left, |id, x| {
                    let alone = dry.breakers().iter().any(|breaker| breaker[..] == [id]);
                    let longest = longest_repeat(text, TokenId(id), dry.breakers());
                    if alone || longest < dry.length() as usize {
                        return x;
                    }
                    let power =
                        libm::pow(f64::from(dry.base()), (longest - dry.length() as usize) as f64);
                    x - (f64::from(dry.multiplier()) * power).min(f64::from(f32::MAX)) as f32
                })?;
            }
        }
        Stage::NoRepeatNgram(n) => {
            let n = n.get() as usize;
            if n > 0 && tokens.len() >= n {
                let end = &tokens[tokens.len() - (n - 1)..];
                left.survivors.retain(|&(id, _)| {
                    let ngram: Vec<TokenId> = end.iter().copied().chain([TokenId(id)]).collect();
                    !tokens.windows(n).any(|seen| *seen == ngram)
                });
                not_empty(left)?;
            }
        }
        Stage::Temp(t) => heat(left, f64::from(t.get())),
        Stage::DynaTemp(d) => {
            let (lo, hi) = d.range();
            let n = left.survivors.len();
            let share = (left.entropy() / libm::log(n as f64)).clamp(0.0, 1.0);
            heat(left, if n == 1 { lo } else { lo + (hi - lo) * libm::pow(share, d.exponent()) });
        }
        Stage::Edt(e) => {
            let h = left.entropy();
            let t = match (e.theta(), h) {
                (0.0, _) => e.t0(),
                (_, h) if h <= 0.0 => 0.0,
                (theta, h) => e.t0() * libm::pow(0.8, theta / h),
            };
            heat(left, t);
        }
        Stage::Quadratic(q) if q.factor() == 0.0 => {}
        Stage::Quadratic(q) => {
            let (f, c) = (q.factor(), q.curve());
            let max = left.survivors[0].1;
            let beta = left.beta;
            for (_, x) in &mut left.survivors {
                let d = f64::from(((*x - max) * beta).max(f32::MIN));
                let bent = -(f * (3.0 - c) / 2.0) * (d * d) + (f * (c - 1.0) / 2.0) * (d * d * d);
                *x = (bent as f32).clamp(f32::MIN, f32::MAX) + 0.0;
            }
            written(left);
        }
        Stage::TopK(k) if k.get() == 0 => {}
        Stage::TopK(k) => {
            let k = k.get() as usize;
            if k < left.survivors.len() {
                let last = left.survivors[k - 1].1;
                let ties = left.survivors[k..].iter().take_while(|(_, x)| *x == last).count();
                left.survivors.truncate(match stage {
                    Stage::TopK(k) if k.keeps_ties() => k.get() as usize + ties,
                    _ => k,
                });
            }
        }
        Stage::TopP(p) if p.get() == 1.0 => {}
        Stage::TopP(p) => {
            let weights = left.weights();
            let needed = Reference::share(p.get(), left.total());
            let mut before = 0;
            let stays = |w: &&u128| {
                let stays = before < needed;
                before += **w;
                stays
            };
            left.survivors.truncate(weights.iter().take_while(stays).count());
        }
        Stage::MinP(m) if m.get() == 0.0 => {}
        Stage::MinP(m) => {
            let (max, beta) = (left.survivors[0].1, left.beta);
            left.survivors.retain(|&(_, x)| (x - max) * beta >= m.threshold());
        }
        Stage::TopNSigma(n) if n.get() == 0.0 => {}
        Stage::TopNSigma(n) => {
            let least = f64::from(left.survivors[0].1) - n.get() * deviation(left);
            left.survivors.retain(|&(_, x)| f64::from(x) >= least);
        }
        Stage::Typical(t) if t.get() == 1.0 => {}
        Stage::Typical(t) => {
            let center = (left.ln_z() - left.entropy()) as f32;
            let needed = Reference::share(t.get(), left.total()).max(1);
            let distance = left.ds().into_iter().map(|d| (d - center).abs());
            let mut order: Vec<(f32, u128, (u32, f32))> = distance
                .zip(left.weights())
                .zip(&left.survivors)
                .map(|((s, w), &x)| (s, w, x))
                .collect();
            // Stable: ties stay in descending order.
            order.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (mut sum, mut last) = (0, f32::INFINITY);
            let mut kept = Vec::new();
            for (s, w, token) in order {
                let tied = t.keeps_ties() && s == last;
                if sum >= needed && !tied {
                    break;
                }
                kept.push(token);
                sum += w;
                last = s;
            }
            left.survivors = kept;
            left.sort();
        }
        Stage::TopH(h) if h.get() == 1.0 => {}
        Stage::TopH(h) => {
            let ln_z = left.ln_z();
            let part = |(mass, moment): (u128, u128)| ln_z * mass as f64 + moment as f64 / 128.0;
            let masses = left.weights().into_iter().scan(0, |sum, w| {
                *sum += w;
                Some(*sum)
            });
            let parts: Vec<f64> = masses.zip(left.moments()).map(part).collect();
            let limit = h.get() * parts[parts.len() - 1];
            let n = parts.iter().take_while(|part| **part <= limit).count();
            left.survivors.truncate(n.max(1));
        }
        Stage::Epsilon(e) if e.get() == 0.0 => {}
        Stage::Epsilon(e) => left.keep_weight(Reference::share(e.get(), left.total())),
        Stage::Eta(e) if e.get() == 0.0 => {}
        Stage::Eta(e) => {
            let threshold = e.get().min(libm::sqrt(e.get()) * libm::exp(-left.entropy()));
            left.keep_weight(Reference::share(threshold, left.total()));
        }
        Stage::TopA(a) if a.get() == 0.0 => {}
        Stage::TopA(a) => {
            let p_max = 2f64.powi(45) / left.total() as f64;
            left.keep_weight(Reference::share(a.get() * p_max, 1 << 45));
        }
        Stage::PLess(_) => {
            let square = |w: u128| (w as f64 * w as f64 * 2f64.powi(-38)).round_ties_even() as u128;
            let sum: u128 = left.weights().into_iter().map(square).sum();
            let total = left.total() as f64;
            let share = sum as f64 * 2f64.powi(38) / (total * total);
            left.keep_weight(Reference::share(share, left.total()));
        }
        Stage::Tfs(z) => {
            if z.get() < 1.0 && left.survivors.len() >= 3 {
                let weights = left.weights();
                let bends: Vec<u128> =
                    weights.windows(3).map(|w| (w[0] + w[2]).abs_diff(2 * w[1])).collect();
                let total: u128 = bends.iter().sum();
                let mut sum = 0;
                let past = bends.iter().position(|bend| {
                    sum += bend;
                    sum as f64 > z.get() * total as f64
                });
                left.survivors.truncate(past.map_or(weights.len(), |i| i + 1));
            }
        }
        Stage::Xtc(x) => {
            let word = *random.next().unwrap();
            if u128::from(word) < (x.chance() * 2f64.powi(64)).ceil() as u128 {
                let least = Reference::share(x.threshold(), left.total());
                let n = left.weights().iter().take_while(|&&w| w >= least).count();
                if n >= 2 {
                    left.survivors.drain(..n - 1);
                }
            }
        }
        Stage::AdaptiveP(a) => {
            let (ws, tw) = match state.learned() {
                Some(Learned::AdaptiveP { ws, tw }) => (ws, tw),
                _ => (a.target() / (1.0 - a.decay()), 1.0 / (1.0 - a.decay())),
            };
            let target = (2.0 * a.target() - ws / tw).clamp(0.0, 1.0);
            let (weights, total) = (left.weights(), left.total() as f64);
            for ((id, x), w) in left.survivors.iter_mut().zip(weights) {
                let p = w as f64 / total;
                left.before.push((*id, p));
                let distance = (p - target).abs() / 0.3;
                *x = (5.0 - 10.0 * (distance * distance) / (1.0 + distance)) as f32;
            }
            written(left);
        }
        Stage::Mirostat(m) => {
            let mu = match state.learned() {
                Some(Learned::Mirostat { mu }) => mu,
                _ => 2.0 * m.tau(),
            };
            match m.version() {
                2 => left.keep_weight(Reference::share(libm::exp2(-mu), left.total())),
                _ => {
                    let first: Vec<u64> =
                        left.weights().iter().take(100).map(|&w| w as u64).collect();
                    left.survivors.truncate(m.k(mu, &first, vocab));
                }
            }
        }
        _ => unreachable!("a stage without a reference: {stage}"),
    }
    Ok(())
}

fn known(mut ids: impl Iterator<Item = u32>, vocab: usize) -> Result<(), Refused> {
    if ids.all(|id| (id as usize) < vocab) { Ok(()) } else { Err(Refused) }
}

fn not_empty(left: &Reference) -> Result<(), Refused> {
    if left.survivors.is_empty() { Err(Refused) } else { Ok(()) }
}

/// Changes logits one by one, after (x - max)·β has been written into them.
fn change(left: &mut Reference, by: impl Fn(u32, f32) -> f32) -> Result<(), Refused> {
    if left.beta != 1.0 {
        let (max, beta) = (left.survivors[0].1, left.beta);
        left.survivors
            .iter_mut()
            .for_each(|(_, x)| *x = ((*x - max) * beta).clamp(f32::MIN, f32::MAX));
        written(left);
    }
    for (id, x) in &mut left.survivors {
        let y = by(*id, *x);
        // A ban bans whatever the logit was; an overflow doesn't.
        *x = if by(*id, 0.0) == f32::NEG_INFINITY {
            f32::NEG_INFINITY
        } else {
            y.clamp(f32::MIN, f32::MAX)
        };
    }
    left.survivors.retain(|(_, x)| *x > f32::NEG_INFINITY);
    left.sort();
    not_empty(left)
}

/// The logits have taken in the temperature.
fn written(left: &mut Reference) {
    if left.temperature != 0.0 {
        left.temperature = 1.0;
    }
    left.beta = 1.0;
    left.sort();
}

fn heat(left: &mut Reference, t: f64) {
    if t == 0.0 {
        left.survivors.truncate(1);
        left.temperature = 0.0;
    } else if left.temperature != 0.0 {
        left.temperature = (left.temperature * t).clamp(f64::MIN_POSITIVE, f64::MAX);
        left.beta = ((1.0 / left.temperature) as f32).clamp(f32::from_bits(1), f32::MAX);
    }
}

/// The longest run of tokens before an earlier `c` that equals the end of the text and reaches over
/// no breaker.
fn longest_repeat(text: &[TokenId], c: TokenId, breakers: &[Vec<u32>]) -> usize {
    let breaks = |end: &[TokenId]| {
        breakers.iter().any(|b| {
            b.len() <= end.len()
                && end[end.len() - b.len()..].iter().map(|t| t.0).eq(b.iter().copied())
        })
    };
    let room = (0..text.len()).find(|&n| breaks(&text[..text.len() - n])).unwrap_or(text.len());
    let mut longest = 0;
    for i in (1..text.len()).filter(|&i| text[i] == c) {
        let same =
            (0..i).take_while(|&n| n < room && text[i - 1 - n] == text[text.len() - 1 - n]).count();
        longest = longest.max(same);
    }
    longest
}

/// σ of whole numbers q = round((max - x)·2^k), 2^k bringing the widest difference to 2^25 … 2^26.
fn deviation(left: &Reference) -> f64 {
    let max = f64::from(left.survivors[0].1);
    let range = max - f64::from(left.survivors[left.survivors.len() - 1].1);
    if range == 0.0 {
        return 0.0;
    }
    let scale = libm::exp2(25.0 - libm::floor(libm::log2(range)));
    // The logarithm of a number just below a power of two may be rounded up to it.
    let scale = if range * scale >= 2f64.powi(26) {
        scale / 2.0
    } else if range * scale < 2f64.powi(25) {
        scale * 2.0
    } else {
        scale
    };
    let q = |&(_, x): &(u32, f32)| ((max - f64::from(x)) * scale).round_ties_even() as u128;
    let n = left.survivors.len() as u128;
    let sum: u128 = left.survivors.iter().map(q).sum();
    let squares: u128 = left.survivors.iter().map(|s| q(s) * q(s)).sum();
    libm::sqrt((n * squares - sum * sum) as f64) / n as f64 / scale
}

/// What a truncation keeps of logits in descending order, in f64 arithmetic that knows nothing of
/// fixed-point weights. `None` for a stage that isn't a truncation.
pub(crate) fn keep(stage: &Stage, xs: &[(u32, f64)], vocab: usize) -> Option<BTreeSet<u32>> {
    let max = xs[0].1;
    let z: f64 = xs.iter().map(|x| (x.1 - max).exp()).sum();
    let p: Vec<f64> = xs.iter().map(|x| (x.1 - max).exp() / z).collect();
    let entropy: f64 = p.iter().map(|p| -p * p.ln()).sum();
    let prefix = |n: usize| Some(xs[..n.clamp(1, xs.len())].iter().map(|x| x.0).collect());
    let at_least = |least: f64| prefix(p.iter().take_while(|p| **p >= least).count());
    let sums = |p: &[f64]| {
        let sum = p.iter().scan(0.0, |sum, p| {
            *sum += p;
            Some(*sum)
        });
        sum.collect::<Vec<_>>()
    };
    match stage {
        Stage::TopK(k) => {
            let k = k.get() as usize;
            prefix(k)
        }
        Stage::TopP(t) => prefix(1 + sums(&p).iter().take_while(|sum| **sum < t.get()).count()),
        Stage::MinP(m) => at_least(m.get() * p[0]),
        Stage::TopNSigma(n) => {
            let mean = xs.iter().map(|x| x.1).sum::<f64>() / xs.len() as f64;
            let variance = xs.iter().map(|x| (x.1 - mean).powi(2)).sum::<f64>() / xs.len() as f64;
            prefix(xs.iter().take_while(|x| x.1 >= max - n.get() * variance.sqrt()).count())
        }
        Stage::Typical(t) => {
            let mut order: Vec<usize> = (0..xs.len()).collect();
            let distance = |i: usize| (-p[i].ln() - entropy).abs();
            order.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)));
            let mass: Vec<f64> = order.iter().map(|&i| p[i]).collect();
            let n = 1 + sums(&mass).iter().take_while(|sum| **sum < t.get()).count();
            Some(order[..n.min(order.len())].iter().map(|&i| xs[i].0).collect())
        }
        Stage::TopH(h) => {
            let parts: Vec<f64> = p.iter().map(|p| -p * p.ln()).collect();
            prefix(sums(&parts).iter().take_while(|sum| **sum <= h.get() * entropy).count())
        }
        Stage::Epsilon(e) => at_least(e.get()),
        Stage::Eta(e) => at_least(e.get().min(e.get().sqrt() * (-entropy).exp())),
        Stage::TopA(a) => at_least(a.get() * p[0] * p[0]),
        Stage::PLess(_) => at_least(p.iter().map(|p| p * p).sum()),
        Stage::Tfs(t) => {
            let bends: Vec<f64> = p.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs()).collect();
            let total: f64 = bends.iter().sum();
            prefix(1 + sums(&bends).iter().take_while(|sum| **sum <= t.get() * total).count())
        }
        Stage::Xtc(x) => {
            let high = p.iter().take_while(|p| **p >= x.threshold()).count();
            Some(xs[high.saturating_sub(1)..].iter().map(|x| x.0).collect())
        }
        Stage::Mirostat(m) if m.version() == 2 => at_least((-2.0 * m.tau()).exp2()),
        Stage::Mirostat(m) => {
            let n = p.len().min(100) - 1;
            let (mut above, mut below) = (0.0, 0.0);
            for i in 0..n {
                let t = ((i as f64 + 2.0) / (i as f64 + 1.0)).ln();
                above += t * (p[i] / p[i + 1]).ln();
                below += t * t;
            }
            let s = above / below;
            let e = s - 1.0;
            let k = (e * (2.0 * m.tau()).exp2() / (1.0 - (vocab as f64).powf(-e))).powf(1.0 / s);
            prefix(k as usize)
        }
        _ => None,
    }
}
