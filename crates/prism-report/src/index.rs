//! The report of several runs side by side: a leaderboard and all learning curves in one figure.

use maud::{Markup, html};
use prism_core::{escape::escape_for_terminal, outcome::Status};

use crate::{
    chart::{LineChart, Series},
    curve::PublishedCurve,
    figures, page,
    run::{Ending, Run, State},
    sections, words,
};

const CLASSES: [&str; 8] = ["c1", "c2", "c3", "c4", "c1 dash", "c2 dash", "c3 dash", "c4 dash"];
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
    pub run: Run,
}

impl IndexEntry {
    fn name(&self) -> String {
        escape_for_terminal(&self.name)
    }
}

/// The report of several runs, as one HTML document. `lead` is a paragraph under the title; words in backticks become
/// code.
pub fn index_page(title: &str, lead: &str, entries: &[IndexEntry]) -> String {
    let body = html! {
        header { h1 { (title) } }
        p class="lead" { (words::with_code(lead)) }
        section class="card" { h2 { "Leaderboard" } (leaderboard(entries)) }
        (curves(entries))
        (facts(entries))
        (flags(entries))
    };
    page::document(title, &body)
}

/// Entries by what is ranked; those without a rank last.
fn ranked(entries: &[IndexEntry]) -> Vec<&IndexEntry> {
    let mut sorted: Vec<_> = entries.iter().collect();
    let key = |entry: &IndexEntry| {
        entry
            .run
            .ending()
            .and_then(|ending| ending.bpb_ranked)
            .unwrap_or(f64::INFINITY)
    };
    sorted.sort_by(|a, b| key(a).total_cmp(&key(b)));
    sorted
}

fn leaderboard(entries: &[IndexEntry]) -> Markup {
    html! {
        div class="scroll" { table {
            thead { tr {
                th { "bundle" } th class="number" { "bits per byte" } th class="number" { "ranked" }
                th class="number" { "final score" } th { "flags" } th class="number" { "seconds" } th { "status" }
            } }
            tbody {
                @for entry in ranked(entries) {
                    tr {
                        td {
                            @if let Some(link) = &entry.link { a href=(link) { (entry.name()) } } @else { (entry.name()) }
                        }
                        @match &entry.run.state {
                            State::Finished(ending) => { (finished(ending)) }
                            State::Running(so_far) => { (unfinished(so_far.mean_bpb, "warn", "running")) }
                            State::Died(so_far) => { (unfinished(so_far.mean_bpb, "bad", "died")) }
                        }
                    }
                }
            }
        } }
        p class="small soft" style="margin-top:8px" { "Bits per byte: lower is better. Final score: higher is better." }
    }
}

/// The cells of a run that is over, behind its name.
fn finished(ending: &Ending) -> Markup {
    html! {
        td class="number" {
            (number(ending.bpb, 4))
            @if let Some(se) = ending.bpb_se { span class="soft" { " ± " (format!("{se:.4}")) } }
        }
        td class="number" {
            @if let Some(why) = &ending.no_rank {
                span title=(words::no_rank(why)) { "no rank" }
            } @else {
                b { (number(ending.bpb_ranked, 4)) }
            }
        }
        td class="number" { (number(ending.final_score, 5)) }
        td { @for flag in &ending.flags { code { (flag) } " " } }
        td class="number" { (format!("{:.0}", ending.wall_seconds)) }
        td {
            span class={ "pill " (words::status_class(ending.status)) } { (ending.status.as_str()) }
            @if ending.status != Status::Completed { " " code { (ending.reason) } }
        }
    }
}

/// The same of one that is not.
fn unfinished(bpb: Option<f64>, class: &str, state: &str) -> Markup {
    html! {
        td class="number" { (number(bpb, 4)) span class="soft" { " so far" } }
        td class="number" { "–" } td class="number" { "–" } td {} td class="number" { "–" }
        td { span class={ "pill " (class) } { (state) } }
    }
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |v| format!("{v:.digits$}"))
}

/// What was run, and how fast.
fn facts(entries: &[IndexEntry]) -> Markup {
    let shown = |text: &str| escape_for_terminal(text);
    html! {
        section class="card" {
            h2 { "What was run" }
            div class="scroll" { table {
                thead { tr {
                    th { "bundle" } th { "begun" } th { "recipe" } th { "corpus" } th class="number" { "parameters" }
                    th class="number" { "tokens a second" } th class="number" { "model FLOP a second" } th class="number" { "MFU" }
                } }
                tbody {
                    @for entry in ranked(entries) {
                        @let about = entry.run.about.as_ref();
                        @let compute = entry.run.manifest.as_ref().map(|manifest| &manifest.compute);
                        tr {
                            td { (entry.name()) }
                            td { (about.map_or_else(String::new, |about| shown(&about.started_at))) }
                            td { (about.map_or_else(String::new, |about| format!("{} {}", shown(&about.recipe), about.recipe_version))) }
                            td { (about.map_or_else(String::new, |about| shown(&about.corpus))) }
                            td class="number" { (compute.map_or_else(|| "–".into(), |compute| figures::grouped(compute.model_params))) }
                            td class="number" { (compute.and_then(|c| c.tokens_per_second).map_or_else(|| "–".into(), figures::figure)) }
                            td class="number" { (compute.and_then(|c| c.model_flops_per_second).map_or_else(|| "–".into(), figures::flops)) }
                            td class="number" {
                                (compute.and_then(|c| c.model_flops_utilization).map_or_else(|| "–".into(), |share| format!("{:.1} %", 100.0 * share)))
                            }
                        }
                    }
                }
            } }
            p class="small soft" style="margin-top:8px" {
                "Model FLOP are 6 · parameters · targets; the utilisation (MFU) is against the device's peak, where one is known."
            }
        }
    }
}

fn curves(entries: &[IndexEntry]) -> Markup {
    let of = |pick: fn(&PublishedCurve) -> &Vec<f64>| {
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
        .filter_map(|entry| entry.run.ending())
        .flat_map(|ending| &ending.flags)
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

    fn entry(name: &str, ranked: Option<f64>) -> IndexEntry {
        let mut ending = Ending::new(Reason::OutOfMemory, String::new());
        ending.bpb_ranked = ranked;
        of(name, ending)
    }

    fn of(name: &str, ending: Ending) -> IndexEntry {
        IndexEntry {
            name: name.to_owned(),
            link: None,
            run: Run::of(name.to_owned(), State::Finished(Box::new(ending))),
        }
    }

    #[test]
    fn who_takes_no_rank_comes_last_whatever_it_was_estimated_at() {
        let mut ending = Ending::new(Reason::OutOfMemory, String::new());
        ending.bpb = Some(0.1);
        ending.no_rank = Some("claims_untrue".into());
        let entries = [of("untrue", ending), entry("honest", Some(3.0))];
        let html = index_page("t", "", &entries);
        let at = |text: &str| html.find(text).unwrap_or_else(|| panic!("{text}"));
        assert!(at("honest") < at("untrue") && html.contains("no rank"));
    }

    #[test]
    fn the_best_comes_first_and_names_are_escaped() {
        let entries = [
            entry("<b>none</b>", None),
            entry("second", Some(3.0)),
            entry("first", Some(2.0)),
        ];
        let html = index_page("t", "a `code` b", &entries);
        let at = |text: &str| html.find(text).unwrap_or_else(|| panic!("{text}"));
        assert!(at("first") < at("second") && at("second") < at("&lt;b&gt;none"));
        assert!(html.contains("a <code>code</code> b"));
    }
}
