//! The API of the challenge service, from outside: what `prism submit` and its neighbours ask.
//!
//! A small synchronous client. It signs what has to be signed, sends it, bounds what comes back, and follows a submission
//! over dropped connections and restarted servers. It decides nothing about a submission and prints nothing. Redirects are
//! never followed: a signature goes to the server that was named and to nobody else.
//!
//! Every text that comes back is a stranger's. It is bounded here and otherwise handed on as it came: whoever shows it
//! escapes it.
//!
//! Reading order: [`server`] (where), [`client`] (how), [`submit`], [`owner`] and [`reads`] (what), [`follow`] over [`sse`]
//! (a stream of events), [`wire`] (what comes back), [`error`].

pub mod server;

pub mod client;

pub mod patience;

mod exchange;

pub mod submit;

pub mod owner;

pub mod reads;

pub mod follow;

pub mod sse;

pub mod wire;

pub mod error;

pub use client::Client;
pub use error::{ClientError, Problem};
pub use patience::Patience;
pub use server::{Road, Server, ServerError};
pub use wire::Got;

#[cfg(test)]
mod scripted;
#[cfg(test)]
mod tests;
