//! What a page of all layers looks like, and how keys and values are put into it.

use std::{ops::Range, sync::Arc};

use half::f16;
use kelvin_kernels::{
    isa::Isa,
    kv_cache::{CacheElement, PAGE, float_elements},
    memory::PooledBuffer,
    pool::Pool,
};

use super::config::{Config, LayerConfig};

/// Why a page can be written.
const OWN: &str = "reserve made the page this sequence's own";

/// What a page of all layers looks like: for each layer the keys `[n_kv_heads][head_dim][PAGE]`,
/// then the values `[n_kv_heads][PAGE][head_dim]`, each head with its scales where numbers have
/// some; then `[n_compressed][head_dim]`, f32 whatever the format: the compressed keys whose last
/// token lies on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) layers: Arc<[LayerShape]>,
    /// Elements of a page, and of one of integers with their scales.
    page_len: usize,
    scaled_page_len: usize,
    /// Numbers of a recurrent state; 0 without one.
    pub(super) state_len: usize,
}

/// A layer's part of a page; nothing where a layer has no keys and values of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LayerShape {
    /// Where its keys begin, and where in a page of integers with their scales.
    start: usize,
    scaled_start: usize,
    pub(super) n_kv_heads: usize,
    pub(super) head_dim: usize,
    /// Floats of keys serve as values.
    keys_alone: bool,
    /// Compressed keys on a page, and tokens that one stands for.
    n_compressed: usize,
    ratio: usize,
}

impl LayerShape {
    /// Where its keys begin in a page.
    pub(super) fn start<T: CacheElement>(self) -> usize {
        if T::IS_SCALED { self.scaled_start } else { self.start }
    }

    /// Elements in a page.
    fn len<T: CacheElement>(self) -> usize {
        self.sides_len::<T>() + self.n_compressed * float_elements::<T>(self.head_dim)
    }

    /// Elements of keys and values in a page.
    fn sides_len<T: CacheElement>(self) -> usize {
        let n_sides = if self.has_values::<T>() { 2 } else { 1 };
        n_sides * self.n_kv_heads * T::side_len(self.head_dim)
    }

    /// On which page compressed key `i` lies, which is that of its last token, and its elements
    /// there.
    fn compressed<T: CacheElement>(self, i: usize) -> (usize, Range<usize>) {
        let len = float_elements::<T>(self.head_dim);
        let start = self.start::<T>() + self.sides_len::<T>() + i % self.n_compressed * len;
        (((i + 1) * self.ratio - 1) / PAGE, start..start + len)
    }

    /// Stores compressed key `i`.
    pub(super) fn put_compressed<T: CacheElement>(
        self,
        pages: &mut [Arc<PooledBuffer<T>>],
        i: usize,
        key: &[f32],
    ) {
        let (page, at) = self.compressed::<T>(i);
        T::put_floats(key, &mut Arc::get_mut(&mut pages[page]).expect(OWN)[at]);
    }

    /// Reads compressed key `i`.
    pub(super) fn get_compressed<T: CacheElement>(
        self,
        pages: &[Arc<PooledBuffer<T>>],
        i: usize,
        key: &mut [f32],
    ) {
        let (page, at) = self.compressed::<T>(i);
        T::floats(&pages[page][at], key);
    }

    /// Integers of a value have a scale of their own, so they are stored.
    pub(super) fn has_values<T: CacheElement>(self) -> bool {
        T::IS_SCALED || !self.keys_alone
    }
}

impl Shape {
    pub(super) fn of(config: &Config) -> Shape {
        let (mut start, mut scaled_start) = (0, 0);
        let layer = |(i, layer): (usize, &LayerConfig)| {
            let has_own = layer.cache == i && layer.n_heads > 0;
            let n_kv_heads = if has_own { layer.n_kv_heads } else { 0 };
            let head_dim = layer.head_dim;
            let shape = LayerShape {
                start,
                scaled_start,
                n_kv_heads,
                head_dim,
                keys_alone: config.keys_serve_as_values(layer),
                n_compressed: layer.compressed_on_page(),
                ratio: layer.compressed,
            };
            start += shape.len::<f16>();
            scaled_start += shape.len::<i8>();
            shape
        };
        let layers = config.layers.iter().enumerate().map(layer).collect();
        let state_len = config.state_numbers();
        Shape { layers, page_len: start, scaled_page_len: scaled_start, state_len }
    }

    /// Elements of a page.
    pub(super) fn page_len<T: CacheElement>(&self) -> usize {
        if T::IS_SCALED { self.scaled_page_len } else { self.page_len }
    }

    /// Whether they are alike; those of one model are one.
    pub(super) fn is(&self, other: &Shape) -> bool {
        Arc::ptr_eq(&self.layers, &other.layers) || self == other
    }

    /// A task is a page, and no task has more than one.
    pub(super) fn store<T: CacheElement>(
        &self,
        pool: &Pool,
        isa: Isa,
        pages: &mut [Arc<PooledBuffer<T>>],
        layer: usize,
        pos: usize,
        [keys, values]: [&[f32]; 2],
    ) {
        let shape = self.layers[layer];
        let LayerShape { n_kv_heads, head_dim, .. } = shape;
        let (len, row_len) = (T::side_len(head_dim), n_kv_heads * head_dim);
        let end = pos + keys.len() / row_len;
        let first_page = pos / PAGE;
        pool.for_each_chunk(&mut pages[first_page..end.div_ceil(PAGE)], 1, &|i, page| {
            let page = Arc::get_mut(&mut page[0]).expect(OWN);
            let layer = &mut page[shape.start::<T>()..][..shape.sides_len::<T>()];
            let (page_keys, page_values) = layer.split_at_mut(n_kv_heads * len);
            let page_pos = (first_page + i) * PAGE;
            for at in page_pos.max(pos)..(page_pos + PAGE).min(end) {
                let row = (at - pos) * row_len..(at - pos + 1) * row_len;
                let mut page_values = page_values.chunks_exact_mut(len);
                let given = keys[row.clone()].chunks_exact(head_dim);
                for (page_keys, (key, value)) in (page_keys.chunks_exact_mut(len))
                    .zip(given.zip(values[row].chunks_exact(head_dim)))
                {
                    let page_values = page_values.next().unwrap_or_default();
                    T::store(isa, page_keys, page_values, at - page_pos, key, value);
                }
            }
        });
    }
}
