//! The sections of a run's report. Each is empty where the run has nothing to say to it.
//!
//! Reading order is the order of the page. Called by `page` alone.

use maud::{Markup, html};
use prism_core::{
    outcome::Status,
    score::{RAW_BITS_PER_BYTE, heldout_bpb},
};
use prism_referee::record::Record;

use super::{
    RunFiles,
    chart::{LineChart, Rule, Series, audit_grid},
    figures, words,
};

/// A claim above this is drawn at the upper edge: one bad batch must not flatten the whole curve.
const CURVE_CLIP_BPB: f64 = 12.0;

fn card(title: &str, body: &Markup) -> Markup {
    html! { section class="card" { h2 { (title) } (body) } }
}

fn row(name: &str, value: impl maud::Render) -> Markup {
    html! { tr { th { (name) } td class="number" { (value) } } }
}

/// Files that are there and cannot be read.
pub(super) fn problems(run: &RunFiles) -> Markup {
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
pub(super) fn failure(run: &RunFiles) -> Markup {
    let outcome = &run.outcome;
    html! {
        @if outcome.status != Status::Completed {
            section class="card failure" {
                h2 { "What happened: " code { (outcome.reason) } }
                p style="white-space: pre-wrap" { (prism_sandbox::escape_for_terminal(&outcome.detail)) }
                @if let Some(traceback) = &outcome.traceback {
                    h3 { "Traceback" }
                    pre { (prism_sandbox::escape_for_terminal(traceback)) }
                }
            }
        }
    }
}

/// Flags, each with what it means.
pub(super) fn flags(run: &RunFiles) -> Markup {
    let flags = &run.outcome.flags;
    html! {
        @if !flags.is_empty() {
            section class="card notice" {
                h2 { @if flags.len() == 1 { "One flag" } @else { (flags.len()) " flags" } }
                ul class="flags" {
                    @for flag in flags { li { code { (flag) } " " (words::with_code(words::flag(flag))) } }
                }
            }
        }
    }
}

/// Why the run does not count.
pub(super) fn rehearsal(run: &RunFiles) -> Markup {
    let outcome = &run.outcome;
    html! {
        @if outcome.rehearsal {
            section class="card" {
                h2 { "A rehearsal" }
                p { "The run was measured like any other but does not count:" }
                ul class="flags" {
                    @for reason in &outcome.rehearsal_reasons {
                        li { code { (reason) } " " (words::with_code(words::rehearsal(reason))) }
                    }
                }
            }
        }
    }
}

/// The lines that every learning curve is held against.
pub(super) fn rules(entropy_floor_bpb: Option<f64>) -> Vec<Rule> {
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
pub(super) fn learning_curve(run: &RunFiles) -> Markup {
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
                @if run.manifest.is_none() {
                    " The run ended before the " (figures::bytes(curve.stream_bytes)) " of its stream, so there is no score."
                }
            }
        },
    )
}

/// How the score came about.
pub(super) fn score(run: &RunFiles) -> Markup {
    let Some(Record { verdict, recipe, .. }) = &run.record else {
        return html! {};
    };
    let Some(record) = &run.record else {
        return html! {};
    };
    let stream_bytes = record.stream.bytes;
    let s = |x: f64| 1.0 / (1.0 + x);
    let constants = &recipe.score;
    let delta = verdict.heldout_delta_bpb.max(0.0);
    let tie = s(verdict.bpb_ranked) - s(verdict.bpb_ranked + constants.tie_window_bpb);
    card(
        "Score",
        &html! {
            pre class="formula" {
                "code bits   = read + 8 · unread bytes + bundle\n"
                "bpb         = code bits / stream bytes\n"
                "b           = bpb + " (constants.se_multiplier) " se\n"
                "final score = A · P · ( s(b) + " (constants.delta_weight) " · (s(b) − s(b + " (constants.tie_window_bpb)
                ")) · max(δ, 0) / (1 + max(δ, 0)) )\n"
            "s(x)        = 1 / (1 + x)"
            }
            div class="columns" {
                table { tbody {
                    (row("read, in bits", bits(verdict.read_bits)))
                    (row("unread bytes · 8, in bits", bits(RAW_BITS_PER_BYTE * verdict.unread_bytes as f64)))
                    (row("bundle above its allowance, in bits", figures::grouped(record.bundle_bits)))
                    tr class="total" { th { "code bits" } td class="number" { (bits(verdict.code_bits)) } }
                    (row("stream bytes", figures::grouped(stream_bytes)))
                    tr class="total" { th { "bits per byte" } td class="number" { (format!("{:.6}", verdict.bpb)) } }
                    (row("standard error (se)", format!("{:.6}", verdict.bpb_se)))
                    tr class="total" { th { "b, what is ranked" } td class="number" { (format!("{:.6}", verdict.bpb_ranked)) } }
                } }
                table { tbody {
                    (row("s(b)", format!("{:.6}", s(verdict.bpb_ranked))))
                    (row("held-out delta δ", format!("{:.4}", verdict.heldout_delta_bpb)))
                    (row("what δ adds", format!("{:.6}", constants.delta_weight * tie * delta / (1.0 + delta))))
                    (row("P, memorisation", verdict.memorization_penalty))
                    (row("A, step-0 anomaly", verdict.anti_cheat_multiplier))
                    tr class="total" { th { "final score" } td class="number" { (format!("{:.6}", verdict.final_score)) } }
                } }
            }
        },
    )
}

fn bits(value: f64) -> String {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "shown only; out of range saturates"
    )]
    let whole = value.abs().round() as u64;
    let sign = if value < 0.0 { "−" } else { "" };
    format!("{sign}{}", figures::grouped(whole))
}

/// What the model knows beyond the stream.
pub(super) fn heldout(run: &RunFiles) -> Markup {
    let Some(record) = &run.record else {
        return html! {};
    };
    let Some(heldout) = record.heldout.as_ref().map(|heldout| &heldout.measured) else {
        return html! {};
    };
    let uniform_bpb = heldout_bpb(
        record.verdict.uniform_nats * heldout.val_trained.targets as f64,
        heldout.val_trained.bytes,
    );
    let accounts = [
        ("trained model, held-out text", Some(&heldout.val_trained)),
        ("random init, held-out text", Some(&heldout.val_random_init)),
        ("trained model, newest train text", heldout.gap_trained.as_ref()),
    ];
    card(
        "Held-out text",
        &html! {
            div class="scroll" { table {
                thead { tr { th { "" } th class="number" { "bits per byte" } th class="number" { "bytes" } th class="number" { "audits" } } }
                tbody {
                    @for (name, account) in accounts {
                        @if let Some(account) = account {
                            tr {
                                th { (name) }
                                td class="number" { (format!("{:.4}", heldout_bpb(account.nats, account.bytes))) }
                                td class="number" { (figures::grouped(account.bytes)) }
                                td class="number" { (figures::grouped(account.audits)) }
                            }
                        }
                    }
                    tr { th { "uniform guess, held-out text" } td class="number" { (format!("{uniform_bpb:.4}")) } td {} td {} }
                    tr class="total" {
                        th { "delta: what training taught" }
                        td class="number" { (format!("{:.4}", record.verdict.heldout_delta_bpb)) } td {} td {}
                    }
                    @if let Some(gap) = record.verdict.gap_bpb {
                        tr {
                            th { "gap: held-out less newest train text" }
                            td class="number" { (format!("{gap:.4}")) } td {} td {}
                        }
                    }
                }
            } }
            p class="small soft" style="margin-top:8px" {
                "A gap above " (record.recipe.score.gap_threshold_bpb) " bits per byte counts as memorisation and multiplies the score by "
                (record.recipe.score.gap_penalty) "."
            }
        },
    )
}

/// Claims against audits.
pub(super) fn audits(run: &RunFiles) -> Markup {
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
                @if let Some(grid) = &run.audits {
                    figure {
                        (audit_grid(grid))
                        figcaption {
                            "What the learner claimed against what the auditor, which never saw the target, found. An honest \
                             run lies on the diagonal; a leak lies above it."
                        }
                    }
                } @else if run.audits_withheld {
                    p class="soft" { "The run counts, so its audits stay secret until the round closes." }
                }
                div { table { tbody {
                    (row("audits of the stream", figures::grouped(measured.audits)))
                    (row("probability per byte", record.recipe.audit.rate_per_byte))
                    (row("audited less claimed: mean, nats", figures::figure(measured.difference_mean_nats)))
                    (row("the same: standard deviation, nats", figures::figure(measured.difference_sd_nats)))
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
pub(super) fn metrics(run: &RunFiles) -> Markup {
    html! {
        @if !run.metrics.is_empty() {
            section class="card" {
                h2 { "The miner's own metrics" }
                p class="small soft" { "Logged by the submission with " code { "ctx.log" } ". They have no part in the score, and nobody has checked them." }
                div class="columns" {
                    @for metric in &run.metrics {
                        div {
                            h3 { (prism_sandbox::escape_for_terminal(&metric.name)) }
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
pub(super) fn resources(run: &RunFiles) -> Markup {
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
                    (row("estimated FLOP", figures::figure(compute.estimated_flops)))
                } }
                table { tbody {
                    (row("device", &compute.device))
                    (row("wall time", figures::seconds(compute.wall_clock_seconds)))
                    (row("charged to the learner", figures::seconds(compute.charged_seconds)))
                    (row("first to last batch", figures::seconds(compute.stream_seconds)))
                    (row("processor time", figures::seconds(compute.cpu_seconds)))
                    (row("peak memory of the learner", figures::bytes(compute.peak_rss_bytes)))
                } }
            }
            @if !manifest.run.notes.is_empty() {
                h3 { "Notes of the runtime" }
                ul { @for note in &manifest.run.notes { li { (prism_sandbox::escape_for_terminal(note)) } } }
            }
        },
    )
}

/// What exactly was run.
pub(super) fn identity(run: &RunFiles) -> Markup {
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
                tr { th { "seed" } td { (manifest.run.seed) } }
                tr { th { "corpus" } td { (prism_sandbox::escape_for_terminal(&manifest.data.source)) } }
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
pub(super) fn logs(run: &RunFiles) -> Markup {
    html! {
        @if !run.logs.is_empty() {
            section class="card" {
                h2 { "Logs" }
                p class="small soft" { "What the submission's processes printed. Nothing of it is believed." }
                @for log in &run.logs {
                    details open[run.outcome.status != Status::Completed && log.name.starts_with("learner")] {
                        summary { span class="mono" { (prism_sandbox::escape_for_terminal(&log.name)) } }
                        pre { (log.text) }
                    }
                }
            }
        }
    }
}
