//! `prism key` and the commands that ask a service, against one that says what a test wants.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;
use prism_core::hash::Sha256Hash;
use prism_key::message::{self, Stamp};
use prism_key::{Hotkey, signature};

use crate::context::Context;
use crate::service::{Came, Service};

const PENDING: &str = r#"{"id":"s-1","hotkey":"5Hk","epoch_id":1,"status":"pending","state":"pending","stage":"received",
    "code_hash":"00","created_at":"2026-11-28T18:26:03.828177Z","round":"main",
    "budget":{"date":"2026-11-28","uploads":{"used":1,"limit":40},"scored_runs":{"used":0,"limit":4}}}"#;
const COMPLETED: &str = r#"{"id":"s-1","hotkey":"5Hk","status":"completed","state":"completed","reason":"end_of_data",
    "created_at":"2026-11-28T18:26:03.828177Z","final_score":0.20812,"bpb":3.80521,"bpb_se":0.00012,"flags":[],
    "rank":1,"tie_group":1,"provisional":false,"weight":1.0,"covered_bytes":999000,"stream_bytes":999000,"attempts":[]}"#;
const STREAM: &str = "id: 1\nevent: stage\ndata: {\"seq\":1,\"at\":\"2026-11-28T18:26:03.828177Z\",\"status\":\"pending\",\
    \"stage\":\"gate\",\"detail\":\"the gate reads its source\"}\n\n\
    id: 2\nevent: stage\ndata: {\"seq\":2,\"at\":\"2026-11-28T18:26:09.000000Z\",\"status\":\"running\",\
    \"stage\":\"training\",\"detail\":\"x\\u001b[2J\\ny\"}\n\n\
    event: progress\ndata: {\"covered_bytes\":500000,\"stream_bytes\":999000,\"mean_bpb\":4.5,\"steps\":10}\n\n\
    id: 3\nevent: stage\ndata: {\"seq\":3,\"at\":\"2026-11-28T18:26:43.000000Z\",\"status\":\"completed\",\
    \"detail\":\"the stream was read to its end\"}\n\n\
    event: end\ndata: {\"status\":\"completed\"}\n\n";

/// A directory with a key and a bundle.
fn context() -> (Context, Hotkey) {
    let context = Context::new();
    context.write(
        "bundle/architecture.py",
        "def build_model(ctx):\n    return None\n",
    );
    context.write("bundle/training.py", "def train(ctx):\n    pass\n");
    let (exit, made) = context.json("key new --out me.json --json");
    assert_eq!(exit, 0);
    (context, Hotkey::parse(made["hotkey"].as_str().unwrap()).unwrap())
}

fn is_signed(came: &Came, prefix: &str, text: impl Fn(Stamp<'_>) -> String) -> bool {
    let [hotkey, nonce, timestamp, signed] =
        ["hotkey", "nonce", "timestamp", "signature"].map(|name| came.header(&format!("{prefix}{name}")));
    let stamp = Stamp {
        hotkey: &hotkey,
        nonce: &nonce,
        timestamp: &timestamp,
    };
    signature::verify(&Hotkey::parse(&hotkey).unwrap(), text(stamp).as_bytes(), &signed).is_ok()
}

#[test]
fn a_key_is_made_shown_and_signs() {
    let (context, hotkey) = context();
    let mode = fs::metadata(context.path("me.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let shown = context
        .shown("key show me.json")
        .replace(&hotkey.to_string(), "[HOTKEY]");
    assert_snapshot!(shown.replace(&hotkey.to_hex(), "[PUBLIC]"), @"
    exit: 0
    ----- stdout
    hotkey      [HOTKEY]
    public key  [PUBLIC]
    file        me.json
    ----- stderr
    ");
    let (exit, signed) = context.json("key sign --key me.json --json hello");
    assert_eq!(
        (exit, signed["hotkey"].as_str()),
        (0, Some(hotkey.to_string().as_str()))
    );
    let text = signed["signature"].as_str().unwrap();
    assert_eq!(signature::verify(&hotkey, b"hello", text), Ok(()));
    context.write("message", b"\xff\x00");
    let output = context.run("key sign --key me.json --file message");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(signature::verify(&hotkey, b"\xff\x00", text.trim_end()), Ok(()));

    let before = fs::read(context.path("me.json")).unwrap();
    assert_snapshot!(context.shown("key new --out me.json"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: the key file me.json: it exists already

    hint: choose another name, or move it away if nobody needs its key
    ");
    assert_eq!(fs::read(context.path("me.json")).unwrap(), before);
}

#[test]
fn keys_of_wallets_are_found_and_opened() {
    let context = Context::new();
    let wallet = "../home/.bittensor/wallets/w/hotkeys/";
    let phrase = include_str!("../../../prism-key/src/key_file/fixtures/wallet-4.1.1.json");
    let nacl = include_bytes!("../../../prism-key/src/key_file/fixtures/wallet-4.1.1.nacl");
    context.write(&format!("{wallet}open"), phrase);
    context.write(&format!("{wallet}locked"), nacl);
    context.write("password", "prism test password\n");
    for private in [
        format!("{wallet}open"),
        format!("{wallet}locked"),
        "password".into(),
    ] {
        fs::set_permissions(context.path(&private), Permissions::from_mode(0o600)).unwrap();
    }
    let phrase_hotkey = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV";
    let (_, open) = context.json("key sign --wallet w --hotkey open x --json");
    assert_eq!(open["hotkey"], phrase_hotkey);
    let (_, locked) = context.json("key sign --wallet w --hotkey locked --password-file password x --json");
    assert_eq!(locked["hotkey"], phrase_hotkey);
    assert_snapshot!(context.shown("key sign --wallet w --hotkey other x"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: there is no hotkey `other` in the wallet `w`: [TEMP]/home/.bittensor/wallets/w/hotkeys/other is missing

    hint: there are: locked, open
    ");
    assert_snapshot!(context.shown("key sign --wallet ../w --hotkey open x"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: `../w` is no name of a wallet or hotkey

    hint: give the name alone, or a path with `--key`
    ");
    assert_snapshot!(context.shown("key sign x"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: the following required arguments were not provided:
      <--key <FILE>|--wallet <WALLET>>

    Usage: prism key sign <--key <FILE>|--wallet <WALLET>> <MESSAGE|--file <FILE>>

    For more information, try '--help'.
    ");
    fs::set_permissions(
        context.path(&format!("{wallet}open")),
        Permissions::from_mode(0o644),
    )
    .unwrap();
    assert_snapshot!(context.shown("key sign --wallet w --hotkey open x"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: the key file [TEMP]/home/.bittensor/wallets/w/hotkeys/open: others can read or write it (mode 644)

    hint: run `chmod 600` on it
    ");
}

#[test]
fn a_bundle_is_submitted_signed_and_told() {
    let (context, hotkey) = context();
    let service = Service::new(&[("POST /v1/submissions ", "200 OK", PENDING)]);
    let shown = context.shown(&format!("submit bundle --key me.json --url {}", service.url));
    assert_snapshot!(shown.replace(&service.url, "[URL]"), @"
    exit: 0
    ----- stdout
    pending (received)

    submission  s-1
    hotkey      5Hk
    round       main
    submitted   2026-11-28 18:26:03
    today       1 of 40 uploads, 0 of 4 scored runs
    ----- stderr

    follow it with `prism status s-1 --watch --url [URL]`
    ");
    let [came] = &service.came()[..] else {
        panic!("one request")
    };
    assert_eq!(came.header("x-hotkey"), hotkey.to_string());
    assert_eq!(came.header("x-submission-filename"), "bundle.zip");
    let body = Sha256Hash::of(&came.body);
    assert!(is_signed(came, "x-", |stamp| message::upload(stamp, &body)));
    let bundle = prism_bundle::Bundle::from_zip(&came.body).unwrap();
    assert_eq!(bundle.files().len(), 2);

    let (exit, told) = context.json(&format!(
        "submit bundle --key me.json --url {} --json",
        service.url
    ));
    assert_eq!(
        (exit, told["id"].as_str(), told["epoch_id"].as_i64()),
        (0, Some("s-1"), Some(1))
    );
    assert_eq!(
        service.came()[1].body,
        came.body,
        "the same bundle gives the same bytes"
    );
}

#[test]
fn through_base_it_is_signed_for_the_master() {
    let (context, _) = context();
    let service = Service::new(&[("POST /v1/challenges/prism/submissions ", "200 OK", PENDING)]);
    let output = context.run(&format!(
        "submit bundle --key me.json --via-base --url {}",
        service.url
    ));
    assert_eq!(output.status.code(), Some(0), "{}", context.show(&output));
    let came = &service.came()[0];
    let body = Sha256Hash::of(&came.body);
    assert!(is_signed(came, "x-", |stamp| message::base_upload(stamp, &body)));
}

#[test]
fn nothing_is_sent_of_what_is_wrong_here_already() {
    let (context, _) = context();
    context.write("half/training.py", "def train(ctx):\n    pass\n");
    context.write("open.json", fs::read(context.path("me.json")).unwrap());
    fs::set_permissions(context.path("open.json"), Permissions::from_mode(0o644)).unwrap();
    let service = Service::new(&[("POST", "200 OK", PENDING)]);
    for (words, exit, code) in [
        ("half --key me.json", 1, "bundle_invalid"),
        ("none --key me.json", 2, "bundle_unreadable"),
        ("bundle --key open.json", 2, "key_file"),
        ("bundle --key none.json", 2, "key_file"),
        ("bundle --wallet w --hotkey h", 2, "hotkey_not_found"),
        ("bundle", 2, "usage"),
        ("bundle --key me.json --wallet w --hotkey h", 2, "usage"),
        ("bundle --wallet w", 2, "usage"),
    ] {
        let (found, told) = context.json(&format!("submit {words} --url {} --json", service.url));
        assert_eq!(
            (found, told["error"].as_str()),
            (exit, Some(code)),
            "{words}: {told}"
        );
    }
    let (exit, told) = context.json("submit bundle --key me.json --url ftp://x --json");
    assert_eq!((exit, told["error"].as_str()), (2, Some("url")));
    assert!(service.came().is_empty());
}

#[test]
fn a_submission_is_watched_to_its_rank_and_weight() {
    let (context, _) = context();
    let service = Service::new(&[
        ("POST /v1/submissions ", "200 OK", PENDING),
        ("GET /v1/submissions/s-1/events/stream ", "200 OK", STREAM),
        ("GET /v1/submissions/s-1 ", "200 OK", COMPLETED),
    ]);
    let shown = context.shown(&format!(
        "submit bundle --key me.json --watch --url {}",
        service.url
    ));
    assert_snapshot!(shown, @r#"
    exit: 0
    ----- stdout
    completed (end_of_data)

    submission     s-1
    hotkey         5Hk
    rank           1, tie group 1
    weight         1.000000
    final score    0.20812 (higher is better)
    bits per byte  3.8052 ± 0.0001
    read           999 kB
    submitted      2026-11-28 18:26:03
    ----- stderr
    submission s-1
    18:26:03  gate        the gate reads its source
    18:26:09  training    x\u{1b}[2J\ny
    read 500.0 of 999 kB, 4.500 bpb
    18:26:43  completed   the stream was read to its end
    "#);
    let (exit, told) = context.json(&format!(
        "submit bundle --key me.json --watch --json --url {}",
        service.url
    ));
    assert_eq!((exit, told["rank"].as_i64()), (0, Some(1)));
    let (exit, told) = context.json(&format!("status s-1 --watch --json --url {}", service.url));
    assert_eq!((exit, told["weight"].as_f64()), (0, Some(1.0)));
}

#[test]
fn a_submission_that_ended_badly_ends_its_watcher_so() {
    let context = Context::new();
    for (status, watched) in [("rejected", 1), ("failed", 1), ("held", 3), ("completed", 0)] {
        let body = format!(
            r#"{{"id":"s-1","hotkey":"5Hk","status":"{status}","error":"a\u001b[2J\ncompleted (x)"}}"#
        );
        let service = Service::new(&[("GET /v1/submissions/s-1 ", "200 OK", &body)]);
        let output = context.run(&format!("status s-1 --watch --url {}", service.url));
        assert_eq!(output.status.code(), Some(watched), "{status}");
        assert!(!output.stdout.contains(&0x1b), "{status}");
        let asked = context.run(&format!("status s-1 --url {}", service.url));
        assert_eq!(
            asked.status.code(),
            Some(0),
            "a question that is answered, {status}"
        );
    }
}

#[test]
fn a_service_that_refuses_or_is_not_there_is_told() {
    let context = Context::new();
    let service = Service::new(&[(
        "GET /v1/board ",
        "429 Too Many Requests",
        r#"{"code":"rate_limited","detail":"too\u001b[2J fast\nerror: x; slow down"}"#,
    )]);
    let shown = context.shown(&format!("status s-9 --url {}", service.url));
    assert_snapshot!(shown.replace(&service.url, "[URL]"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: [URL] refuses: submission not found (404)
    ");
    let (exit, told) = context.json(&format!("leaderboard --json --url {}", service.url));
    assert_eq!(
        (exit, told["error"].as_str(), told["hint"].as_str()),
        (3, Some("rate_limited"), None),
        "nobody looks for advice in what another program says"
    );
    assert!(
        told["detail"].as_str().unwrap().contains("error: x; slow down"),
        "{told}"
    );
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let shown = context.shown(&format!("weights --url http://{free}"));
    assert_snapshot!(shown.replace(&free.to_string(), "[ADDRESS]"), @"
    exit: 3
    ----- stdout
    ----- stderr
    error: cannot reach http://[ADDRESS]: Connection refused (os error 111)

    hint: is it the right --url, and does the server run?
    ");
    assert_snapshot!(context.shown("status ../x"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: this is no id of a submission

    hint: `prism submit` prints it, like 8f0e7c1e-...
    ");
}

#[test]
fn logs_and_cancellations_are_the_owners() {
    let (context, hotkey) = context();
    let service = Service::new(&[
        (
            "GET /v1/submissions/s-1/logs?since=0 ",
            "200 OK",
            r#"{"since":0,"next":5,"text":"a\u001b["}"#,
        ),
        (
            "GET /v1/submissions/s-1/logs?since=5 ",
            "200 OK",
            r#"{"since":5,"next":7,"text":"b\n"}"#,
        ),
        (
            "GET /v1/submissions/s-1/logs?since=7 ",
            "200 OK",
            r#"{"since":7,"next":7,"text":""}"#,
        ),
        (
            "GET /v1/submissions/s-1/traceback ",
            "200 OK",
            r#"{"traceback":null}"#,
        ),
        ("POST /v1/submissions/s-1/cancel ", "200 OK", COMPLETED),
    ]);
    let url = &service.url;
    assert_snapshot!(context.shown(&format!("logs s-1 --key me.json --url {url}")), @r#"
    exit: 0
    ----- stdout
    a\u{1b}[b
    ----- stderr
    "#);
    assert_snapshot!(context.shown(&format!("logs s-1 --traceback --key me.json --url {url}")), @"
    exit: 0
    ----- stdout
    there is no traceback
    ----- stderr
    ");
    let (exit, told) = context.json(&format!("cancel s-1 --key me.json --url {url} --json"));
    assert_eq!((exit, told["id"].as_str()), (0, Some("s-1")));
    let came = service.came();
    assert_eq!(came.len(), 5);
    for request in &came {
        let mut words = request.head.split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let path = path.split('?').next().unwrap();
        let empty = Sha256Hash::of(b"");
        assert_eq!(request.header("x-prism-hotkey"), hotkey.to_string());
        assert!(
            is_signed(request, "x-prism-", |stamp| message::request(
                method, path, stamp, &empty
            )),
            "{path}"
        );
    }
}
