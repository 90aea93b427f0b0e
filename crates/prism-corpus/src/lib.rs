//! Text to locked splits, the synthetic corpus, and the tokenizers of the referee.
//!
//! The command line calls [`lock`] and [`synth`] to make a corpus; the referee opens it with [`Corpus`] and
//! encodes its documents with a [`Tokenizer`]. Everything here runs in the trusted process: input files, corpus
//! directories and a bundle's `tokenizer.json` are parsed with bounds, and no text is ever handed to a sandbox
//! from here. Nothing here reads a clock, draws true randomness or depends on the order of a hash map.

pub mod hub;
pub mod limits;
pub mod lock;
pub mod manifest;
pub mod open;
pub mod reader;
pub mod reveal;
pub mod secret;
pub mod synth;
pub mod tokenizer;

mod digest;
mod normal;
mod publish;
mod writer;

pub use lock::{LockError, LockOptions, TextFiles, lock};
pub use manifest::{LockSalt, Manifest, Shares, Split, SplitRule};
pub use open::{Corpus, OpenError};
pub use publish::PublishError;
pub use reader::{ReadError, SplitReader, StreamPrefix};
pub use tokenizer::{EncodeError, Encoded, Tokenizer, TokenizerError, TokenizerSpec};
