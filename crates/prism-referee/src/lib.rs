//! The referee: it holds the text, the audit key and the arithmetic, and believes nobody.
//!
//! # Theory of operation
//!
//! ```text
//!   LEARNER (sandbox)  <--- batch k ---  REFEREE (this crate)  --- question --->  AUDITOR (sandbox)
//!                      --- W_k, claims -->                     <--- logits ---
//! ```
//!
//! The learner trains; before it gets batch `k` it must leave its weights `W_k` in a segment that the referee copies
//! at once. It then claims what each target of the batch costs. Only now the referee draws which targets are audited,
//! and asks the auditor, which has never seen the batch, for its prediction of each: same weights, same prefix, target
//! and everything after it absent. Claims are only control variates, so a lie costs its liar noise and nothing else.
//! Learner and auditor are never runnable at the same time, and the auditor is sealed: it cannot ask the kernel for what
//! the learner has left in it.
//!
//! Reading order: [`frame`], [`message`], [`connection`] (the wire, outside in), [`lanes`] (text to rows), [`draws`],
//! [`account`], [`verdict`] (the arithmetic), [`party`], [`worker`], [`session`] (one measurement, with [`learner`],
//! [`auditor`], [`answerers`], [`repeat`], [`newest`], [`kept`] and [`heldout`]), [`targets`], [`record`], [`profile`].
//! Beside them [`smoke`]: one model built once, before there is anything to measure.
//!
//! # Never
//!
//! It starts no process and knows no sandbox (a [`worker::Launcher`] does), opens no network, parses no pickle, and
//! lets no clock into a record.

pub mod frame;

pub mod message;

pub mod layout;

pub mod connection;

pub mod lanes;

pub mod newest;

pub mod draws;

pub mod account;

pub mod verdict;

pub mod targets;

pub mod party;

pub mod worker;

pub mod plan;

pub mod auditor;

pub mod answerers;

pub mod learner;

pub mod replay;

pub mod kept;

pub mod heldout;

pub mod session;

pub mod smoke;

mod causality;

mod made_up_weights;

pub mod record;

pub mod profile;
