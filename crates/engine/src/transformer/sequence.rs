//! One text's tokens, keys and values, in pages that forks share.
//!
//! A clone of a sequence is a fork: it shares all pages. A page is copied when one of its owners writes
//! to it, which can only be the last, partly filled one.

use std::sync::Arc;

use half::f16;
use kelvin_kernels::attention::{PAGE, Pages, Stored, store};

use super::Config;
use crate::TokenId;

/// How keys and values are stored. It is part of a recipe: another format gives other numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CacheFormat {
    /// Two bytes a number.
    #[default]
    F16,
    /// Four bytes a number.
    F32,
}

impl CacheFormat {
    /// Bytes of a number.
    pub fn bytes(self) -> usize {
        match self {
            CacheFormat::F16 => 2,
            CacheFormat::F32 => 4,
        }
    }
}

/// The tokens that a model has read so far and what it remembers of them.
#[derive(Debug, Clone)]
pub struct Sequence {
    tokens: Vec<TokenId>,
    shape: Shape,
    pages: Storage,
}

/// What a page of all layers looks like: for each layer the keys `[n_kv_heads][head_dim][PAGE]`, then the values
/// `[n_kv_heads][PAGE][head_dim]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    n_layers: usize,
    n_kv_heads: usize,
    head_dim: usize,
}

#[derive(Debug, Clone)]
enum Storage {
    F16(Vec<Arc<Vec<f16>>>),
    F32(Vec<Arc<Vec<f32>>>),
}

impl Sequence {
    pub(super) fn new(config: &Config, cache: CacheFormat) -> Sequence {
        let pages = match cache {
            CacheFormat::F16 => Storage::F16(Vec::new()),
            CacheFormat::F32 => Storage::F32(Vec::new()),
        };
        Sequence { tokens: Vec::new(), shape: Shape::of(config), pages }
    }

    /// How many tokens it has.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Its tokens.
    pub fn tokens(&self) -> &[TokenId] {
        &self.tokens
    }

    /// Forgets all but the first `len` tokens.
    pub fn truncate(&mut self, len: usize) {
        self.tokens.truncate(len);
        let n_pages = self.tokens.len().div_ceil(PAGE);
        match &mut self.pages {
            Storage::F16(pages) => pages.truncate(n_pages),
            Storage::F32(pages) => pages.truncate(n_pages),
        }
    }

    /// Bytes of its pages, shared ones included.
    pub fn n_bytes(&self) -> usize {
        let (n_pages, format) = match &self.pages {
            Storage::F16(pages) => (pages.len(), CacheFormat::F16),
            Storage::F32(pages) => (pages.len(), CacheFormat::F32),
        };
        n_pages * self.shape.page_len() * format.bytes()
    }

    pub(super) fn fits(&self, config: &Config) -> bool {
        self.shape == Shape::of(config)
    }

    pub(super) fn push(&mut self, tokens: &[TokenId]) {
        self.tokens.extend_from_slice(tokens);
    }

    /// Makes room for `n` more tokens on pages that are this sequence's own.
    pub(super) fn reserve(&mut self, n: usize) {
        let len = self.tokens.len();
        match &mut self.pages {
            Storage::F16(pages) => self.shape.reserve(pages, len, n),
            Storage::F32(pages) => self.shape.reserve(pages, len, n),
        }
    }

    /// Stores the keys and values (n_kv_heads × head_dim each) that `layer` has for position `pos`.
    pub(super) fn store(&mut self, layer: usize, pos: usize, keys: &[f32], values: &[f32]) {
        match &mut self.pages {
            Storage::F16(pages) => self.shape.store(&mut pages[pos / PAGE], layer, pos, keys, values),
            Storage::F32(pages) => self.shape.store(&mut pages[pos / PAGE], layer, pos, keys, values),
        }
    }

    /// Calls `f` with the pages as the attention of one layer and key-value head sees them.
    pub(super) fn view(&self, layer: usize, kv_head: usize) -> View<'_> {
        let at = self.shape.keys_at(layer, kv_head);
        let len = self.shape.head_dim * PAGE;
        let values = at + self.shape.n_kv_heads * len;
        match &self.pages {
            Storage::F16(pages) => View::F16(Head { pages, keys: at, values, len }),
            Storage::F32(pages) => View::F32(Head { pages, keys: at, values, len }),
        }
    }
}

/// One head's part of the pages.
pub(super) enum View<'a> {
    F16(Head<'a, f16>),
    F32(Head<'a, f32>),
}

/// Where one head's keys and values begin in each page.
pub(super) struct Head<'a, T> {
    pages: &'a [Arc<Vec<T>>],
    keys: usize,
    values: usize,
    len: usize,
}

impl<T: Stored> Pages<T> for Head<'_, T> {
    fn page(&self, i: usize) -> (&[T], &[T]) {
        let page = &self.pages[i];
        (&page[self.keys..self.keys + self.len], &page[self.values..self.values + self.len])
    }
}

impl Shape {
    fn of(config: &Config) -> Shape {
        Shape { n_layers: config.n_layers, n_kv_heads: config.n_kv_heads, head_dim: config.head_dim }
    }

    fn page_len(self) -> usize {
        self.n_layers * 2 * self.n_kv_heads * self.head_dim * PAGE
    }

    fn keys_at(self, layer: usize, kv_head: usize) -> usize {
        (layer * 2 * self.n_kv_heads + kv_head) * self.head_dim * PAGE
    }

    fn reserve<T: Stored>(self, pages: &mut Vec<Arc<Vec<T>>>, len: usize, n: usize) {
        // Makes the page that is written next this sequence's own: a copy if a fork shares it.
        if let Some(page) = pages.get_mut(len / PAGE) {
            Arc::make_mut(page);
        }
        let n_pages = (len + n).div_ceil(PAGE);
        while pages.len() < n_pages {
            pages.push(Arc::new(vec![T::default(); self.page_len()]));
        }
    }

    fn store<T: Stored>(
        self,
        page: &mut Arc<Vec<T>>,
        layer: usize,
        pos: usize,
        keys: &[f32],
        values: &[f32],
    ) {
        let page = Arc::get_mut(page).expect("reserve made the page this sequence's own");
        let len = self.head_dim * PAGE;
        let layer = &mut page[self.keys_at(layer, 0)..][..2 * self.n_kv_heads * len];
        let (page_keys, page_values) = layer.split_at_mut(self.n_kv_heads * len);
        let heads = page_keys.chunks_exact_mut(len).zip(page_values.chunks_exact_mut(len));
        let given = keys.chunks_exact(self.head_dim).zip(values.chunks_exact(self.head_dim));
        for ((page_keys, page_values), (key, value)) in heads.zip(given) {
            store(page_keys, page_values, pos % PAGE, key, value);
        }
    }
}
