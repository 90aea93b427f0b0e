//! What strangers write beside bodies, parsed as the routes parse it, without a server: for the fuzzer
//! (`examples/fuzz_server.rs`) and for whoever wants to try one input. Nothing here decides anything.

use http::HeaderMap;
use prism_store::submissions::Filter;

use crate::cursor;
use crate::master;
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::submissions;
use crate::settings::Settings;
use crate::signed::{self, Claim};

/// Which four headers sign a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// `X-Hotkey` and its like, of uploads.
    Upload,
    /// `X-Prism-Hotkey` and its like, of what only an owner may ask.
    Owner,
}

/// Whether signed headers would pass everything before the signature itself, and the three values that it covers.
pub fn signed_headers(
    headers: &HeaderMap,
    signing: Signing,
    settings: &Settings,
) -> Result<[String; 3], Problem> {
    let names = match signing {
        Signing::Upload => signed::UPLOAD,
        Signing::Owner => signed::OWNER,
    };
    let fresh = Claim::read(headers, names)?.fresh(settings, signing == Signing::Owner)?;
    let stamp = fresh.stamp();
    Ok([stamp.hotkey, stamp.nonce, stamp.timestamp].map(str::to_owned))
}

/// Whether a request is the master's.
pub fn is_masters(headers: &HeaderMap, settings: &Settings) -> Result<(), Problem> {
    master::check(headers, settings)
}

/// What the query of a list asks for: which submissions, after which number, how many.
pub fn list_query(query: &str) -> Result<(Filter, Option<i64>, u32), Problem> {
    submissions::asked(&Params::parse(query))
}

/// The cursor that leads to a number.
pub fn cursor_text(number: i64) -> String {
    cursor::text(number)
}
