//! Threads: one pool, which spreads numbered tasks over its workers and the calling thread.
//!
//! Results never depend on it: a task computes what its number says, whoever runs it. Each thread begins with a share of
//! neighbouring tasks, which it takes in order, so that it reads memory in one stream; who is done takes from the ends of
//! the others' shares. Workers spin for a moment between jobs (a layer has several jobs, some microseconds apart) and then sleep;
//! who waits asks memory for what it reads next, where that was foretold. A job is closed when its tasks are taken; a worker that wakes up late doesn't hold anyone up.

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
    pages::{LINE, prefetch},
};

/// A pool of threads.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Held while a job runs, so that jobs of several callers follow one another.
    turn: Mutex<()>,
}

struct Shared {
    /// Epoch (48 bits), whether the job is open to workers (1 bit), how many workers are in it (15 bits).
    state: AtomicU64,
    job: UnsafeCell<Job>,
    /// For each thread (the caller is 0) what is left of its share of the job.
    shares: Box<[Share]>,
    n_sleeping: AtomicUsize,
    sleep: Mutex<Sleep>,
    wake: Condvar,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// What a thread has of a job, in a cache line of its own.
#[repr(align(64))]
#[derive(Default)]
struct Share {
    /// Tasks that lie next to each other: the first (high half) and the end (low half).
    tasks: AtomicU64,
    /// Where the bytes begin and end that it reads first in the next job of which that is known. Written between jobs.
    soon: [AtomicUsize; 2],
}

impl Share {
    fn set(&self, first: u32, end: u32) {
        self.tasks.store(u64::from(first) << 32 | u64::from(end), Ordering::Relaxed);
    }

    /// Takes the first tasks (`from_end`: the last ones) of those that are left: a part of them, so that what lies together is done
    /// together at first, and what is left in the end is little.
    fn take(&self, from_end: bool) -> Option<Range<usize>> {
        let bounds = |share: u64| ((share >> 32) as u32, share as u32);
        let n = |share: u64| {
            let (first, end) = bounds(share);
            end.saturating_sub(first).div_ceil(PARTS)
        };
        let taken = self.tasks.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |share| {
            let n = u64::from(n(share));
            (n > 0).then(|| if from_end { share - n } else { share + (n << 32) })
        });
        let share = taken.ok()?;
        let (n, (first, end)) = (n(share), bounds(share));
        let tasks = if from_end { end - n..end } else { first..first + n };
        Some(tasks.start as usize..tasks.end as usize)
    }

    fn soon(&self) -> [usize; 2] {
        [&self.soon[0], &self.soon[1]].map(|at| at.load(Ordering::Relaxed))
    }
}

/// What a thread asks memory for while it waits, line by line.
#[derive(Default)]
struct Asking {
    told: [usize; 2],
    at: usize,
}

impl Asking {
    /// Begins anew if something else has been foretold.
    fn tell(&mut self, told: [usize; 2]) {
        if self.told != told {
            *self = Asking { told, at: told[0] };
        }
    }

    /// One step of waiting.
    fn wait(&mut self) {
        if self.at < self.told[1] {
            prefetch(std::ptr::without_provenance(self.at));
            self.at += LINE;
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

// SAFETY: `job` is written only while no worker is in a job (state's count is 0 and it is closed), and
// read only by workers that entered it through `state`, whose release store made it visible.
unsafe impl Sync for Shared {}
// SAFETY: the pointer in `job` is to a `Sync` closure and is used only while its `run` call lives.
unsafe impl Send for Shared {}

/// Where share `i` begins when `n` things are shared out evenly; of the share after the last one, `n`.
pub(crate) fn share_start(i: usize, n_shares: usize, n: usize) -> usize {
    i * n / n_shares
}

thread_local! {
    /// Whether this thread is at a job's tasks.
    static IN_TASK: Cell<bool> = const { Cell::new(false) };
}

const OPEN: u64 = 1 << 15;
const COUNT: u64 = OPEN - 1;
const SPINS: u32 = 20_000;

/// A thread takes one of so many parts of the tasks that are left of a share.
const PARTS: u32 = 8;

impl Pool {
    /// A pool that runs tasks on `n_threads` threads, the caller's included; 0 means all cores.
    pub fn new(n_threads: usize) -> Pool {
        let n_threads = match n_threads {
            0 => std::thread::available_parallelism().map_or(1, |n| n.get()),
            n => n.min(1024),
        };
        let nothing: &(dyn Fn(Range<usize>) + Sync) = &|_| {};
        let shared = Arc::new(Shared {
            state: AtomicU64::new(0),
            job: UnsafeCell::new(Job(nothing)),
            shares: (0..n_threads).map(|_| Share::default()).collect(),
            n_sleeping: AtomicUsize::new(0),
            sleep: Mutex::new(Sleep { stop: false }),
            wake: Condvar::new(),
            panic: Mutex::new(None),
        });
        // A machine that can't give another thread gets a smaller pool: the results are the same.
        let workers = (1..n_threads)
            .map_while(|i| {
                let shared = Arc::clone(&shared);
                let builder = std::thread::Builder::new().name(format!("kelvin-{i}"));
                builder.spawn(move || shared.work(i)).ok()
            })
            .collect();
        Pool { shared, workers, turn: Mutex::new(()) }
    }

    /// How many threads run tasks, the caller's included.
    pub fn n_threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Runs `task(0)` to `task(n_tasks - 1)`, each once, and returns when all are done. A panic in a task is
    /// passed on to the caller. What a task of a job that is shared out runs itself, of this pool or another, runs on the task's thread;
    /// a job of one task is its caller's own work, and what that runs is shared out.
    pub fn run(&self, n_tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        self.run_ranges(n_tasks, None, &|tasks| tasks.for_each(task));
    }

    /// Does what [`run`](Self::run) does, several neighbouring tasks at a time, and foretells which bytes each thread reads first in a job
    /// soon after: a thread that waits asks memory for them. They may be any bytes; where nothing is foretold, what was stays.
    pub(crate) fn run_ranges(
        &self,
        n_tasks: usize,
        soon: Option<&dyn Fn(usize) -> Range<*const u8>>,
        tasks: &(dyn Fn(Range<usize>) + Sync),
    ) {
        let _env = FloatEnv::standard();
        if n_tasks <= 1 || self.workers.is_empty() || IN_TASK.get() {
            if n_tasks > 0 {
                tasks(0..n_tasks);
            }
            return;
        }
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = &*self.shared;
        let epoch = (shared.state.load(Ordering::Relaxed) >> 16) + 1;
        let n_threads = self.n_threads();
        let begin = |thread: usize| {
            u32::try_from(share_start(thread, n_threads, n_tasks)).expect("fewer than 2^32 tasks")
        };
        for (thread, share) in shared.shares[..n_threads].iter().enumerate() {
            share.set(begin(thread), begin(thread + 1));
            if let Some(soon) = soon {
                let bytes = soon(thread);
                share.soon[0].store(bytes.start.addr(), Ordering::Relaxed);
                share.soon[1].store(bytes.end.addr(), Ordering::Relaxed);
            }
        }
        // SAFETY: we hold `turn` and the last job was left with no worker in it, so nobody reads `job` now. The
        // lifetime of `tasks` is erased; `run` doesn't return before every worker has left the job.
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
        shared.take_tasks(0, tasks);
        shared.state.fetch_and(!OPEN, Ordering::AcqRel);
        let mut spins = 0u32;
        let mut asking = Asking::default();
        asking.tell(shared.shares[0].soon());
        while shared.state.load(Ordering::Acquire) & COUNT != 0 {
            spins += 1;
            if spins < SPINS { asking.wait() } else { std::thread::yield_now() }
        }
        let panic = shared.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    /// Runs `task(i, chunk)` for every chunk of `chunk_len` elements of `data` (the last may be shorter).
    pub fn for_each_chunk<T: Send>(
        &self,
        data: &mut [T],
        chunk_len: usize,
        task: &(dyn Fn(usize, &mut [T]) + Sync),
    ) {
        let len = data.len();
        let base = Disjoint(data.as_mut_ptr());
        self.run(len.div_ceil(chunk_len), &|i| {
            let start = i * chunk_len;
            // SAFETY: chunk i is [start, start + chunk_len), cut at the end of `data`; chunks of different i are
            // disjoint, each i runs once, and `data` is borrowed mutably until `run` returns.
            let chunk = unsafe { std::slice::from_raw_parts_mut(base.at(start), chunk_len.min(len - start)) };
            task(i, chunk);
        });
    }
}

/// Numbers that cost less to compute than to wake a thread for.
const FEW_NUMBERS: usize = 4096;

impl Pool {
    /// Runs `task(i, row)` for every row of `width` elements, some neighbouring rows a job's task: for work that is light.
    pub fn for_each_row<T: Send>(
        &self,
        rows: &mut [T],
        width: usize,
        task: &(dyn Fn(usize, &mut [T]) + Sync),
    ) {
        let n = rows.len() / width.max(1);
        let rows_a_task = n.div_ceil(8 * self.n_threads()).max(FEW_NUMBERS / width.max(1)).max(1);
        self.for_each_chunk(rows, rows_a_task * width.max(1), &|i, rows| {
            for (row, numbers) in rows.chunks_mut(width).enumerate() {
                task(i * rows_a_task + row, numbers);
            }
        });
    }
}

/// A pointer that tasks may share because each writes places of its own.
#[derive(Clone, Copy)]
pub(crate) struct Disjoint<T>(pub(crate) *mut T);

// SAFETY: whoever makes one promises, where it is dereferenced, that tasks touch disjoint places.
unsafe impl<T: Send> Sync for Disjoint<T> {}

impl<T> Disjoint<T> {
    pub(crate) fn at(&self, i: usize) -> *mut T {
        self.0.wrapping_add(i)
    }
}

impl Shared {
    /// What the thread `me` does for a job: its own share, then what others have left.
    fn take_tasks(&self, me: usize, tasks: &(dyn Fn(Range<usize>) + Sync)) {
        IN_TASK.set(true);
        let result = catch_unwind(AssertUnwindSafe(|| {
            let n = self.shares.len();
            for whose in (me..n).chain(0..me) {
                while let Some(taken) = self.shares[whose].take(whose != me) {
                    tasks(taken);
                }
            }
        }));
        IN_TASK.set(false);
        if let Err(panic) = result {
            self.shares.iter().for_each(|share| share.set(0, 0));
            self.panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(panic);
        }
    }

    fn work(&self, me: usize) {
        let _env = FloatEnv::standard();
        let mut last_epoch = 0;
        let mut spins = 0u32;
        let mut asking = Asking::default();
        loop {
            let state = self.state.load(Ordering::Acquire);
            if state & OPEN != 0 && state >> 16 != last_epoch {
                let entered =
                    self.state.compare_exchange(state, state + 1, Ordering::AcqRel, Ordering::Relaxed);
                if entered.is_ok() {
                    last_epoch = state >> 16;
                    // SAFETY: the job is open and we are counted in it, so its closure lives until we leave.
                    let tasks = unsafe { &*(*self.job.get()).0 };
                    self.take_tasks(me, tasks);
                    // Before we leave: nobody writes it while we are in.
                    asking.tell(self.shares[me].soon());
                    self.state.fetch_sub(1, Ordering::AcqRel);
                    spins = 0;
                }
                continue;
            }
            spins += 1;
            if spins < SPINS {
                asking.wait();
            } else if !self.sleep_until_new(last_epoch) {
                return;
            } else {
                spins = 0;
            }
        }
    }

    /// Sleeps until there is an open job of another epoch; false when the pool ends.
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
            // A worker's panic was already passed on by `run`.
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

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
        let pool = Pool::new(2);
        let result = catch_unwind(AssertUnwindSafe(|| pool.run(50, &|i| assert!(i != 30))));
        assert!(result.is_err());
        pool.run(50, &|_| {});
    }
}
