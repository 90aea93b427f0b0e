//! Following a submission: streams that break, fall silent, lie, and end.

use std::time::Duration;

use super::{COMPLETED, SUBMISSION, client, id, impatient};
use crate::follow::News;
use crate::scripted::{Act, Scripted, answer, ok, stream};
use crate::{Client, ClientError, Patience, Road};

fn stage(seq: u64, status: &str, stage: &str) -> Act {
    Act::Send(
        format!(
            "id: {seq}\nevent: stage\ndata: {{\"seq\":{seq},\"at\":\"t\",\"status\":\"{status}\",\"stage\":\"{stage}\"}}\n\n"
        )
        .into_bytes(),
    )
}

fn text(text: &str) -> Act {
    Act::Send(text.as_bytes().to_vec())
}

fn progress(covered_bytes: u64) -> Act {
    text(&format!(
        "event: progress\ndata: {{\"covered_bytes\":{covered_bytes},\"stream_bytes\":100,\"mean_bpb\":4.5,\"steps\":2}}\n\n"
    ))
}

/// All news in short; the last may be an error.
fn told(client: &Client) -> Vec<String> {
    let id = id();
    let short = client.follow(&id, None).map(|news| match news {
        Ok(News::Event(event)) => format!("{} {}", event.seq, event.stage.unwrap_or(event.status)),
        Ok(News::Progress(progress)) => format!("{} bytes", progress.covered_bytes),
        Ok(News::Away { .. }) => "away".to_owned(),
        Ok(News::Over(got)) => got.value.status.clone(),
        Err(ClientError::Lost { .. }) => "lost".to_owned(),
        Err(ClientError::Unexpected { .. }) => "unexpected".to_owned(),
        Err(ClientError::Refused { .. }) => "refused".to_owned(),
        Err(error) => format!("{error:?}"),
    });
    short.collect()
}

#[test]
fn a_submission_is_followed_to_its_end() {
    let scripted = Scripted::play(vec![
        vec![
            Act::Read,
            stream(),
            text(": hello\n\n"),
            stage(3, "pending", "gate"),
            stage(4, "running", "training"),
            progress(50),
            text("event: new-kind\ndata: {}\n\n"),
            Act::Drip(
                b"id: 9\nevent: stage\ndata: {\"seq\":9,\"at\":\"t\",\"status\":\"completed\"}\n\n".to_vec(),
            ),
            text("event: end\ndata: {}\n\n"),
            Act::Stall,
        ],
        vec![Act::Read, ok(COMPLETED)],
    ]);
    assert_eq!(
        told(&client(&scripted)),
        ["3 gate", "4 training", "50 bytes", "9 completed", "completed"]
    );
    let came = scripted.came();
    assert_eq!(came[0].line(), "GET /v1/submissions/s-1/events/stream HTTP/1.1");
    assert_eq!(came[0].header("accept"), Some("text/event-stream"));
    assert_eq!(came[0].header("last-event-id"), None);
}

#[test]
fn a_stream_that_breaks_goes_on_after_the_last_event() {
    let scripted = Scripted::play(vec![
        // Broken in the middle of an event; then a server that is starting; then one that knows where to go on and one that
        // does not.
        vec![
            Act::Read,
            stream(),
            stage(3, "pending", "gate"),
            text("id: 4\nevent: sta"),
        ],
        vec![Act::Read, ok(SUBMISSION)],
        vec![Act::Read],
        vec![Act::Read, answer("503 Service Unavailable", "", "{}")],
        vec![
            Act::Read,
            stream(),
            stage(4, "pending", "queued"),
            text("event: end\n\n"),
        ],
        vec![Act::Read, ok(SUBMISSION)],
        vec![
            Act::Read,
            stream(),
            stage(3, "pending", "gate"),
            stage(4, "pending", "queued"),
            stage(5, "running", "training"),
        ],
        vec![Act::Read, ok(COMPLETED)],
    ]);
    assert_eq!(
        told(&client(&scripted)),
        ["3 gate", "away", "away", "4 queued", "5 training", "completed"]
    );
    let streams: Vec<_> = scripted
        .came()
        .iter()
        .filter(|came| came.line().contains("/stream"))
        .map(|came| came.header("last-event-id").unwrap_or("none").to_owned())
        .collect();
    assert_eq!(streams, ["none", "3", "3", "3", "4"]);
}

#[test]
fn a_server_that_stays_away_is_given_up() {
    let scripted = Scripted::play(vec![vec![Act::Read, stream(), stage(1, "pending", "gate")]]);
    let told = told(&client(&scripted));
    assert_eq!((told[0].as_str(), told[1].as_str()), ("1 gate", "away"));
    assert!(
        told.last().unwrap().contains("Unreachable") && told.len() < 50,
        "{told:?}"
    );
}

#[test]
fn silence_is_a_broken_stream() {
    let scripted = Scripted::play(vec![vec![
        Act::Read,
        stream(),
        stage(1, "pending", "gate"),
        Act::Stall,
    ]]);
    let patience = Patience {
        silence: Duration::from_secs(3),
        ..impatient()
    };
    let client = Client::with_patience(scripted.server(), Road::Direct, patience);
    assert_eq!(told(&client), ["1 gate", "lost"]);
}

#[test]
fn a_stream_that_ends_again_and_again_without_a_word_is_given_up() {
    let mut scripts = Vec::new();
    for _ in 0..60 {
        scripts.push(vec![Act::Read, stream(), text(": nothing\n\n")]);
        scripts.push(vec![Act::Read, ok(SUBMISSION)]);
    }
    let scripted = Scripted::play(scripts);
    assert_eq!(told(&client(&scripted)), ["lost"]);
}

#[test]
fn what_is_no_stream_of_events_is_an_error() {
    for script in [
        ok("{}"),
        answer("200 OK", "content-type: text/html\r\n", "<html>"),
        answer(
            "200 OK",
            "content-type: text/event-stream\r\ncontent-encoding: gzip\r\n",
            "",
        ),
        answer(
            "200 OK",
            "content-type: text/event-stream\r\n",
            "event: stage\ndata: {}\n\n",
        ),
        answer(
            "200 OK",
            "content-type: text/event-stream\r\n",
            "event: stage\ndata: [\n\n",
        ),
        answer(
            "200 OK",
            "content-type: text/event-stream\r\n",
            "event: progress\ndata: {\"covered_bytes\":-1}\n\n",
        ),
        Act::Send(
            [
                &b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"[..],
                &vec![b'x'; 300_000][..],
            ]
            .concat(),
        ),
    ] {
        let scripted = Scripted::play(vec![vec![Act::Read, script.clone()]]);
        assert_eq!(told(&client(&scripted)), ["unexpected"], "{script:?}");
    }
    let scripted = Scripted::play(vec![vec![Act::Read, answer("404 Not Found", "", "{}")]]);
    assert_eq!(told(&client(&scripted)), ["refused"]);
}

#[test]
fn a_flood_of_comments_ends_nothing_and_fills_nothing() {
    let scripted = Scripted::play(vec![
        vec![
            Act::Read,
            stream(),
            Act::Send(": x\n".repeat(200_000).into_bytes()),
            text("\n"),
            stage(1, "pending", "gate"),
        ],
        vec![Act::Read, ok(COMPLETED)],
    ]);
    assert_eq!(told(&client(&scripted)), ["1 gate", "completed"]);
}
