//! Answers of every kind to a plain read.

use std::net::TcpListener;
use std::time::Duration;

use prism_core::advice::Advice as _;

use super::{COMPLETED, SUBMISSION, client, id, impatient, key};
use crate::scripted::{Act, Scripted, answer, hurried, ok};
use crate::wire::Id;
use crate::{Client, ClientError, Patience, Road, Server};

#[test]
fn a_read_is_one_request_without_anything_secret() {
    let scripted = Scripted::play(vec![vec![Act::Read, ok(COMPLETED)]]);
    let got = client(&scripted).status(&id()).unwrap();
    assert_eq!(
        (got.value.rank, got.raw["final_score"].as_f64()),
        (Some(1), Some(0.25))
    );
    let [came] = &scripted.came()[..] else {
        panic!("one request")
    };
    assert_eq!(came.line(), "GET /v1/submissions/s-1 HTTP/1.1");
    assert_eq!(came.header("accept"), Some("application/json"));
    assert_eq!(
        came.header("accept-encoding"),
        None,
        "nothing is asked for that cannot be read"
    );
    assert!(came.header("user-agent").unwrap().starts_with("prism/"));
}

#[test]
fn through_base_the_same_paths_have_another_beginning() {
    let scripted = Scripted::play(vec![vec![Act::Read, ok(r#"{"epoch_id":3,"entries":[]}"#)]]);
    let client = Client::with_patience(scripted.server(), Road::ThroughBase, hurried());
    assert_eq!(client.leaderboard(Some(3)).unwrap().value.epoch_id, 3);
    assert_eq!(
        scripted.came()[0].line(),
        "GET /challenges/prism/v1/leaderboard?epoch_id=3 HTTP/1.1"
    );
}

#[test]
fn a_refusal_is_told_with_its_words_and_not_tried_again() {
    for (status, body, code, detail) in [
        (
            "404 Not Found",
            r#"{"detail":"submission not found"}"#,
            None,
            "submission not found",
        ),
        (
            "500 Internal Server Error",
            r#"{"detail":"x","code":"internal"}"#,
            Some("internal"),
            "x",
        ),
        (
            "418 Teapot",
            "<html>\u{1b}[2J</html>",
            None,
            "status 418 without a reason",
        ),
        ("400 Bad Request", "", None, "status 400 without a reason"),
    ] {
        let scripted = Scripted::play(vec![vec![Act::Read, answer(status, "", body)]]);
        let Err(ClientError::Refused { problem, .. }) = client(&scripted).status(&id()) else {
            panic!("{status} is a refusal");
        };
        assert_eq!(
            (problem.code.as_deref(), problem.detail.as_str()),
            (code, detail),
            "{status}"
        );
        assert_eq!(scripted.came().len(), 1, "{status}");
    }
}

#[test]
fn what_may_pass_is_tried_again_and_no_longer_than_patience_lasts() {
    let busy = || {
        vec![
            Act::Read,
            answer("503 Service Unavailable", "", r#"{"detail":"busy"}"#),
        ]
    };
    let scripted = Scripted::play(vec![busy(), busy(), vec![Act::Read, ok(COMPLETED)]]);
    assert!(client(&scripted).status(&id()).is_ok());
    assert_eq!(scripted.came().len(), 3);

    let scripted = Scripted::play((0..50).map(|_| busy()).collect());
    let refused = client(&scripted).status(&id());
    assert!(matches!(refused, Err(ClientError::Refused { .. })), "{refused:?}");
    let tries = scripted.came().len();
    assert!((2..10).contains(&tries), "{tries}");
}

#[test]
fn a_server_that_asks_for_too_long_a_wait_is_not_waited_for() {
    let late = answer(
        "429 Too Many Requests",
        "retry-after: 3600\r\n",
        r#"{"detail":"slower","code":"rate_limited"}"#,
    );
    let scripted = Scripted::play(vec![vec![Act::Read, late]]);
    let Err(ClientError::Refused { problem, .. }) = client(&scripted).status(&id()) else {
        panic!("it is a refusal");
    };
    assert_eq!(problem.retry_after, Some(Duration::from_hours(1)));
    assert!(
        problem
            .to_string()
            .ends_with("(429, rate_limited); it asks to wait 3600 s"),
        "{problem}"
    );
    assert_eq!(scripted.came().len(), 1);

    let soon = answer("429 Too Many Requests", "retry-after: 0\r\n", "{}");
    let scripted = Scripted::play(vec![vec![Act::Read, soon], vec![Act::Read, ok(COMPLETED)]]);
    assert!(client(&scripted).status(&id()).is_ok());
}

#[test]
fn nonsense_in_the_wait_is_no_wait() {
    for wait in [
        "-1",
        "soon",
        "Wed, 21 Oct 2026 07:28:00 GMT",
        "99999999999999999999",
        "",
    ] {
        let odd = answer("429 Too Many Requests", &format!("retry-after: {wait}\r\n"), "{}");
        let scripted = Scripted::play(vec![vec![Act::Read, odd], vec![Act::Read, ok(COMPLETED)]]);
        assert!(client(&scripted).status(&id()).is_ok(), "{wait}");
    }
}

#[test]
fn nobody_is_followed_to_another_server() {
    let elsewhere = Scripted::play(vec![vec![Act::Read, ok(COMPLETED)]]);
    for status in [
        "301 Moved",
        "302 Found",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
        "300 Choices",
    ] {
        let to = format!("location: {}/v1/x\r\n", elsewhere.server());
        let scripted = Scripted::play(vec![vec![Act::Read, answer(status, &to, "")]]);
        let Err(ClientError::Redirected { to, .. }) =
            client(&scripted).cancel(&key(), &id(), 7, &mut |_, _| ())
        else {
            panic!("{status} is not followed");
        };
        assert_eq!(to, format!("{}/v1/x", elsewhere.server()));
    }
    assert!(elsewhere.came().is_empty(), "no signature has left for there");
}

#[test]
fn an_answer_that_is_cut_stalls_or_drips_ends_in_time() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n";
    let late = "HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n";
    for script in [
        vec![Act::Read, Act::Stall],
        vec![Act::ReadHead],
        vec![
            Act::Read,
            Act::Send(b"HTTP/1.1 200 OK\r\ncontent".to_vec()),
            Act::Stall,
        ],
        vec![Act::Read, Act::Send(b"HTTP/1.1 200 OK\r\ncontent".to_vec())],
        vec![
            Act::Read,
            Act::Send(format!("{head}{{\"id\"").into_bytes()),
            Act::Stall,
        ],
        vec![Act::Read, Act::Send(format!("{head}{{\"id\"").into_bytes())],
        vec![Act::Read, Act::Send(late.into()), Act::Drip(vec![b' '; 4000])],
        vec![
            Act::Read,
            Act::Drip(format!("HTTP/1.1 200 OK\r\n{}", "x: y\r\n".repeat(600)).into_bytes()),
        ],
    ] {
        let scripted = Scripted::play(vec![script.clone()]);
        let client = Client::with_patience(scripted.server(), Road::Direct, impatient());
        let failed = client.status(&id()).unwrap_err();
        assert!(
            matches!(failed, ClientError::Lost { .. }),
            "{script:?}: {failed:?}"
        );
    }
}

#[test]
fn an_answer_that_is_too_large_is_left_there() {
    let flood = vec![
        Act::Read,
        Act::Send(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
        Act::Flood(vec![b' '; 1 << 16]),
    ];
    let announced = vec![
        Act::Read,
        Act::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n".to_vec()),
    ];
    for script in [flood, announced] {
        let scripted = Scripted::play(vec![script]);
        let failed = client(&scripted).status(&id()).unwrap_err();
        assert!(matches!(failed, ClientError::TooLarge { .. }), "{failed:?}");
    }
    // Of a refusal the status counts, however much is said.
    let endless = vec![
        Act::Read,
        Act::Send(b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec()),
        Act::Flood(vec![b'x'; 1 << 16]),
    ];
    let scripted = Scripted::play(vec![endless]);
    let failed = client(&scripted).status(&id()).unwrap_err();
    assert!(matches!(failed, ClientError::Refused { .. }), "{failed:?}");
}

#[test]
fn what_is_no_answer_of_this_api_says_so() {
    let large_head = format!("HTTP/1.1 200 OK\r\n{}", "x: y\r\n".repeat(100_000));
    for script in [
        ok("<html>welcome</html>"),
        ok(""),
        ok("[1,2]"),
        ok(r#"{"id":"s-1","hotkey":"5x","status":["pending"]}"#),
        ok(r#"{"id":"../../admin","hotkey":"5x","status":"pending"}"#),
        ok(&"[".repeat(100_000)),
        answer("200 OK", "content-encoding: gzip\r\n", SUBMISSION),
        Act::Send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec()),
        Act::Send(large_head.into_bytes()),
    ] {
        let scripted = Scripted::play(vec![vec![Act::Read, script.clone()]]);
        let failed = client(&scripted).status(&id()).unwrap_err();
        assert!(matches!(failed, ClientError::Unexpected { .. }), "{failed:?}");
    }
}

#[test]
fn a_server_that_is_not_there_is_told_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let server = Server::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    // Patience of years: only what was sent and lost is worth it.
    let patience = Patience {
        first_pause: Duration::from_secs(1 << 20),
        read_again_for: Duration::from_secs(1 << 25),
        ..hurried()
    };
    let client = Client::with_patience(server, Road::Direct, patience);
    let failed = client.status(&id()).unwrap_err();
    assert!(matches!(failed, ClientError::Unreachable { .. }), "{failed:?}");
    assert!(failed.told().contains("is it the right --url"), "{failed}");
}

#[test]
fn no_id_leads_to_another_path() {
    for text in [
        "",
        "..",
        "a/b",
        "a?x",
        "a#x",
        "a b",
        "a%2fb",
        "é",
        &"a".repeat(65),
    ] {
        assert!(matches!(Id::parse(text), Err(ClientError::Id)), "{text}");
    }
}

#[test]
fn events_are_read_page_by_page() {
    let page = |from: u64, to: u64| {
        let events: Vec<_> = (from..=to)
            .map(|seq| format!(r#"{{"seq":{seq},"at":"t","status":"pending","stage":"gate"}}"#))
            .collect();
        vec![Act::Read, ok(&format!(r#"{{"events":[{}]}}"#, events.join(",")))]
    };
    let scripted = Scripted::play(vec![page(6, 205), page(206, 210)]);
    let events = client(&scripted).events(&id(), Some(5)).unwrap();
    assert_eq!((events.len(), events[204].seq), (205, 210));
    let lines: Vec<_> = scripted
        .came()
        .iter()
        .map(|came| came.line().to_owned())
        .collect();
    assert_eq!(
        lines,
        [
            "GET /v1/submissions/s-1/events?after=5&limit=200 HTTP/1.1",
            "GET /v1/submissions/s-1/events?after=205&limit=200 HTTP/1.1"
        ]
    );
    // The same page again and again would never end.
    let scripted = Scripted::play(vec![page(1, 200), page(1, 200)]);
    let failed = client(&scripted).events(&id(), None).unwrap_err();
    assert!(matches!(failed, ClientError::Unexpected { .. }), "{failed:?}");
}
