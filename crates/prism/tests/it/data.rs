//! `prism data`: text to a corpus, and what a corpus says of itself.

use std::fmt::Write as _;
use std::fs;

use insta::assert_snapshot;
use serde_json::json;

use crate::context::{Context, tree};
use crate::hub;
use crate::official::parquet_file;

fn text(seed: u32, paragraphs: u32) -> String {
    (0..paragraphs).fold(String::new(), |mut text, i| {
        let _ = writeln!(
            text,
            "Paragraph {i} of {seed} says that {} and {} are numbers.\n",
            i * seed,
            i + seed
        );
        text
    })
}

#[test]
fn text_is_locked_verified_and_shown() {
    let context = Context::new();
    for seed in 1..7 {
        context.write(&format!("books/{seed}.txt"), text(seed, 1500));
    }
    context.write("books/cover.png", "not text");
    assert_snapshot!(context.shown("data lock --from books --out corpus --name novels --source shelf --revision 2"), @"
    exit: 0
    ----- stdout
    corpus    corpus (locked)
    name      novels
    source    shelf
    revision  2
    manifest  5d940ff0cbfb8f0e10ae728091ed4d4c0ba5b0a52fe3f6cd7661c6ad0d21e040
    read      66 documents
    dropped   0 null, 0 empty, 0 equal to another, 0 equal up to white space, 0 nearly equal, 0 not UTF-8, 0 by filters
    unused    0 documents that no split had room for
    cut       0 documents for their length

    split  documents    bytes  shards  floor, bits/byte
    train         62  478,693       1           unknown
    val            2   10,975       1           unknown
    test           2   16,352       1           unknown
    ----- stderr
    passed over 1 file: only `.txt`, `.jsonl`, `.jsonl.gz`, `.jsonl.zst` and `.parquet` are read
    ");
    assert_snapshot!(context.shown("data show corpus"), @"
    exit: 0
    ----- stdout
    corpus    corpus (verified)
    name      novels
    source    shelf
    revision  2
    manifest  5d940ff0cbfb8f0e10ae728091ed4d4c0ba5b0a52fe3f6cd7661c6ad0d21e040
    read      66 documents
    dropped   0 null, 0 empty, 0 equal to another, 0 equal up to white space, 0 nearly equal, 0 not UTF-8, 0 by filters
    unused    0 documents that no split had room for
    cut       0 documents for their length

    split  documents    bytes  shards  floor, bits/byte
    train         62  478,693       1           unknown
    val            2   10,975       1           unknown
    test           2   16,352       1           unknown
    ----- stderr
    ");
    let (exit, value) = context.json("data show corpus --json");
    assert_eq!((exit, &value["manifest"]["name"]), (0, &json!("novels")));

    // The same again is no error; other text in its place is.
    assert_eq!(
        context
            .run("data lock --from books --out corpus --name novels --source shelf --revision 2")
            .status
            .code(),
        Some(0)
    );
    let again = context.run("data lock --from books --out corpus --name other");
    assert_eq!(again.status.code(), Some(2), "{}", context.show(&again));
}

/// What the lock makes of copies, nulls and packed files, as its user sees it.
#[test]
fn copies_and_nulls_are_counted_and_errors_name_line_and_option() {
    let context = Context::new();
    let record = |text: &str| json!({ "text": text, "id": 1 }).to_string() + "\n";
    let originals: String = (0..200).map(|i| record(&text(i, 2))).collect();
    let copies: String = (0..40)
        .map(|i| {
            let original = text(i, 2);
            record(&match i % 4 {
                0 => original.replace('\n', "\r\n"),
                1 => format!("\u{feff}{original}"),
                2 => original.trim().to_owned(),
                _ => original.clone(),
            })
        })
        .collect();
    let others = "{\"text\":null}\n{\"text\":\" \"}\n{\"score\":NaN,\"text\":\"read although a field is no number\"}\n";
    context.write("in/a.jsonl", &originals);
    context.write("in/b.jsonl", copies + others);
    assert_snapshot!(context.shown("data lock --from in --out corpus"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: line 41 of in/b.jsonl has null in the field `text`

    hint: pass over such records with `--skip-empty`, or name another field with `--text-field`
    ");
    let shown = context.shown("data lock --from in --out corpus --skip-empty");
    assert!(shown.contains("read      243 documents\n"), "{shown}");
    assert!(
        shown.contains("dropped   1 null, 1 empty, 10 equal to another, 30 equal up to white space, 0 nearly equal, 0 not UTF-8, 0 by filters\n"),
        "{shown}"
    );
    assert!(
        context
            .shown("data show corpus")
            .contains("30 equal up to white space")
    );
    let (_, value) = context.json("data show corpus --json");
    let origin = &value["manifest"]["origin"];
    assert_eq!(
        [&origin["documents_respaced"], &origin["documents_null"]],
        [&json!(30), &json!(1)]
    );

    context.write(
        "half.jsonl",
        originals.clone() + "\n{\"text\":\"a smile \\ud83d here\"}\n",
    );
    assert_snapshot!(context.shown("data lock --from half.jsonl --out other"), @r"
    exit: 2
    ----- stdout
    ----- stderr
    error: line 202 of half.jsonl has the escape `\ud83d`, half a character: a surrogate without its other half, at column 18

    hint: put `\ufffd` in its place, add the half that is missing, or drop the line
    ");
    assert_snapshot!(context.shown("data lock --from half.jsonl --out other --text-field body"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: line 1 of half.jsonl has no field `body`, but `id`, `text`

    hint: name the field that holds the text with `--text-field`
    ");
    context.write("broken.jsonl.gz", b"\x1f\x8b\x08\x00");
    assert_snapshot!(context.shown("data lock --from broken.jsonl.gz --out other"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: broken.jsonl.gz cannot be unpacked beyond line 0: it ends in the middle

    hint: fetch or pack it again
    ");
    assert!(!context.path("other").exists());
}

#[test]
fn where_a_corpus_goes_is_no_part_of_it_and_is_checked_first() {
    let context = Context::new();
    for seed in 1..7 {
        context.write(&format!("books/{seed}.txt"), text(seed, 1500));
    }
    let (exit, one) = context.json("data lock --from books --out one --json");
    fs::create_dir(context.path("empty")).unwrap();
    let (_, two) = context.json("data lock --from books --out empty/. --json");
    assert_eq!((exit, &one["manifest_sha256"]), (0, &two["manifest_sha256"]));
    assert_eq!(one["manifest"]["name"], "corpus");

    // What is refused for its place is refused before its text is read, which is not even UTF-8 here.
    context.write("elsewhere/bad.txt", b"\xff");
    fs::create_dir(context.path("here")).unwrap();
    let mut command = context.command(&["data", "lock", "--from", "../elsewhere", "--out", "."]);
    let output = command.current_dir(context.path("here")).output().unwrap();
    assert_snapshot!(context.show(&output), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: a corpus cannot be put at .: it is the working directory

    hint: name a new directory, inside of it for example
    ");
    assert_eq!(tree(&context.path("here")), Vec::<String>::new());
    let mut command = context.command(&["data", "synth", "--bytes", "60000", "--out", "."]);
    let output = command.current_dir(context.path("here")).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", context.show(&output));
    assert_eq!(tree(&context.path("here")), Vec::<String>::new());
}

#[test]
fn a_changed_shard_is_named() {
    let context = Context::new();
    assert_eq!(
        context
            .run("data synth --bytes 200000 --seed 3 --out corpus")
            .status
            .code(),
        Some(0)
    );
    let path = context.path("corpus/train-00000.txt");
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(path, bytes).unwrap();
    assert_snapshot!(context.shown("data show corpus"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: corpus/train-00000.txt was changed after it was locked

    hint: lock the corpus again or restore the file
    ");
}

#[test]
fn a_synthetic_corpus_knows_its_floor_and_repeats() {
    let context = Context::new();
    let (exit, first) = context.json("data synth --bytes 200000 --seed 3 --out one --json");
    let (_, second) = context.json("data synth --bytes 200000 --seed 3 --out two --json");
    assert_eq!((exit, &first["manifest_sha256"]), (0, &second["manifest_sha256"]));
    assert!(
        first["manifest"]["splits"]["train"]["entropy_floor_bits_per_byte"]
            .as_f64()
            .unwrap()
            > 0.1
    );
    assert_snapshot!(context.shown("data synth --bytes 1 --seed 3 --out three"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: 1 bytes are too few: the split `val` would be empty

    hint: ask for more
    ");
    assert!(!context.path("three").exists(), "nothing is left behind");
}

#[test]
fn wrong_inputs_are_named() {
    let context = Context::new();
    assert_snapshot!(context.shown("data lock --from nowhere --out corpus"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: cannot read nowhere: No such file or directory (os error 2)
    ");
    assert_snapshot!(context.shown("data show ."), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: . is no corpus: it has no `manifest.json`

    hint: make one with `prism data lock` or `prism data synth`
    ");
    assert_snapshot!(context.shown("data lock --out corpus"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: the following required arguments were not provided:
      --from <PATH>...

    Usage: prism data lock --from <PATH>... --out <DIR>

    For more information, try '--help'.
    ");
    assert_eq!(tree(&context.dir()), Vec::<String>::new());
}

/// One command fetches, one locks; what is secret stays so; a twin has nothing of it.
#[test]
fn from_a_hub_to_a_secret_corpus_and_its_twin() {
    use std::os::unix::fs::PermissionsExt as _;
    let context = Context::new();
    let short: Vec<String> = (0..400)
        .map(|i| format!("Text {i} says that {} is a number.", i * i))
        .collect();
    let endpoint = hub::start_with(vec![
        ("sample/10BT/000_00000.parquet", hub::written_by_pyarrow()),
        ("sample/10BT/001_00000.parquet", parquet_file(&short)),
        ("sample/10BT/002_00000.parquet", b"not asked for".to_vec()),
    ]);
    let run = |words: &str| {
        let arguments: Vec<_> = words.split(' ').collect();
        let mut command = context.command(&arguments);
        let output = command
            .env("HF_ENDPOINT", &endpoint)
            .env("HF_TOKEN", hub::TOKEN)
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{words}: {}",
            context.show(&output)
        );
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let fetched = run("data fetch --dataset owner/set --config sample-10BT --bytes 12kB --out raw --json");
    assert_eq!(fetched["commit"], hub::COMMIT);
    assert_eq!(fetched["files"].as_array().unwrap().len(), 2);
    assert_eq!(
        tree(&context.path("raw")),
        [
            ".fetching.json",
            "fetched.json",
            "sample/10BT/000_00000.parquet",
            "sample/10BT/001_00000.parquet"
        ]
    );
    context.write("salt", "a salt that nobody knows\n");
    let lock = "data lock --from raw --out corpus --skip-empty --near-duplicates off --min-language-score 0.5 \
                --max-bytes 100B --train 2kB --val 500B --test 300B --salt-file salt --json";
    let refused = context.run(lock);
    assert!(
        context
            .show(&refused)
            .contains("others than its owner may read salt")
    );
    fs::set_permissions(context.path("salt"), fs::Permissions::from_mode(0o600)).unwrap();
    let locked = run(lock);
    let manifest = &locked["manifest"];
    assert_eq!(manifest["source"], "owner/set sample-10BT");
    assert_eq!(manifest["revision"], hub::COMMIT);
    let mut hashes = [0, 1].map(|file| fetched["files"][file]["sha256"].as_str().unwrap());
    hashes.sort_unstable();
    let locked_files = [0, 1].map(|file| manifest["origin"]["files"][file]["sha256"].as_str().unwrap());
    assert_eq!(locked_files, hashes);
    // What is not as it was fetched is not taken for it: a file more, a changed byte.
    let file = "raw/sample/10BT/000_00000.parquet";
    let whole = fs::read(context.path(file)).unwrap();
    let elsewhere = lock.replace("--out corpus", "--out elsewhere");
    let told = |path: &str| {
        let refused = context.show(&context.run(&elsewhere));
        let expected = format!("{path} is not as `prism data fetch` has noted it in `fetched.json`");
        assert!(refused.contains(&expected), "{refused}");
    };
    context.write("raw/more.jsonl", "{\"text\":\"a line more\"}\n");
    told("raw/more.jsonl");
    fs::remove_file(context.path("raw/more.jsonl")).unwrap();
    let mut changed = whole.clone();
    changed[2000] ^= 1;
    context.write(file, changed);
    assert!(!context.path("elsewhere").exists());
    let refused = context.show(&context.run(&elsewhere));
    assert!(refused.contains(file), "{refused}");
    fs::remove_file(context.path(file)).unwrap();
    context.write("raw/other.parquet", &whole);
    told(file);
    fs::remove_file(context.path("raw/other.parquet")).unwrap();
    context.write(file, &whole);
    let secret = tree(&context.path("corpus/secret"));
    assert!(
        secret.contains(&"salt".to_owned()) && secret.contains(&"val-00000.txt".to_owned()),
        "{secret:?}"
    );
    assert!(!manifest.to_string().contains("nobody knows"));
    run("data verify corpus --json");
    fs::set_permissions(context.path("corpus/secret"), fs::Permissions::from_mode(0o755)).unwrap();
    let open = context.shown("data show corpus");
    assert!(
        open.contains("others than its owner may enter corpus/secret"),
        "{open}"
    );
    fs::set_permissions(context.path("corpus/secret"), fs::Permissions::from_mode(0o700)).unwrap();
    let twin = run("data twin corpus --out public --json");
    assert_eq!(twin["manifest"]["name"], "corpus-twin");
    assert_ne!(
        fs::read(context.path("public/train-00000.txt")).unwrap(),
        fs::read(context.path("corpus/train-00000.txt")).unwrap()
    );
}

#[test]
fn what_a_hub_refuses_says_what_to_do() {
    let context = Context::new();
    let endpoint = hub::start();
    let mut command = context.command(&[
        "data",
        "fetch",
        "--dataset",
        "owner/set",
        "--bytes",
        "1kB",
        "--out",
        "raw",
    ]);
    let output = command.env("HF_ENDPOINT", &endpoint).output().unwrap();
    assert_snapshot!(context.show(&output), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: 127.0.0.1 does not give out revision main of owner/set: GatedRepo

    hint: accept the dataset's conditions on its page, and put a token that may read it into HF_TOKEN
    ");
}
