//! The tokens of a vocabulary sorted by their bytes: finds all that a text begins with.

/// Tokens in the order of their bytes.
#[derive(Debug)]
pub(super) struct Prefixes {
    arena: Vec<u8>,
    entries: Vec<Entry>,
    /// Where the tokens of each first byte begin; the last is the number of tokens.
    firsts: Box<[u32; 257]>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    start: u32,
    len: u32,
    token: u32,
}

impl Prefixes {
    /// Of tokens and their bytes, which are less than 4 GiB together. Of several tokens with the
    /// same bytes the last is kept, empty ones are left out.
    pub(super) fn new<'a>(tokens: impl Iterator<Item = (u32, &'a [u8])>) -> Prefixes {
        let mut sorted: Vec<(&[u8], u32)> =
            tokens.filter(|(_, bytes)| !bytes.is_empty()).map(|(id, bytes)| (bytes, id)).collect();
        sorted.sort_unstable_by(|a, b| a.0.cmp(b.0).then(b.1.cmp(&a.1)));
        sorted.dedup_by(|later, kept| later.0 == kept.0);
        let mut prefixes = Prefixes {
            arena: Vec::new(),
            entries: Vec::with_capacity(sorted.len()),
            firsts: Box::new([sorted.len() as u32; 257]),
        };
        for (place, &(bytes, token)) in sorted.iter().enumerate().rev() {
            prefixes.firsts[usize::from(bytes[0])] = place as u32;
            let entry =
                Entry { start: prefixes.arena.len() as u32, len: bytes.len() as u32, token };
            prefixes.arena.extend_from_slice(bytes);
            prefixes.entries.push(entry);
        }
        prefixes.entries.reverse();
        // A byte that no token begins with has the place of the next one.
        for byte in (0..256).rev() {
            prefixes.firsts[byte] = prefixes.firsts[byte].min(prefixes.firsts[byte + 1]);
        }
        prefixes
    }

    /// Calls `found` with the number of bytes and the token, shortest first.
    ///
    /// Takes time in proportion to the longest beginning that the text shares with a token.
    pub(super) fn each(&self, text: &[u8], mut found: impl FnMut(usize, u32)) {
        let Some(&first) = text.first() else { return };
        let first = usize::from(first);
        let mut range = self.firsts[first] as usize..self.firsts[first + 1] as usize;
        let mut n = 1;
        while !range.is_empty() {
            let shortest = self.entries[range.start];
            if shortest.len as usize == n {
                found(n, shortest.token);
                range.start += 1;
            }
            let Some(&next) = text.get(n) else { return };
            let byte = |entry: &Entry| self.arena[entry.start as usize + n];
            let entries = &self.entries[range.clone()];
            let n_below = entries.partition_point(|entry| byte(entry) < next);
            let n_equal = entries[n_below..].partition_point(|entry| byte(entry) == next);
            range = range.start + n_below..range.start + n_below + n_equal;
            n += 1;
        }
    }

    /// The longest of them.
    pub(super) fn longest(&self, text: &[u8]) -> Option<(usize, u32)> {
        let mut longest = None;
        self.each(text, |n, token| longest = Some((n, token)));
        longest
    }
}
