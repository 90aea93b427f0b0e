//! The HTML report of a run: one file that needs nothing else, for the owner of the submission and for reviewers.
//!
//! [`RunFiles::load`] reads a run's directory within bounds, [`render_run`] and [`render_index`] draw. Works for every
//! ending: what a run has not left is left out. Everything that a submission had a hand in is escaped, the page runs
//! no script and loads nothing. Reading order: `files` (what is read), `audits` (the replay behind one figure),
//! `page`, `index` (the two documents), `sections`, `chart`, `words`.

mod audits;
mod chart;
pub mod figures;
mod files;
mod index;
mod page;
mod sections;
mod style;
mod words;

pub use files::{ReportError, RunFiles, Secrets};
pub use index::{IndexEntry, render_index};
pub use page::render_run;
