//! One text's tokens, keys and values, in pages that forks share.
//!
//! A clone of a sequence is a fork: it shares all pages. A page is copied when one of its owners
//! writes to it, which can only be the last, partly filled one. Models with recurrent layers have a
//! state besides (`states`).

use std::sync::Arc;

use half::f16;
use kelvin_kernels::{
    isa::Isa,
    kv_cache::{CacheElement, PAGE, Page},
    memory::{BufferPool, NoMemory, PooledBuffer},
    pool::Pool,
};

use super::{
    config::Config,
    page_shape::{LayerShape, Shape},
    states::{State, States},
};
use crate::TokenId;

/// How keys and values are stored. It is part of a recipe: another format gives other numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CacheFormat {
    /// Two bytes a number.
    #[default]
    F16,
    /// Four bytes a number.
    F32,
    /// One byte a number, and four for the scale of each key and each value of a head.
    Q8,
}

impl CacheFormat {
    /// All formats.
    pub const ALL: [CacheFormat; 3] = [CacheFormat::F16, CacheFormat::F32, CacheFormat::Q8];

    /// The name in flags and recipes.
    pub fn name(self) -> &'static str {
        match self {
            CacheFormat::F16 => "f16",
            CacheFormat::F32 => "f32",
            CacheFormat::Q8 => "q8_0",
        }
    }

    /// The format of a name, if there is one.
    pub fn named(name: &str) -> Option<CacheFormat> {
        CacheFormat::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Bytes of a key, or of a value, of one head.
    pub fn bytes(self, head_dim: usize) -> usize {
        match self {
            CacheFormat::F16 => side_bytes::<f16>(head_dim),
            CacheFormat::F32 => side_bytes::<f32>(head_dim),
            CacheFormat::Q8 => side_bytes::<i8>(head_dim),
        }
    }
}

/// Bytes of a key or value.
fn side_bytes<T: CacheElement>(head_dim: usize) -> usize {
    T::side_len(head_dim) / PAGE * size_of::<T>()
}

/// The tokens that a model has read so far and what it remembers of them.
#[derive(Debug, Clone)]
pub struct Sequence {
    tokens: Vec<TokenId>,
    shape: Shape,
    pages: Storage,
    /// None without recurrent layers.
    states: Option<Box<States>>,
}

#[derive(Debug, Clone)]
enum Storage {
    F16(Pages<f16>),
    F32(Pages<f32>),
    Q8(Pages<i8>),
}

/// Does one thing for the pages of any format.
macro_rules! each_format {
    ($storage:expr, $pages:ident => $act:expr) => {
        match $storage {
            Storage::F16($pages) => $act,
            Storage::F32($pages) => $act,
            Storage::Q8($pages) => $act,
        }
    };
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
    q8: BufferPool<i8>,
    states: BufferPool<f32>,
}

impl PagePools {
    pub(super) fn new(config: &Config) -> PagePools {
        let shape = Shape::of(config);
        PagePools {
            f16: BufferPool::new(shape.page_len::<f16>()),
            f32: BufferPool::new(shape.page_len::<f32>()),
            q8: BufferPool::new(shape.page_len::<i8>()),
            states: BufferPool::new(shape.state_len),
            shape,
        }
    }

    pub(super) fn n_states_lent(&self) -> usize {
        self.states.n_in_use()
    }

    pub(super) fn make_states(&self, n: usize) -> Result<(), NoMemory> {
        if self.shape.state_len > 0 { self.states.reserve(n) } else { Ok(()) }
    }

    pub(super) fn n_lent(&self, cache: CacheFormat) -> usize {
        match cache {
            CacheFormat::F16 => self.f16.n_in_use(),
            CacheFormat::F32 => self.f32.n_in_use(),
            CacheFormat::Q8 => self.q8.n_in_use(),
        }
    }

    pub(super) fn make(&self, cache: CacheFormat, n: usize) -> Result<(), NoMemory> {
        match cache {
            CacheFormat::F16 => self.f16.reserve(n),
            CacheFormat::F32 => self.f32.reserve(n),
            CacheFormat::Q8 => self.q8.reserve(n),
        }
    }
}

/// A page as somebody holds it who isn't a sequence.
#[derive(Debug, Clone)]
pub(super) enum HeldPage {
    F16(Arc<PooledBuffer<f16>>),
    F32(Arc<PooledBuffer<f32>>),
    Q8(Arc<PooledBuffer<i8>>),
}

impl HeldPage {
    /// Whether a sequence holds it as well.
    pub(super) fn is_shared(&self) -> bool {
        match self {
            HeldPage::F16(page) => Arc::strong_count(page) > 1,
            HeldPage::F32(page) => Arc::strong_count(page) > 1,
            HeldPage::Q8(page) => Arc::strong_count(page) > 1,
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
            CacheFormat::F16 => Storage::F16(Pages::new(&stocks.f16)),
            CacheFormat::F32 => Storage::F32(Pages::new(&stocks.f32)),
            CacheFormat::Q8 => Storage::Q8(Pages::new(&stocks.q8)),
        };
        let states = (stocks.shape.state_len > 0).then(|| Box::new(States::new(&stocks.states)));
        Sequence { tokens: Vec::new(), shape: stocks.shape.clone(), pages, states }
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

    /// Forgets all but the first `len` tokens. With recurrent layers, what was computed of them is
    /// forgotten back to the last full page or the beginning, and the next step computes it again.
    pub fn truncate(&mut self, len: usize) {
        self.tokens.truncate(len);
        if let Some(states) = &mut self.states {
            states.go_back(self.tokens.len());
        }
        let n_pages = self.n_read().div_ceil(PAGE);
        each_format!(&mut self.pages, held => held.pages.truncate(n_pages));
    }

    /// How many of its tokens are computed: all, but after [`Sequence::truncate`] with recurrent
    /// layers.
    pub(super) fn n_read(&self) -> usize {
        self.states().map_or(self.tokens.len(), States::n_read)
    }

    /// Whether its model has recurrent layers.
    pub(crate) fn has_state(&self) -> bool {
        self.states.is_some()
    }

    /// Takes the tokens off that aren't computed.
    pub(super) fn take_unread(&mut self) -> Vec<TokenId> {
        self.tokens.split_off(self.n_read())
    }

    /// Puts tokens back that aren't computed.
    pub(super) fn put_unread(&mut self, tokens: &[TokenId]) {
        self.tokens.extend_from_slice(tokens);
    }

    /// The recurrent state and its copies, if there are recurrent layers.
    pub(super) fn states(&self) -> Option<&States> {
        self.states.as_deref()
    }

    /// As [`Sequence::states`], to be changed.
    pub(super) fn states_mut(&mut self) -> Option<&mut States> {
        self.states.as_deref_mut()
    }

    /// Bytes of its pages and recurrent states, shared ones included.
    pub fn n_bytes(&self) -> usize {
        let bytes = each_format!(&self.pages, held => held.n_bytes());
        let n_states = self.states().map_or(0, States::n_held);
        bytes + n_states * self.shape.state_len * size_of::<f32>()
    }

    /// Pages that it takes at most until it has `len` tokens, copies of what it shares included.
    pub fn pages_until(&self, len: usize) -> usize {
        let n_read = self.n_read();
        let is_copied = len > n_read && !n_read.is_multiple_of(PAGE);
        let (n_pages, is_shared) = each_format!(
            &self.pages,
            held => (held.pages.len(), held.pages.last().is_some_and(is_shared))
        );
        len.div_ceil(PAGE).saturating_sub(n_pages) + usize::from(is_copied && is_shared)
    }

    /// Page `i`, to be held by somebody else as well.
    pub(super) fn hold(&self, i: usize) -> HeldPage {
        match &self.pages {
            Storage::F16(Pages { pages, .. }) => HeldPage::F16(Arc::clone(&pages[i])),
            Storage::F32(Pages { pages, .. }) => HeldPage::F32(Arc::clone(&pages[i])),
            Storage::Q8(Pages { pages, .. }) => HeldPage::Q8(Arc::clone(&pages[i])),
        }
    }

    /// Goes on, from the end of its last page, with the first tokens of a page of a sequence that
    /// began alike, and from the recurrent state after them. Nothing happens if that one stores
    /// numbers in another way.
    pub(super) fn share(&mut self, page: &HeldPage, tokens: &[TokenId], state: Option<&State>) {
        debug_assert!(self.tokens.len().is_multiple_of(PAGE) && tokens.len() <= PAGE);
        match (&mut self.pages, page) {
            (Storage::F16(held), HeldPage::F16(page)) => held.pages.push(Arc::clone(page)),
            (Storage::F32(held), HeldPage::F32(page)) => held.pages.push(Arc::clone(page)),
            (Storage::Q8(held), HeldPage::Q8(page)) => held.pages.push(Arc::clone(page)),
            _ => return,
        }
        self.tokens.extend_from_slice(tokens);
        if let (Some(states), Some(state)) = (&mut self.states, state) {
            states.go_on_from(self.tokens.len(), state);
        }
    }

    /// Whether their pages have one shape and one format.
    pub(super) fn is_like(&self, other: &Sequence) -> bool {
        let same = std::mem::discriminant(&self.pages) == std::mem::discriminant(&other.pages);
        same && self.shape.is(&other.shape)
    }

    pub(super) fn fits(&self, stocks: &PagePools) -> bool {
        self.shape.is(&stocks.shape)
    }

    pub(super) fn push(&mut self, tokens: &[TokenId]) {
        self.tokens.extend_from_slice(tokens);
        if let Some(states) = &mut self.states {
            states.push(tokens.len());
        }
    }

    /// Makes room for `n` more tokens on pages, and in a recurrent state, that are this sequence's
    /// own.
    pub(super) fn reserve(&mut self, n: usize) -> Result<(), NoMemory> {
        let len = self.tokens.len();
        if let Some(states) = &mut self.states {
            states.reserve(n)?;
        }
        each_format!(&mut self.pages, pages => pages.reserve(len, n))
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
        each_format!(
            &mut self.pages,
            held => self.shape.store(pool, isa, &mut held.pages, layer, pos, [keys, values])
        );
    }

    /// Stores a layer's compressed keys (rows of head_dim) from number `first` on.
    pub(super) fn store_compressed(&mut self, layer: usize, first: usize, keys: &[f32]) {
        let shape = self.shape.layers[layer];
        for (i, key) in (first..).zip(keys.chunks_exact(shape.head_dim)) {
            each_format!(&mut self.pages, held => shape.put_compressed(&mut held.pages, i, key));
        }
    }

    /// Reads a layer's compressed key `i`.
    pub(super) fn compressed(&self, layer: usize, i: usize, key: &mut [f32]) {
        let shape = self.shape.layers[layer];
        each_format!(&self.pages, held => shape.get_compressed(&held.pages, i, key));
    }

    /// Page `page` as the attention of one layer and key-value head sees it.
    pub(super) fn page(&self, layer: usize, kv_head: usize, page: usize) -> Page<'_> {
        let shape = self.shape.layers[layer];
        match &self.pages {
            Storage::F16(held) => {
                let [keys, values] = held.sides(shape, kv_head, page);
                Page::F16 { keys, values }
            }
            Storage::F32(held) => {
                let [keys, values] = held.sides(shape, kv_head, page);
                Page::F32 { keys, values }
            }
            Storage::Q8(held) => {
                let [keys, values] = held.sides(shape, kv_head, page);
                Page::Q8 { keys, values }
            }
        }
    }
}

fn is_shared<T: CacheElement>(page: &Arc<PooledBuffer<T>>) -> bool {
    Arc::strong_count(page) > 1
}

impl<T: CacheElement> Pages<T> {
    fn new(stock: &BufferPool<T>) -> Pages<T> {
        Pages { stock: stock.clone(), pages: Vec::new() }
    }

    fn n_bytes(&self) -> usize {
        self.pages.iter().map(|page| size_of_val::<[T]>(page)).sum()
    }

    /// Keys and values of one key-value head in a page.
    fn sides(&self, shape: LayerShape, kv_head: usize, page: usize) -> [&[T]; 2] {
        let len = T::side_len(shape.head_dim);
        let keys = shape.start::<T>() + kv_head * len;
        let values = keys + shape.n_kv_heads * len;
        let side = |at: usize| &self.pages[page][at..at + len];
        [side(keys), if shape.has_values::<T>() { side(values) } else { &[] }]
    }

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
