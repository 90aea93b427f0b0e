//! What the gate knows of the libraries, for whoever keeps that up to date or explains it.
//!
//! `xtask libraries` asks the locked runtime with it, `prism explain` shows it. It judges no bundle.

pub use crate::knowledge::attributes::is_decided;
pub use crate::knowledge::libraries::{Module, modules, names};

/// The modules that may be handed around as values.
pub fn plain() -> Vec<&'static str> {
    crate::knowledge::libraries::PLAIN.iter().collect()
}

/// Whether a rule refuses a name that its module documents.
pub fn is_denied(path: &str) -> bool {
    crate::knowledge::verdict::is_denied(path)
}

/// All paths that rules refuse.
pub fn denied() -> Vec<&'static str> {
    crate::knowledge::verdict::denied()
}

/// Whether a name under which a library holds a way out was looked at and is harmless all the same.
pub fn is_reviewed(name: &str) -> bool {
    crate::knowledge::attributes::is_reviewed(name)
}
