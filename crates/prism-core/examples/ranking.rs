//! How long ranks and weights of a large round take: `cargo run --release -p prism-core --example ranking`.
//!
//! 1,000 hotkeys with profiles of 2,000 blocks, in three fields: nobody ties, everybody ties, and runs that differ by
//! noise. Prints the median of five. Not a test: nothing here can fail.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement")]

use std::{sync::Arc, time::Instant};

use prism_core::{
    hash::Sha256Hash,
    ranking::{
        Counts, RoundResult, View,
        compare::NoiseFloor,
        profile::{CodeProfile, DocumentCost, ProfileHead},
        rank,
    },
    weights::{policy::Policy, weigh},
};

const HOTKEYS: u64 = 1_000;
const BLOCKS: u64 = 2_000;
const BLOCK_BYTES: u64 = 500_000;

/// A round in which hotkey `h` needs `nats(h, block)` more in a block than the others.
fn round(nats: impl Fn(u64, u64) -> f64) -> Vec<RoundResult> {
    (0..HOTKEYS)
        .map(|hotkey| {
            let head = ProfileHead {
                corpus: Sha256Hash([0; 32]),
                documents: BLOCKS,
                stream_bytes: BLOCKS * BLOCK_BYTES,
                bundle_bits: 0,
                correction_nats: 0.0,
                se_nats: 100.0,
            };
            let costs = (0..BLOCKS).map(|document| DocumentCost {
                document,
                bytes: BLOCK_BYTES,
                nats: 350_000.0 + nats(hotkey, document),
            });
            let profile = CodeProfile::of_documents(head, costs).unwrap();
            let bpb = profile.bpb();
            RoundResult {
                submission: format!("{hotkey:04}"),
                hotkey: format!("hotkey {hotkey:04}"),
                accepted_at_us: i64::try_from(hotkey * 7_919 % HOTKEYS).unwrap(),
                counts: Counts::Counted,
                final_score: 1.0 / (1.0 + bpb),
                bpb,
                bpb_se: 0.0,
                bpb_ranked: bpb,
                memorization: false,
                anomalous: false,
                profile: Some(Arc::new(profile)),
            }
        })
        .collect()
}

fn median_ms(mut work: impl FnMut()) -> f64 {
    let mut all = [(); 5].map(|()| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64() * 1e3
    });
    all.sort_by(f64::total_cmp);
    all[2]
}

fn main() {
    let noise = |hotkey: u64, block: u64| {
        let mixed = (hotkey * BLOCKS + block + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed ^ (mixed >> 29)) % 2_001) as f64 - 1_000.0
    };
    let rounds = [
        ("nobody ties", round(|hotkey, _| hotkey as f64)),
        ("everybody ties", round(|_, _| 0.0)),
        (
            "noise",
            round(|hotkey, block| noise(hotkey, block) + hotkey as f64 / 2.0),
        ),
    ];
    for (name, results) in &rounds {
        let floor = NoiseFloor::default();
        let ranking = rank(results, floor, View::Board).unwrap();
        let groups = ranking
            .entries
            .iter()
            .map(|entry| entry.tie_group)
            .max()
            .unwrap_or(0);
        let rank_ms = median_ms(|| drop(rank(results, floor, View::Board)));
        let weigh_ms = median_ms(|| drop(weigh(results, floor, Policy::default())));
        println!("{name:16} {groups:5} groups  rank {rank_ms:7.0} ms  weigh {weigh_ms:7.0} ms");
    }
}
