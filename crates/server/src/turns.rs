//! The prompts that are being read in, how many tokens of each the next step reads out.
//!
//! A step reads a chunk of prompt tokens, and whoever reads shares it: alone a prompt has all of
//! it, among others an equal part, but no less than makes a tile of a product. Where that isn't
//! enough for all, those come first that were read longest ago. So a short prompt doesn't wait for
//! the end of a long one, and none waits for ever.

/// Fewer tokens of a prompt aren't worth a step.
const LEAST: usize = 16;

/// A prompt that is being read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader {
    /// Which of those that run it is.
    pub(crate) at: usize,
    /// Tokens to be read.
    pub(crate) left: usize,
    /// Whether the logits of all its tokens are wanted.
    pub(crate) is_scored: bool,
    /// The last step that read of it.
    pub(crate) last_turn: usize,
}

/// Who is read in this step, and how many tokens: `chunk` in all, at most `scored` of prompts that
/// are scored.
pub(crate) fn shares(mut readers: Vec<Reader>, chunk: usize, scored: usize) -> Vec<(usize, usize)> {
    readers.sort_by_key(|reader| reader.last_turn);
    let (mut left, mut left_scored) = (chunk, scored);
    let mut shares = Vec::new();
    for (i, reader) in readers.iter().enumerate() {
        let most = if reader.is_scored { left.min(left_scored) } else { left };
        let part = (left / (readers.len() - i)).max(LEAST);
        let share = reader.left.min(part).min(most);
        left -= share;
        left_scored -= if reader.is_scored { share } else { 0 };
        if share > 0 {
            shares.push((reader.at, share));
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(left: &[usize]) -> Vec<Reader> {
        let reader = |(at, &left)| Reader { at, left, is_scored: false, last_turn: 0 };
        left.iter().enumerate().map(reader).collect()
    }

    #[test]
    fn equal_parts_and_what_the_short_ones_leave() {
        assert_eq!(shares(plain(&[1000]), 256, 32), [(0, 256)]);
        assert_eq!(shares(plain(&[1000, 1000]), 256, 32), [(0, 128), (1, 128)]);
        assert_eq!(shares(plain(&[4, 1000, 1000]), 256, 32), [(0, 4), (1, 126), (2, 126)]);
        assert_eq!(shares(plain(&[40; 9]), 64, 32), [(0, 16), (1, 16), (2, 16), (3, 16)]);
        assert_eq!(shares(Vec::new(), 64, 32), []);
    }

    #[test]
    fn what_is_scored_shares_a_part_of_its_own() {
        let mut readers = plain(&[100, 100, 100]);
        (readers[0].is_scored, readers[1].is_scored) = (true, true);
        assert_eq!(shares(readers.clone(), 256, 32), [(0, 32), (2, 100)]);
        readers[0].last_turn = 1;
        assert_eq!(shares(readers, 256, 32), [(1, 32), (2, 100)]);
    }

    #[test]
    fn none_waits_for_ever() {
        let mut readers = plain(&[3000, 500, 40, 7, 900, 2000, 33, 64, 1]);
        for turn in 1..400 {
            for (at, share) in shares(readers.clone(), 64, 32) {
                (readers[at].left, readers[at].last_turn) = (readers[at].left - share, turn);
                // Short ones keep coming.
                if at > 0 && readers[at].left == 0 {
                    readers[at].left = 20;
                }
            }
        }
        assert_eq!(readers[0].left, 0);
    }
}
