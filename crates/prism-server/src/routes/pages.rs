//! The page at `/`: who leads, who waits, where the rules are. Readable without JavaScript, and there is none.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, HeaderValue, header};
use maud::{DOCTYPE, Markup, html};
use prism_core::hash::Sha256Hash;

use crate::answer::of_type;
use crate::app::App;
use crate::challenge::{BoardRow, BoardView, QueueEntry, QueueView, Readiness, ReviewView};
use crate::prepared::{has_tag, not_modified, tag_of};

const STYLE: &str = include_str!("pages/style.css");
/// Nothing but our own style.
pub(super) const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Digits of a file's hash in its path.
const HASH_DIGITS: usize = 16;
/// Lines of a table.
const ROWS_MAX: usize = 100;
/// Characters of a hotkey or an id in a table, at either end.
const SHORT: usize = 6;

static STYLE_PATH: LazyLock<String> = LazyLock::new(|| {
    let hash = Sha256Hash::of(STYLE.as_bytes()).to_string();
    format!("/assets/style-{}.css", &hash[..HASH_DIGITS])
});

/// Where the style lies: another path for each content, so that it may be kept for ever.
pub(super) fn style_path() -> &'static str {
    &STYLE_PATH
}

/// Headers of a page: what it may load, and how long it is kept.
pub(super) fn protect(response: &mut Response, policy: &'static str, kept: &'static str) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
}

/// The pages.
pub(super) fn routes(app: &Arc<App>) -> Router {
    Router::new()
        .route("/", get(home))
        .route(style_path(), get(style))
        .with_state(Arc::clone(app))
}

async fn style() -> Response {
    let mut response = of_type("text/css; charset=utf-8", STYLE);
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    response
}

async fn home(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let board = app.challenge.board();
    let challenge = &app.challenge;
    let page = page(
        board.view(),
        &challenge.queue(),
        &challenge.readiness(),
        &challenge.review(),
    )
    .into_string();
    let tag = tag_of(page.as_bytes());
    let mut response = if has_tag(&headers, &tag) {
        not_modified(&tag)
    } else {
        of_type("text/html; charset=utf-8", page)
    };
    response.headers_mut().insert(header::ETAG, tag);
    protect(&mut response, POLICY, "no-cache");
    response
}

/// The head of our own pages.
pub(super) fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            title { (title) }
            link rel="stylesheet" href=(style_path());
        }
    }
}

fn page(board: &BoardView, queue: &QueueView, readiness: &Readiness, review: &ReviewView) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head("PRISM"))
            body {
                header {
                    h1 { "PRISM" }
                    nav aria-label="Pages" {
                        a href="/v1/rules" { "Rules" } " "
                        a href="/v1/recipe" { "Recipe" } " "
                        a href="/v1/rounds" { "Rounds" } " "
                        a href="/v1/weights" { "Weights" } " "
                        a href="/redoc" { "Interface" }
                    }
                }
                main {
                    (alarms(readiness))
                    (leaders(board))
                    (waiting(queue))
                    (reviewer(review))
                }
            }
        }
    }
}

fn alarms(readiness: &Readiness) -> Markup {
    html! {
        @if !readiness.alarms.is_empty() {
            section aria-labelledby="alarms" {
                h2 id="alarms" { "State of the service" }
                ul { @for alarm in &readiness.alarms { li { (alarm.sentence) } } }
            }
        }
    }
}

fn reviewer(review: &ReviewView) -> Markup {
    html! {
        section aria-labelledby="review" {
            h2 id="review" { "Review" }
            p {
                "Mode: " strong { (review.mode) } "."
                @if let Some(model) = &review.model { " Sources are read by " code { (model) } "." }
                @if let Some(second) = &review.second_model { " Charges are tried by " code { (second) } "." }
                " Rules of version " (review.rules_version) ": " a href="/v1/rules" { "all of them" } "."
            }
        }
    }
}

fn leaders(board: &BoardView) -> Markup {
    html! {
        section aria-labelledby="board" {
            h2 id="board" {
                @match &board.round { Some(round) => { "Board of the round " (round.name) }, None => "Board" }
            }
            @if board.entries.is_empty() {
                p { "Nobody has a score yet." }
            } @else {
                table {
                    caption {
                        "Bits per byte, less is better; who is in one group does not differ significantly."
                        @if let Some(noise) = board.noise_bpb { " Noise floor: " (format!("{noise:.4}")) "." }
                    }
                    thead {
                        tr {
                            th scope="col" class="number" { "Rank" } th scope="col" class="number" { "Group" }
                            th scope="col" { "Hotkey" } th scope="col" class="number" { "Bits per byte" }
                            th scope="col" class="number" { "Score" } th scope="col" class="number" { "Weight" }
                            th scope="col" { "Remarks" } th scope="col" { "Submitted" }
                        }
                    }
                    tbody { @for row in board.entries.iter().take(ROWS_MAX) { (leader(row)) } }
                }
                p { a href="/v1/board" { "All of it as JSON" } }
            }
        }
    }
}

fn leader(row: &BoardRow) -> Markup {
    html! {
        tr {
            td class="number" { (row.rank) }
            td class="number" { (row.tie_group) }
            td { a href={ "/v1/submissions/" (row.submission_id) } { (short(&row.hotkey)) } }
            td class="number" {
                (number(row.bpb, 5)) @if let Some(se) = row.bpb_se { " ± " (format!("{se:.5}")) }
            }
            td class="number" { (number(Some(row.score), 7)) }
            td class="number" { (number(Some(row.weight), 4)) }
            td { @if row.provisional { "provisional " } @for flag in &row.flags { code { (flag) } " " } }
            td { (row.created_at) }
        }
    }
}

fn waiting(queue: &QueueView) -> Markup {
    html! {
        section aria-labelledby="queue" {
            h2 id="queue" { "Queue" }
            p { (queue.depth) " pending, " (queue.running) " running, " (queue.slots) " at once." }
            @if let Some(halted) = &queue.halted { p { strong { (halted.sentence) } } }
            @if !queue.entries.is_empty() {
                table {
                    caption { "Who is next" }
                    thead {
                        tr {
                            th scope="col" class="number" { "Place" } th scope="col" { "Submission" }
                            th scope="col" { "Hotkey" } th scope="col" { "Stage" } th scope="col" { "Why it waits" }
                            th scope="col" class="number" { "Done in" }
                        }
                    }
                    tbody { @for entry in queue.entries.iter().take(ROWS_MAX) { (waits(entry)) } }
                }
            }
        }
    }
}

fn waits(entry: &QueueEntry) -> Markup {
    html! {
        tr {
            td class="number" { @match entry.place.position { Some(place) => (place), None => "runs" } }
            td { a href={ "/v1/submissions/" (entry.submission_id) } { (short(&entry.submission_id)) } }
            td { (short(&entry.hotkey)) }
            td { (entry.stage) }
            td { (entry.place.detail.as_deref().unwrap_or_default()) }
            td class="number" {
                @match entry.place.estimate_seconds { Some(seconds) => { (seconds) " s" }, None => "unknown" }
            }
        }
    }
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(String::new, |value| format!("{value:.digits$}"))
}

/// Both ends of a long text.
fn short(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= 2 * SHORT + 1 {
        return text.to_owned();
    }
    let (head, tail) = (&characters[..SHORT], &characters[characters.len() - SHORT..]);
    head.iter().chain(['…'].iter()).chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use prism_core::time::Timestamp;

    use super::*;
    use crate::challenge::{Alarm, Place, RoundName};

    #[test]
    fn what_others_wrote_is_shown_as_text() {
        let hostile = "<script>alert(1)</script>\" onload=x".to_owned();
        let mut board = BoardView::empty(Timestamp(0));
        board.round = Some(RoundName {
            id: hostile.clone(),
            name: hostile.clone(),
        });
        board.entries = vec![BoardRow {
            rank: 1,
            tie_group: 1,
            hotkey: hostile.clone(),
            submission_id: hostile.clone(),
            score: 0.5,
            bpb: Some(1.25),
            bpb_se: Some(0.001),
            provisional: true,
            weight: 1.0,
            flags: vec![hostile.clone()],
            created_at: hostile.clone(),
        }];
        let alarm = Alarm {
            code: hostile.clone(),
            sentence: hostile.clone(),
        };
        let queue = QueueView {
            halted: Some(alarm.clone()),
            entries: vec![QueueEntry {
                submission_id: hostile.clone(),
                hotkey: hostile.clone(),
                status: hostile.clone(),
                stage: hostile.clone(),
                created_at: hostile.clone(),
                place: Place {
                    detail: Some(hostile.clone()),
                    ..Place::default()
                },
            }],
            ..QueueView::default()
        };
        let readiness = Readiness {
            ready: false,
            alarms: vec![alarm],
        };
        let review = ReviewView {
            mode: hostile.clone(),
            model: Some(hostile.clone()),
            second_model: Some(hostile),
            rules_version: 1,
        };
        let page = page(&board, &queue, &readiness, &review).into_string();
        assert!(!page.contains("<script") && !page.contains("\" onload"), "{page}");
        assert!(page.contains("1.25000 ± 0.00100") && page.contains("provisional"));
    }

    #[test]
    fn an_empty_challenge_has_a_page_too() {
        let page = page(
            &BoardView::empty(Timestamp(0)),
            &QueueView::default(),
            &Readiness::default(),
            &ReviewView::default(),
        );
        assert!(page.into_string().contains("Nobody has a score yet."));
        assert_eq!(short("abc"), "abc");
        assert_eq!(
            short("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"),
            "5Grwva…GKutQY"
        );
    }
}
