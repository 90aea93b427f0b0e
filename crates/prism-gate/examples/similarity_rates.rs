//! How often the comparison is wrong: the tables of `docs/similarity.md`.
//!
//! `cargo run --release -p prism-gate --example similarity_rates -- [--unpublished] ORIGINALS [VARIANTS]`. ORIGINALS holds
//! bundles; what stands before `--` in the name of one is its author. VARIANTS holds a folder a disguise, each with a
//! copy of an original under the same name. Both are written by `bench/similarity_real.py` or
//! `bench/similarity_variants.py`. `--unpublished`: as if this repository's own bundles were not public. `--pairs`
//! prints what is said of pairs by different authors.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prism_bundle::Bundle;
use prism_gate::similarity::{Fingerprints, Match, Verdict};

/// Pairs that are printed.
const SHOWN_MAX: usize = 40;

fn main() {
    let mut flags: Vec<String> = std::env::args().skip(1).collect();
    let mut take = |flag: &str| {
        let at = flags.iter().position(|argument| argument == flag);
        at.map(|at| flags.remove(at)).is_some()
    };
    let (unpublished, shows_pairs) = (take("--unpublished"), take("--pairs"));
    let read = |dir: &Path| read(dir, unpublished);
    let mut roots = flags.iter().map(Path::new);
    let Some(originals) = roots.next() else {
        eprintln!("usage: similarity_rates [--unpublished] [--pairs] ORIGINALS [VARIANTS]");
        return;
    };
    let earlier: BTreeMap<String, Fingerprints> = sorted(originals)
        .into_iter()
        .filter_map(|dir| Some((name_of(&dir), read(&dir)?)))
        .collect();
    let mut sizes: Vec<usize> = earlier.values().map(Fingerprints::len).collect();
    sizes.sort_unstable();
    let middle = sizes.get(sizes.len() / 2).copied().unwrap_or_default();
    println!(
        "{} bundles, fingerprints of each: median {middle}, most {}\n",
        sizes.len(),
        sizes.last().copied().unwrap_or_default()
    );
    pairs(&earlier, shows_pairs);
    if let Some(variants) = roots.next() {
        println!(
            "\n| disguise | copies | lowest | 10th percentile | median | rejected | reviewed | neither |\n{}",
            "| --- ".repeat(8) + "|"
        );
        for disguise in sorted(variants) {
            copies(&earlier, &disguise, &read);
        }
    }
}

/// What is said of every pair, the later against the earlier in the order of the names and the other way round.
fn pairs(all: &BTreeMap<String, Fingerprints>, shows: bool) {
    println!("| pairs | number | rejected | reviewed |\n| --- | --- | --- | --- |");
    let mut rows = Vec::new();
    let mut counts: BTreeMap<bool, [usize; 3]> = BTreeMap::new();
    for (first, earlier) in all {
        for (second, later) in all.iter().filter(|(name, _)| *name != first) {
            let is_foreign = author_of(first) != author_of(second);
            let told = Match::of(first, later, earlier);
            let count = counts.entry(is_foreign).or_default();
            count[0] += 1;
            match told.verdict {
                Verdict::Reject => count[1] += 1,
                Verdict::Review => count[2] += 1,
                Verdict::Unlike => {}
            }
            if is_foreign && told.verdict > Verdict::Unlike {
                rows.push((told, second));
            }
        }
    }
    for (is_foreign, [number, rejected, reviewed]) in counts {
        let whose = if is_foreign {
            "different authors"
        } else {
            "one author"
        };
        println!("| {whose} | {number} | {rejected} | {reviewed} |");
    }
    rows.sort_by(|(a, _), (b, _)| b.verdict.cmp(&a.verdict).then(b.copied.cmp(&a.copied)));
    for (found, later) in rows.iter().take(SHOWN_MAX).filter(|_| shows) {
        println!(
            "{:?} shared {} copied {} of later {:.2} of earlier {:.2}: {later} <- {}",
            found.verdict, found.shared, found.copied, found.of_later, found.of_earlier, found.id
        );
    }
}

fn copies(
    originals: &BTreeMap<String, Fingerprints>,
    disguise: &Path,
    read: &dyn Fn(&Path) -> Option<Fingerprints>,
) {
    let mut shares = Vec::new();
    let (mut rejected, mut reviewed) = (0, 0);
    for copy in sorted(disguise) {
        let name = name_of(&copy);
        let (Some(earlier), Some(later)) = (originals.get(&name), read(&copy)) else {
            continue;
        };
        let told = Match::of(&name, &later, earlier);
        match told.verdict {
            Verdict::Reject => rejected += 1,
            Verdict::Review => reviewed += 1,
            Verdict::Unlike => {}
        }
        shares.push(100.0 * told.share());
    }
    shares.sort_by(f64::total_cmp);
    let at = |part: usize| shares.get(shares.len() * part / 100).copied().unwrap_or_default();
    println!(
        "| {} | {} | {:.0} % | {:.0} % | {:.0} % | {rejected} | {reviewed} | {} |",
        name_of(disguise),
        shares.len(),
        at(0),
        at(10),
        at(50),
        shares.len() - rejected - reviewed
    );
}

fn author_of(name: &str) -> &str {
    name.split_once("--").map_or(name, |(author, _)| author)
}

fn name_of(dir: &Path) -> String {
    dir.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn sorted(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

fn read(dir: &Path, unpublished: bool) -> Option<Fingerprints> {
    let read = || -> Result<Fingerprints, Box<dyn std::error::Error>> {
        let mut entries = prism_bundle::pack::read_dir(dir)?;
        entries.retain(|(path, _)| path != "case.toml");
        let bundle = Bundle::from_entries(entries)?;
        Ok(if unpublished {
            Fingerprints::before_publication(&bundle)?
        } else {
            Fingerprints::of(&bundle)?
        })
    };
    read()
        .map_err(|error| eprintln!("{}: {error}", dir.display()))
        .ok()
}
