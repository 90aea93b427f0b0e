//! `prism data fetch`: the files of a dataset from a Hub that speaks Hugging Face's API.
//!
//! The command line is the caller. A branch is resolved to a commit once; files come one after another, each by several
//! connections in segments, until they hold as much text as is asked for. Whatever was fetched stays: an interruption at
//! any moment costs what was not yet written, and the same call goes on from there and gives the same bytes.
//!
//! What comes over the network is believed after its SHA-256 is the one that the Hub's tree has for the commit. Every
//! answer is bounded. The token goes to the Hub alone, never to where it redirects.

mod api;
mod error;
mod file;
mod http;
mod segments;
mod state;
mod wire;

use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::lock::text_bytes_of_parquet;
use api::Hub;
pub use error::HubError;
use file::Download;
use state::State;
pub use state::{FETCHED_FILE, Fetched, FetchedFile};

/// Where the Hub is unless `HF_ENDPOINT` says another place.
pub const ENDPOINT: &str = "https://huggingface.co";

/// What is fetched.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// Scheme and host of the Hub, perhaps with a path.
    pub endpoint: String,
    /// The token, where the dataset wants one.
    pub token: Option<Zeroizing<String>>,
    /// Owner and name of the dataset.
    pub dataset: String,
    /// The part of the dataset, as its card names it: `sample-10BT` lies in `sample/10BT`.
    pub config: String,
    /// A commit, or a branch or tag that is resolved once.
    pub revision: String,
    /// Files are fetched until they hold as many bytes of text.
    pub text_bytes: u64,
    /// The column that holds the text.
    pub text_field: String,
    /// Connections at a time.
    pub connections: NonZero<usize>,
    /// Length of what one request asks for.
    pub segment_bytes: u64,
    /// How long is waited, and how often something is tried again.
    pub patience: Patience,
}

/// How long is waited for what.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a connection to stand.
    pub connect: Duration,
    /// From a request until the head of its answer.
    pub answer: Duration,
    /// Between two pieces of a body.
    pub silence: Duration,
    /// The first pause before something is tried again; each further one is twice as long.
    pub first_pause: Duration,
    /// The longest pause, whatever the Hub asks for.
    pub longest_pause: Duration,
    /// How often in a row something is tried that brings nothing.
    pub tries: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            answer: Duration::from_mins(1),
            silence: Duration::from_mins(1),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_mins(5),
            tries: 8,
        }
    }
}

/// How far a fetch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchProgress<'p> {
    /// The file that is fetched.
    pub path: &'p str,
    /// Bytes of it that are there.
    pub file_done_bytes: u64,
    /// Its length.
    pub file_bytes: u64,
    /// Bytes of text in the files before it.
    pub text_bytes: u64,
}

/// Told about once for each piece that arrives; it may stop the work.
pub type OnProgress<'a> = dyn FnMut(FetchProgress<'_>) -> ControlFlow<()> + 'a;

/// Fetches into the directory `out`, and tells what is there then.
pub fn fetch(options: &FetchOptions, out: &Path, progress: &mut OnProgress<'_>) -> Result<Fetched, HubError> {
    let hub = Hub::new(options)?;
    let state = State::open(out, options, || hub.commit(&options.dataset, &options.revision))?;
    let listing = hub.parquet_files(&options.dataset, state.commit(), &options.config)?;
    let mut files = Vec::new();
    let mut text_bytes = 0;
    for remote in &listing {
        if text_bytes >= options.text_bytes {
            break;
        }
        let download = Download::new(&hub, options, state.commit(), remote, out)?;
        let path = download.run(&mut |file_done_bytes| {
            progress(FetchProgress {
                path: &remote.path,
                file_done_bytes,
                file_bytes: remote.bytes,
                text_bytes,
            })
        })?;
        let in_file = text_bytes_of_parquet(&path, &options.text_field)
            .map_err(|source| HubError::NoText(Box::new(source)))?;
        text_bytes += in_file;
        files.push(FetchedFile {
            path: remote.path.clone(),
            bytes: remote.bytes,
            sha256: remote.sha256.clone(),
            text_bytes: in_file,
        });
    }
    if text_bytes < options.text_bytes {
        return Err(HubError::TooLittle {
            found_bytes: text_bytes,
            wanted_bytes: options.text_bytes,
            config: options.config.clone(),
        });
    }
    state.finish(files, text_bytes)
}

#[cfg(test)]
mod tests;
