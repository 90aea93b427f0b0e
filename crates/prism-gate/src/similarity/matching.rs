//! What a resemblance is told as: how much, where, and what follows.
//!
//! Made by [`super::Index::query`], turned into findings by [`super::findings`].

use serde::Serialize;

use super::fingerprints::{Fingerprints, Mark};

/// Lines between two matches that still make one region of them.
const GAP_LINES_MAX: u32 = 2;

/// What follows from a resemblance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// A person should look at the two.
    Review,
    /// The later one is a copy.
    Reject,
}

/// An earlier bundle that a later one resembles.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Match {
    /// The earlier bundle.
    pub id: String,
    /// Whether both are the same files, byte for byte.
    pub exact: bool,
    /// Fingerprints that both have.
    pub shared: usize,
    /// The share of the later bundle's own code that the earlier one holds, from 0 to 1.
    pub of_later: f64,
    /// The share of the earlier bundle's own code that the later one holds, from 0 to 1.
    pub of_earlier: f64,
    /// Fingerprints that both have in classes and functions of which most is shared.
    pub copied: usize,
    /// Shared fingerprints over all fingerprints of both, from 0 to 1.
    pub jaccard: f64,
    /// Where, the largest first.
    pub regions: Vec<Region>,
    /// What follows.
    pub verdict: Verdict,
}

impl Match {
    /// The larger of both shares: a copy beside much else is a small part of the later bundle.
    pub fn share(&self) -> f64 {
        self.of_later.max(self.of_earlier)
    }
}

/// Lines of the later bundle that stand in the earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Region {
    /// File of the later bundle.
    pub file: String,
    /// First line there, from 1.
    pub first_line: u32,
    /// Last line there.
    pub last_line: u32,
    /// File of the earlier bundle.
    pub other_file: String,
    /// First line there, from 1.
    pub other_first_line: u32,
    /// Last line there.
    pub other_last_line: u32,
    /// Fingerprints that match.
    pub shared: usize,
}

/// Joins the places of single fingerprints to regions.
pub(super) fn regions(pairs: &[(Mark, Mark)], later: &Fingerprints, earlier: &Fingerprints) -> Vec<Region> {
    let mut sorted: Vec<&(Mark, Mark)> = pairs.iter().collect();
    sorted.sort_by_key(|(here, there)| {
        (
            here.file,
            there.file,
            here.first_line,
            there.first_line,
            here.hash,
        )
    });
    let mut found: Vec<(Mark, Mark, usize)> = Vec::new();
    for (here, there) in sorted {
        let joined = found.last_mut().filter(|(last, other, _)| {
            last.file == here.file
                && other.file == there.file
                && near((last.first_line, last.last_line), here)
                && near((other.first_line, other.last_line), there)
        });
        match joined {
            Some((last, other, shared)) => {
                for (whole, part) in [(last, here), (other, there)] {
                    whole.first_line = whole.first_line.min(part.first_line);
                    whole.last_line = whole.last_line.max(part.last_line);
                }
                *shared += 1;
            }
            None => found.push((*here, *there, 1)),
        }
    }
    let path = |files: &[String], file: u16| files.get(usize::from(file)).cloned().unwrap_or_default();
    let mut regions: Vec<Region> = found
        .into_iter()
        .map(|(here, there, shared)| Region {
            file: path(&later.files, here.file),
            first_line: here.first_line,
            last_line: here.last_line,
            other_file: path(&earlier.files, there.file),
            other_first_line: there.first_line,
            other_last_line: there.last_line,
            shared,
        })
        .collect();
    regions.sort_by_key(|region| std::cmp::Reverse(region.shared));
    regions
}

fn near((first, last): (u32, u32), mark: &Mark) -> bool {
    mark.first_line <= last + GAP_LINES_MAX && first <= mark.last_line + GAP_LINES_MAX
}
