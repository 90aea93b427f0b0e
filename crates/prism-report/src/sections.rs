//! The sections of a run's report. Each is empty where the run has nothing to say to it.
//!
//! Reading order is the order of the page. Called by `run_page` alone.

use maud::{Markup, html};
use prism_core::{
    escape::escape_for_terminal,
    outcome::{Reason, Status},
    score::RAW_BITS_PER_BYTE,
    traceback,
};

use crate::{
    chart::{LineChart, Rule, Series, audit_grid},
    figures, hints,
    manifest::ComputeBlock,
    page::{card, row},
    run::{Audits, Ending, Run, State},
    words,
};

/// A claim above this is drawn at the upper edge: one bad batch must not flatten the whole curve.
const CURVE_CLIP_BPB: f64 = 12.0;

/// When it began, under which recipe and on which corpus.
pub(crate) fn about(run: &Run) -> Markup {
    html! {
        @if let Some(about) = &run.about {
            @let shown = |text: &str| escape_for_terminal(text);
            " Begun " (shown(&about.started_at)) ", recipe " (shown(&about.recipe)) " (version " (about.recipe_version) "), corpus "
            (shown(&about.corpus)) "."
        }
    }
}

/// Files that are there and cannot be read.
pub(crate) fn problems(run: &Run) -> Markup {
    html! {
        @if !run.problems.is_empty() {
            section class="card notice" {
                h2 { "This report is not complete" }
                ul { @for problem in &run.problems { li { (problem) } } }
            }
        }
    }
}

/// What went wrong, for the person at fault.
pub(crate) fn failure(ending: &Ending) -> Markup {
    html! {
        @if ending.status != Status::Completed {
            section class="card failure" {
                h2 { "What happened: " code { (ending.reason) } }
                p style="white-space: pre-wrap" { (escape_for_terminal(&ending.detail)) }
                @if ending.reason == Reason::AnswersDiffer { (causes(&hints::ANSWERS)) }
                @if let Some(traceback) = &ending.traceback {
                    h3 { "Traceback" }
                    pre { (escape_for_terminal(traceback::frames(traceback, &ending.detail))) }
                }
            }
        }
    }
}

/// What does it honestly, and what removes it.
fn causes(hints: &[hints::Hint]) -> Markup {
    html! {
        h3 { (hints::TITLE) }
        ul {
            @for hint in hints {
                li { (words::with_code(hint.cause)) ": " (words::with_code(hint.remedy)) "." }
            }
        }
    }
}

/// Flags, each with what it means.
pub(crate) fn flags(ending: &Ending) -> Markup {
    let flags = &ending.flags;
    html! {
        @if !flags.is_empty() {
            section class="card notice" {
                h2 { @if flags.len() == 1 { "One flag" } @else { (flags.len()) " flags" } }
                ul class="flags" {
                    @for flag in flags { li { code { (flag) } " " (words::with_code(words::flag(flag))) } }
                }
                @if let due @ [_, ..] = hints::of_flags(flags) { (causes(due)) }
                @if hints::are_due(flags) { p { (words::with_code(hints::LEAK)) } }
            }
        }
    }
}

/// Why the run does not count.
pub(crate) fn rehearsal(ending: &Ending) -> Markup {
    html! {
        @if let Some(reasons) = &ending.rehearsal {
            section class="card" {
                h2 { "A rehearsal" }
                p { "The run was measured like any other but does not count:" }
                ul class="flags" {
                    @for reason in reasons {
                        li { code { (reason.code) } " " (words::with_code(reason.meaning)) }
                    }
                }
            }
        }
    }
}

/// The lines that every learning curve is held against.
pub(crate) fn rules(entropy_floor_bpb: Option<f64>) -> Vec<Rule> {
    let uniform = Rule {
        name: format!("nothing learned: {RAW_BITS_PER_BYTE:.0} bits a byte"),
        y: RAW_BITS_PER_BYTE,
    };
    let floor = entropy_floor_bpb.map(|floor| Rule {
        name: format!("best possible: {floor:.3}"),
        y: floor,
    });
    std::iter::once(uniform).chain(floor).collect()
}

/// How it learned.
pub(crate) fn learning_curve(run: &Run) -> Markup {
    let Some(curve) = run.curve.as_ref().filter(|curve| !curve.covered_bytes.is_empty()) else {
        return html! {};
    };
    let chart = LineChart {
        title: "Bits per byte against bytes read",
        unit: "bits per byte",
        width: 920.0,
        height: 340.0,
        series: vec![
            Series {
                name: "claimed, per interval".into(),
                class: "c1",
                thin: true,
                points: curve.points(&curve.claimed_bpb),
            },
            Series {
                name: "estimate so far, audits included".into(),
                class: "c2",
                thin: false,
                points: curve.points(&curve.mean_bpb),
            },
        ],
        rules: rules(curve.entropy_floor_bpb),
        from_zero: true,
        clip_above: Some(CURVE_CLIP_BPB),
    };
    card(
        "Learning curve",
        &html! {
                    (chart.draw())
                    p class="small soft" style="margin-top:8px" {
                        "Claims are what the learner said that each stretch of text cost. The estimate corrects them by the audits; \
                         its last point is the cost of what was read."
                        @match &run.state {
                            State::Running(_) => { " The run goes on: the curve is as long as it is by now." }
                            State::Finished(_) if run.manifest.is_some() => {}
                            State::Finished(_) | State::Died(_) =>
        { " The run ended before the " (figures::bytes(curve.stream_bytes)) " of its stream, so there is no score." }
                        }
                    }
                },
    )
}

/// Claims against audits.
pub(crate) fn audits(run: &Run) -> Markup {
    let Some(record) = &run.record else {
        return html! {};
    };
    let measured = &record.measured;
    let step0 = record
        .verdict
        .step0_nats
        .map_or_else(|| "none".to_owned(), |nats| format!("{nats:.4}"));
    card(
        "Audits",
        &html! {
            div class="columns" {
                @match &run.audits {
                    Audits::Absent => {}
                    Audits::Withheld => {
                        p class="soft" { "The run counts, so its audits stay secret until the round closes." }
                    }
                    Audits::Drawn(grid) => {
                        figure {
                            (audit_grid(grid))
                            figcaption {
                                "What the learner claimed against what the auditor, which never saw the target, found. An honest \
                                 run lies on the diagonal; a leak lies above it."
                            }
                        }
                    }
                }
                div { table { tbody {
                    (row("audits of the stream", figures::grouped(measured.audits)))
                    (row("probability per byte", record.recipe.audit.rate_per_byte))
                    (row("audited less claimed: mean, nats", figures::figure(measured.difference_mean_nats)))
                    (row("the same: standard deviation, nats", figures::figure(measured.difference_sd_nats)))
                    (row("the same: root mean square, nats", html! {
                        (figures::figure(measured.difference_rms_nats)) " (a rank needs at most "
                        (record.recipe.score.claims_rms_nats) ")"
                    }))
                    (row("audits that differ by more", html! {
                        (figures::grouped(measured.differing_audits)) " (> " (record.recipe.score.claims_differ_nats) " nats)"
                    }))
                    (row("answers charged as uniform", figures::grouped(measured.invalid_answers)))
                    (row("asked again in a fresh process", figures::grouped(record.repeats.len() as u64)))
                    (row("the same: largest difference, nats", figures::figure(
                        record.repeats.iter().map(|pair| (pair.first_nats - pair.again_nats).abs()).fold(0.0, f64::max)
                    )))
                    (row("hidden at most, bits per byte", format!("{:.5}", record.verdict.hidden_max_bpb)))
                    (row("first loss, mean nats", step0))
                    (row("the same of a uniform guess", format!("{:.4}", record.verdict.uniform_nats)))
                } } }
            }
        },
    )
}

/// The miner's own curves.
pub(crate) fn metrics(run: &Run) -> Markup {
    html! {
        @if !run.metrics.is_empty() {
            section class="card" {
                h2 { "The miner's own metrics" }
                p class="small soft" { "Logged by the submission with " code { "ctx.log" } ". They have no part in the score, and nobody has checked them." }
                div class="columns" {
                    @for metric in &run.metrics {
                        div {
                            h3 { (escape_for_terminal(&metric.name)) }
                            (LineChart {
                                title: "A metric of the miner's own against bytes read",
                                unit: "",
                                width: 440.0,
                                height: 200.0,
                                series: vec![Series {
                                    name: "value".into(),
                                    class: "c3",
                                    thin: false,
                                    points: metric.points.iter().map(|&(bytes, value)| (bytes as f64, value)).collect(),
                                }],
                                rules: Vec::new(),
                                from_zero: false,
                                clip_above: None,
                            }.draw())
                        }
                    }
                }
            }
        }
    }
}

/// What the run took.
pub(crate) fn resources(run: &Run) -> Markup {
    let Some(manifest) = &run.manifest else {
        return html! {};
    };
    let compute = &manifest.compute;
    card(
        "Model and resources",
        &html! {
            div class="columns" {
                table { tbody {
                    (row("parameters", figures::grouped(compute.model_params)))
                    (row("tokenizer", html! { (manifest.run.tokenizer) ", " (figures::grouped(u64::from(manifest.run.vocab_size))) " tokens" }))
                    @if let (Some(rows), Some(tokens)) = (manifest.run.batch_size, manifest.run.seq_len) {
                        (row("batch", html! { (rows) " rows of " (tokens) " targets" }))
                    }
                    @if let Some(claims) = &manifest.run.claims { (row("claims", claims)) }
                    (row("documents read", figures::grouped(manifest.data.consumed_documents)))
                    (row("model FLOP", figures::figure(compute.estimated_flops)))
                    (speed(compute))
                } }
                table { tbody {
                    (row("device", &compute.device))
                    (row("wall time", figures::seconds(compute.wall_clock_seconds)))
                    (row("charged to the learner", figures::seconds(compute.charged_seconds)))
                    (row("first to last batch", figures::seconds(compute.stream_seconds)))
                    (row("of that, standing still for audits", figures::seconds(compute.audit_seconds)))
                    @if let Some(seconds) = compute.forgetting_seconds {
                        (row("making the kernel forget", figures::seconds(seconds)))
                    }
                    (row("processor time", figures::seconds(compute.cpu_seconds)))
                    (row("peak memory of the learner", figures::bytes(compute.peak_rss_bytes)))
                } }
            }
            (how_flops_count(compute))
            @if !manifest.run.notes.is_empty() {
                h3 { "Notes of the runtime" }
                ul { @for note in &manifest.run.notes { li { (escape_for_terminal(note)) } } }
            }
        },
    )
}

/// How fast it trained.
fn speed(compute: &ComputeBlock) -> Markup {
    html! {
        @if let Some(rate) = compute.tokens_per_second { (row("tokens a second", figures::figure(rate))) }
        @if let Some(rate) = compute.model_flops_per_second { (row("model FLOP a second", figures::flops(rate))) }
        @match compute.model_flops_utilization {
            Some(share) => { (row("model FLOPs utilisation (MFU)", format!("{:.1} %", 100.0 * share))) }
            None => { (row("model FLOPs utilisation (MFU)", "no peak is known of this device")) }
        }
    }
}

/// What the figures of speed mean.
fn how_flops_count(compute: &ComputeBlock) -> Markup {
    html! {
        p class="small soft" style="margin-top:8px" {
            "Speed is from the first batch to the last, less the time of audits. Model FLOP are 6 · parameters · targets: 2 for the              forward and 4 for the backward. All parameters count, those of an embedding too; what attention multiplies within a row              does not, nor does whatever is computed twice, as with " code { "claims=\"eval\"" } "."
            @if let (Some(device), Some(peak)) = (&compute.peak_of, compute.peak_flops_per_second) {
                " Utilisation is against the peak of " (escape_for_terminal(device)) ", " (figures::flops(peak))
                " (dense bfloat16, by its maker's data sheet)."
            }
        }
    }
}

/// What exactly was run.
pub(crate) fn identity(run: &Run) -> Markup {
    let Some(manifest) = &run.manifest else {
        return html! {};
    };
    let recipe = run
        .record
        .as_ref()
        .map(|record| format!("{}, version {}", record.recipe.name, record.recipe.version));
    let hashes = &manifest.hashes;
    card(
        "What was run",
        &html! {
            div class="scroll" { table { tbody {
                @if let Some(about) = &manifest.run.about {
                    tr { th { "name" } td { (escape_for_terminal(&about.name)) } }
                    tr { th { "begun" } td { (escape_for_terminal(&about.started_at)) } }
                }
                tr { th { "seed" } td { (manifest.run.seed) } }
                tr { th { "corpus" } td { (escape_for_terminal(&manifest.data.source)) } }
                @if let Some(recipe) = recipe { tr { th { "recipe" } td { (recipe) } } }
                @for (name, hash) in [
                    ("bundle", &hashes.bundle), ("corpus manifest", &hashes.corpus), ("recipe", &hashes.recipe),
                    ("runtime lock", &hashes.runtime_lock), ("runtime sources", &hashes.runtime_sources), ("record", &hashes.record),
                ] {
                    tr { th { (name) ", SHA-256" } td { span class="mono" { (hash) } } }
                }
            } } }
        },
    )
}

/// What the processes wrote.
pub(crate) fn logs(run: &Run, open_learners: bool) -> Markup {
    html! {
        @if !run.logs.is_empty() {
            section class="card" {
                h2 { "Logs" }
                p class="small soft" { "What the submission's processes printed. Nothing of it is believed." }
                @for log in &run.logs {
                    details open[open_learners && log.name.starts_with("learner")] {
                        summary { span class="mono" { (escape_for_terminal(&log.name)) } }
                        pre { (log.text) }
                    }
                }
            }
        }
    }
}
