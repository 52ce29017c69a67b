//! A work-stealing thread pool: each thread owns a contiguous range of tasks and pops its front;
//! idle threads steal from the back of other ranges.
//!
//! - Results never depend on scheduling: a task's output is a function of its index alone.
//! - Popping in order from a contiguous range lets each thread stream through memory.
//! - Workers spin between jobs, since a layer has several jobs microseconds apart, and sleep after
//!   that.
//! - While a thread spins, it can prefetch the first bytes that it will read in the next job.
//! - A job closes when its tasks are taken: a worker that wakes up late delays nobody.
//!
//! The calling thread is thread 0 of the pool and works as well.

use std::{
    any::Any,
    cell::{Cell, UnsafeCell},
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
};

use crate::{
    float_env::FloatEnv,
    prefetch::{CACHE_LINE, prefetch_l2},
};

/// A work-stealing pool of threads.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Held while a job runs: jobs of concurrent callers run one after another.
    job_lock: Mutex<()>,
}

struct Shared {
    /// Epoch (48 bits), whether the job is open to workers (1 bit), number of workers in it (15
    /// bits).
    state: AtomicU64,
    job: UnsafeCell<Job>,
    /// One queue per thread; the caller's is the first.
    queues: Box<[TaskQueue]>,
    n_sleeping: AtomicUsize,
    sleep: Mutex<Sleep>,
    wake: Condvar,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// One thread's tasks, in a cache line of its own to avoid false sharing.
#[repr(align(64))]
#[derive(Default)]
struct TaskQueue {
    /// The contiguous tasks left: the first (high half) and the end (low half).
    tasks: AtomicU64,
    /// Start and end address of the bytes to prefetch while idle. Written between jobs.
    prefetch: [AtomicUsize; 2],
}

/// Which end of a queue to take tasks from.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// The owner pops here.
    Front,
    /// Other threads steal here.
    Back,
}

impl TaskQueue {
    fn set(&self, first: u32, end: u32) {
        self.tasks.store(u64::from(first) << 32 | u64::from(end), Ordering::Relaxed);
    }

    /// Takes 1/[`TAKE_DIVISOR`] of the tasks left, rounded up; None if there are none. Large chunks
    /// at first keep neighbouring tasks together; small ones at the end balance the load.
    fn take(&self, from: End) -> Option<Range<usize>> {
        let bounds = |queue: u64| ((queue >> 32) as u32, queue as u32);
        let n = |queue: u64| {
            let (first, end) = bounds(queue);
            end.saturating_sub(first).div_ceil(TAKE_DIVISOR)
        };
        let taken = self.tasks.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |queue| {
            let n = u64::from(n(queue));
            (n > 0).then(|| if from == End::Back { queue - n } else { queue + (n << 32) })
        });
        let queue = taken.ok()?;
        let (n, (first, end)) = (n(queue), bounds(queue));
        let tasks = if from == End::Back { end - n..end } else { first..first + n };
        Some(tasks.start as usize..tasks.end as usize)
    }

    fn prefetch_range(&self) -> [usize; 2] {
        [&self.prefetch[0], &self.prefetch[1]].map(|at| at.load(Ordering::Relaxed))
    }
}

/// Prefetches a range of addresses one cache line per spin of an idle thread.
#[derive(Default)]
struct IdlePrefetch {
    range: [usize; 2],
    next: usize,
}

impl IdlePrefetch {
    /// Sets the range; starts over if it is a new one.
    fn set(&mut self, range: [usize; 2]) {
        if self.range != range {
            *self = IdlePrefetch { range, next: range[0] };
        }
    }

    /// One spin: prefetches the next line, or pauses when none is left.
    fn spin(&mut self) {
        if self.next < self.range[1] {
            prefetch_l2(std::ptr::without_provenance(self.next));
            self.next += CACHE_LINE;
        } else {
            std::hint::spin_loop();
        }
    }
}

struct Sleep {
    stop: bool,
}

#[derive(Clone, Copy)]
struct Job(*const (dyn Fn(Range<usize>) + Sync));

// SAFETY: `job` is written only while no worker is in a job (state's count is 0 and it is closed),
// and read only by workers that entered it through `state`, whose release store made it visible.
unsafe impl Sync for Shared {}
// SAFETY: the pointer in `job` is to a `Sync` closure and is used only while its `run` call lives.
unsafe impl Send for Shared {}

/// Start of part `i` when `n` items are split evenly into `n_parts` parts; `n` for `i == n_parts`.
pub(crate) fn part_start(i: usize, n_parts: usize, n: usize) -> usize {
    i * n / n_parts
}

thread_local! {
    /// Whether this thread is running tasks of a job.
    static IN_TASK: Cell<bool> = const { Cell::new(false) };
}

const OPEN: u64 = 1 << 15;
const COUNT: u64 = OPEN - 1;
/// Spins of an idle thread before it sleeps (a worker) or yields (the caller).
const MAX_SPINS: u32 = 20_000;

/// A thread takes this fraction of the tasks left in a queue.
const TAKE_DIVISOR: u32 = 8;

impl Pool {
    /// Creates a pool of `n_threads` threads, the caller's included; 0 means one per core, at most
    /// 1024.
    ///
    /// A system that refuses a thread gets a smaller pool.
    pub fn new(n_threads: usize) -> Pool {
        let n_threads = match n_threads {
            0 => std::thread::available_parallelism().map_or(1, |n| n.get()),
            n => n.min(1024),
        };
        let nothing: &(dyn Fn(Range<usize>) + Sync) = &|_| {};
        let shared = Arc::new(Shared {
            state: AtomicU64::new(0),
            job: UnsafeCell::new(Job(nothing)),
            queues: (0..n_threads).map(|_| TaskQueue::default()).collect(),
            n_sleeping: AtomicUsize::new(0),
            sleep: Mutex::new(Sleep { stop: false }),
            wake: Condvar::new(),
            panic: Mutex::new(None),
        });
        let workers = (1..n_threads)
            .map_while(|i| {
                let shared = Arc::clone(&shared);
                let builder = std::thread::Builder::new().name(format!("kelvin-{i}"));
                builder.spawn(move || shared.work(i)).ok()
            })
            .collect();
        Pool { shared, workers, job_lock: Mutex::new(()) }
    }

    /// Number of threads, the caller's included.
    pub fn n_threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Runs `task(0)` to `task(n_tasks - 1)`, each once, and returns when all are done.
    ///
    /// A panic in a task is passed on to the caller. A job of one task runs on the calling thread.
    /// A job started inside a task, of this pool or another, runs on that task's thread.
    pub fn run(&self, n_tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        self.run_ranges(n_tasks, None, &|tasks| tasks.for_each(task));
    }

    /// Like [`run`](Self::run), but calls `tasks` with ranges of contiguous tasks.
    ///
    /// `prefetch(thread)` gives the bytes that thread will read first in a later job; the thread
    /// prefetches them while it is idle. Any address range is allowed. None keeps the last ranges.
    pub(crate) fn run_ranges(
        &self,
        n_tasks: usize,
        prefetch: Option<&dyn Fn(usize) -> Range<*const u8>>,
        tasks: &(dyn Fn(Range<usize>) + Sync),
    ) {
        let _env = FloatEnv::standard();
        if n_tasks <= 1 || self.workers.is_empty() || IN_TASK.get() {
            if n_tasks > 0 {
                tasks(0..n_tasks);
            }
            return;
        }
        let _job = self.job_lock.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = &*self.shared;
        let epoch = (shared.state.load(Ordering::Relaxed) >> 16) + 1;
        let n_threads = self.n_threads();
        let begin = |thread: usize| {
            u32::try_from(part_start(thread, n_threads, n_tasks)).expect("fewer than 2^32 tasks")
        };
        for (thread, queue) in shared.queues[..n_threads].iter().enumerate() {
            queue.set(begin(thread), begin(thread + 1));
            if let Some(prefetch) = prefetch {
                let bytes = prefetch(thread);
                queue.prefetch[0].store(bytes.start.addr(), Ordering::Relaxed);
                queue.prefetch[1].store(bytes.end.addr(), Ordering::Relaxed);
            }
        }
        // SAFETY: we hold `job_lock` and the last job ended with no worker in it, so nobody reads
        // `job` now. The lifetime of `tasks` is erased; this function returns only after every
        // worker has left.
        unsafe {
            let run = std::mem::transmute::<
                *const (dyn Fn(Range<usize>) + Sync + '_),
                *const (dyn Fn(Range<usize>) + Sync + 'static),
            >(tasks);
            *shared.job.get() = Job(run);
        }
        shared.state.store(epoch << 16 | OPEN, Ordering::SeqCst);
        if shared.n_sleeping.load(Ordering::SeqCst) > 0 {
            let _sleep = shared.sleep.lock().unwrap_or_else(PoisonError::into_inner);
            shared.wake.notify_all();
        }
        shared.run_tasks(0, tasks);
        shared.state.fetch_and(!OPEN, Ordering::AcqRel);
        let mut spins = 0u32;
        let mut idle = IdlePrefetch::default();
        idle.set(shared.queues[0].prefetch_range());
        while shared.state.load(Ordering::Acquire) & COUNT != 0 {
            spins += 1;
            if spins < MAX_SPINS { idle.spin() } else { std::thread::yield_now() }
        }
        let panic = shared.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    /// Runs `task(i, chunk)` for every chunk of `chunk_len` elements of `data`; the last may be
    /// shorter.
    pub fn for_each_chunk<T: Send>(
        &self,
        data: &mut [T],
        chunk_len: usize,
        task: &(dyn Fn(usize, &mut [T]) + Sync),
    ) {
        let len = data.len();
        let base = DisjointPtr(data.as_mut_ptr());
        self.run(len.div_ceil(chunk_len), &|i| {
            let start = i * chunk_len;
            // SAFETY: chunk i is [start, start + chunk_len), cut at the end of `data`; chunks of
            // different i are disjoint, each i runs once, and `data` is borrowed mutably until
            // `run` returns.
            let chunk = unsafe {
                std::slice::from_raw_parts_mut(base.at(start), chunk_len.min(len - start))
            };
            task(i, chunk);
        });
    }
}

/// Minimum elements of a task: computing fewer costs less than waking a thread.
const MIN_ELEMENTS_PER_TASK: usize = 4096;

impl Pool {
    /// Runs `task(i, row)` for every row of `width` elements. Groups several rows into one task,
    /// for cheap work per row.
    pub fn for_each_row<T: Send>(
        &self,
        rows: &mut [T],
        width: usize,
        task: &(dyn Fn(usize, &mut [T]) + Sync),
    ) {
        let n = rows.len() / width.max(1);
        let min_rows = (MIN_ELEMENTS_PER_TASK / width.max(1)).max(1);
        let rows_per_task = n.div_ceil(8 * self.n_threads()).max(min_rows);
        self.for_each_chunk(rows, rows_per_task * width.max(1), &|i, rows| {
            for (row, elements) in rows.chunks_mut(width).enumerate() {
                task(i * rows_per_task + row, elements);
            }
        });
    }
}

/// A pointer shared by tasks that each write to disjoint places.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DisjointPtr<T>(pub(crate) *mut T);

// SAFETY: code that dereferences the pointer promises, there, that tasks touch disjoint places.
unsafe impl<T: Send> Sync for DisjointPtr<T> {}

impl<T> DisjointPtr<T> {
    pub(crate) fn at(&self, i: usize) -> *mut T {
        self.0.wrapping_add(i)
    }
}

impl Shared {
    /// Work stealing: thread `me` empties its own queue from the front, then the others' from the
    /// back.
    fn run_tasks(&self, me: usize, tasks: &(dyn Fn(Range<usize>) + Sync)) {
        IN_TASK.set(true);
        let result = catch_unwind(AssertUnwindSafe(|| {
            let n = self.queues.len();
            for owner in (me..n).chain(0..me) {
                let end = if owner == me { End::Front } else { End::Back };
                while let Some(taken) = self.queues[owner].take(end) {
                    tasks(taken);
                }
            }
        }));
        IN_TASK.set(false);
        if let Err(panic) = result {
            self.queues.iter().for_each(|queue| queue.set(0, 0));
            self.panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(panic);
        }
    }

    /// A worker's loop: joins each job once, spins and then sleeps in between.
    fn work(&self, me: usize) {
        let _env = FloatEnv::standard();
        let mut last_epoch = 0;
        let mut spins = 0u32;
        let mut idle = IdlePrefetch::default();
        loop {
            let state = self.state.load(Ordering::Acquire);
            if state & OPEN != 0 && state >> 16 != last_epoch {
                let entered = self.state.compare_exchange(
                    state,
                    state + 1,
                    Ordering::AcqRel,
                    Ordering::Relaxed,
                );
                if entered.is_ok() {
                    last_epoch = state >> 16;
                    // SAFETY: the job is open and counts this worker, so its closure lives until we
                    // leave.
                    let tasks = unsafe { &*(*self.job.get()).0 };
                    self.run_tasks(me, tasks);
                    // Read before leaving: the ranges aren't written while a worker is in the job.
                    idle.set(self.queues[me].prefetch_range());
                    self.state.fetch_sub(1, Ordering::AcqRel);
                    spins = 0;
                }
                continue;
            }
            spins += 1;
            if spins < MAX_SPINS {
                idle.spin();
            } else if !self.sleep_until_new(last_epoch) {
                return;
            } else {
                spins = 0;
            }
        }
    }

    /// Sleeps until a job of another epoch is open; false when the pool is dropped.
    fn sleep_until_new(&self, last_epoch: u64) -> bool {
        let mut sleep = self.sleep.lock().unwrap_or_else(PoisonError::into_inner);
        self.n_sleeping.fetch_add(1, Ordering::SeqCst);
        let go_on = loop {
            if sleep.stop {
                break false;
            }
            let state = self.state.load(Ordering::SeqCst);
            if state & OPEN != 0 && state >> 16 != last_epoch {
                break true;
            }
            sleep = self.wake.wait(sleep).unwrap_or_else(PoisonError::into_inner);
        };
        self.n_sleeping.fetch_sub(1, Ordering::SeqCst);
        go_on
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.sleep.lock().unwrap_or_else(PoisonError::into_inner).stop = true;
        self.shared.wake.notify_all();
        for worker in self.workers.drain(..) {
            // A worker's panic was already passed on by `run_ranges`.
            let _ = worker.join();
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pool({} threads)", self.n_threads())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once_in_many_short_jobs() {
        let pool = Pool::new(3);
        let mut counts = vec![0u32; 100];
        for round in 1..=2000 {
            pool.for_each_chunk(&mut counts, 7, &|_, chunk| chunk.iter_mut().for_each(|c| *c += 1));
            assert!(counts.iter().all(|&c| c == round));
        }
    }

    #[test]
    fn workers_wake_from_sleep() {
        let pool = Pool::new(2);
        for _ in 0..3 {
            std::thread::sleep(std::time::Duration::from_millis(20));
            let total = AtomicUsize::new(0);
            pool.run(10, &|i| {
                total.fetch_add(i, Ordering::Relaxed);
            });
            assert_eq!(total.into_inner(), 45);
        }
    }

    #[test]
    fn a_task_may_run_tasks() {
        let pool = Pool::new(2);
        let total = AtomicUsize::new(0);
        pool.run(8, &|i| {
            pool.run(4, &|j| {
                total.fetch_add(4 * i + j, Ordering::Relaxed);
            });
        });
        assert_eq!(total.into_inner(), 31 * 32 / 2);
    }

    // WebAssembly ends the module at a panic.
    #[cfg(panic = "unwind")]
    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
        let pool = Pool::new(2);
        let result = catch_unwind(AssertUnwindSafe(|| pool.run(50, &|i| assert!(i != 30))));
        assert!(result.is_err());
        pool.run(50, &|_| {});
    }
}
