//! One text's tokens, keys and values, in pages that forks share.
//!
//! A clone of a sequence is a fork: it shares all pages. A page is copied when one of its owners
//! writes to it, which can only be the last, partly filled one.

use std::sync::Arc;

use half::f16;
use kelvin_kernels::{
    isa::Isa,
    kv_cache::{CacheElement, PAGE, Page, store},
    memory::{BufferPool, NoMemory, PooledBuffer},
    pool::Pool,
};

use super::{Config, LayerConfig};
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
    /// All formats.
    pub const ALL: [CacheFormat; 2] = [CacheFormat::F16, CacheFormat::F32];

    /// The name in flags and recipes.
    pub fn name(self) -> &'static str {
        match self {
            CacheFormat::F16 => "f16",
            CacheFormat::F32 => "f32",
        }
    }

    /// The format of a name, if there is one.
    pub fn named(name: &str) -> Option<CacheFormat> {
        CacheFormat::ALL.into_iter().find(|format| format.name() == name)
    }

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

/// What a page of all layers looks like: for each layer the keys `[n_kv_heads][head_dim][PAGE]`,
/// then the values `[n_kv_heads][PAGE][head_dim]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    layers: Arc<[LayerShape]>,
    page_len: usize,
}

/// A layer's part of a page; nothing where a layer has no keys and values of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LayerShape {
    /// Where its keys begin.
    start: usize,
    n_kv_heads: usize,
    head_dim: usize,
}

#[derive(Debug, Clone)]
enum Storage {
    F16(Pages<f16>),
    F32(Pages<f32>),
}

/// The pages of one sequence, and where new ones come from.
#[derive(Debug, Clone)]
struct Pages<T: CacheElement> {
    stock: BufferPool<T>,
    pages: Vec<Arc<PooledBuffer<T>>>,
}

/// Pages for all sequences of a model: what one gives back another one gets.
#[derive(Debug)]
pub(super) struct PagePools {
    shape: Shape,
    f16: BufferPool<f16>,
    f32: BufferPool<f32>,
}

impl PagePools {
    pub(super) fn new(config: &Config) -> PagePools {
        let shape = Shape::of(config);
        let len = shape.page_len;
        PagePools { shape, f16: BufferPool::new(len), f32: BufferPool::new(len) }
    }

    pub(super) fn n_lent(&self, cache: CacheFormat) -> usize {
        match cache {
            CacheFormat::F16 => self.f16.n_in_use(),
            CacheFormat::F32 => self.f32.n_in_use(),
        }
    }

    pub(super) fn make(&self, cache: CacheFormat, n: usize) -> Result<(), NoMemory> {
        match cache {
            CacheFormat::F16 => self.f16.reserve(n),
            CacheFormat::F32 => self.f32.reserve(n),
        }
    }
}

/// A page as somebody holds it who isn't a sequence.
#[derive(Debug, Clone)]
pub(super) enum HeldPage {
    F16(Arc<PooledBuffer<f16>>),
    F32(Arc<PooledBuffer<f32>>),
}

impl HeldPage {
    /// Whether a sequence holds it as well.
    pub(super) fn is_shared(&self) -> bool {
        match self {
            HeldPage::F16(page) => Arc::strong_count(page) > 1,
            HeldPage::F32(page) => Arc::strong_count(page) > 1,
        }
    }
}

/// A row of a step: which sequence of the batch it extends, at which position, with which token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) sequence: usize,
    pub(super) pos: usize,
    pub(super) token: TokenId,
}

impl Sequence {
    pub(super) fn new(cache: CacheFormat, stocks: &PagePools) -> Sequence {
        let pages = match cache {
            CacheFormat::F16 => {
                Storage::F16(Pages { stock: stocks.f16.clone(), pages: Vec::new() })
            }
            CacheFormat::F32 => {
                Storage::F32(Pages { stock: stocks.f32.clone(), pages: Vec::new() })
            }
        };
        Sequence { tokens: Vec::new(), shape: stocks.shape.clone(), pages }
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
            Storage::F16(held) => held.pages.truncate(n_pages),
            Storage::F32(held) => held.pages.truncate(n_pages),
        }
    }

    /// Bytes of its pages, shared ones included.
    pub fn n_bytes(&self) -> usize {
        let (n_pages, format) = match &self.pages {
            Storage::F16(held) => (held.pages.len(), CacheFormat::F16),
            Storage::F32(held) => (held.pages.len(), CacheFormat::F32),
        };
        n_pages * self.shape.page_len * format.bytes()
    }

    /// Pages that it takes at most until it has `len` tokens, copies of what it shares included.
    pub fn pages_until(&self, len: usize) -> usize {
        let is_copied = len > self.len() && !self.len().is_multiple_of(PAGE);
        let (n_pages, is_shared) = match &self.pages {
            Storage::F16(Pages { pages, .. }) => (pages.len(), pages.last().is_some_and(is_shared)),
            Storage::F32(Pages { pages, .. }) => (pages.len(), pages.last().is_some_and(is_shared)),
        };
        len.div_ceil(PAGE).saturating_sub(n_pages) + usize::from(is_copied && is_shared)
    }

    /// Page `i`, to be held by somebody else as well.
    pub(super) fn hold(&self, i: usize) -> HeldPage {
        match &self.pages {
            Storage::F16(Pages { pages, .. }) => HeldPage::F16(Arc::clone(&pages[i])),
            Storage::F32(Pages { pages, .. }) => HeldPage::F32(Arc::clone(&pages[i])),
        }
    }

    /// Goes on, from the end of its last page, with the first tokens of a page of a sequence that
    /// began alike. Nothing happens if that one stores numbers in another way.
    pub(super) fn share(&mut self, page: &HeldPage, tokens: &[TokenId]) {
        debug_assert!(self.tokens.len().is_multiple_of(PAGE) && tokens.len() <= PAGE);
        match (&mut self.pages, page) {
            (Storage::F16(held), HeldPage::F16(page)) => held.pages.push(Arc::clone(page)),
            (Storage::F32(held), HeldPage::F32(page)) => held.pages.push(Arc::clone(page)),
            _ => return,
        }
        self.tokens.extend_from_slice(tokens);
    }

    /// Whether their pages have one shape and one format.
    pub(super) fn is_like(&self, other: &Sequence) -> bool {
        let formats = (&self.pages, &other.pages);
        let same = matches!(
            formats,
            (Storage::F16(_), Storage::F16(_)) | (Storage::F32(_), Storage::F32(_))
        );
        same && self.shape.is(&other.shape)
    }

    pub(super) fn fits(&self, stocks: &PagePools) -> bool {
        self.shape.is(&stocks.shape)
    }

    pub(super) fn push(&mut self, tokens: &[TokenId]) {
        self.tokens.extend_from_slice(tokens);
    }

    /// Makes room for `n` more tokens on pages that are this sequence's own.
    pub(super) fn reserve(&mut self, n: usize) -> Result<(), NoMemory> {
        let len = self.tokens.len();
        match &mut self.pages {
            Storage::F16(pages) => pages.reserve(len, n),
            Storage::F32(pages) => pages.reserve(len, n),
        }
    }

    /// Stores the keys and values (rows of n_kv_heads × head_dim) that `layer` has for the
    /// positions from `pos` on.
    pub(super) fn store(
        &mut self,
        pool: &Pool,
        isa: Isa,
        layer: usize,
        pos: usize,
        [keys, values]: [&[f32]; 2],
    ) {
        match &mut self.pages {
            Storage::F16(held) => {
                self.shape.store(pool, isa, &mut held.pages, layer, pos, [keys, values])
            }
            Storage::F32(held) => {
                self.shape.store(pool, isa, &mut held.pages, layer, pos, [keys, values])
            }
        }
    }

    /// Page `page` as the attention of one layer and key-value head sees it.
    pub(super) fn page(&self, layer: usize, kv_head: usize, page: usize) -> Page<'_> {
        let LayerShape { start, n_kv_heads, head_dim } = self.shape.layers[layer];
        let len = head_dim * PAGE;
        let keys = start + kv_head * len;
        let values = keys + n_kv_heads * len;
        let (keys, values) = (keys..keys + len, values..values + len);
        match &self.pages {
            Storage::F16(Pages { pages, .. }) => {
                Page::F16 { keys: &pages[page][keys], values: &pages[page][values] }
            }
            Storage::F32(Pages { pages, .. }) => {
                Page::F32 { keys: &pages[page][keys], values: &pages[page][values] }
            }
        }
    }
}

fn is_shared<T: CacheElement>(page: &Arc<PooledBuffer<T>>) -> bool {
    Arc::strong_count(page) > 1
}

impl LayerShape {
    /// Numbers in a page.
    fn len(self) -> usize {
        2 * self.n_kv_heads * self.head_dim * PAGE
    }
}

impl Shape {
    fn of(config: &Config) -> Shape {
        let mut start = 0;
        let layer = |(i, layer): (usize, &LayerConfig)| {
            let has_own = layer.cache == i && layer.n_heads > 0;
            let n_kv_heads = if has_own { layer.n_kv_heads } else { 0 };
            let shape = LayerShape { start, n_kv_heads, head_dim: layer.head_dim };
            start += shape.len();
            shape
        };
        let layers = config.layers.iter().enumerate().map(layer).collect();
        Shape { layers, page_len: start }
    }

    /// Whether they are alike; those of one model are one.
    fn is(&self, other: &Shape) -> bool {
        Arc::ptr_eq(&self.layers, &other.layers) || self == other
    }

    /// A task is a page, and no task has more than one.
    fn store<T: CacheElement>(
        &self,
        pool: &Pool,
        isa: Isa,
        pages: &mut [Arc<PooledBuffer<T>>],
        layer: usize,
        pos: usize,
        [keys, values]: [&[f32]; 2],
    ) {
        let shape = self.layers[layer];
        let LayerShape { start, n_kv_heads, head_dim } = shape;
        let (len, row_len) = (head_dim * PAGE, n_kv_heads * head_dim);
        let end = pos + keys.len() / row_len;
        let first_page = pos / PAGE;
        pool.for_each_chunk(&mut pages[first_page..end.div_ceil(PAGE)], 1, &|i, page| {
            let page =
                Arc::get_mut(&mut page[0]).expect("reserve made the page this sequence's own");
            let layer = &mut page[start..][..shape.len()];
            let (page_keys, page_values) = layer.split_at_mut(n_kv_heads * len);
            let page_pos = (first_page + i) * PAGE;
            for at in page_pos.max(pos)..(page_pos + PAGE).min(end) {
                let row = (at - pos) * row_len..(at - pos + 1) * row_len;
                let heads = page_keys.chunks_exact_mut(len).zip(page_values.chunks_exact_mut(len));
                let given = keys[row.clone()].chunks_exact(head_dim);
                for ((page_keys, page_values), (key, value)) in
                    heads.zip(given.zip(values[row].chunks_exact(head_dim)))
                {
                    store(isa, page_keys, page_values, at - page_pos, key, value);
                }
            }
        });
    }
}

impl<T: CacheElement> Pages<T> {
    fn reserve(&mut self, len: usize, n: usize) -> Result<(), NoMemory> {
        let n_pages = (len + n).div_ceil(PAGE);
        // The pages that are written next have to be this sequence's own: copies where a fork
        // shares them.
        for page in self.pages.iter_mut().take(n_pages).skip(len / PAGE) {
            if Arc::get_mut(page).is_none() {
                let mut copy = self.stock.acquire()?;
                copy.copy_from_slice(page);
                *page = Arc::new(copy);
            }
        }
        while self.pages.len() < n_pages {
            self.pages.push(Arc::new(self.stock.acquire()?));
        }
        Ok(())
    }
}
