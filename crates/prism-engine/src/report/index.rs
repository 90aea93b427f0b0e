//! The report of several runs side by side: a leaderboard and all learning curves in one figure.

use maud::{Markup, html};
use prism_core::outcome::Status;

use super::{
    RunFiles,
    chart::{LineChart, Series},
    page, sections, words,
};
use crate::curve::CurveFile;

const CLASSES: [&str; 4] = ["c1", "c2", "c3", "c4"];
/// What lies above is drawn at the upper edge.
const CURVE_CLIP_BPB: f64 = 10.0;

/// One run of an index.
#[derive(Clone, Debug)]
pub struct IndexEntry {
    /// What it is called.
    pub name: String,
    /// Its own report, relative to the index.
    pub link: Option<String>,
    /// What it has left.
    pub run: RunFiles,
}

impl IndexEntry {
    fn name(&self) -> String {
        prism_sandbox::escape_for_terminal(&self.name)
    }
}

/// The report of several runs, as one HTML document. `lead` is a paragraph under the title; words in backticks become
/// code.
pub fn render_index(title: &str, lead: &str, entries: &[IndexEntry]) -> String {
    let body = html! {
        header { h1 { (title) } }
        p class="lead" { (words::with_code(lead)) }
        section class="card" { h2 { "Leaderboard" } (leaderboard(entries)) }
        (curves(entries))
        (flags(entries))
    };
    page::document(title, &body)
}

/// Entries by what is ranked; those without a score last.
fn ranked(entries: &[IndexEntry]) -> Vec<&IndexEntry> {
    let mut sorted: Vec<_> = entries.iter().collect();
    let key = |entry: &IndexEntry| entry.run.outcome.bpb_ranked.unwrap_or(f64::INFINITY);
    sorted.sort_by(|a, b| key(a).total_cmp(&key(b)));
    sorted
}

fn leaderboard(entries: &[IndexEntry]) -> Markup {
    let number =
        |value: Option<f64>, digits: usize| value.map_or_else(|| "–".to_owned(), |v| format!("{v:.digits$}"));
    html! {
        div class="scroll" { table {
            thead { tr {
                th { "bundle" } th class="number" { "bits per byte" } th class="number" { "ranked" }
                th class="number" { "final score" } th { "flags" } th class="number" { "seconds" } th { "status" }
            } }
            tbody {
                @for entry in ranked(entries) {
                    @let outcome = &entry.run.outcome;
                    tr {
                        td {
                            @if let Some(link) = &entry.link { a href=(link) { (entry.name()) } } @else { (entry.name()) }
                        }
                        td class="number" {
                            (number(outcome.bpb, 4))
                            @if let Some(se) = outcome.bpb_se { span class="soft" { " ± " (format!("{se:.4}")) } }
                        }
                        td class="number" { b { (number(outcome.bpb_ranked, 4)) } }
                        td class="number" { (number(outcome.final_score, 5)) }
                        td { @for flag in &outcome.flags { code { (flag) } " " } }
                        td class="number" { (format!("{:.0}", outcome.wall_seconds)) }
                        td {
                            span class={ "pill " (words::status_class(outcome.status)) } { (outcome.status.as_str()) }
                            @if outcome.status != Status::Completed { " " code { (outcome.reason) } }
                        }
                    }
                }
            }
        } }
    }
}

fn curves(entries: &[IndexEntry]) -> Markup {
    let of = |pick: fn(&CurveFile) -> &Vec<f64>| {
        entries
            .iter()
            .zip(CLASSES.into_iter().cycle())
            .filter_map(|(entry, class)| {
                let curve = entry.run.curve.as_ref()?;
                Some(Series {
                    name: entry.name(),
                    class,
                    thin: false,
                    points: curve.points(pick(curve)),
                })
            })
            .collect::<Vec<_>>()
    };
    let floor = entries
        .iter()
        .find_map(|entry| entry.run.curve.as_ref()?.entropy_floor_bpb);
    let chart = |title, series| LineChart {
        title,
        unit: "bits per byte",
        width: 920.0,
        height: 320.0,
        series,
        rules: sections::rules(floor),
        from_zero: true,
        clip_above: Some(CURVE_CLIP_BPB),
    };
    html! {
        section class="card" {
            h2 { "What counts: the estimate so far, audits included" }
            (chart("Estimated bits per byte against bytes read", of(|curve| &curve.mean_bpb)).draw())
        }
        section class="card" {
            h2 { "What they claimed" }
            (chart("Claimed bits per byte against bytes read", of(|curve| &curve.claimed_bpb)).draw())
            p class="small soft" style="margin-top:8px" {
                "A claim is the learner's own word. It only makes the estimate precise; a false one is corrected by the audits."
            }
        }
    }
}

fn flags(entries: &[IndexEntry]) -> Markup {
    let mut raised: Vec<&str> = entries
        .iter()
        .flat_map(|entry| &entry.run.outcome.flags)
        .map(String::as_str)
        .collect();
    raised.sort_unstable();
    raised.dedup();
    html! {
        @if !raised.is_empty() {
            section class="card" {
                h2 { "Flags" }
                ul class="flags" { @for flag in raised { li { code { (flag) } " " (words::with_code(words::flag(flag))) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use prism_core::outcome::Reason;

    use super::*;
    use crate::outcome::Outcome;

    fn entry(name: &str, ranked: Option<f64>) -> IndexEntry {
        let mut outcome = Outcome::failed(Reason::OutOfMemory, "");
        outcome.bpb_ranked = ranked;
        IndexEntry {
            name: name.to_owned(),
            link: None,
            run: RunFiles::of(outcome),
        }
    }

    #[test]
    fn the_best_comes_first_and_names_are_escaped() {
        let entries = [
            entry("<b>none</b>", None),
            entry("second", Some(3.0)),
            entry("first", Some(2.0)),
        ];
        let html = render_index("t", "a `code` b", &entries);
        let at = |text: &str| html.find(text).unwrap_or_else(|| panic!("{text}"));
        assert!(at("first") < at("second") && at("second") < at("&lt;b&gt;none"));
        assert!(html.contains("a <code>code</code> b"));
    }
}
