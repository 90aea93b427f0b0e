//! What the challenge remembers: one SQLite file, one folder of blobs, one lock. Nobody else speaks SQL.
//!
//! ```text
//! dir/prism.sqlite3    WAL, synchronous = FULL, foreign keys, STRICT tables, migrations that are only ever added
//! dir/blobs/           files named by their hash, written before the rows that name them
//! dir/store.lock       held by the one process that has the store open
//! ```
//!
//! [`Store::write`] sends a job to the one writing thread, which takes what waits (up to 64 jobs), gives each a savepoint,
//! commits once and then answers: an answer means that the row is on the disk. [`Store::read`] lends one of four
//! read-only connections for a short snapshot. All other functions take `&Read` or `&Write` and compose: what one job
//! writes becomes true together or not at all. A job that returns an error leaves no trace.
//!
//! Used by the service and its server. There is no clock here: whoever needs the present passes it in. It must never
//! decide what a submission may become (that is [`prism_core::submission`]), and never give out the secret of an open
//! round except to [`rounds::secret`]'s caller.
//!
//! Reading order: [`store`], [`uploads`], [`submissions`], [`queue`], [`attempts`], [`results`], [`rounds`], [`events`],
//! [`reviews`], [`budgets`], [`blobs`], [`backup`].

pub mod architectures;
pub mod attempts;
pub mod backup;
pub mod blobs;
pub mod budgets;
pub mod events;
pub mod ids;
pub mod meta;
pub mod queue;
pub mod results;
pub mod reviews;
pub mod rounds;
pub mod store;
pub mod submissions;
pub mod uploads;

mod columns;
mod disk;
mod error;
mod lock;
mod readers;
mod schema;
mod wal;
mod writer;

#[cfg(test)]
mod tests;

pub use blobs::Blobs;
pub use error::{Result, StoreError};
pub use readers::READERS;
pub use store::{Read, Store, Write};
