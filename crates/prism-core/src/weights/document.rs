//! The worked example of `docs/ranking.md`: every number of its tables, computed again from its inputs.
//!
//! The tables of inputs are read; the others are written from what the code says and compared with the document, line by
//! line.

use std::{fmt::Write as _, sync::Arc};

use super::*;
use crate::{
    nats::NATS_PER_BIT,
    ranking::{
        Counts, Entry, NotCounted, Tie,
        bootstrap::{BLOCKS_MIN, RESAMPLES},
        profile::{BLOCKS_MAX, CodeProfile, DocumentCost, ProfileHead},
        rank,
    },
    weights::policy::{LEAST_RATIO, MOST_TOP},
};

const DOCUMENT: &str = include_str!("../../../../docs/ranking.md");
const BLOCK_BYTES: u64 = 1_000;

/// The lines of the table under a heading, and its cells.
fn table(heading: &str) -> (Vec<&'static str>, Vec<Vec<&'static str>>) {
    let start = DOCUMENT.find(&format!("\n### {heading}\n")).expect(heading);
    let lines: Vec<_> = DOCUMENT[start..]
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .collect();
    let cells = lines
        .iter()
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    (lines, cells)
}

/// Compares a table with what it should be.
fn check(heading: &str, expected: &[String]) {
    let (found, _) = table(heading);
    assert_eq!(
        found,
        expected,
        "\nthe table should be\n{}\n",
        expected.join("\n")
    );
}

fn row(cells: &[String]) -> String {
    cells.iter().fold("|".into(), |mut line, cell| {
        _ = write!(line, " {cell} |");
        line
    })
}

fn accepted_at_us(text: &str) -> i64 {
    let (hours, minutes) = text.split_once(':').unwrap();
    (hours.parse::<i64>().unwrap() * 60 + minutes.parse::<i64>().unwrap()) * 60_000_000
}

fn clock(us: i64) -> String {
    let minutes = us / 60_000_000;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// What a submission needs for each block, in bits, if the first table has it.
fn block_bits(submission: &str) -> Option<Vec<f64>> {
    let (_, cells) = table("Blocks");
    let column = cells[0].iter().position(|name| *name == submission)?;
    Some(
        cells[2..]
            .iter()
            .map(|row| row[column].parse().unwrap())
            .collect(),
    )
}

/// The results of the example, from the inputs of its second table.
fn results() -> Vec<RoundResult> {
    let (_, cells) = table("Results");
    let results = cells[2..].iter();
    results
        .map(|row| {
            let &[submission, hotkey, accepted, state, bundle_bits, bpb_se, bpb, ..] = row.as_slice() else {
                panic!("{row:?}");
            };
            let bpb_se: f64 = bpb_se.parse().unwrap();
            let profile = block_bits(submission).map(|bits| {
                let stream_bytes = bits.len() as u64 * BLOCK_BYTES;
                let head = ProfileHead {
                    corpus: Sha256Hash([0; 32]),
                    documents: bits.len() as u64,
                    stream_bytes,
                    bundle_bits: bundle_bits.parse().unwrap(),
                    correction_nats: 0.0,
                    se_nats: bpb_se * stream_bytes as f64 * NATS_PER_BIT,
                };
                let costs = (0..).zip(bits).map(|(document, bits)| DocumentCost {
                    document,
                    bytes: BLOCK_BYTES,
                    nats: bits * NATS_PER_BIT,
                });
                CodeProfile::of_documents(head, costs).unwrap()
            });
            let bpb = match &profile {
                Some(profile) => profile.bpb(),
                None => bpb.parse().unwrap_or(f64::NAN),
            };
            let anomalous = state == "anomalous";
            RoundResult {
                submission: submission.into(),
                hotkey: hotkey.into(),
                accepted_at_us: accepted_at_us(accepted),
                counts: match state {
                    "counted" | "anomalous" => Counts::Counted,
                    "provisional" => Counts::Provisional,
                    "failed" => Counts::Not(NotCounted::Failed),
                    _ => panic!("{state}"),
                },
                final_score: if anomalous {
                    0.0
                } else {
                    1.0 / (1.0 + bpb + 3.0 * bpb_se)
                },
                bpb,
                bpb_se,
                bpb_ranked: bpb + 3.0 * bpb_se,
                memorization: false,
                anomalous,
                profile: profile.map(Arc::new),
            }
        })
        .collect()
}

#[test]
fn the_results_of_the_example() {
    let (lines, cells) = table("Results");
    let mut expected: Vec<String> = lines[..2].iter().map(|&line| line.into()).collect();
    for (result, given) in results().iter().zip(&cells[2..]) {
        let figures = if result.bpb.is_nan() {
            ["-", "-", "-"].map(String::from)
        } else {
            [
                format!("{:.6}", result.bpb),
                format!("{:.6}", result.bpb_ranked),
                format!("{:.9}", result.final_score),
            ]
        };
        let given = given[..6].iter().map(|&cell| cell.to_owned());
        expected.push(row(&given.chain(figures).collect::<Vec<_>>()));
    }
    check("Results", &expected);
}

#[test]
fn the_board_of_the_example() {
    let results = results();
    let ranking = rank(&results, NoiseFloor::default(), View::Board).unwrap();
    let mut expected = vec![
        "| rank | hotkey | submission | score | tie group |".to_owned(),
        "| ---: | --- | --- | ---: | ---: |".to_owned(),
    ];
    for entry in &ranking.entries {
        let note = if entry.result.counts == Counts::Provisional {
            " (provisional)"
        } else {
            ""
        };
        expected.push(row(&[
            entry.rank.to_string(),
            entry.result.hotkey.clone(),
            format!("{}{note}", entry.result.submission),
            format!("{:.9}", entry.result.final_score),
            entry.tie_group.to_string(),
        ]));
    }
    check("Board", &expected);
}

#[test]
fn the_places_of_the_example() {
    let results = results();
    let ranking = rank(&results, NoiseFloor::default(), View::Weights).unwrap();
    let mut expected = vec![
        "| rank | submission | against | needs | from | to | chance? | tie group | since | position |"
            .to_owned(),
        "| ---: | --- | --- | ---: | ---: | ---: | --- | ---: | --- | ---: |".to_owned(),
    ];
    for entry in &ranking.entries {
        expected.push(row(&place(entry)));
    }
    check("Places", &expected);
}

fn place(entry: &Entry<'_>) -> Vec<String> {
    let mut cells = vec![entry.rank.to_string(), entry.result.submission.clone()];
    match &entry.tie {
        Tie::First => cells.extend(["-"; 5].map(String::from)),
        Tie::Behind(best, comparison) | Tie::With(best, comparison) => {
            assert_eq!(comparison.method_code(), "bootstrap");
            let interval = comparison.interval().unwrap();
            cells.extend([
                best.submission.clone(),
                format!("{:+.6}", comparison.difference_bpb),
                format!("{:+.6}", interval.low_bpb),
                format!("{:+.6}", interval.high_bpb),
                if comparison.tied() { "yes" } else { "no" }.into(),
            ]);
        }
    }
    let since = entry.held_since;
    cells.extend([
        entry.tie_group.to_string(),
        format!("{} ({})", clock(since.accepted_at_us), since.submission),
        entry.position.to_string(),
    ]);
    cells
}

#[test]
fn the_weights_of_the_example() {
    let results = results();
    let policies = [
        "rank-geometric",
        "winner-take-all",
        "top-k-equal(k=2)",
        "score-proportional",
    ]
    .map(|policy| weigh(&results, NoiseFloor::default(), policy.parse().unwrap()).unwrap());
    let mut expected = vec![
        "| position | hotkey | share | `rank-geometric` | `winner-take-all` | `top-k-equal(k=2)` | `score-proportional` |".to_owned(),
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: |".to_owned(),
    ];
    for explained in &policies[0].explained {
        let (position, share) = match &explained.place {
            explain::Place::Taken(taken) => (
                taken.position.to_string(),
                format!("{}", taken.share.unwrap_or(0.0)),
            ),
            explain::Place::None { .. } => ("-".into(), "-".into()),
        };
        let mut cells = vec![position, explained.hotkey.clone(), share];
        for weights in &policies {
            let weight = weights.weights.get(&explained.hotkey);
            cells.push(weight.map_or("-".into(), |weight| format!("{weight:.6}")));
        }
        expected.push(row(&cells));
    }
    check("Weights", &expected);
}

#[test]
fn what_the_example_says_in_words() {
    // One steady difference, and an improvement that keeps its place.
    let (b1, c1) = (block_bits("b1").unwrap(), block_bits("c1").unwrap());
    assert!(b1.iter().zip(&c1).all(|(b, c)| (c - b - 0.9).abs() < 1e-6));
    assert_eq!(b1.len(), 30);

    // The confirmation that is still to come.
    let mut confirmed = results();
    for result in &mut confirmed {
        if result.submission == "f1" {
            result.counts = Counts::Counted;
        }
    }
    let ranking = rank(&confirmed, NoiseFloor::default(), View::Weights).unwrap();
    let first: Vec<_> = ranking
        .entries
        .iter()
        .filter(|entry| entry.tie_group == 1)
        .collect();
    assert_eq!(first.len(), 1);
    assert_eq!(
        (first[0].result.submission.as_str(), first[0].position),
        ("f1", 1)
    );
}

#[test]
fn the_rules_state_the_constants_of_the_code() {
    let thousands = |number: usize| format!("{},{:03}", number / 1_000, number % 1_000);
    for text in [
        format!("at most {}", thousands(BLOCKS_MAX)),
        format!("drawn {} times", thousands(RESAMPLES)),
        format!("the {0} smallest and the {0} largest", RESAMPLES / 40),
        format!("fewer than {BLOCKS_MIN} blocks"),
        format!("closed once {} below its\nbest", ranking::MOST_PASSED),
        format!("a grid of {:e}", ranking::SCORE_STEP),
        format!("`ratio` is from {LEAST_RATIO} to 1; `top` and `k` are from 1 to {MOST_TOP}."),
        format!("`{}`, the default", Policy::default()),
        format!("`{}`", "top-k-equal".parse::<Policy>().unwrap()),
    ] {
        assert!(DOCUMENT.contains(&text), "{text}");
    }
}
