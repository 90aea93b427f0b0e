//! `prism recipe`: constants with what they mean.

use insta::assert_snapshot;
use serde_json::json;

use crate::context::Context;

#[test]
fn a_recipe_explains_itself_and_reads_back() {
    let context = Context::new();
    assert_snapshot!(context.shown("recipe show demo"), @r#"
    exit: 0
    ----- stdout
    # Recipe `demo`, version 1
    # sha256 172e4d58e16abd7ebe12b7cb70d7f8a35fafcce49da010b7249d9f6b8654f046

    # Version of this file format.
    schema = 1
    # What people call it.
    name = "demo"
    # Grows with every change of a constant.
    version = 1

    [stream]
    # The stream is the longest prefix of the train documents within this many bytes.
    max_bytes = 1_000_000
    # Least number of targets (`B * T`) in a step.
    min_targets_per_step = 2_048
    # `B * T` is at most this many millionths of the stream's targets.
    max_step_ppm = 10_000
    # Largest `B`.
    max_batch_size = 1_024
    # Largest `T`, in tokens.
    max_seq_len = 4_096
    # Largest vocabulary, in tokens.
    max_vocab_size = 131_072
    # `ctx.sequence_length` of the older interface, in tokens.
    default_seq_len = 256

    [budget]
    # Wall time of the learner, from its start, less the time it was frozen, in seconds.
    time_limit_seconds = 600
    # Most steps.
    # max_steps is absent
    # Most targets, in tokens: no batch is handed out once this many are read.
    # max_tokens is absent

    [audit]
    # `rho`: probability that one byte's target is audited.
    rate_per_byte = 0.001
    # Audits of step 0 of their own, in none of the sums.
    step0_audits = 64
    # A run with fewer audits than this is a rehearsal.
    min_audits = 1_000
    # How many of the dearest audits `hidden_max` adds up.
    hidden_terms = 8

    [bundle]
    # Compressed bytes of the bundle that are free.
    allowance_bytes = 65_536
    # A stream on which the allowance is worth more than this is too short to rank anybody, in bits per
    # byte.
    max_allowance_bpb = 0.001

    [caps]
    # Most parameters, tied tensors once.
    max_params = 150_000_000
    # Most bytes of a whole snapshot, buffers included.
    max_snapshot_bytes = 600_000_000

    [heldout]
    # First bytes of the secret split that are scored; 0 measures nothing.
    val_bytes = 32_768
    # Newest bytes of the train documents that are scored for the memorisation gap; 0 measures nothing.
    gap_bytes = 32_768
    # Probability that one byte's target is audited there.
    rate_per_byte = 0.002

    [score]
    # `e` of the smoothing map.
    smoothing = 1e-6
    # `bpb_ranked = bpb + se_multiplier * se`.
    se_multiplier = 3.0
    # Weight of the held-out delta within a tie.
    delta_weight = 0.5
    # Width of a tie, in bits per byte.
    tie_window_bpb = 0.005
    # Largest memorisation gap without penalty, in bits per byte.
    gap_threshold_bpb = 1.0
    # What a larger gap multiplies the score by.
    gap_penalty = 0.5
    # A mean first loss below this share of `ln V` is the step-0 anomaly.
    step0_fraction = 0.5
    # An audit that differs from its claim by more raises the flag `claims_differ`, in nats.
    claims_differ_nats = 0.1

    [compute]
    # Where the model runs.
    device = "cpu"
    # Threads of torch's pools; float results depend on it.
    threads = 2
    # Precision of float32 matrix products.
    matmul_precision = "highest"
    # Cap of the GPU allocator of each process, in bytes; 0 on the CPU.
    gpu_memory_bytes = 0

    [sandbox]
    # Memory of the learner and all its children, in bytes.
    learner_memory_bytes = 6_442_450_944
    # Memory of an auditor or claimant, in bytes.
    auditor_memory_bytes = 3_221_225_472
    # Size of `ctx.artifacts_dir` and the compile caches, in bytes.
    scratch_bytes = 1_073_741_824
    # Size of `/dev/shm`, in bytes.
    shm_bytes = 268_435_456
    # Files in the scratch space.
    scratch_inodes = 16_384
    # Processes and threads.
    max_processes = 256
    # Open files of a process.
    max_open_files = 1_024
    # Captured output of each of stdout and stderr, in bytes.
    max_log_bytes = 1_048_576
    # Longest start, from the process to the first batch, in seconds; and longest load of a snapshot.
    startup_seconds = 120
    # Longest answer to one question, in seconds.
    question_seconds = 30
    ----- stderr
    "#);
    assert_snapshot!(context.shown("recipe write mine.toml --from official"), @"
    exit: 0
    ----- stdout
    mine.toml

    Runs under a changed recipe are rehearsals: `prism eval BUNDLE --data DIR --recipe mine.toml`
    ----- stderr
    ");
    let (_, mine) = context.json("recipe show mine.toml --json");
    let (exit, official) = context.json("recipe show official --json");
    assert_eq!((exit, &mine), (0, &official));
    assert_eq!(official["name"], json!("official"));
    assert_snapshot!(context.shown("recipe write mine.toml"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: cannot write mine.toml: File exists (os error 17)

    hint: choose a new file
    ");
}

#[test]
fn bad_recipes_are_named() {
    let context = Context::new();
    assert_snapshot!(context.shown("recipe show nonsense"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: there is no built-in recipe and no file called `nonsense`

    hint: use `demo`, `official` or the path of a file
    ");
    context.write("broken.toml", "schema = 1\nname = \"x\"\nsurprise = 2\n");
    assert_snapshot!(context.shown("recipe show broken.toml"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: broken.toml: TOML parse error at line 3, column 1
      |
    3 | surprise = 2
      | ^^^^^^^^
    unknown field `surprise`, expected one of `schema`, `name`, `version`, `stream`, `budget`, `audit`, `bundle`, `caps`, `heldout`, `score`, `compute`, `sandbox`
    see `prism recipe show` for what each field means
    ");
    let (exit, value) = context.json("recipe show broken.toml --json");
    assert_eq!((exit, &value["error"]), (2, &json!("recipe_invalid")));
}
