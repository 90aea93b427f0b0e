//! What is shown of a run: pages and charts, and the documents that they are drawn from.
//!
//! Pure: data in, text out. No file, no clock, no process and no sandbox, so that a server can draw as the command line
//! does; whoever calls has read the data. A page is one HTML document that needs nothing else. Everything that a
//! submission had a hand in is escaped; the page runs no script and loads nothing.
//!
//! Reading order: [`run`] (what is drawn), [`manifest`], [`curve`], [`about`] (documents in it), [`run_page`] and
//! [`index_page`] (the two documents), [`page`] and [`style`] (the frame around each), `sections`, `score`, [`chart`], [`audits`],
//! [`figures`], [`words`], [`hints`] (what figures and codes read like).

pub mod about;

pub mod audits;

pub mod chart;

pub mod curve;

pub mod figures;

pub mod hints;

mod index;

pub mod manifest;

pub mod page;

pub mod run;

mod run_page;

mod score;

mod sections;

pub mod style;

pub mod words;

pub use about::About;
pub use index::{IndexEntry, index_page};
pub use run::Run;
pub use run_page::run_page;
