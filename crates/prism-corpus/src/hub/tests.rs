//! Fetches from a server of this machine: undisturbed, disturbed, interrupted, and lied to.

mod server;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use prism_core::advice::Advice as _;

use super::*;
use server::{COMMIT, Faults, Lie, Server, TOKEN, sha256};

/// Three files with the columns of FineWeb-Edu, and a stranger.
fn files() -> BTreeMap<String, Vec<u8>> {
    let fixture = |name: &str| {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/parquet/{name}.parquet"));
        fs::read(path).unwrap()
    };
    BTreeMap::from([
        (
            "sample/10BT/000_00000.parquet".to_owned(),
            fixture("fineweb-snappy"),
        ),
        (
            "sample/10BT/001_00000.parquet".to_owned(),
            fixture("fineweb-zstd-v2"),
        ),
        (
            "sample/10BT/002_00000.parquet".to_owned(),
            fixture("fineweb-brotli"),
        ),
        (
            "sample/10BT/notes.txt".to_owned(),
            b"not text of the dataset".to_vec(),
        ),
    ])
}

fn options(server: &Server) -> FetchOptions {
    FetchOptions {
        endpoint: server.endpoint(),
        token: Some(Zeroizing::new(TOKEN.to_owned())),
        dataset: "owner/set".to_owned(),
        config: "sample-10BT".to_owned(),
        revision: "main".to_owned(),
        text_bytes: 4500,
        text_field: "text".to_owned(),
        connections: NonZero::new(3).unwrap(),
        segment_bytes: 1000,
        patience: Patience {
            first_pause: Duration::from_millis(1),
            longest_pause: Duration::from_millis(20),
            // Faults come to whoever asks just then, which may be the same thread many times.
            tries: 40,
            ..Patience::default()
        },
    }
}

fn go_on(_: FetchProgress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The files below a directory, with their bytes.
fn tree(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(at) = dirs.pop() {
        for entry in fs::read_dir(&at).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().display().to_string();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn what_is_needed_is_fetched_and_no_more() {
    let server = Server::start(files(), Faults::default(), Lie::None);
    let dir = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    let fetched = fetch(&options(&server), dir.path(), &mut |at| {
        seen.push((at.path.to_owned(), at.file_done_bytes, at.file_bytes));
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(
        (fetched.commit.as_str(), fetched.revision.as_str()),
        (COMMIT, "main")
    );
    // Each has some 2,700 bytes of text and more.
    assert_eq!(fetched.files.len(), 2);
    assert!(fetched.text_bytes >= 4500 && fetched.files.iter().all(|file| file.text_bytes > 2000));
    let there = tree(dir.path());
    for file in &fetched.files {
        assert_eq!(there[&file.path], files()[&file.path]);
        assert_eq!(file.sha256, sha256(&there[&file.path]));
        assert!(seen.contains(&(file.path.clone(), file.bytes, file.bytes)));
    }
    assert!(
        !there
            .keys()
            .any(|name| name.contains(".parts") || name.contains("002_")),
        "{:?}",
        there.keys()
    );
    assert_eq!(Fetched::read(dir.path()), Some(fetched.clone()));
    assert!(!server.token_leaked());
    // Again: nothing is fetched that is there.
    let before = server.requests_for_bytes();
    assert_eq!(fetch(&options(&server), dir.path(), &mut go_on).unwrap(), fetched);
    assert_eq!(server.requests_for_bytes(), before);
    // A file that was changed is fetched again.
    let path = dir.path().join(&fetched.files[0].path);
    let mut bytes = fs::read(&path).unwrap();
    bytes[700] ^= 1;
    fs::write(&path, bytes).unwrap();
    fetch(&options(&server), dir.path(), &mut go_on).unwrap();
    assert_eq!(tree(dir.path()), there);
    assert!(server.requests_for_bytes() > before);
}

#[test]
fn faults_of_the_network_change_nothing() {
    let expected = {
        let server = Server::start(files(), Faults::default(), Lie::None);
        let dir = tempfile::tempdir().unwrap();
        fetch(&options(&server), dir.path(), &mut go_on).unwrap();
        tree(dir.path())
    };
    let one = |busy, down, cut, reset, expired| Faults {
        busy,
        down,
        cut,
        reset,
        expired,
    };
    // Nor does a longer way to the bytes, which the token goes no part of.
    let server = Server::start(files(), Faults::default(), Lie::LongWay);
    let dir = tempfile::tempdir().unwrap();
    fetch(&options(&server), dir.path(), &mut go_on).unwrap();
    assert_eq!(tree(dir.path()), expected);
    assert!(!server.token_leaked());
    for faults in [
        one(3, 0, 0, 0, 0),
        one(0, 3, 0, 0, 0),
        one(0, 0, 2, 0, 0),
        one(0, 0, 0, 3, 0),
        one(0, 0, 0, 0, 4),
        one(7, 11, 3, 5, 6),
    ] {
        let server = Server::start(files(), faults, Lie::None);
        let dir = tempfile::tempdir().unwrap();
        fetch(&options(&server), dir.path(), &mut go_on).unwrap();
        assert_eq!(tree(dir.path()), expected);
        assert!(!server.token_leaked());
    }
}

/// Interrupted after so many pieces, again and again, with faults between: the same bytes in the end.
#[test]
fn interrupted_anywhere_and_started_again_gives_the_same_bytes() {
    let faults = Faults {
        cut: 3,
        expired: 7,
        ..Faults::default()
    };
    let server = Server::start(files(), Faults::default(), Lie::None);
    let undisturbed = tempfile::tempdir().unwrap();
    fetch(&options(&server), undisturbed.path(), &mut go_on).unwrap();
    let expected = tree(undisturbed.path());
    let mut state = 3u64;
    for _ in 0..6 {
        let server = Server::start(files(), faults, Lie::None);
        let dir = tempfile::tempdir().unwrap();
        let mut interruptions = 0;
        loop {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let mut left = (state >> 33) % 9 + 3;
            let result = fetch(&options(&server), dir.path(), &mut |_| {
                left -= u64::from(left > 0);
                if left == 0 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            match result {
                Ok(_) => break,
                Err(HubError::Cancelled) => interruptions += 1,
                Err(error) => panic!("{error}"),
            }
            // What is there is the true beginning of each segment.
            assert!(!dir.path().join(FETCHED_FILE).exists());
            assert!(interruptions < 200, "no progress");
        }
        assert!(interruptions > 0);
        assert_eq!(tree(dir.path()), expected);
    }
}

#[test]
fn a_branch_that_moves_moves_nothing_once_a_fetch_has_begun() {
    let server = Server::start(files(), Faults::default(), Lie::None);
    let dir = tempfile::tempdir().unwrap();
    let stopped = fetch(&options(&server), dir.path(), &mut |_| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(HubError::Cancelled)));
    server.move_branch(&"9".repeat(40));
    assert_eq!(
        fetch(&options(&server), dir.path(), &mut go_on).unwrap().commit,
        COMMIT
    );
    // Elsewhere the branch is what it is now, which this server has no files of.
    let other = tempfile::tempdir().unwrap();
    assert!(matches!(
        fetch(&options(&server), other.path(), &mut go_on),
        Err(HubError::NotFound { .. })
    ));
    // And a directory belongs to one fetch.
    let another = FetchOptions {
        revision: COMMIT.to_owned(),
        ..options(&server)
    };
    let error = fetch(&another, dir.path(), &mut go_on).unwrap_err();
    assert!(matches!(error, HubError::AnotherFetch { .. }), "{error}");
}

#[test]
fn what_is_not_the_commits_is_never_taken() {
    let cases = [
        (Lie::OtherRange, "other bytes than were asked for"),
        (Lie::NoRange, "no range of bytes"),
        (
            Lie::OtherBytes,
            "arrived with another SHA-256 than the Hub has for it",
        ),
        (Lie::OtherTag, "another SHA-256"),
        (Lie::OtherCommit, "another commit than was asked for"),
        (Lie::OtherHash, "another SHA-256 than the tree has"),
        (Lie::Downgrade, "a redirect away from https"),
        (Lie::EscapingPath, "a path that is none"),
        (Lie::HugeFile, "an impossible hash or length"),
        (Lie::OtherPage, "a next page away from https"),
        (Lie::NoJson, "something unexpected"),
        (Lie::Patience, "asks to wait 86400 seconds"),
        (
            Lie::Gated,
            "does not give out revision main of owner/set: GatedRepo",
        ),
    ];
    for (lie, expected) in cases {
        let server = Server::start(files(), Faults::default(), lie);
        let dir = tempfile::tempdir().unwrap();
        let error = fetch(&options(&server), dir.path(), &mut go_on)
            .unwrap_err()
            .told();
        assert!(error.contains(expected), "{error}\nexpected: {expected}");
        assert!(!error.contains(TOKEN) && !error.contains("Signature"), "{error}");
        let there = tree(dir.path());
        assert!(
            !there
                .keys()
                .any(|name| name.ends_with(".parquet") || name == FETCHED_FILE),
            "{:?}",
            there.keys()
        );
        assert!(!server.token_leaked());
    }
}

#[test]
fn what_is_not_there_is_told() {
    let server = Server::start(files(), Faults::default(), Lie::None);
    let message = |options: FetchOptions| {
        let dir = tempfile::tempdir().unwrap();
        fetch(&options, dir.path(), &mut go_on).unwrap_err().told()
    };
    let base = || options(&server);
    let revision = message(FetchOptions {
        revision: "nowhere".to_owned(),
        ..base()
    });
    assert!(
        revision.contains("has no revision nowhere of owner/set"),
        "{revision}"
    );
    let dataset = message(FetchOptions {
        dataset: "owner/other".to_owned(),
        ..base()
    });
    assert!(dataset.contains("check the name"), "{dataset}");
    let config = message(FetchOptions {
        config: "sample-1T".to_owned(),
        ..base()
    });
    assert!(
        config.contains("no Parquet files in `sample-1T`, `sample/1T`, `data/sample-1T`")
            && config.contains("`sample`"),
        "{config}"
    );
    let more = message(FetchOptions {
        text_bytes: 1 << 40,
        ..base()
    });
    assert!(
        more.contains("bytes of text that were asked for; ask for less"),
        "{more}"
    );
    let column = message(FetchOptions {
        text_field: "body".to_owned(),
        ..base()
    });
    assert!(
        column.contains("it has no column `body`, but `text`, `id`, `dump`"),
        "{column}"
    );
    let token = message(FetchOptions {
        token: None,
        ..base()
    });
    assert!(
        token.contains("put a token that may read it into HF_TOKEN"),
        "{token}"
    );
    for (dataset, config) in [
        ("../x", "a"),
        ("owner/set", "../a"),
        ("a/b/c", "a"),
        ("owner/set", "/a"),
    ] {
        let bad = FetchOptions {
            dataset: dataset.to_owned(),
            config: config.to_owned(),
            ..base()
        };
        assert!(message(bad).contains("is not usable"));
    }
    for endpoint in ["http://example.org", "ftp://127.0.0.1", "nothing"] {
        let bad = message(FetchOptions {
            endpoint: endpoint.to_owned(),
            ..base()
        });
        assert!(bad.contains("`HF_ENDPOINT` is not usable"), "{bad}");
    }
    // Nobody listens there any more.
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let offline = message(FetchOptions {
        endpoint: format!("http://{closed}"),
        ..base()
    });
    assert!(
        offline.contains("cannot be reached") && offline.contains("what was fetched stays"),
        "{offline}"
    );
}
