//! What one run can leave in the kernel for the next, in bits, with and without the kernel being made to forget; and
//! what two runs tell each other that go on side by side. As root, from the repository:
//!
//! ```text
//! cargo run --release -p prism-engine --example forget
//! ```
//!
//! For each road a sender in a sandbox like a learner's writes bits that a seed determines, and ends; then a receiver in
//! another such sandbox reads them. *After* means that `prism_engine::forget` was called in between, as before a counted
//! run. What `n` bits with a share `e` of wrong ones carry is `n (1 - H(e))`; noise alone carries about one bit. It
//! says nothing about what happens within a run.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench"
)]

mod beside;
mod boxes;
mod counters;
mod roads;

use std::{
    path::{Path, PathBuf},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use prism_engine::forget;
use prism_referee::connection::Cancel;

use boxes::Boxes;
use roads::{ROADS, Road};

fn main() {
    prism_sandbox::run_init_if_asked();
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["send", road, seed] => (roads::by_name(road).send)(seed.parse().unwrap()),
        ["receive", road, seed] => {
            let bits = (roads::by_name(road).receive)(seed.parse().unwrap());
            println!(
                "{}",
                bits.iter()
                    .map(|&bit| if bit { '1' } else { '0' })
                    .collect::<String>()
            );
        }
        ["count"] => counters::count(),
        ["raise"] => counters::raise(),
        ["idle"] => {}
        ["burn", seconds] => counters::burn(seconds.parse().unwrap()),
        ["beside", half, road, seed, start] => {
            beside::inside(half, road, seed.parse().unwrap(), start.parse().unwrap());
        }
        // The second table alone.
        ["side-by-side"] => beside::measure(&Boxes::new(Path::new(env!("CARGO_MANIFEST_DIR")))),
        [] => measure(),
        _ => panic!("no such arguments: {args:?}"),
    }
}

fn measure() {
    let files = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let files = files.path().canonicalize().unwrap();
    let boxes = Boxes::new(&files);
    println!(
        "| road from run to run | bits | wrong before | carried before | wrong after | carried after | send, s | receive, s |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (number, road) in ROADS.iter().enumerate() {
        let seed = fresh_seed() + 10 * number as u64;
        (road.prepare)(&files);
        let before = trial(road, seed, &boxes, None);
        (road.prepare)(&files);
        let after = trial(road, seed + 1, &boxes, Some(&files));
        println!(
            "| {} | {} | {} | {:.0} | {} | {:.0} | {:.1} | {:.1} |",
            road.name,
            road.bits,
            before.wrong,
            before.carried,
            after.wrong,
            after.carried,
            before.send_seconds,
            before.receive_seconds
        );
    }
    counters::measure(&boxes);
    beside::measure(&boxes);
}

struct Trial {
    wrong: usize,
    carried: f64,
    send_seconds: f64,
    receive_seconds: f64,
}

fn trial(road: &Road, seed: u64, boxes: &Boxes, forget_files: Option<&Path>) -> Trial {
    let started = Instant::now();
    boxes.run(&["send", road.name, &seed.to_string()]);
    let send_seconds = started.elapsed().as_secs_f64();
    if let Some(files) = forget_files {
        // The names are in the one, the pages in the other; the rest of the view would only take time.
        let sources = [PathBuf::from(roads::DIRECTORY), files.to_owned()];
        forget::forget(&sources, 0, &Cancel::new(), &mut |_, _| ()).expect("the kernel forgets");
    }
    let started = Instant::now();
    let said = boxes.run(&["receive", road.name, &seed.to_string()]);
    let receive_seconds = started.elapsed().as_secs_f64();
    let heard: Vec<bool> = said.trim().chars().map(|c| c == '1').collect();
    assert_eq!(heard.len(), road.bits, "{said}");
    let wrong = heard
        .iter()
        .enumerate()
        .filter(|&(i, &bit)| bit != bit_of(seed, i))
        .count();
    Trial {
        wrong,
        carried: carried(wrong, road.bits),
        send_seconds,
        receive_seconds,
    }
}

/// Not that of an earlier time: the kernel may remember it.
fn fresh_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs() * 1000
}

/// What is sent: half of it ones.
fn bit_of(seed: u64, index: usize) -> bool {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (index as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) & 1 == 1
}

fn carried(wrong: usize, bits: usize) -> f64 {
    let e = wrong as f64 / bits as f64;
    let part = |p: f64| if p > 0.0 { -p * p.log2() } else { 0.0 };
    bits as f64 * (1.0 - part(e) - part(1.0 - e))
}
