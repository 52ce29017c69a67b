//! Texts that grow together: each step reads what is equal so far once, and draws for all.

use kelvin_sampling::{
    Chain, Dice, Draw, SampleError, Sampler, Stage, Stream, Temp, TokenId, Words,
};

use super::{path::Path, start::Start};
use crate::{
    rows::{Ask, Read, Rows},
    transformer::ModelError,
};

/// Texts that are equal so far: one row of a step.
#[derive(Debug)]
struct Branch<T> {
    /// What was read.
    text: T,
    /// What the next step reads.
    next: Vec<TokenId>,
    /// Numbers of its walkers.
    members: Vec<usize>,
}

/// One text that grows, and where its random numbers come from.
#[derive(Debug)]
pub(super) struct Walker {
    pub(super) path: Path,
    /// The stream of its draws.
    pub(super) stream: Stream,
    sampler: Sampler,
}

/// The texts of one sample.
#[derive(Debug)]
pub(super) struct Front<T> {
    pub(super) walkers: Vec<Walker>,
    /// Walkers that aren't on a branch stand still.
    branches: Vec<Branch<T>>,
    /// The most tokens of a text.
    pub(super) horizon: usize,
    /// Tokens that the model read.
    pub(super) n_read: u64,
    pub(super) alpha: f64,
    /// What the model has read of the text that was completed last: all but its last token.
    pub(super) completed: Option<T>,
    dice: Dice,
    n_prompt: usize,
}

impl<T: Clone> Front<T> {
    /// `n` walkers without tokens, none on a branch. They draw at token temperature T.
    pub(super) fn new(
        n: usize,
        temperature: Temp,
        dice: Dice,
        n_prompt: usize,
        horizon: usize,
    ) -> Front<T> {
        let chain = Chain::new(vec![Stage::Temp(temperature)]).expect("a temperature is a chain");
        let walker = |number| Walker {
            path: Path::default(),
            stream: Stream::new([0; 8], number),
            sampler: Sampler::new(chain.clone(), dice),
        };
        Front {
            walkers: (0..n as u64).map(walker).collect(),
            branches: Vec::new(),
            horizon,
            n_read: 0,
            alpha: alpha(temperature),
            completed: None,
            dice,
            n_prompt,
        }
    }

    /// Puts walkers at the beginning of the continuation.
    pub(super) fn enter(&mut self, members: Vec<usize>, start: &Start<T>) {
        for &member in &members {
            self.walkers[member].path = Path::default();
        }
        self.enter_at(members, start.text.clone(), vec![start.last()]);
    }

    /// Puts walkers, with the paths that they have, where the model has yet to read `next`.
    pub(super) fn enter_at(&mut self, members: Vec<usize>, text: T, next: Vec<TokenId>) {
        if !members.is_empty() {
            self.branches.push(Branch { text, next, members });
        }
    }

    /// Takes a walker off its branch, if it is on one.
    pub(super) fn leave(&mut self, member: usize) {
        for branch in &mut self.branches {
            branch.members.retain(|&other| other != member);
        }
        self.branches.retain(|branch| !branch.members.is_empty());
    }

    /// Each walker goes on from where walker `ancestors[k]` is.
    pub(super) fn resample(&mut self, ancestors: &[usize]) {
        let paths: Vec<Path> =
            ancestors.iter().map(|&from| self.walkers[from].path.clone()).collect();
        self.walkers.iter_mut().zip(paths).for_each(|(walker, path)| walker.path = path);
        for branch in &mut self.branches {
            let of_branch = |from: &usize| branch.members.contains(from);
            let heirs = (0..ancestors.len()).filter(|&k| of_branch(&ancestors[k]));
            branch.members = heirs.collect();
        }
        self.branches.retain(|branch| !branch.members.is_empty());
    }

    /// Whether no walker goes on.
    pub(super) fn stands_still(&self) -> bool {
        self.branches.is_empty()
    }

    /// Whether a text is complete.
    pub(super) fn is_complete(&self, path: &Path) -> bool {
        path.has_ended || path.len() >= self.horizon
    }

    /// A number in [0, 1) of the stream `name`, with 53 random bits.
    pub(super) fn uniform(&self, name: [u8; 8], number: u64) -> f64 {
        (self.word(name, number) >> 11) as f64 * 2f64.powi(-53)
    }

    /// A word of the stream `name`.
    pub(super) fn word(&self, name: [u8; 8], number: u64) -> u64 {
        self.dice.words_in(Stream::new(name, number), 0).draw
    }

    /// Draws the next token of every walker on a branch, from what `asks` of the step drew. Texts
    /// that are complete leave their branches.
    fn part(
        &mut self,
        drawn: &mut impl Iterator<Item = Result<Draw, SampleError>>,
        ends: impl Fn(&[TokenId]) -> bool,
    ) -> Result<(), SampleError> {
        let mut branches = Vec::new();
        for Branch { text, next, members } in std::mem::take(&mut self.branches) {
            self.n_read += next.len() as u64;
            let mut groups: Vec<(TokenId, Vec<usize>)> = Vec::new();
            for member in members {
                let draw = drawn.next().expect("a draw for each walker")?;
                let path = &mut self.walkers[member].path;
                path.push(draw, self.alpha);
                path.has_ended = ends(&path.tokens);
                if path.has_ended || path.len() >= self.horizon {
                    self.completed = Some(text.clone());
                    continue;
                }
                match groups.iter_mut().find(|(token, _)| *token == draw.token) {
                    Some((_, group)) => group.push(member),
                    None => groups.push((draw.token, vec![member])),
                }
            }
            let mut text = Some(text);
            let n = groups.len();
            for (i, (token, members)) in groups.into_iter().enumerate() {
                // The last group goes on with the text itself.
                let own = if i + 1 == n { text.take() } else { text.clone() };
                let text = own.expect("the text goes to one group");
                branches.push(Branch { text, next: vec![token], members });
            }
        }
        self.branches = branches;
        Ok(())
    }
}

/// 1/T as draws have it: at most the largest f32.
fn alpha(temperature: Temp) -> f64 {
    f64::from(((1.0 / f64::from(temperature.get())) as f32).min(f32::MAX))
}

/// Why a step failed.
pub(super) enum StepError {
    Model(ModelError),
    Logits(SampleError),
}

/// A draw from a row of logits.
struct Drawing<'a> {
    sampler: &'a mut Sampler,
    words: Words,
    drawn: Option<Result<Draw, SampleError>>,
}

/// One forward pass over all texts of several fronts.
pub(super) fn step<R: Rows>(
    rows: &mut R,
    fronts: &mut [&mut Front<R::Text>],
    ends: &dyn Fn(&[TokenId]) -> bool,
) -> Result<(), StepError> {
    let (mut reads, mut asks) = (Vec::new(), Vec::new());
    for front in fronts.iter_mut() {
        let (dice, n_prompt) = (front.dice, front.n_prompt);
        let mut walkers: Vec<Option<&mut Walker>> = front.walkers.iter_mut().map(Some).collect();
        for Branch { text, next, members } in &mut front.branches {
            for &mut member in members {
                let walker = walkers[member].take().expect("a walker is on one branch");
                let pos = (n_prompt + walker.path.len()) as u64;
                let words = dice.words_in(walker.stream, pos);
                let job = Drawing { sampler: &mut walker.sampler, words, drawn: None };
                asks.push(Ask { read: reads.len(), job });
            }
            reads.push(Read { text, next });
        }
    }
    rows.step(&mut reads, &mut asks, &|job, logits| {
        job.drawn = Some(job.sampler.draw_with(logits, job.words));
    })
    .map_err(StepError::Model)?;
    let drawn = asks.into_iter().map(|ask| ask.job.drawn.expect("a model runs each ask"));
    let drawn: Vec<Result<Draw, SampleError>> = drawn.collect();
    let mut drawn = drawn.into_iter();
    for front in fronts.iter_mut() {
        front.part(&mut drawn, ends).map_err(StepError::Logits)?;
    }
    Ok(())
}
