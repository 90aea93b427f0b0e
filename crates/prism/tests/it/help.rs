//! Help, version, and what every command has in common.

use std::io::Read as _;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::context::Context;

#[test]
fn help_and_version_go_to_stdout() {
    let context = Context::new();
    assert_snapshot!(context.shown("--help"), @"
    exit: 0
    ----- stdout
    Measure how well a model learns from scratch

    PRISM re-executes a submission's training in a sandbox and measures the bits per byte of everything
    the model predicts while it learns, on text that it has not seen yet.

    Usage: prism [OPTIONS] <COMMAND>

    Commands:
      demo         Set everything up, evaluate three example bundles and show the leaderboard
      init         Make a small bundle that works, to start from
      check        Check a bundle by the rules of the gate, in seconds
      review       Have a bundle read by the reviewer, as a service would before a run
      explain      Explain a rule of the gate or of the reviewer: what, why, and what to write instead
      data         Fetch text, lock it into a corpus, open it after a round; or make a synthetic one
      eval         Evaluate a bundle on a corpus
      watch        Follow a run while it goes on: progress, bits per byte, speed
      verify       Compute the score of a run again from its record, bit for bit, without Python
      report       Write the HTML report of a run
      runs         Look at the runs of this machine, or remove some
      key          Make a hotkey to submit with, show its address, or sign with it
      submit       Submit a bundle to a service
      status       Show how a submission stands, or follow it to its end
      logs         Show what the run of your submission has printed
      cancel       Stop your submission
      appeal       Show what the reviewer charges your submission with, and appeal
      leaderboard  Show the leaderboard
      weights      Show the weights, and why each hotkey has its weight
      serve        Run the whole challenge: API, queue, evaluations, ranks and weights
      round        Open, close and look at the rounds of a service
      admin        Operate a service: release, reject, run again, withdraw, pause, back up
      config       Look at the configuration of a service
      recipe       Look at the constants that a score depends on
      runtime      Install the Python runtime, or find out what is missing on this machine
      help         Print this message or the help of the given subcommand(s)

    Options:
          --json
              Print one JSON object to stdout; the same as `--format json`

          --format <FORMAT>
              How results are printed

              Possible values:
              - text: For people
              - json: For programs

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Exit codes: 0 ok, 1 the submission failed or was rejected, 2 usage or configuration, 3 this machine
    cannot do it.
    ----- stderr
    ");
    assert_snapshot!(context.shown("eval -h"), @"
    exit: 0
    ----- stdout
    Evaluate a bundle on a corpus

    Usage: prism eval [OPTIONS] --data <DIR> <BUNDLE>

    Arguments:
      <BUNDLE>  The bundle: a directory or a `.zip` with `architecture.py` and `training.py`

    Options:
          --data <DIR>            A locked corpus; see `prism data lock`
          --recipe <NAME|FILE>    The constants of the measurement: `demo`, `official` or the path of a
                                  file [default: demo]
          --seed <N>              The seed that is forced on the submission [default: 0]
          --no-wait               Do not wait for the machine: next to rehearsals the run becomes one
                                  too, next to a counted run it ends as `machine_busy`
          --runs <DIR>            Where the run's directory is made [default: runs]
          --run-dir <DIR>         Exactly the run's directory: it must be empty or not exist
          --submission-id <NAME>  A name that a driving program knows the submission by
          --progress-fd <N>       Write one JSON line per event to this open file descriptor
          --json                  Print one JSON object to stdout; the same as `--format json`
          --format <FORMAT>       How results are printed [possible values: text, json]
      -h, --help                  Print help (see more with '--help')

    Changes that make the run a rehearsal:
          --device <DEVICE>        Where the model runs [possible values: cpu, cuda]
          --threads <N>            Threads of torch's pools
          --max-bytes <N>          Read only so many bytes of the stream, in whole documents
          --audit-rate <R>         Probability that one byte's target is audited
          --time-limit <SECONDS>   Time limit of the learner, as wall time
          --audit-key-file <FILE>  A file with the audit key, 64 hexadecimal digits, readable by its
                                   owner alone
          --no-gate                Skip the static gate; `prism check` shows what it says
    ----- stderr
    ");
    assert_snapshot!(context.shown("check -h"), @"
    exit: 0
    ----- stdout
    Check a bundle by the rules of the gate, in seconds

    Usage: prism check [OPTIONS] <BUNDLE>

    Arguments:
      <BUNDLE>  The bundle: a directory or a `.zip` with `architecture.py` and `training.py`

    Options:
          --no-instantiate        Do not build the model, and do not ask CPython's own compiler:
                                  milliseconds, and no Python runtime is needed
          --no-wait               Do not wait for a counted run to end: leave the model unbuilt and exit
                                  with 3
          --recipe <NAME|FILE>    Whose caps and row lengths the model must fit: `demo`, `official` or
                                  the path of a recipe file [default: demo]
          --device <DEVICE>       Where the model is built, if not where the recipe says: a recipe for a
                                  GPU is checked without one by `cpu` [possible values: cpu, cuda]
          --against <DIR>         Compare with the bundles in this directory, which came earlier:
                                  directories and `.zip` files
          --distributed <POLICY>  How findings about distributed training are treated [default: flag]
                                  [possible values: reject, flag, off]
          --json                  Print one JSON object to stdout; the same as `--format json`
          --format <FORMAT>       How results are printed [possible values: text, json]
      -h, --help                  Print help (see more with '--help')

    Formats: `text` (also `human`) and `json` as everywhere, and here `sarif` (2.1.0, for code scanning
    and editors) and `github` (annotations of a workflow). Exit codes: 0 nothing stops it, warnings
    included; 1 an error stops it; 2 usage; 3 this machine cannot build the model.
    ----- stderr
    ");
    assert_snapshot!(context.shown("--version"), @"
    exit: 0
    ----- stdout
    prism 0.1.0
    ----- stderr
    ");
}

#[test]
fn every_command_explains_itself() {
    let context = Context::new();
    for words in [
        "demo",
        "init",
        "check",
        "explain",
        "data fetch",
        "data lock",
        "data twin",
        "data commit",
        "data reveal",
        "data synth",
        "data show",
        "eval",
        "watch",
        "verify",
        "report",
        "runs list",
        "runs compare",
        "runs prune",
        "key new",
        "key show",
        "key sign",
        "submit",
        "status",
        "logs",
        "cancel",
        "leaderboard",
        "weights",
        "recipe show",
        "recipe write",
        "runtime install",
        "runtime doctor",
        "runtime path",
    ] {
        let output = context.run(&format!("{words} --help"));
        assert_eq!(output.status.code(), Some(0), "{words}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.contains("Usage: prism") && text.contains("--json"),
            "{words}: {text}"
        );
        assert!(output.stderr.is_empty(), "{words}");
    }
}

#[test]
fn a_typo_is_a_usage_error() {
    let context = Context::new();
    assert_snapshot!(context.shown("verfy run"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: unrecognized subcommand 'verfy'

      tip: a similar subcommand exists: 'verify'

    Usage: prism [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(context.shown("--json verfy run"), @r#"
    exit: 2
    ----- stdout
    {
      "error": "usage",
      "detail": "unrecognized subcommand 'verfy'",
      "hint": "a similar subcommand exists: 'verify'"
    }
    ----- stderr
    "#);
    assert_snapshot!(context.shown("runs list --format yaml"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: invalid value 'yaml' for '--format <FORMAT>'
      [possible values: text, json]

    For more information, try '--help'.
    ");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let context = Context::new();
    let mut child = context
        .command(&["recipe", "show"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn colours_need_a_terminal_or_to_be_asked_for() {
    let context = Context::new();
    let escape = |command: &mut std::process::Command| {
        let output = command.output().unwrap();
        output.stderr.contains(&0x1b) || output.stdout.contains(&0x1b)
    };
    assert!(!escape(&mut context.command(&["verify", "nowhere"])));
    assert!(escape(
        context.command(&["verify", "nowhere"]).env("CLICOLOR_FORCE", "1")
    ));
    assert!(!escape(
        context
            .command(&["verify", "nowhere"])
            .env("CLICOLOR_FORCE", "1")
            .env("NO_COLOR", "1")
    ));
}
