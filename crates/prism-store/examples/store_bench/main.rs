//! How fast the store is: durable uploads of 64 clients, and reads with 100,000 submissions in it.
//!
//! ```text
//! cargo run --release -p prism-store --example store_bench [-- --submissions 100000 --seconds 5 --dir DIR]
//! cargo run --release -p prism-store --example store_bench -- --fill DIR [--submissions 100000]
//! ```
//!
//! The second one adds submissions to the open round of a challenge that is not served just now, and ends.
//!
//! Prints one line a number. The folder (a temporary one unless given) decides about the disk that is measured.

#![allow(clippy::print_stdout, reason = "a command-line tool")]
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

mod filling;

use std::{
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use prism_core::{hash::Sha256Hash, time::Timestamp};
use prism_store::{
    Read, Result, Store, budgets, events,
    queue::{self, Line},
    results::{self, Scope},
    rounds,
    submissions::{self, Filter},
    uploads::{self, NewUpload},
};

use filling::{UPLOADS_PER_HOTKEY, life, named, round, uuid};

const CLIENTS: u64 = 64;
/// What honest bundles are like, in bytes.
const BUNDLE_BYTES: usize = 20_000;
/// Submissions of one job while the store is filled.
const BATCH: u64 = 250;
const T0: Timestamp = Timestamp(1_767_225_600_000_000);

struct Arguments {
    submissions: u64,
    seconds: u64,
    dir: Option<PathBuf>,
    fill: Option<PathBuf>,
}

fn arguments() -> Arguments {
    let mut arguments = Arguments {
        submissions: 100_000,
        seconds: 5,
        dir: None,
        fill: None,
    };
    let mut words = std::env::args().skip(1);
    while let (Some(flag), Some(value)) = (words.next(), words.next()) {
        match flag.as_str() {
            "--submissions" => arguments.submissions = value.parse().unwrap(),
            "--seconds" => arguments.seconds = value.parse().unwrap(),
            "--dir" => arguments.dir = Some(value.into()),
            "--fill" => arguments.fill = Some(value.into()),
            other => panic!("unknown flag {other}"),
        }
    }
    arguments
}

fn main() {
    let arguments = arguments();
    if let Some(dir) = arguments.fill {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = Timestamp(i64::try_from(since.as_micros()).unwrap());
        let store = Store::open(&dir, now).unwrap();
        fill(&store, arguments.submissions, now);
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let dir = arguments.dir.unwrap_or_else(|| temporary.path().join("store"));
    let store = Store::open(&dir, T0).unwrap();
    store.write(|tx| rounds::open(tx, &round(), T0)).unwrap();
    let time = Duration::from_secs(arguments.seconds);

    let uploads = clients(time, |client, i| {
        let bundle = bundle(client, i);
        let hash = store.blobs().put(&bundle).unwrap();
        accept(&store, upload(client, i, hash));
    });
    uploads.print("durable uploads with a bundle of 20 kB, 64 clients");
    let bundle = store.blobs().put(b"one for all").unwrap();
    let rows = clients(time, |client, i| {
        accept(&store, upload(client, (1 << 40) | i, bundle));
    });
    rows.print("durable rows alone, 64 clients");

    let of_batch = fill(&store, arguments.submissions, T0);
    let (round_id, id) = (round().id, uuid((1 << 50) | (of_batch - 1)));

    let reads = clients(time, |client, i| {
        let id = uuid((1 << 50) | ((client * 7919 + i * 104_729) % of_batch));
        store.read(|tx| submissions::get(tx, &id)).unwrap();
    });
    reads.print("a submission by its id, 64 clients");
    let scope = Scope::Round(round_id);
    let scored = store.read(|tx| results::scored(tx, &scope)).unwrap().len();
    let board = format!("the whole board, {scored} results");
    let failed = Filter {
        status: Some("failed".to_owned()),
        ..Filter::default()
    };
    let reads: [Question<'_>; 9] = [
        ("a submission by its id", &|tx| {
            submissions::get(tx, &id).map(drop)
        }),
        ("its events", &|tx| events::of(tx, &id, 0, 100).map(drop)),
        ("the newest 50", &|tx| {
            submissions::list(tx, &Filter::default(), None, 50).map(drop)
        }),
        ("the newest 50 that failed", &|tx| {
            submissions::list(tx, &failed, None, 50).map(drop)
        }),
        ("the next of the queue", &|tx| {
            queue::next(tx, Line::Runs, T0).map(drop)
        }),
        ("a budget", &|tx| {
            budgets::of(tx, "hotkey 1", T0.day()).map(|_| ())
        }),
        ("how many stand where", &|tx| submissions::counts(tx).map(drop)),
        ("a year by day", &|tx| {
            submissions::counts_by_day(tx, T0.day() - 365).map(drop)
        }),
        (&board, &|tx| results::scored(tx, &scope).map(drop)),
    ];
    for (what, read) in reads {
        timed(what, &|| store.read(read).unwrap());
    }
    timed("a write that changes nothing", &|| {
        store.write(|_| Ok(())).unwrap();
    });
    drop(store);
    println!(
        "opened again in {:.1} ms",
        elapsed(&|| drop(Store::open(&dir, T0).unwrap())).as_secs_f64() * 1e3
    );
}

/// Adds submissions; how many.
fn fill(store: &Store, submissions: u64, at: Timestamp) -> u64 {
    let bundles: Vec<Sha256Hash> = (0..UPLOADS_PER_HOTKEY)
        .map(|number| {
            store
                .blobs()
                .put(format!("one for all {number}").as_bytes())
                .unwrap()
        })
        .collect();
    let filled = Instant::now();
    let mut of_batch = 0;
    while of_batch < submissions {
        let from = of_batch;
        of_batch += BATCH;
        store
            .write({
                let bundles = bundles.clone();
                move |tx| (from..from + BATCH).try_for_each(|i| life(tx, i, &bundles, at))
            })
            .unwrap();
    }
    println!(
        "{of_batch} submissions added in {:.1} s",
        filled.elapsed().as_secs_f64()
    );
    of_batch
}

/// What is read, and how.
type Question<'a> = (&'a str, &'a dyn Fn(&Read) -> Result<()>);

/// Prints the median of a few.
fn timed(what: &str, do_it: &dyn Fn()) {
    let mut samples: Vec<Duration> = (0..15).map(|_| elapsed(do_it)).collect();
    samples.sort_unstable();
    println!("{what}: {:.3} ms (median of 15)", samples[7].as_secs_f64() * 1e3);
}

fn elapsed(what: &dyn Fn()) -> Duration {
    let start = Instant::now();
    what();
    start.elapsed()
}

struct Load {
    seconds: f64,
    sorted: Vec<Duration>,
}

impl Load {
    fn print(&self, what: &str) {
        let at = |percent: usize| self.sorted[(self.sorted.len() - 1) * percent / 100].as_secs_f64() * 1e3;
        println!(
            "{what}: {:.0} a second; {:.2} ms median, {:.2} ms p99",
            self.sorted.len() as f64 / self.seconds,
            at(50),
            at(99)
        );
    }
}

/// Lets 64 clients do something one after another for a while.
fn clients(time: Duration, each: impl Fn(u64, u64) + Sync) -> Load {
    let start = Instant::now();
    let mut sorted: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let each = &each;
                scope.spawn(move || {
                    let mut samples = Vec::new();
                    let mut i = 0;
                    while start.elapsed() < time {
                        samples.push(elapsed(&|| each(client, i)));
                        i += 1;
                    }
                    samples
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    sorted.sort_unstable();
    Load { seconds, sorted }
}

fn bundle(client: u64, i: u64) -> Vec<u8> {
    let seed = Sha256Hash::of(&[client.to_le_bytes(), i.to_le_bytes()].concat());
    seed.0.into_iter().cycle().take(BUNDLE_BYTES).collect()
}

fn accept(store: &Store, new: NewUpload) {
    store
        .write(move |tx| uploads::accept(tx, &new, T0))
        .unwrap()
        .unwrap();
}

fn upload(client: u64, i: u64, zip_sha256: Sha256Hash) -> NewUpload {
    let number = (client << 44) | i;
    // A hotkey of its own for every twenty.
    named(number, format!("hotkey {client} {}", i / 20), &zip_sha256, T0)
}
