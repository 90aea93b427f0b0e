//! The limits that `prism` itself is started with: what is too low is told as the operator's matter, before anything starts.
//!
//! `prlimit` starts it with one limit lowered, hard and soft; no test here starts an interpreter.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::process::{Command, Output};

use serde_json::Value;

use crate::context::{Context, tree};

/// `prism` with these words, under a limit as `prlimit` writes it: `--cpu=60`, `--nofile=200:` for the soft one alone.
fn under(context: &Context, limit: &str, words: &str) -> Output {
    let plain = context.command(&words.split(' ').collect::<Vec<_>>());
    let mut command = Command::new("/usr/bin/prlimit");
    command
        .arg(limit)
        .arg(plain.get_program())
        .args(plain.get_args())
        .current_dir(context.dir())
        .env_clear();
    for (name, value) in plain.get_envs() {
        command.env(name, value.unwrap());
    }
    command.output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Each limit as it is lowered, and what must be said of it.
const LOWERED: [(&str, &str, &str); 7] = [
    ("--as=4000000000", "`ulimit -v`", "4,000,000,000 bytes"),
    ("--data=1000000000", "`ulimit -d`", "1,000,000,000 bytes"),
    ("--cpu=60", "`ulimit -t`", "60 seconds"),
    ("--fsize=1000000", "`ulimit -f`", "1,000,000 bytes"),
    ("--nofile=256", "`ulimit -n`", "256 files"),
    ("--nproc=100", "`ulimit -u`", "100 processes and threads"),
    ("--stack=1000000", "`ulimit -s`", "1,000,000 bytes"),
];

#[test]
fn a_limit_around_us_is_the_operators_matter_and_both_numbers_are_told() {
    let context = Context::new();
    for (limit, name, number) in LOWERED {
        let output = under(&context, limit, "eval bundle --data corpus --json");
        let outcome = json(&output);
        assert_eq!(output.status.code(), Some(3), "{limit}: {outcome}");
        assert_eq!(
            (outcome["reason"].as_str(), outcome["fault"].as_str()),
            (Some("resources"), Some("operator")),
            "{limit}"
        );
        let detail = outcome["detail"].as_str().unwrap();
        assert!(
            detail.contains(name) && detail.contains(number),
            "{limit}: {detail}"
        );
        assert_eq!(detail.matches(" are needed").count(), 1, "{limit}: {detail}");
    }
    assert_eq!(tree(&context.dir()), Vec::<String>::new());
}

#[test]
fn soft_limits_are_raised_instead() {
    let context = Context::new();
    for (limit, name, _) in LOWERED {
        let output = under(&context, &format!("{limit}:"), "eval bundle --data corpus --json");
        // It comes as far as the bundle, which is not there.
        let outcome = json(&output);
        assert_eq!(output.status.code(), Some(2), "{limit}: {outcome}");
        assert!(!outcome["detail"].as_str().unwrap().contains(name), "{outcome}");
    }
}

#[test]
fn a_check_does_not_blame_the_bundle() {
    let context = Context::new();
    assert!(context.run("init bundle").status.success());
    for limit in ["--as=4000000000", "--cpu=5", "--nofile=256"] {
        let output = under(&context, limit, "check bundle --json");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(3), "{limit}: {said}");
        assert!(
            said.contains("`ulimit -") && !said.contains("PRS31"),
            "{limit}: {said}"
        );
    }
}

#[test]
fn the_demo_installs_nothing_for_want_of_address_space() {
    let context = Context::new();
    let output = under(&context, "--as=4000000000", "demo --json");
    assert_eq!(output.status.code(), Some(3), "{}", context.show(&output));
    assert_eq!(json(&output)["error"], "resources");
    let output = under(&context, "--as=4000000000", "runtime install --json");
    assert_eq!(json(&output)["error"], "resources");
    assert_eq!(tree(context.dir().parent().unwrap()), Vec::<String>::new());
}

#[test]
fn the_doctor_names_the_limit_and_advises_no_installation() {
    let context = Context::new();
    let output = under(&context, "--as=4000000000", "runtime doctor --json");
    assert_eq!(output.status.code(), Some(3));
    let said = json(&output);
    let checks = said["checks"].as_array().unwrap();
    assert_eq!(checks[0]["name"], "limits");
    assert_eq!(checks[0]["status"], "fail");
    let detail = checks[0]["detail"].as_str().unwrap();
    assert!(
        detail.contains("`ulimit -v`") && detail.contains("4,000,000,000 bytes"),
        "{detail}"
    );
    for check in checks {
        let fix = check["fix"].as_str().unwrap_or_default();
        assert!(!fix.contains("runtime install"), "{check}");
    }
}

#[test]
fn a_corpus_that_is_larger_than_a_file_may_be_is_told_with_the_limit_and_leaves_nothing() {
    let context = Context::new();
    // 40 bytes each.
    let paragraph = |number| format!("Paragraph {number:06} of a text of its own.\n\n");
    context.write("books/one.txt", (0..20_000).map(paragraph).collect::<String>());
    for words in [
        "data lock --from books --out corpora/one --json",
        "data synth --bytes 800000 --out corpora/two --json",
    ] {
        let output = under(&context, "--fsize=300000", words);
        assert_eq!(output.status.code(), Some(3), "{}", context.show(&output));
        let said = json(&output);
        assert_eq!(said["error"], "resources", "{said}");
        let detail = said["detail"].as_str().unwrap();
        assert!(
            detail.contains("`ulimit -f`") && detail.contains("300,000 bytes"),
            "{detail}"
        );
        assert!(detail.contains("800,000 bytes of input"), "{detail}");
        assert_eq!(fs::read_dir(context.path("corpora")).unwrap().count(), 0);
        // A soft limit is raised.
        let output = under(&context, "--fsize=300000:", words);
        assert_eq!(output.status.code(), Some(0), "{}", context.show(&output));
        fs::remove_dir_all(context.path("corpora")).unwrap();
    }
}

#[test]
fn a_command_for_data_that_may_open_too_few_files_says_how_many_it_needs() {
    let context = Context::new();
    context.write("books/one.txt", "A text.\n\n".repeat(2_000));
    for (words, out) in [
        ("data lock --from books --out one --json", "one"),
        ("data synth --bytes 800000 --out two --json", "two"),
    ] {
        // Enough to start a program by, as `ulimit -n 8` is.
        let output = under(&context, "--nofile=8", words);
        assert_eq!(output.status.code(), Some(3), "{}", context.show(&output));
        let said = json(&output);
        assert_eq!(said["error"], "resources", "{said}");
        let detail = said["detail"].as_str().unwrap();
        assert!(
            detail.contains("`ulimit -n`") && detail.contains("8 files"),
            "{detail}"
        );
        assert!(said.to_string().contains("/etc/security/limits.conf"), "{said}");
        assert!(!context.path(out).exists());
        let output = under(&context, "--nofile=8:", words);
        assert_ne!(output.status.code(), Some(3), "{}", context.show(&output));
    }
}

/// Text of 200 MB, long documents and short ones, within 180 MB of memory, of which the threads' stacks and the allocator's arenas
/// are a part that varies; on more threads than there are processors.
#[test]
fn a_lock_takes_less_memory_than_its_text() {
    const MEMORY: &str = "--data=180000000";
    let context = Context::new();
    fs::create_dir(context.path("in")).unwrap();
    let mut file = BufWriter::new(fs::File::create(context.path("in/a.jsonl")).unwrap());
    let mut number = 0_u64;
    let mut words = |count: u32| {
        (0..count).fold(String::new(), |mut text, _| {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let _ = write!(text, "{} ", number >> 44);
            text
        })
    };
    for _ in 0..15 {
        let text = words(700_000);
        // The second is nearly the same, so that the two are compared.
        for end in ["one", "other"] {
            writeln!(file, "{{\"text\":\"{text}{end}\"}}").unwrap();
        }
    }
    for _ in 0..10_000 {
        writeln!(file, "{{\"text\":\"{}\"}}", words(1000)).unwrap();
    }
    file.into_inner().unwrap();
    assert!(fs::metadata(context.path("in/a.jsonl")).unwrap().len() > 200_000_000);
    let output = under(
        &context,
        MEMORY,
        "data lock --from in --out corpus --threads 4 --json",
    );
    assert_eq!(output.status.code(), Some(0), "{}", context.show(&output));
    let said = json(&output);
    assert_eq!(
        said["manifest"]["origin"]["documents_near_duplicate"], 15,
        "{said}"
    );
}
