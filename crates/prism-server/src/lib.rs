//! The HTTP interface of the challenge: what miners, the public and the master of BASE ask over TCP.
//!
//! ```text
//! accept -> edge::observe -> linger -> compression -> edge::protect -> catch panics -> routes -> store | Challenge
//! ```
//!
//! The only way in over TCP and the only user of an asynchronous runtime. Behind it stand the store, which it asks
//! directly, and the service, which it knows as the trait [`challenge::Challenge`]. It never runs submitted code, never
//! changes a submission except by the store's own functions, has no administration, and writes no token, key,
//! signature or source text into a log.
//!
//! Reading order: [`settings`], [`challenge`], [`server`], [`edge`], [`problem`], [`routes`], [`envelope`], [`signed`].

pub mod challenge;
pub mod envelope;
pub mod inputs;
pub mod limiter;
pub mod network;
pub mod prepared;
pub mod problem;
pub mod server;
pub mod settings;
pub mod wire;

mod accept;
mod answer;
mod app;
mod blob_body;
mod body;
mod cache;
mod channel_body;
mod completed;
mod cursor;
mod edge;
mod followers;
mod linger;
mod master;
mod metrics;
mod params;
mod patience;
mod random;
mod routes;
mod signed;
mod tally;

pub use server::{Listeners, ServeError, Shutdown, serve};
pub use settings::{Clock, Limits, Settings};
