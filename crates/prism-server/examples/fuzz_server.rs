//! A fuzzer that runs on stable: `cargo run --release -p prism-server --example fuzz_server -- [--seconds N] [--seed S]`.
//!
//! Mutates uploads in both forms, signed headers, the master's headers, queries of lists with their cursors, and addresses
//! behind proxies, and gives them to the parsers of the server. It stops at the first crash; at an upload that is taken and
//! is larger, named otherwise or hashed otherwise than the contract says; at headers that pass and are out of bounds; at a
//! cursor that is taken and is not written as it came; at a token that is taken and is another; and at a refusal that is not
//! the client's, is too long, or quotes a signature or a token. The same seed gives the same inputs.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a command-line tool"
)]

use std::net::IpAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use prism_core::hash::Sha256Hash;
use prism_core::time::Timestamp;
use prism_server::Settings;
use prism_server::envelope::{self, EnvelopeLimits, Form};
use prism_server::inputs::{self, Signing};
use prism_server::network::{Network, client_address};
use prism_server::problem::Problem;
use secrecy::SecretString;

const NOW_SECONDS: i64 = 1_767_225_600;
const TOKEN: &str = "a-token-that-only-the-master-has";
const SIGNATURE: &str = "3e500874850cb1b7dd9b77f5923a1c7fb3b76aa435680af2309a737466d0a6433ae2c50cc6c921c00702caf254442268755fa54556bc2b4c997398fb3171b588";
const ADDRESS: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const LIMITS: EnvelopeLimits = EnvelopeLimits {
    base64_bytes: 400,
    metadata_bytes: 100,
};
/// Longest answer to a refusal, in bytes: it repeats little of what was sent.
const REFUSAL_BYTES_MAX: usize = 4096;
const BODIES: [&[u8]; 6] = [
    br#"{"filename":"a.zip","code":"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==","metadata":{}}"#,
    br#"{"code":"print(1)\n","filename":"model.py","metadata":{"gpus":1,"x":[null,true,1e3,{"a":"\u00e4"}]}}"#,
    br#"{"code":"UEs=","filename":"a.zip","more":[1,2,{"x":"y"}]}"#,
    b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    b"",
    b"[]",
];
const TYPES: [&str; 4] = [
    "application/json",
    "Application/JSON; charset=utf-8",
    "application/zip",
    "",
];
const NAMES: [&str; 5] = ["project.zip", "model.py", "x.txt", "../a.zip", "a b.zip"];
const QUERIES: [&str; 4] = [
    "cursor=s1f&limit=20",
    "status=pending&stage=queued&hotkey=5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
    "epoch_id=81816&round=00000000-0000-4000-8000-000000000000",
    "cursor=s7fffffffffffffff&limit=200&limit=1",
];
const FORWARDED: [&str; 3] = ["1.2.3.4, 10.0.0.9", "::ffff:1.2.3.4", "2001:db8::1,fd00::2"];
/// What mutations insert.
const PIECES: [&str; 16] = [
    "0x", "\"", "{", "}", "[", ":", ",", "null", "1e999", "\\u0000", "\\ud800", "%00", "%ff", "&", "=",
    "\u{feff}",
];

/// A small generator; the same seed gives the same numbers.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound.max(1) as u64).unwrap()
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    fn mutated(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        // One in five stays as it is: what is behind the first check is to be reached too.
        for _ in 0..self.below(5) {
            let at = self.below(bytes.len() + 1);
            match self.below(6) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 => bytes.insert(at, u8::try_from(self.below(256)).unwrap()),
                3 => drop(bytes.splice(at..at, PIECES[self.below(PIECES.len())].bytes())),
                4 => bytes.truncate(at),
                _ => {
                    let copied = bytes[at..].to_vec();
                    let to = self.below(bytes.len() + 1);
                    bytes.splice(to..to, copied.into_iter().take(64));
                }
            }
        }
        bytes
    }

    /// Headers with these values, some of them missing, twice or changed.
    fn headers(&mut self, from: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in from {
            for _ in 0..[1, 1, 1, 1, 1, 1, 0, 2][self.below(8)] {
                if let Ok(value) = HeaderValue::from_bytes(&self.mutated(value.as_bytes())) {
                    headers.append(HeaderName::from_static(name), value);
                }
            }
        }
        headers
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |name: &str, default: u64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok())
            .unwrap_or(default)
    };
    let end = Instant::now() + Duration::from_secs(number("--seconds", 20));
    let mut numbers = Numbers(number("--seed", 1));
    let mut settings = Settings::new(Arc::new(|| Timestamp::from_seconds(NOW_SECONDS)));
    settings.token = Some(SecretString::from(TOKEN));
    let (mut inputs, mut taken) = (0_u64, [0_u64; 4]);
    while Instant::now() < end {
        for _ in 0..100 {
            let found = try_upload(&mut numbers)
                .and_then(|ok| try_signed(&mut numbers, &settings).map(|more| (ok, more)))
                .and_then(|(ok, signed)| try_master(&mut numbers, &settings).map(|more| [ok, signed, more]))
                .and_then(|[ok, signed, master]| {
                    try_query(&mut numbers).map(|query| [ok, signed, master, query])
                })
                .and_then(|oks| try_address(&mut numbers).map(|()| oks));
            match found {
                Ok(oks) => (0..4).for_each(|at| taken[at] += u64::from(oks[at])),
                Err(what) => {
                    eprintln!("{what}");
                    return ExitCode::FAILURE;
                }
            }
            inputs += 5;
        }
    }
    // A fuzzer whose inputs are all refused at the first check finds nothing.
    if taken.contains(&0) {
        eprintln!("of some kind nothing was ever taken: {taken:?}");
        return ExitCode::FAILURE;
    }
    println!("{inputs} inputs, nothing found; taken {taken:?} uploads, signatures, tokens, queries");
    ExitCode::SUCCESS
}

/// A refusal is the client's, short, and quotes no secret.
fn refusal(problem: &Problem, secrets: &[&[u8]], input: &str) -> Result<bool, String> {
    let text = problem.body().to_string();
    let status = problem.status().as_u16();
    if !(400..500).contains(&status) {
        return Err(format!("{status} for {input}"));
    }
    if text.len() > REFUSAL_BYTES_MAX {
        return Err(format!("a refusal of {} bytes for {input}", text.len()));
    }
    let quotes = |secret: &&[u8]| {
        secret.len() >= 16 && text.as_bytes().windows(secret.len()).any(|part| part == *secret)
    };
    if secrets.iter().any(quotes) {
        return Err(format!("`{text}` quotes a secret"));
    }
    Ok(false)
}

fn try_upload(numbers: &mut Numbers) -> Result<bool, String> {
    let seed = numbers.one(&BODIES);
    let body = numbers.mutated(seed);
    let kind = numbers.one(&TYPES);
    let kind = String::from_utf8_lossy(&numbers.mutated(kind.as_bytes())).into_owned();
    let name = numbers.one(&NAMES);
    let name = String::from_utf8_lossy(&numbers.mutated(name.as_bytes())).into_owned();
    let form = Form {
        content_type: (!kind.is_empty()).then_some(kind.as_str()),
        filename: (!name.is_empty()).then_some(name.as_str()),
    };
    let input = format!("{form:?} {}", String::from_utf8_lossy(&body));
    let found = match envelope::parse(form, body.clone(), LIMITS) {
        Err(error) => return refusal(&Problem::from(error), &[], &input),
        Ok(found) => found,
    };
    let stem = found
        .filename
        .strip_suffix(".py")
        .or_else(|| found.filename.strip_suffix(".zip"));
    let is_named = stem.is_some_and(|stem| {
        !stem.is_empty()
            && stem
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    });
    if !is_named || found.filename.len() > 255 {
        return Err(format!("the name `{}` of {input}", found.filename));
    }
    if found.bytes.is_empty() || found.bytes.len() > LIMITS.base64_bytes {
        return Err(format!("{} bytes of {input}", found.bytes.len()));
    }
    let is_json = envelope::is_json(form.content_type);
    if !is_json
        && (found.bytes != body || found.code_hash != Sha256Hash::of(STANDARD.encode(&body).as_bytes()))
    {
        return Err(format!(
            "a raw body is not kept as it came, or is hashed otherwise: {input}"
        ));
    }
    if is_json {
        let Ok(sent) = serde_json::from_slice::<serde_json::Value>(&body) else {
            // Half a surrogate pair in a name that nobody reads, or a number there that is too large for any type, is JSON, but
            // nothing that the library would keep.
            return if serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok() {
                Ok(true)
            } else {
                Err(format!("taken and no JSON: {input}"))
            };
        };
        let code = sent["code"].as_str().unwrap_or_default();
        if found.code_hash != Sha256Hash::of(code.as_bytes()) || code.len() > LIMITS.base64_bytes {
            return Err(format!("the code is hashed otherwise or too large: {input}"));
        }
        let metadata = serde_json::Value::Object(found.metadata).to_string();
        if metadata.len() > LIMITS.metadata_bytes {
            return Err(format!("metadata of {} bytes: {input}", metadata.len()));
        }
    }
    Ok(true)
}

fn try_signed(numbers: &mut Numbers, settings: &Settings) -> Result<bool, String> {
    let now = NOW_SECONDS.to_string();
    let (signing, names) = if numbers.below(2) == 0 {
        (
            Signing::Upload,
            ["x-hotkey", "x-signature", "x-nonce", "x-timestamp"],
        )
    } else {
        let names = [
            "x-prism-hotkey",
            "x-prism-signature",
            "x-prism-nonce",
            "x-prism-timestamp",
        ];
        (Signing::Owner, names)
    };
    let values = [ADDRESS, SIGNATURE, "nonce-1", now.as_str()];
    let headers = numbers.headers(&std::array::from_fn::<_, 4, _>(|at| (names[at], values[at])));
    let input = format!("{headers:?}");
    let [hotkey, nonce, timestamp] = match inputs::signed_headers(&headers, signing, settings) {
        Err(problem) => {
            let secret = headers.get(names[1]).map_or(&b""[..], HeaderValue::as_bytes);
            return refusal(&problem, &[secret], &input);
        }
        Ok(values) => values,
    };
    let away = timestamp
        .parse::<i64>()
        .map_err(|error| format!("{error} {input}"))?
        .abs_diff(NOW_SECONDS);
    let is_bounded = |text: &str| (1..=128).contains(&text.len()) && text.is_ascii();
    if away > settings.signature_ttl_seconds.unsigned_abs() || !is_bounded(&nonce) || hotkey != ADDRESS {
        return Err(format!("taken: {input}"));
    }
    Ok(true)
}

fn try_master(numbers: &mut Numbers, settings: &Settings) -> Result<bool, String> {
    let right = format!("Bearer {TOKEN}");
    let headers = numbers.headers(&[
        ("authorization", right.as_str()),
        ("x-base-challenge-slug", "prism"),
    ]);
    match inputs::is_masters(&headers, settings) {
        Err(problem) => refusal(&problem, &[TOKEN.as_bytes()], &format!("{headers:?}")),
        Ok(()) if headers.get_all("authorization").iter().eq([right.as_str()]) => Ok(true),
        Ok(()) => Err(format!("taken for the master's: {headers:?}")),
    }
}

fn try_query(numbers: &mut Numbers) -> Result<bool, String> {
    let seed = numbers.one(&QUERIES);
    let query = String::from_utf8_lossy(&numbers.mutated(seed.as_bytes())).into_owned();
    match inputs::list_query(&query) {
        Err(problem) => refusal(&problem, &[], &query),
        Ok((filter, cursor, limit)) => {
            if !(1..=200).contains(&limit) || filter.epoch.is_some_and(|epoch| epoch < 0) {
                return Err(format!("out of bounds: {query}"));
            }
            if let Some(cursor) = cursor
                && !query.contains(&inputs::cursor_text(cursor))
                && !query.contains('%')
            {
                return Err(format!("{cursor} is not the cursor of {query}"));
            }
            Ok(true)
        }
    }
}

fn try_address(numbers: &mut Numbers) -> Result<(), String> {
    let seed = numbers.one(&FORWARDED);
    let headers = numbers.headers(&[("x-forwarded-for", seed)]);
    let trusted: [Network; 2] = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
    let stranger: IpAddr = "8.8.8.8".parse().unwrap();
    if client_address(stranger, &headers, &trusted) != stranger {
        return Err(format!("a stranger says who it is: {headers:?}"));
    }
    // Of a proxy that is trusted any address may come; it must only come to an end.
    let _ = client_address("10.0.0.1".parse().unwrap(), &headers, &trusted);
    Ok(())
}
