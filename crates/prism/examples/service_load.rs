//! Load on a server of the challenge, from outside: reads of one address or of many, or signed uploads.
//!
//! ```text
//! cargo run --release -p prism --example service_load -- get http://127.0.0.1:8080/v1/leaderboard [--connections 32 --seconds 5]
//! cargo run --release -p prism --example service_load -- get http://127.0.0.1:8080/v1/submissions/ --each IDS
//! cargo run --release -p prism --example service_load -- upload http://127.0.0.1:8080 [--connections 32 --seconds 5]
//! ```
//!
//! With `--each` every request asks for the next line of that file, put behind the address.
//!
//! Prints one line of JSON: requests and bytes of bodies a second, median and 99th percentile in milliseconds, how many were not
//! answered with 200. Used by `bench/service.py`, on PRISM and on its peer alike. Connections are kept open; each has one request
//! under way.

#![allow(clippy::print_stdout, reason = "a command-line tool")]
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use prism_core::hash::Sha256Hash;
use prism_key::{Keypair, Seed, message, message::Stamp, random};

/// What honest bundles are like, in bytes.
const BUNDLE_BYTES: usize = 20_000;
/// Uploads of one hotkey, which the limits of a hotkey allow.
const UPLOADS_PER_HOTKEY: u64 = 10;

struct Arguments {
    is_upload: bool,
    address: String,
    path: String,
    /// What is put behind the path, in turn; one empty line where only one address is read.
    each: Vec<String>,
    next: AtomicUsize,
    connections: u64,
    time: Duration,
}

fn arguments() -> Arguments {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let rest = words[1].strip_prefix("http://").unwrap();
    let (address, path) = rest
        .split_once('/')
        .map_or((rest, String::new()), |(a, p)| (a, format!("/{p}")));
    let value = |name: &str| {
        let at = words.iter().position(|word| word == name);
        at.map(|at| words[at + 1].clone())
    };
    let number = |name: &str, default: u64| value(name).map_or(default, |value| value.parse().unwrap());
    let each = value("--each").map_or_else(
        || vec![String::new()],
        |file| {
            std::fs::read_to_string(file)
                .unwrap()
                .lines()
                .map(str::to_owned)
                .collect()
        },
    );
    Arguments {
        is_upload: words[0] == "upload",
        address: address.to_owned(),
        path,
        each,
        next: AtomicUsize::new(0),
        connections: number("--connections", 32),
        time: Duration::from_secs(number("--seconds", 5)),
    }
}

/// One connection, kept open.
struct Connection {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
    body: Vec<u8>,
}

impl Connection {
    fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            reader: BufReader::new(stream.try_clone().unwrap()),
            stream,
            body: Vec::new(),
        }
    }

    /// Sends a request and reads its answer: status and bytes of the body.
    fn ask(&mut self, request: &[u8]) -> (u16, usize) {
        self.stream.write_all(request).unwrap();
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut length = 0;
        loop {
            line.clear();
            self.reader.read_line(&mut line).unwrap();
            if line.trim_end().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
        }
        self.body.resize(length, 0);
        self.reader.read_exact(&mut self.body).unwrap();
        (status, length)
    }
}

fn get(arguments: &Arguments) -> Vec<u8> {
    let next = arguments.next.fetch_add(1, Ordering::Relaxed);
    format!(
        "GET {}{} HTTP/1.1\r\nhost: {}\r\n\r\n",
        arguments.path,
        arguments.each[next % arguments.each.len()],
        arguments.address
    )
    .into_bytes()
}

/// A signed upload that nobody has sent before.
fn upload(arguments: &Arguments, key: &Keypair) -> Vec<u8> {
    let hotkey = key.hotkey().to_string();
    let nonce = random::nonce().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let timestamp = now.as_secs().to_string();
    // The head of an empty archive, so that whoever looks sees one; the rest is different each time.
    let mut body = b"PK\x05\x06".to_vec();
    body.extend(
        Sha256Hash::of(nonce.as_bytes())
            .0
            .into_iter()
            .cycle()
            .take(BUNDLE_BYTES),
    );
    let stamp = Stamp {
        hotkey: &hotkey,
        nonce: &nonce,
        timestamp: &timestamp,
    };
    let text = message::upload(stamp, &Sha256Hash::of(&body));
    let signature = key.sign(text.as_bytes());
    let mut request = format!(
        "POST /v1/submissions HTTP/1.1\r\nhost: {}\r\ncontent-type: application/zip\r\ncontent-length: {}\r\n\
         x-submission-filename: load.zip\r\nx-hotkey: {hotkey}\r\nx-nonce: {nonce}\r\nx-timestamp: {timestamp}\r\n\
         x-signature: {signature}\r\n\r\n",
        arguments.address,
        body.len()
    )
    .into_bytes();
    request.extend(body);
    request
}

/// One after another until the time is over: seconds of each, bytes, answers that were not 200.
fn client(arguments: &Arguments) -> (Vec<Duration>, usize, u64) {
    let mut connection = Connection::open(&arguments.address);
    let (mut samples, mut bytes, mut others) = (Vec::new(), 0, 0);
    let mut key = Seed::fresh().unwrap().keypair();
    let start = Instant::now();
    let mut sent = 0;
    while start.elapsed() < arguments.time {
        if sent == UPLOADS_PER_HOTKEY {
            key = Seed::fresh().unwrap().keypair();
            sent = 0;
        }
        let request = if arguments.is_upload {
            upload(arguments, &key)
        } else {
            get(arguments)
        };
        sent += 1;
        let asked = Instant::now();
        let (status, length) = connection.ask(&request);
        samples.push(asked.elapsed());
        bytes += length;
        others += u64::from(status != 200);
    }
    (samples, bytes, others)
}

fn main() {
    let arguments = arguments();
    let start = Instant::now();
    let all: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..arguments.connections)
            .map(|_| scope.spawn(|| client(&arguments)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    let mut samples: Vec<Duration> = all
        .iter()
        .flat_map(|(samples, ..)| samples.iter().copied())
        .collect();
    samples.sort_unstable();
    let bytes: usize = all.iter().map(|(_, bytes, _)| bytes).sum();
    let others: u64 = all.iter().map(|(.., others)| others).sum();
    let at = |percent: usize| samples[(samples.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    println!(
        "{{\"requests\": {}, \"per_second\": {:.1}, \"body_bytes_per_second\": {:.0}, \"p50_ms\": {:.3}, \"p99_ms\": {:.3}, \
         \"not_200\": {others}}}",
        samples.len(),
        samples.len() as f64 / seconds,
        bytes as f64 / seconds,
        at(50),
        at(99)
    );
}
