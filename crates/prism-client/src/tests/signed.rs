//! Uploads and the requests of owners: what is signed, and what is sent again.

use prism_core::hash::Sha256Hash;
use prism_key::message::{self, Stamp};
use prism_key::{Hotkey, signature};

use super::{SUBMISSION, client, id, impatient, key};
use crate::scripted::{Act, Came, Scripted, answer, hurried, ok};
use crate::submit::Upload;
use crate::{Client, ClientError, Road};

const ARCHIVE: &[u8] = b"PK\x05\x06 not really";
const NOW_SECONDS: u64 = 1_767_225_600;

fn submit(client: &Client) -> (Result<String, ClientError>, usize) {
    let mut again = 0;
    let upload = Upload {
        key: &key(),
        archive: ARCHIVE,
        filename: "small transformer",
        now_seconds: NOW_SECONDS,
    };
    let got = client.submit(upload, &mut |_, _| again += 1);
    (got.map(|got| got.value.id.to_string()), again)
}

/// The signed text of a request verifies, with the values of its headers.
fn is_signed(came: &Came, prefix: &str, text: impl Fn(Stamp<'_>) -> String) -> bool {
    let header = |name: &str| came.header(&format!("{prefix}{name}")).unwrap();
    let stamp = Stamp {
        hotkey: header("hotkey"),
        nonce: header("nonce"),
        timestamp: header("timestamp"),
    };
    let hotkey = Hotkey::parse(stamp.hotkey).unwrap();
    assert_eq!((hotkey, stamp.timestamp), (key().hotkey(), "1767225600"));
    signature::verify(&hotkey, text(stamp).as_bytes(), header("signature")).is_ok()
}

#[test]
fn an_upload_is_signed_over_the_bytes_that_are_sent() {
    let scripted = Scripted::play(vec![vec![Act::Read, ok(SUBMISSION)]]);
    assert_eq!(submit(&client(&scripted)).0.unwrap(), "s-1");
    let [came] = &scripted.came()[..] else {
        panic!("one request")
    };
    assert_eq!(came.line(), "POST /v1/submissions HTTP/1.1");
    assert_eq!(came.header("content-type"), Some("application/zip"));
    assert_eq!(
        came.header("x-submission-filename"),
        Some("small_transformer.zip")
    );
    assert_eq!(came.body, ARCHIVE);
    let body = Sha256Hash::of(&came.body);
    assert!(is_signed(came, "x-", |stamp| message::upload(stamp, &body)));
}

#[test]
fn through_base_an_upload_is_signed_for_the_master() {
    let scripted = Scripted::play(vec![vec![Act::Read, ok(SUBMISSION)]]);
    let client = Client::with_patience(scripted.server(), Road::ThroughBase, hurried());
    submit(&client).0.unwrap();
    let [came] = &scripted.came()[..] else {
        panic!("one request")
    };
    assert_eq!(came.line(), "POST /v1/challenges/prism/submissions HTTP/1.1");
    let body = Sha256Hash::of(&came.body);
    assert!(is_signed(came, "x-", |stamp| message::base_upload(stamp, &body)));
    assert!(!is_signed(came, "x-", |stamp| message::upload(stamp, &body)));
}

#[test]
fn a_lost_answer_is_asked_for_with_the_identical_request() {
    let scripted = Scripted::play(vec![
        vec![Act::Read],
        vec![
            Act::Read,
            Act::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{".to_vec()),
        ],
        vec![
            Act::Read,
            answer("502 Bad Gateway", "", r#"{"detail":"Challenge unavailable"}"#),
        ],
        vec![Act::Read, ok(SUBMISSION)],
    ]);
    let (got, again) = submit(&client(&scripted));
    assert_eq!((got.unwrap().as_str(), again), ("s-1", 3));
    let came = scripted.came();
    assert_eq!(came.len(), 4);
    for repeat in &came[1..] {
        assert_eq!((&repeat.head, &repeat.body), (&came[0].head, &came[0].body));
    }
}

#[test]
fn a_refusal_that_will_not_pass_is_not_sent_again() {
    for (status, body) in [
        (
            "401 Unauthorized",
            r#"{"detail":"stale signature","code":"stale_signature"}"#,
        ),
        ("409 Conflict", r#"{"detail":"nonce","code":"nonce_used"}"#),
        ("413 Too Large", r#"{"detail":"submission too large"}"#),
        ("422 Unprocessable", r#"{"detail":[{"loc":["body"],"msg":"x"}]}"#),
        ("429 Too Many", r#"{"detail":"budget","code":"budget_spent"}"#),
        (
            "507 Insufficient Storage",
            r#"{"detail":"disk full","code":"disk_full"}"#,
        ),
    ] {
        let wait = "retry-after: 40000\r\n";
        let scripted = Scripted::play(vec![vec![Act::Read, answer(status, wait, body)]]);
        let (got, again) = submit(&client(&scripted));
        assert!(
            matches!(got, Err(ClientError::Refused { .. })),
            "{status}: {got:?}"
        );
        assert_eq!((again, scripted.came().len()), (0, 1), "{status}");
    }
}

#[test]
fn a_master_that_knows_the_nonce_has_taken_the_first_request() {
    let scripted = Scripted::play(vec![
        vec![Act::Read],
        vec![
            Act::Read,
            answer("409 Conflict", "", r#"{"detail":"nonce already used"}"#),
        ],
    ]);
    let (got, _) = submit(&client(&scripted));
    let Err(error @ ClientError::Lost { .. }) = got else {
        panic!("{got:?}")
    };
    assert!(error.to_string().contains("may have been done"), "{error}");
}

#[test]
fn an_upload_that_nobody_answers_is_lost_and_not_refused() {
    let scripted = Scripted::play(vec![vec![Act::Read, Act::Stall]]);
    let client = Client::with_patience(scripted.server(), Road::Direct, impatient());
    let (got, again) = submit(&client);
    assert!(matches!(got, Err(ClientError::Lost { .. })), "{got:?}");
    assert_eq!(again, 0);
}

#[test]
fn a_large_upload_hears_a_refusal_before_it_is_sent() {
    let large = vec![7; 1 << 20];
    let upload = |client: &Client| {
        let upload = Upload {
            key: &key(),
            archive: &large,
            filename: "x",
            now_seconds: NOW_SECONDS,
        };
        client.submit(upload, &mut |_, _| ())
    };
    let refusal = answer("413 Too Large", "", r#"{"detail":"submission too large"}"#);
    let scripted = Scripted::play(vec![vec![Act::ReadHead, refusal]]);
    let refused = upload(&client(&scripted));
    assert!(matches!(refused, Err(ClientError::Refused { .. })), "{refused:?}");

    let scripted = Scripted::play(vec![vec![Act::Read, ok(SUBMISSION)]]);
    upload(&client(&scripted)).unwrap();
    assert_eq!(scripted.came()[0].body.len(), large.len());
}

#[test]
fn an_owner_signs_method_and_path_and_asks_once() {
    let empty = Sha256Hash::of(b"");
    let scripted = Scripted::play(vec![
        vec![Act::Read, ok(r#"{"since":3,"text":"step 1\n","next":10}"#)],
        vec![
            Act::Read,
            ok(r#"{"id":"s-1","hotkey":"5x","status":"rejected","reason":"cancelled"}"#),
        ],
        vec![Act::Read, ok(r#"{"traceback":"Traceback"}"#)],
    ]);
    let client = client(&scripted);
    let logs = client.logs(&key(), &id(), Some(3), NOW_SECONDS).unwrap();
    assert_eq!((logs.text.as_str(), logs.next), ("step 1\n", Some(10)));
    client.cancel(&key(), &id(), NOW_SECONDS, &mut |_, _| ()).unwrap();
    assert_eq!(
        client.traceback(&key(), &id(), NOW_SECONDS).unwrap().as_deref(),
        Some("Traceback")
    );
    let came = scripted.came();
    assert_eq!(came[0].line(), "GET /v1/submissions/s-1/logs?since=3 HTTP/1.1");
    assert_eq!(came[1].line(), "POST /v1/submissions/s-1/cancel HTTP/1.1");
    for (came, method, path) in [
        (&came[0], "GET", "/v1/submissions/s-1/logs"),
        (&came[1], "POST", "/v1/submissions/s-1/cancel"),
        (&came[2], "GET", "/v1/submissions/s-1/traceback"),
    ] {
        assert!(
            is_signed(came, "x-prism-", |stamp| message::request(
                method, path, stamp, &empty
            )),
            "{path}"
        );
        assert!(!is_signed(came, "x-prism-", |stamp| message::request(
            "PUT", path, stamp, &empty
        )));
    }
    assert_ne!(came[0].header("x-prism-nonce"), came[1].header("x-prism-nonce"));
}

#[test]
fn through_base_an_owner_signs_the_path_that_the_service_sees() {
    let scripted = Scripted::play(vec![vec![Act::Read, ok(r#"{"traceback":null}"#)]]);
    let client = Client::with_patience(scripted.server(), Road::ThroughBase, hurried());
    assert_eq!(client.traceback(&key(), &id(), NOW_SECONDS).unwrap(), None);
    let came = &scripted.came()[0];
    assert_eq!(
        came.line(),
        "GET /challenges/prism/v1/submissions/s-1/traceback HTTP/1.1"
    );
    let path = "/v1/submissions/s-1/traceback";
    assert!(is_signed(came, "x-prism-", |stamp| {
        message::request("GET", path, stamp, &Sha256Hash::of(b""))
    }));
}

#[test]
fn a_lost_answer_to_a_cancellation_is_asked_for_with_the_identical_request() {
    let cancelled = r#"{"id":"s-1","hotkey":"5x","status":"rejected","state":"cancelled"}"#;
    let scripted = Scripted::play(vec![vec![Act::Read], vec![Act::Read, ok(cancelled)]]);
    let got = client(&scripted).cancel(&key(), &id(), NOW_SECONDS, &mut |_, _| ());
    assert_eq!(got.unwrap().value.standing(), "cancelled");
    let came = scripted.came();
    assert_eq!((came.len(), &came[0].head), (2, &came[1].head));
}

#[test]
fn a_signed_read_is_never_sent_twice() {
    let scripted = Scripted::play(vec![
        vec![Act::Read],
        vec![Act::Read, ok(r#"{"traceback":null}"#)],
    ]);
    let lost = client(&scripted).traceback(&key(), &id(), NOW_SECONDS);
    assert!(matches!(lost, Err(ClientError::Lost { .. })), "{lost:?}");
    assert_eq!(scripted.came().len(), 1);
}
