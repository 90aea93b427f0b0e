//! What names stand for: scopes, bindings and their meanings, over all files of a bundle.
//!
//! [`crate::check`] binds every module ([`binder`]), lets aliases settle ([`Names::settle`]) and then asks what each
//! name or chain of attributes may stand for ([`Names::meanings`]). The answer is what it *may* be in any order of
//! execution: all bindings of a name count, and a builtin counts as shadowed only where it surely is. So a script
//! cannot hide a name by binding it twice. Nothing here knows which names are forbidden.

pub(crate) mod binder;
mod names;
mod scope;
mod shadow;
pub(crate) mod uses;
pub(crate) mod walk;

pub(crate) use names::Names;
pub(crate) use scope::{BindingKind, ScopeId, ScopeKind};

use std::rc::Rc;

use ruff_python_ast::{Expr, ExprCall};
use ruff_text_size::TextRange;

/// One thing that a name may stand for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Meaning {
    /// A library's module or something in it, as a dotted path from its top; builtins are `builtins.eval`, the harness's
    /// own object is [`CTX`].
    Library(Rc<str>),
    /// A module or package of the bundle, by its dotted path.
    Module(Rc<str>),
    /// A function, class, parameter or other value of the bundle: module and number of the binding.
    Local(usize, usize),
    /// Something else besides, which nobody sees: never alone. Every binding that is not understood says so, so that
    /// "all meanings are X" is true only where there can be no other.
    Unknown,
}

impl Meaning {
    /// The path, of something in a library.
    pub(crate) fn path(&self) -> Option<&str> {
        match self {
            Self::Library(path) => Some(path),
            Self::Module(_) | Self::Local(..) | Self::Unknown => None,
        }
    }
}

/// What is asked of all that an expression may stand for.
pub(crate) trait Meant {
    /// Whether one of them is something in a library of which this is said.
    fn any_path(&self, is: impl Fn(&str) -> bool) -> bool;
    /// Whether it may be something that nobody sees, alone or besides.
    fn may_be_unseen(&self) -> bool;
    /// Whether there are some, and all of them are such.
    fn all_paths(&self, is: impl Fn(&str) -> bool) -> bool;
}

impl Meant for [Meaning] {
    fn any_path(&self, is: impl Fn(&str) -> bool) -> bool {
        self.iter().filter_map(Meaning::path).any(is)
    }

    fn may_be_unseen(&self) -> bool {
        self.is_empty() || self.contains(&Meaning::Unknown)
    }

    fn all_paths(&self, is: impl Fn(&str) -> bool) -> bool {
        !self.is_empty() && self.iter().all(|meaning| meaning.path().is_some_and(&is))
    }
}

/// The path of the `ctx` that `build_model` and `train` receive. No import can have this name.
pub(crate) const CTX: &str = "<ctx>";

/// How a reference is used.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Usage<'a> {
    /// It is called.
    Call(&'a ExprCall),
    /// It is read in any other way.
    Load,
    /// Something is assigned to it.
    Store,
    /// It is deleted.
    Delete,
}

/// A call, with what is called.
pub(crate) struct Call<'a> {
    pub(crate) expr: &'a ExprCall,
    /// What the callee may stand for; empty where that is not known.
    pub(crate) callee: Vec<Meaning>,
}

impl Call<'_> {
    /// Whether the callee may be a library's function.
    pub(crate) fn may_be(&self, path: &str) -> bool {
        self.callee.any_path(|found| found == path)
    }
}

/// An attribute that is stored or deleted, by a statement of any kind or by `setattr` with a name that is spelled out.
pub(crate) struct Store<'a> {
    pub(crate) place: TextRange,
    pub(crate) object: &'a Expr,
    pub(crate) name: &'a str,
    /// What is stored; `None` where that is not a single expression.
    pub(crate) value: Option<&'a Expr>,
}

/// A name or the longest chain of attributes at one place.
pub(crate) struct Reference<'a> {
    pub(crate) expr: &'a Expr,
    /// What it may stand for; empty where that is not known.
    pub(crate) meanings: Vec<Meaning>,
    pub(crate) usage: Usage<'a>,
}

impl Reference<'_> {
    /// The library paths among its meanings.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.meanings.iter().filter_map(Meaning::path)
    }
}
