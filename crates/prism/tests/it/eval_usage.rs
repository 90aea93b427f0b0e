//! `prism eval` where nothing is ever run: one object on every exit, and no side effects.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::context::{Context, tree};

/// The fields that a driving program reads, whatever happened.
const FIELDS: [&str; 20] = [
    "status",
    "fault",
    "reason",
    "detail",
    "bpb",
    "bpb_se",
    "ranked",
    "no_rank",
    "bpb_ranked",
    "hidden_max",
    "final_score",
    "claims_rms_nats",
    "flags",
    "rehearsal",
    "covered_bytes",
    "audits",
    "wall_seconds",
    "run_dir",
    "run_id",
    "about",
];

fn refused(context: &Context, flags: &str) -> (i32, Value) {
    let (exit, value) = context.json(&format!("eval bundle --data corpus --json {flags}"));
    for field in FIELDS {
        assert!(value.get(field).is_some(), "{flags}: {field} is missing");
    }
    assert_eq!(value["status"], json!("failed"), "{flags}");
    assert!(!context.path("runs").exists(), "{flags}: a run was begun");
    (exit, value)
}

#[test]
fn every_usage_error_is_an_outcome() {
    let context = Context::new();
    let digits = "0123456789abcdef".repeat(4);
    context.write("public.key", &digits);
    fs::set_permissions(context.path("public.key"), fs::Permissions::from_mode(0o644)).unwrap();
    context.write("bad.toml", "schema = 9");
    let mut shown = Vec::new();
    for flags in [
        "--sed 1",
        "--seed minus-one",
        "--threads 0",
        "--audit-rate 2",
        "--device tpu",
        "--recipe no-such-recipe",
        "--recipe bad.toml",
        "--audit-key-file public.key",
        "--audit-key-file nowhere.key",
        "--progress-fd 1",
        "--progress-fd 77",
        "--runs a --run-dir b",
        "",
    ] {
        let (exit, value) = refused(&context, flags);
        let reason = value["reason"].as_str().unwrap();
        let detail = value["detail"].as_str().unwrap();
        shown.push(format!("{exit} {reason:<14} {flags}: {detail}"));
    }
    assert_snapshot!(shown.join("\n"), @"
    2 usage          --sed 1: unexpected argument '--sed' found; a similar argument exists: '--seed'
    2 usage          --seed minus-one: invalid value 'minus-one' for '--seed <N>': invalid digit found in string; see `--help`
    2 usage          --threads 0: `compute.threads` in the recipe is 0; it must be 1 to 1024
    2 usage          --audit-rate 2: `audit.rate_per_byte` in the recipe is 2; it must be above 0, at most 1
    2 usage          --device tpu: invalid value 'tpu' for '--device <DEVICE>' [possible values: cpu, cuda]; a similar value exists: 'cpu'
    2 recipe_invalid --recipe no-such-recipe: there is no built-in recipe and no file called `no-such-recipe`; use `demo`, `official` or the path of a file
    2 recipe_invalid --recipe bad.toml: bad.toml: the recipe is not valid: TOML parse error at line 1, column 1
      |
    1 | schema = 9
      | ^
    missing field `name`; see `prism recipe show` for what each field means
    2 usage          --audit-key-file public.key: the audit key file public.key can be read or written by others (mode 644); run `chmod 600 public.key`
    2 usage          --audit-key-file nowhere.key: cannot read the audit key file nowhere.key: No such file or directory (os error 2)
    2 usage          --progress-fd 1: invalid value '1' for '--progress-fd <N>': 1 is not in 2..=2147483647; see `--help`
    2 usage          --progress-fd 77: --progress-fd 77 cannot be written to: No such file or directory (os error 2); open it before `prism` is started
    2 usage          --runs a --run-dir b: the argument '--runs <DIR>' cannot be used with '--run-dir <DIR>'; see `--help`
    2 usage          : the bundle bundle cannot be read: No such file or directory (os error 2)
    ");
    assert_eq!(tree(&context.dir()), ["bad.toml", "public.key"]);
}

#[test]
fn without_json_a_usage_error_is_for_people() {
    let context = Context::new();
    assert_snapshot!(context.shown("eval bundle --data corpus"), @"
    exit: 2
    ----- stdout
    ----- stderr
    note: this run is a rehearsal: the recipe is not the round's (by hand: `official`)
    error: the bundle bundle cannot be read: No such file or directory (os error 2)
    ");
    assert_snapshot!(context.shown("eval bundle --data corpus --threads 3 --time-limit 9 --no-gate"), @"
    exit: 2
    ----- stdout
    ----- stderr
    note: this run is a rehearsal: the recipe is not the round's (by hand: `official`); `compute.threads` is 3 (recipe `demo`: 2); `budget.time_limit_seconds` is 9 (recipe `demo`: 600); the static gate was skipped
    error: the bundle bundle cannot be read: No such file or directory (os error 2)
    ");
    assert_snapshot!(context.shown("eval bundle --data corpus --threads 0"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: `compute.threads` in the recipe is 0

    hint: it must be 1 to 1024
    ");
    assert_snapshot!(context.shown("eval bundle"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: the following required arguments were not provided:
      --data <DIR>

    Usage: prism eval --data <DIR> <BUNDLE>

    For more information, try '--help'.
    ");
}
