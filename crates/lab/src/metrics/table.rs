//! The table of all metrics.

use super::{
    Absent, Aspect, Metric, Most, Need, Of, Range, Seen, likelihood, loops, ngrams, parting,
    richness,
};

/// All metrics, in the order of reports.
pub static METRICS: &[Metric] = &[
    Metric {
        name: "entropy",
        title: "entropy",
        summary: "how undecided the model was along the text, by its own distribution",
        formula: "mean over tokens of H = -Σ p ln p, raw (T = 1)",
        unit: "nats",
        range: Range::new(0.0, Most::LogVocabulary),
        source: "Shannon 1948",
        trap: "it rises with T although it is taken at T = 1: after a text drawn at high T the \
            model is less certain",
        needs: Need::Distributions,
        aspect: Aspect::Shape,
        of: Of::Sample(|seen| likelihood::mean(seen, |token| token.entropy)),
    },
    Metric {
        name: "entropy_final",
        title: "final entropy",
        summary: "entropy of the distribution that tokens were drawn from",
        formula: "mean over tokens of H = -Σ p ln p of the distribution drawn from",
        unit: "nats",
        range: Range::new(0.0, Most::LogVocabulary),
        source: "Shannon 1948",
        trap: "it counts choices, sensible or not: at T = 2 most are noise",
        needs: Need::Distributions,
        aspect: Aspect::Shape,
        of: Of::Sample(|seen| likelihood::mean(seen, |token| token.entropy_final)),
    },
    Metric {
        name: "surprisal",
        title: "surprisal",
        summary: "how unexpected the text is to the model that wrote it",
        formula: "mean over tokens of -ln p, raw (T = 1)",
        unit: "nats a token",
        range: Range::new(0.0, Most::Open),
        source: "Hale 2001; Holtzman et al. 2020, arXiv 1904.09751",
        trap: "low isn't good: greedy loops have the lowest surprisal; human text is near the \
            model's entropy",
        needs: Need::Probabilities,
        aspect: Aspect::Disfluency,
        of: Of::Sample(|seen| likelihood::mean(seen, |token| token.surprisal)),
    },
    Metric {
        name: "perplexity",
        title: "perplexity",
        summary: "the surprisal as a number of equally likely choices",
        formula: "exp of the text's mean surprisal, raw (T = 1)",
        unit: "tokens",
        range: Range::new(1.0, Most::Open),
        source: "Jelinek et al. 1977",
        trap: "a mean of exponentials is dominated by the largest: compare surprisal, quote \
            perplexity; two tokenizers can't be compared at all",
        needs: Need::Probabilities,
        aspect: Aspect::Disfluency,
        of: Of::Sample(likelihood::perplexity),
    },
    Metric {
        name: "judge",
        title: "judge surprisal",
        summary: "how unexpected another model finds the text after its prompt",
        formula: "Σ -ln p over the judge's tokens of the text / their number, raw (T = 1)",
        unit: "nats a token",
        range: Range::new(0.0, Most::Open),
        source: "Holtzman et al. 2020, arXiv 1904.09751; the engine's scoring as in `kelvin \
            perplexity`",
        trap: "judges like what they would have written, repetition above all: read it beside \
            loops; what a judge has no tokens for it spells in bytes, which foretell each other, \
            so gibberish of many scripts seems fluent again",
        needs: Need::Judge,
        aspect: Aspect::Disfluency,
        of: Of::Sample(likelihood::judged),
    },
    Metric {
        name: "judge_perplexity",
        title: "judge perplexity",
        summary: "the judge's surprisal as a number of equally likely choices",
        formula: "exp of the judge's nats a token",
        unit: "tokens",
        range: Range::new(1.0, Most::Open),
        source: "as judge",
        trap: "a mean of exponentials is dominated by the largest",
        needs: Need::Judge,
        aspect: Aspect::Disfluency,
        of: Of::Sample(|seen| Ok(libm::exp(likelihood::judged(seen)?))),
    },
    Metric {
        name: "loops",
        title: "loops",
        summary: "share of the text that is repeated phrases",
        formula: "tokens in a phrase of two or more that occurs three times in a row / tokens",
        unit: "",
        range: Range::new(0.0, Most::Number(1.0)),
        source: "Holtzman et al. 2020, arXiv 1904.09751 (there at the text's end only)",
        trap: "0 doesn't mean fluent: gibberish never repeats itself",
        needs: Need::Tokens,
        aspect: Aspect::Disfluency,
        of: Of::Sample(looped),
    },
    Metric {
        name: "distinct_1",
        title: "distinct-1",
        summary: "share of words that are distinct",
        formula: "distinct words / words, over the samples of a prompt together",
        unit: "",
        range: Range::new(0.0, Most::Number(1.0)),
        source: "Li et al. 2016, arXiv 1510.03055",
        trap: "falls with the amount of text: compare equal numbers of equally long samples only",
        needs: Need::Text,
        aspect: Aspect::Diversity,
        of: Of::Texts(|texts| ngrams::distinct(texts, 1)),
    },
    Metric {
        name: "distinct_2",
        title: "distinct-2",
        summary: "share of pairs of words that are distinct",
        formula: "distinct bigrams / bigrams, over the samples of a prompt together",
        unit: "",
        range: Range::new(0.0, Most::Number(1.0)),
        source: "Li et al. 2016, arXiv 1510.03055",
        trap: "falls with the amount of text: compare equal numbers of equally long samples only",
        needs: Need::Text,
        aspect: Aspect::Diversity,
        of: Of::Texts(|texts| ngrams::distinct(texts, 2)),
    },
    Metric {
        name: "distinct_3",
        title: "distinct-3",
        summary: "share of triples of words that are distinct",
        formula: "distinct trigrams / trigrams, over the samples of a prompt together",
        unit: "",
        range: Range::new(0.0, Most::Number(1.0)),
        source: "Li et al. 2016, arXiv 1510.03055",
        trap: "falls with the amount of text, and is near 1 unless phrases are repeated",
        needs: Need::Text,
        aspect: Aspect::Diversity,
        of: Of::Texts(|texts| ngrams::distinct(texts, 3)),
    },
    Metric {
        name: "ngram_diversity",
        title: "n-gram diversity",
        summary: "distinct-1 to distinct-4 in one number",
        formula: "Σ over n = 1 … 4 of distinct n-grams / n-grams of all samples written one after \
            another",
        unit: "",
        range: Range::new(0.0, Most::Number(4.0)),
        source: "arXiv 2202.00666, 2403.00553; equals the package `diversity`",
        trap: "depends on length as distinct-n does; n-grams that reach from one sample into the \
            next count",
        needs: Need::Text,
        aspect: Aspect::Diversity,
        of: Of::Texts(ngrams::ngram_diversity),
    },
    Metric {
        name: "self_bleu",
        title: "self-BLEU",
        summary: "how well each sample is predicted by the others",
        formula: "mean over samples of BLEU-4 against all others, precisions of 0 smoothed by 0.1 \
            matches",
        unit: "",
        range: Range::new(0.0, Most::Number(1.0)),
        source: "Zhu et al. 2018, arXiv 1802.01886; equals nltk's sentence_bleu with method1",
        trap: "rises with the number of samples; sacrebleu's tokenizer and its 0 … 100 give other \
            numbers",
        needs: Need::Text,
        aspect: Aspect::Sameness,
        of: Of::Texts(super::self_bleu),
    },
    Metric {
        name: "self_repetition",
        title: "self-repetition",
        summary: "how often samples share whole phrases",
        formula: "mean over samples of ln(1 + Σ over its distinct 4-grams of the other samples \
            that have it)",
        unit: "nats",
        range: Range::new(0.0, Most::Open),
        source: "Salkar et al. 2022, arXiv 2403.00553; equals the package `diversity`",
        trap: "grows with length and with the number of samples",
        needs: Need::Text,
        aspect: Aspect::Sameness,
        of: Of::Texts(ngrams::self_repetition),
    },
    Metric {
        name: "compression",
        title: "compression ratio",
        summary: "how much smaller the samples become when compressed together",
        formula: "bytes of the samples joined by spaces / bytes of their gzip at level 9, zipped \
            once",
        unit: "",
        range: Range::new(0.0, Most::Number(1032.0)).noting("gzip can't do more"),
        source: "Shaib et al. 2024, arXiv 2403.00553 (the package `diversity` zips twice)",
        trap: "grows with length, and in short texts gzip's own 18 bytes dominate",
        needs: Need::Text,
        aspect: Aspect::Sameness,
        of: Of::Texts(super::compression),
    },
    Metric {
        name: "vendi",
        title: "Vendi score",
        summary: "effective number of different samples",
        formula: "exp of the entropy of the eigenvalues of K/n, K the mean over n = 1 … 4 of \
            cosine similarities of n-gram counts",
        unit: "samples",
        range: Range::new(1.0, Most::Samples),
        source: "Friedman & Dieng 2023, arXiv 2210.02410; equals the package `vendi-score`",
        trap: "bounded by the number of samples, so only equal numbers compare; on n-grams, \
            gibberish is the most diverse text of all",
        needs: Need::Text,
        aspect: Aspect::Diversity,
        of: Of::Texts(super::ngram_vendi),
    },
    Metric {
        name: "semantic_spread",
        title: "semantic spread",
        summary: "distance between samples by meaning (embeddings)",
        formula: "mean over pairs of samples of 1 - cosine of their embeddings by all-MiniLM-L6-v2",
        unit: "",
        range: Range::new(0.0, Most::Number(2.0)).noting("unrelated texts are near 1"),
        source: "Tevet & Berant 2021, arXiv 2004.02990; Reimers & Gurevych 2019, arXiv 1908.10084; \
            equals the package `sentence-transformers`",
        trap: "gibberish is far from everything, so it rises with T up to the melting point, and \
            may fall beyond; read it beside a metric of fluency; only the first 256 word pieces \
            count, and the model knows English best",
        needs: Need::Meaning,
        aspect: Aspect::Diversity,
        of: Of::Samples(super::spread::semantic_spread),
    },
    Metric {
        name: "shared_start",
        title: "shared beginning",
        summary: "length of the common beginning of a prompt's samples",
        formula: "mean over pairs of the tokens they share at their beginning",
        unit: "tokens",
        range: Range::new(0.0, Most::MaxTokens),
        source: "Kelvin",
        trap: "ignores what follows: two texts that differ at once may still tell the same story",
        needs: Need::Tokens,
        aspect: Aspect::Sameness,
        of: Of::Samples(parting::shared_start),
    },
    Metric {
        name: "mtld",
        title: "MTLD",
        summary: "richness of a text's vocabulary, nearly independent of its length",
        formula: "mean length of stretches of words with a type-token ratio above 0.72, forwards \
            and backwards",
        unit: "words",
        range: Range::new(1.0, Most::Open),
        source: "McCarthy & Jarvis 2010; equals the package `lexicalrichness`",
        trap: "below about 100 words it is noise, and a text without a repeated word gets its own \
            length",
        needs: Need::Text,
        aspect: Aspect::Diversity,
        of: Of::Sample(|seen| richness::mtld(&seen.sample.text)),
    },
    Metric {
        name: "hdd",
        title: "HD-D",
        summary: "expected share of distinct words among 42 drawn from the text",
        formula: "Σ over distinct words of (1 - chance that none of 42 words drawn is it)/42",
        unit: "",
        range: Range::new(1.0 / 42.0, Most::Number(1.0)),
        source: "McCarthy & Jarvis 2007; equals the package `lexicalrichness`",
        trap: "needs 42 words: a setting that ends texts early loses those from its mean",
        needs: Need::Text,
        aspect: Aspect::Diversity,
        of: Of::Sample(|seen| richness::hdd(&seen.sample.text)),
    },
    Metric {
        name: "novelty",
        title: "novelty",
        summary: "share of the text that isn't in the greedy text of the prompt",
        formula: "distinct trigrams that the greedy text (temp=0) doesn't have / distinct trigrams",
        unit: "",
        range: Range::new(0.0, Most::Number(1.0)),
        source: "McCoy et al. 2023, arXiv 2111.09509, against the greedy text",
        trap: "near 1 if texts differ early; different doesn't mean better",
        needs: Need::Greedy,
        aspect: Aspect::Diversity,
        of: Of::Sample(|seen| {
            ngrams::novelty(&seen.sample.text, &seen.greedy.ok_or(Absent::NoGreedy)?.text)
        }),
    },
    Metric {
        name: "width",
        title: "95 % width",
        summary: "number of tokens that hold 95 % of the final mass",
        formula: "mean over tokens of the size of the smallest set with 95 % of the final mass",
        unit: "tokens",
        range: Range::new(1.0, Most::Vocabulary),
        source: "arXiv 2606.01451",
        trap: "spread over five powers of ten, so a few wide steps dominate the mean",
        needs: Need::Shift,
        aspect: Aspect::Shape,
        of: Of::Sample(|seen| likelihood::shifted(seen, |shift| f64::from(shift.width))),
    },
    Metric {
        name: "outside",
        title: "mass moved outside",
        summary: "final mass on tokens that the model itself finds unlikely",
        formula: "mean over tokens of the final mass outside the smallest set with 90 % of the raw \
            mass (T = 1)",
        unit: "",
        range: Range::new(0.0, Most::Number(1.0)).noting("at most 0.1 at T = 1"),
        source: "arXiv 2606.01451",
        trap: "each step is measured after the text so far: a text that has become gibberish may \
            look normal again",
        needs: Need::Shift,
        aspect: Aspect::Shape,
        of: Of::Sample(|seen| likelihood::shifted(seen, |shift| shift.outside)),
    },
    Metric {
        name: "heat_capacity",
        title: "heat capacity",
        summary: "how strongly distributions react to temperature; largest at the melting point",
        formula: "mean over tokens of Var_p(x)/T² of the final distribution",
        unit: "nats",
        range: Range::new(0.0, Most::Open),
        source: "Boltzmann; arXiv 2606.06238 for the transition",
        trap: "taken along texts that differ between temperatures: it isn't the slope of the \
            entropy curve",
        needs: Need::Shift,
        aspect: Aspect::Shape,
        of: Of::Sample(|seen| likelihood::shifted(seen, |shift| shift.heat_capacity)),
    },
    Metric {
        name: "length",
        title: "length",
        summary: "how long texts are",
        formula: "tokens",
        unit: "tokens",
        range: Range::new(0.0, Most::MaxTokens),
        source: "-",
        trap: "a setting that ends texts early changes all that depends on length",
        needs: Need::Tokens,
        aspect: Aspect::Shape,
        of: Of::Sample(|seen| Ok(super::tokens(seen.sample)?.len() as f64)),
    },
];

fn looped(seen: &Seen<'_>) -> Result<f64, Absent> {
    let tokens = super::tokens(seen.sample)?;
    let ids: Option<Vec<u32>> = tokens.iter().map(|token| token.id).collect();
    Ok(match ids {
        Some(ids) => loops::looped(&ids),
        None => loops::looped(&tokens.iter().map(|token| &token.bytes).collect::<Vec<_>>()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names_and_all_is_said() {
        for (i, metric) in METRICS.iter().enumerate() {
            assert!(
                metric
                    .name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit())
            );
            assert!(METRICS[..i].iter().all(|other| other.name != metric.name), "{}", metric.name);
            for text in [metric.title, metric.summary, metric.formula, metric.source, metric.trap] {
                assert!(!text.is_empty(), "{}", metric.name);
            }
            assert_eq!(Metric::find(metric.name).unwrap(), metric);
        }
        assert!(Metric::find("creativity").unwrap_err().contains("self_bleu"));
    }

    #[test]
    fn lists_of_names() {
        let names = |list: &[&str]| {
            let list: Vec<String> = list.iter().map(|name| name.to_string()).collect();
            super::super::named(&list, &[])
                .map(|found| found.iter().map(|metric| metric.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["vendi", "loops"]).unwrap(), ["vendi", "loops"]);
        assert_eq!(names(&[]).unwrap().len(), METRICS.len());
        assert_eq!(names(&["vendi", "all"]).unwrap().len(), METRICS.len());
        assert!(names(&["all", "creativity"]).unwrap_err().contains("`creativity`"));
    }
}
