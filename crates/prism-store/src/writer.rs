//! The one thread that writes: it takes what waits, gives each job a savepoint, commits once, then answers.
//!
//! ```text
//! BEGIN IMMEDIATE
//!   for each of up to 64 jobs: SAVEPOINT, job, RELEASE (or ROLLBACK TO, where it fails or panics)
//! COMMIT
//! then the answers: to each its own result, or to all of them that the commit failed
//! ```
//!
//! One sync of the disk serves a whole group, and nobody hears of success before it. It must never answer before the
//! commit, and never let one job's failure reach another's rows.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
};

use crate::{Result, StoreError, Write, events::Notify, lock::Lock, wal};

/// Most jobs in one commit.
const GROUP: usize = 64;
/// Commits between two looks at the length of the write-ahead log.
const GROUPS_A_LOOK: u64 = 256;

/// The handle of the thread.
pub(crate) struct Writer {
    /// Closed before the thread is waited for.
    jobs: Option<Sender<Box<dyn Job>>>,
    listeners: Arc<Mutex<Vec<Box<Notify>>>>,
    thread: Option<JoinHandle<()>>,
}

/// A job whose result's type only its caller knows.
trait Job: Send {
    /// Does it. What went wrong, if it is not to be kept.
    fn run(&mut self, tx: &Write) -> Option<&StoreError>;
    /// Tells its caller: its own result, or why the group was not committed.
    fn answer(self: Box<Self>, committed: Result<()>);
}

struct Typed<T, F, D> {
    job: Option<F>,
    result: Option<Result<T>>,
    done: D,
}

impl<T, F, D> Job for Typed<T, F, D>
where
    T: Send,
    F: FnOnce(&Write) -> Result<T> + Send,
    D: FnOnce(Result<T>) + Send,
{
    fn run(&mut self, tx: &Write) -> Option<&StoreError> {
        if let Some(job) = self.job.take() {
            // What a panic leaves half done is in the savepoint, which is rolled back.
            let result = catch_unwind(AssertUnwindSafe(|| job(tx)));
            self.result =
                Some(result.unwrap_or_else(|panic| Err(StoreError::Panicked(words(panic.as_ref())))));
        }
        self.result.as_ref().and_then(|result| result.as_ref().err())
    }

    fn answer(self: Box<Self>, committed: Result<()>) {
        let Self { result, done, .. } = *self;
        let answer = match (committed, result) {
            // A job that failed has stored nothing: the commit does not concern it.
            (Ok(()), Some(result)) | (Err(_), Some(result @ Err(_))) => result,
            (Ok(()), None) => Err(StoreError::Stopped),
            (Err(error), Some(Ok(_)) | None) => Err(error),
        };
        // The thread must outlive whatever a caller does with its answer.
        let _ = catch_unwind(AssertUnwindSafe(|| done(answer)));
    }
}

impl Writer {
    /// Starts the thread, which owns the writing connection and the lock of the store.
    pub(crate) fn start(tx: Write, lock: Lock) -> Result<Self> {
        let (jobs, waiting) = channel();
        let listeners = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&listeners);
        let thread = std::thread::Builder::new()
            .name("prism-store".to_owned())
            .spawn(move || {
                serve(&tx, &waiting, &heard);
                drop(tx);
                drop(lock);
            })
            .map_err(|error| StoreError::io("starting the thread of", "the store".as_ref(), error))?;
        Ok(Self {
            jobs: Some(jobs),
            listeners,
            thread: Some(thread),
        })
    }

    pub(crate) fn send<T, F, D>(&self, job: F, done: D)
    where
        T: Send + 'static,
        F: FnOnce(&Write) -> Result<T> + Send + 'static,
        D: FnOnce(Result<T>) + Send + 'static,
    {
        let job: Box<dyn Job> = Box::new(Typed {
            job: Some(job),
            result: None,
            done,
        });
        let refused = match &self.jobs {
            Some(jobs) => jobs.send(job).map_err(|refused| refused.0),
            None => Err(job),
        };
        if let Err(job) = refused {
            job.answer(Err(StoreError::Stopped));
        }
    }

    pub(crate) fn subscribe(&self, notify: Box<Notify>) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.push(notify);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        let Some(thread) = self.thread.take() else {
            return;
        };
        // An answer may own the last handle of the store, and then this is the thread itself.
        if thread.thread().id() != std::thread::current().id() {
            let _ = thread.join();
        }
    }
}

fn serve(tx: &Write, waiting: &Receiver<Box<dyn Job>>, listeners: &Mutex<Vec<Box<Notify>>>) {
    let mut groups = 0_u64;
    while let Ok(first) = waiting.recv() {
        let mut group = vec![first];
        group.extend(waiting.try_iter().take(GROUP - 1));
        tx.written.borrow_mut().clear();
        let committed = commit(tx, &mut group);
        let written = tx.written.take();
        match committed {
            Ok(()) => {
                // Before the answers: whoever has one must find what he wrote, also where answers are kept in memory.
                if !written.is_empty() {
                    let listeners = listeners.lock().unwrap_or_else(PoisonError::into_inner);
                    for notify in listeners.iter() {
                        let _ = catch_unwind(AssertUnwindSafe(|| notify(&written)));
                    }
                }
                for job in group {
                    job.answer(Ok(()));
                }
            }
            Err(error) => {
                for job in group {
                    job.answer(Err(error.of_group()));
                }
            }
        }
        groups += 1;
        if groups.is_multiple_of(GROUPS_A_LOOK) {
            // It is tried again later, and costs nothing but room until then.
            let _ = wal::shorten(tx, wal::MOST_BYTES);
        }
    }
}

/// One transaction for the whole group.
fn commit(tx: &Write, group: &mut [Box<dyn Job>]) -> Result<()> {
    if !tx.conn.is_autocommit() {
        // The last group could not even be taken back.
        tx.conn.execute_batch("ROLLBACK")?;
    }
    tx.conn.execute_batch("BEGIN IMMEDIATE")?;
    let done = run_all(tx, group).and_then(|()| Ok(tx.conn.execute_batch("COMMIT")?));
    if done.is_err() && !tx.conn.is_autocommit() {
        tx.conn.execute_batch("ROLLBACK")?;
    }
    done
}

fn run_all(tx: &Write, group: &mut [Box<dyn Job>]) -> Result<()> {
    for job in group {
        tx.conn.execute_batch("SAVEPOINT job")?;
        let before = tx.written.borrow().len();
        match job.run(tx) {
            None => tx.conn.execute_batch("RELEASE job")?,
            // A full disk or a failed write can make SQLite give the whole transaction up, with the jobs before this one.
            Some(error) if tx.conn.is_autocommit() => return Err(error.of_group()),
            Some(_) => {
                tx.written.borrow_mut().truncate(before);
                tx.conn.execute_batch("ROLLBACK TO job; RELEASE job")?;
            }
        }
    }
    Ok(())
}

fn words(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (None, Some(text)) => text.clone(),
        (None, None) => "without a message".to_owned(),
    }
}
