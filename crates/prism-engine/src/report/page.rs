//! The report of one run: the order of its sections, and the frame around them.
//!
//! Every value goes through the escape of the template; there is no raw markup but what this module writes itself.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use prism_core::outcome::Status;

use super::{RunFiles, figures, sections, style, words};

/// The report of a run, as one HTML document.
pub fn render_run(run: &RunFiles) -> String {
    let outcome = &run.outcome;
    let name = outcome
        .submission_id
        .as_deref()
        .or(outcome.run_id.as_deref())
        .unwrap_or("run");
    let name = &prism_sandbox::escape_for_terminal(name);
    let body = html! {
        header {
            h1 { (name) }
            span class={ "pill " (words::status_class(outcome.status)) } { (outcome.status.as_str()) }
            @if outcome.rehearsal { span class="pill warn" { "rehearsal" } }
        }
        p class="lead" {
            (words::ending(outcome.status, outcome.fault, outcome.reason))
            @if let Some(run_id) = &outcome.run_id { " Run " code { (run_id) } "." }
        }
        (tiles(run))
        (sections::problems(run))
        (sections::failure(run))
        (sections::flags(run))
        (sections::rehearsal(run))
        (sections::learning_curve(run))
        (sections::score(run))
        (sections::heldout(run))
        (sections::audits(run))
        (sections::metrics(run))
        (sections::resources(run))
        (sections::identity(run))
        (sections::logs(run))
    };
    document(&format!("{name} – PRISM"), &body)
}

/// A whole document around a body.
pub(super) fn document(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(style::CONTENT_SECURITY_POLICY);
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(style::CSS)) }
            }
            body {
                main {
                    (body)
                    footer { "PRISM " (env!("CARGO_PKG_VERSION")) ". Every figure comes from the referee, but where it says otherwise." }
                }
            }
        }
    }
    .into_string()
}

fn tiles(run: &RunFiles) -> Markup {
    let outcome = &run.outcome;
    let tile = |name: &str, value: String, more: Markup| {
        html! {
            div class="tile" {
                div class="name" { (name) }
                div class="value" { (value) }
                div class="more" { (more) }
            }
        }
    };
    html! {
        div class="tiles" {
            @if let (Some(bpb), Some(se)) = (outcome.bpb, outcome.bpb_se) {
                (tile("bits per byte", format!("{bpb:.4}"), html! { "± " (figures::figure(se)) }))
            }
            @if let Some(ranked) = outcome.bpb_ranked {
                (tile("ranked", format!("{ranked:.4}"), html! { "bits per byte + 3 standard errors" }))
            }
            @if let Some(score) = outcome.final_score {
                (tile("final score", format!("{score:.5}"), html! { "between 0 and 1, higher is better" }))
            }
            (tile("read", figures::bytes(outcome.covered_bytes), html! {
                @if let Some(manifest) = &run.manifest {
                    "of " (figures::bytes(manifest.data.stream_bytes)) ", "
                    (figures::grouped(manifest.metrics.predicted_tokens)) " targets"
                } @else {
                    "before it ended"
                }
            }))
            (tile("time", figures::seconds(outcome.wall_seconds), html! {
                @if let Some(manifest) = &run.manifest {
                    (figures::seconds(manifest.compute.stream_seconds)) " from first to last batch"
                } @else {
                    "from start to end"
                }
            }))
            @if outcome.status == Status::Completed {
                (tile("audits", figures::grouped(outcome.audits), html! {
                    @if let Some(hidden) = outcome.hidden_max { "at most " (figures::figure(hidden)) " bpb hidden" }
                }))
            }
        }
    }
}
