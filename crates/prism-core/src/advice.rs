//! What an error says to people: what happened and where, and apart from it what to do next.
//!
//! Every error of the libraries that has advice implements [`Advice`]: its `Display` is what happened, and the advice is a
//! value of its own, so that nobody has to look for it in a sentence that may quote a stranger. Pure.

use std::borrow::Cow;
use std::fmt::Display;
use std::io;

/// What to do next.
pub type Hint = Cow<'static, str>;

/// What happened, as `Display` says it, and what to do next.
pub trait Advice: Display {
    /// What to do next, where there is more to say than what happened.
    fn hint(&self) -> Option<Hint> {
        None
    }

    /// Both in a line: what happened; what to do next.
    fn told(&self) -> String {
        joined(self.to_string(), self.hint().as_deref())
    }
}

/// What happened and what to do next, in a line.
pub fn joined(mut what: String, hint: Option<&str>) -> String {
    if let Some(hint) = hint {
        what.push_str("; ");
        what.push_str(hint);
    }
    what
}

impl Advice for str {}
impl Advice for String {}
impl Advice for io::Error {}

impl<T: Advice + ?Sized> Advice for &T {
    fn hint(&self) -> Option<Hint> {
        (**self).hint()
    }
}
