//! Expands a chain with lists in braces into all its combinations:
//! `temp={0.5,1} | min_p={0..0.1 step 0.05}` gives six chains. Braces in quotes are text.

use super::values::values;

/// The maximum number of chains of one expression.
pub const MAX_CHAINS: usize = 1_000_000;

/// The maximum total length of the expanded chains in bytes.
const MAX_BYTES: usize = 1 << 28;

/// All combinations of `text`. The last list varies fastest.
///
/// # Errors
/// A sentence about the invalid list, or about the number of combinations.
pub fn expand(text: &str) -> Result<Vec<String>, String> {
    let mut rest = text;
    let mut literals = Vec::new();
    let mut lists: Vec<Vec<String>> = Vec::new();
    let mut n = 1usize;
    while let Some(open) = brace(rest) {
        let inside = rest[open..].strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let Some((list, after)) = inside else {
            return Err(format!("\"{text}\" has an unmatched brace"));
        };
        literals.push(&rest[..open]);
        lists.push(values(list)?);
        n = n.saturating_mul(lists.last().map_or(1, Vec::len));
        if n > MAX_CHAINS {
            return Err(format!("\"{}\" makes more than {MAX_CHAINS} chains", shortened(text)));
        }
        rest = after;
    }
    if n.saturating_mul(text.len()) > MAX_BYTES {
        let text = shortened(text);
        return Err(format!(
            "the {n} chains of \"{text}\" are longer together than {MAX_BYTES} bytes"
        ));
    }
    let one = |mut i: usize| {
        let mut picked = vec![""; lists.len()];
        for (list, picked) in lists.iter().zip(&mut picked).rev() {
            *picked = &list[i % list.len()];
            i /= list.len();
        }
        let parts = literals.iter().zip(picked).map(|(literal, value)| format!("{literal}{value}"));
        parts.collect::<String>() + rest
    };
    Ok((0..n).map(one).collect())
}

/// The first brace that isn't in quotes.
fn brace(text: &str) -> Option<usize> {
    let mut is_quoted = false;
    text.find(|c| {
        is_quoted ^= c == '"';
        !is_quoted && matches!(c, '{' | '}')
    })
}

/// The beginning of a text that may be long.
fn shortened(text: &str) -> String {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_multiply() {
        assert_eq!(expand("temp=1 | top_k=4").unwrap(), ["temp=1 | top_k=4"]);
        assert_eq!(
            expand("temp={0.5,1} | xtc={0..1 step 0.5},threshold:{0.1}").unwrap(),
            [
                "temp=0.5 | xtc=0,threshold:0.1",
                "temp=0.5 | xtc=0.5,threshold:0.1",
                "temp=0.5 | xtc=1,threshold:0.1",
                "temp=1 | xtc=0,threshold:0.1",
                "temp=1 | xtc=0.5,threshold:0.1",
                "temp=1 | xtc=1,threshold:0.1",
            ]
        );
    }

    #[test]
    fn braces_in_quotes_are_text() {
        for text in ["after \"{a,b}\": temp=1; temp=2", "after \"}\": temp=1; temp=2"] {
            assert_eq!(expand(text).unwrap(), [text]);
        }
        assert_eq!(
            expand("after \"{\": temp={1,2}; after \"{3,4}\": temp=3; temp={5,6}").unwrap(),
            [
                "after \"{\": temp=1; after \"{3,4}\": temp=3; temp=5",
                "after \"{\": temp=1; after \"{3,4}\": temp=3; temp=6",
                "after \"{\": temp=2; after \"{3,4}\": temp=3; temp=5",
                "after \"{\": temp=2; after \"{3,4}\": temp=3; temp=6",
            ]
        );
    }

    #[test]
    fn braces_pair_and_numbers_stay_within_bounds() {
        for bad in ["temp={1", "temp=1}", "temp={1,{2}}", "temp={}"] {
            assert!(expand(bad).is_err(), "{bad}");
        }
        let many = "temp={0..10 step 0.001} | min_p={0..1 step 0.001} | top_k={1..99999 step 1}";
        assert!(expand(many).unwrap_err().contains("more than 1000000"));
        // Refused when the second list is read, however many lists follow.
        let lists = vec!["{0..99999 step 1}"; 2000].join(",");
        let said = expand(&lists).unwrap_err();
        assert!(said.contains("more than 1000000") && said.len() < 1000, "{said}");
        let long = format!("mask={{0..99999 step 1}}{}", ",1".repeat(10_000));
        assert!(expand(&long).unwrap_err().contains("longer together"));
    }
}
