//! What a master of BASE sends, and what it must get: start, weights, work, uploads, reads through its proxy.

mod newest;
mod proxied;
mod start;
mod uploads;
mod weights;
