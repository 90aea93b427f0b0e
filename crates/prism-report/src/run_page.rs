//! The report of one run: the order of its sections.

use maud::{Markup, html};
use prism_core::{escape::escape_for_terminal, outcome::Status};

use crate::{
    figures,
    page::{document, tile},
    run::{Ending, Run, SoFar, State},
    score, sections, words,
};

/// The report of a run, as one HTML document.
pub fn run_page(run: &Run) -> String {
    let name = &escape_for_terminal(&run.name);
    let body = match &run.state {
        State::Finished(ending) => finished(run, ending, name),
        State::Running(so_far) => unfinished(run, so_far, name, true),
        State::Died(so_far) => unfinished(run, so_far, name, false),
    };
    document(&format!("{name} – PRISM"), &body)
}

fn finished(run: &Run, ending: &Ending, name: &str) -> Markup {
    html! {
        header {
            h1 { (name) }
            span class={ "pill " (words::status_class(ending.status)) } { (ending.status.as_str()) }
            @if ending.no_rank.is_some() { span class="pill bad" { "no rank" } }
            @if ending.rehearsal.is_some() { span class="pill warn" { "rehearsal" } }
        }
        p class="lead" {
            (words::with_code(&words::ending(ending)))
            @if let Some(run_id) = &ending.run_id { " Run " code { (run_id) } "." }
            (sections::about(run))
        }
        (tiles(run, ending))
        (sections::problems(run))
        (sections::failure(ending))
        (score::no_rank(run, ending))
        (sections::flags(ending))
        (sections::rehearsal(ending))
        (sections::learning_curve(run))
        (score::score(run))
        (score::heldout(run))
        (sections::audits(run))
        (sections::metrics(run))
        (sections::resources(run))
        (sections::identity(run))
        (sections::logs(run, ending.status != Status::Completed))
    }
}

/// What there is of a run that has no result: as far as it is, or as far as it came.
fn unfinished(run: &Run, so_far: &SoFar, name: &str, is_alive: bool) -> Markup {
    html! {
        header {
            h1 { (name) }
            @if is_alive { span class="pill warn" { "running" } } @else { span class="pill bad" { "died" } }
        }
        p class="lead" {
            @if is_alive {
                "The run goes on, so nothing here is final. "
            } @else {
                "The run has no result and nobody holds its lock: it was killed, or the machine went down. "
            }
            @if so_far.stream_bytes > 0 {
                "Read: " (figures::part_of(so_far.covered_bytes, so_far.stream_bytes)) "."
            }
            @if let Some(run_id) = &so_far.run_id { " Run " code { (escape_for_terminal(run_id)) } "." }
            (sections::about(run))
        }
        div class="tiles" {
            @if let Some(bpb) = so_far.mean_bpb {
                (tile("bits per byte so far", &format!("{bpb:.4}"), &html! { "of what was read, audits included" }))
            }
            (tile("read", &figures::bytes(so_far.covered_bytes), &html! { "of " (figures::bytes(so_far.stream_bytes)) }))
            (tile("time", &figures::seconds(so_far.seconds.max(0.0)), &html! { "from the first to the last event" }))
            @if let Some(rate) = so_far.tokens_per_second {
                (tile("tokens a second", &figures::figure(rate), &html! { "audits included" }))
            }
        }
        (sections::problems(run))
        (sections::learning_curve(run))
        (sections::metrics(run))
        (sections::logs(run, !is_alive))
    }
}

fn tiles(run: &Run, ending: &Ending) -> Markup {
    html! {
        div class="tiles" {
            @if let (Some(bpb), Some(se)) = (ending.bpb, ending.bpb_se) {
                (tile("bits per byte", &format!("{bpb:.4}"), &html! { "± " (figures::figure(se)) }))
            }
            @if let Some(ranked) = ending.bpb_ranked {
                (tile("ranked", &format!("{ranked:.4}"), &html! { "bits per byte + 3 standard errors" }))
            }
            @if let Some(why) = &ending.no_rank {
                (tile("ranked", "no rank", &html! { code { (why) } }))
            }
            @if let Some(score) = ending.final_score {
                (tile("final score", &format!("{score:.5}"), &html! { "higher is better, at most 1" }))
            }
            (tile("read", &figures::bytes(ending.covered_bytes), &html! {
                @if let Some(manifest) = &run.manifest {
                    "of " (figures::bytes(manifest.data.stream_bytes)) ", "
                    (figures::grouped(manifest.metrics.predicted_tokens)) " targets"
                } @else {
                    "before it ended"
                }
            }))
            (tile("time", &figures::seconds(ending.wall_seconds), &html! {
                @if let Some(manifest) = &run.manifest {
                    (figures::seconds(manifest.compute.stream_seconds)) " from first to last batch"
                } @else {
                    "from start to end"
                }
            }))
            @if ending.status == Status::Completed {
                (tile("audits", &figures::grouped(ending.audits), &html! {
                    @if let Some(hidden) = ending.hidden_bpb { "at most " (figures::figure(hidden)) " bpb hidden" }
                }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use prism_core::outcome::Reason;

    use super::*;

    #[test]
    fn an_error_is_told_once_with_its_frames_beside_it() {
        let mut ending = Ending::new(Reason::TrainException, "ValueError: no (learner)".into());
        let frames = "Traceback (most recent call last):\n  File <training.py>, line 3, in train\n    f(x)";
        ending.traceback = Some(format!("{frames}\nValueError: no\n").replace(['<', '>'], "\""));
        let page =
            |ending: &Ending| run_page(&Run::of("a".into(), State::Finished(Box::new(ending.clone()))));
        let html = page(&ending);
        assert_eq!(html.matches("ValueError: no").count(), 1, "{html}");
        assert!(html.contains("line 3, in train"), "{html}");
        // What the detail does not say is shown.
        ending.detail = "The process ran out of memory. Lower it.".into();
        assert!(page(&ending).contains("ValueError: no"));
    }
}
