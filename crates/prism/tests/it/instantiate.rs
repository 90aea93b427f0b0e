//! The instantiation gate: real bundles through the engine's function and the real sandbox, with the binary under test
//! as the sandbox's init. After every one of them nothing may be left running.

use std::{path::Path, sync::Mutex, time::Duration};

use prism_bundle::Bundle;
use prism_core::{outcome::Reason, recipe::Recipe};
use prism_engine::{
    evaluate::Host,
    instantiate::{Instantiated, InstantiationLimits, instantiate, instantiate_within},
    machine_lock::WhenBusy,
};
use prism_gate::Severity;
use prism_referee::connection::Cancel;
use prism_sandbox::Helper;

use crate::host::{descendants_but, host, repository, seat};

const SEED: u64 = 5;
const TRAINING: &str = "def train(ctx):\n    pass\n";
/// A model that other parts are put into: `BODY` is its forward, `BUILD` makes it.
const MODEL: &str = "
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 8)
        self.head = nn.Linear(8, vocab_size)
        self.calls = 0
        self.register_buffer('seen', torch.zeros(()), persistent=False)

    def forward(self, tokens):
        BODY


def build_model(ctx):
    BUILD
";

fn engine_host() -> Host {
    // Installs the runtime where it is missing.
    let _ = host();
    Host {
        helper: Helper {
            path: env!("CARGO_BIN_EXE_prism").into(),
        },
        when_busy: WhenBusy::Wait,
    }
}

fn recipe() -> Recipe {
    let path = repository().join("redteam/recipe.toml");
    Recipe::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn of_dir(dir: &Path) -> Bundle {
    let mut entries = prism_bundle::pack::read_dir(dir).unwrap();
    entries.retain(|(path, _)| path != "case.toml");
    Bundle::from_entries(entries).unwrap()
}

fn redteam(name: &str) -> Bundle {
    of_dir(&repository().join("redteam").join(name))
}

fn of_scripts(architecture: String, training: &str) -> Bundle {
    Bundle::from_entries(vec![
        ("architecture.py".into(), architecture.into_bytes()),
        ("training.py".into(), training.into()),
    ])
    .unwrap()
}

fn made_of(body: &str, build: &str) -> Bundle {
    of_scripts(MODEL.replace("BODY", body).replace("BUILD", build), TRAINING)
}

fn made_of_both(body: &str, training: &str) -> Bundle {
    let build = "return Model(ctx.vocab_size)";
    of_scripts(MODEL.replace("BODY", body).replace("BUILD", build), training)
}

fn with_forward(body: &str) -> Bundle {
    made_of_both(body, TRAINING)
}

/// Workers that this very process started; other programs on the machine, and other tests' commands, have their own.
fn survivors() -> Vec<u32> {
    let command_line = |pid: u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ")
    };
    let is_command = |pid: u32| {
        let line = command_line(pid);
        ["eval", "check", "serve", "verify"].contains(&line.split(' ').nth(1).unwrap_or_default())
    };
    let mut found = descendants_but(std::process::id(), is_command);
    found.retain(|pid| command_line(*pid).contains("/prism/runtime/boot.py"));
    found
}

/// Instantiations that are at work.
static AT_WORK: Mutex<u32> = Mutex::new(0);

/// Instantiates something; whenever nothing is at work, nothing may be left running.
fn leaving_nothing<T>(work: impl FnOnce() -> T) -> T {
    *AT_WORK.lock().unwrap() += 1;
    let done = work();
    let mut at_work = AT_WORK.lock().unwrap();
    *at_work -= 1;
    if *at_work == 0 {
        assert_eq!(survivors(), Vec::<u32>::new());
    }
    done
}

/// What must hold of every instantiation.
fn check(found: &Instantiated) {
    for finding in &found.findings {
        let traceback = finding.traceback.as_deref().unwrap_or_default();
        for text in [&finding.message, &finding.hint, traceback] {
            for foreign in ["/prism", "site-packages", "prism_runtime/", "claimant"] {
                assert!(!text.contains(foreign), "{foreign} in {text}");
            }
        }
    }
}

fn of(bundle: &Bundle) -> Instantiated {
    let host = engine_host();
    let work = || instantiate(bundle, &recipe(), SEED, &host, &Cancel::new(), &mut |_| ());
    let found = leaving_nothing(work).unwrap();
    check(&found);
    found
}

/// The code and the message of the only finding.
fn only(found: &Instantiated, severity: Severity) -> (&'static str, &str) {
    assert_eq!(found.findings.len(), 1, "{found:?}");
    let finding = &found.findings[0];
    assert_eq!(finding.severity, severity, "{finding:?}");
    assert_eq!(found.is_refused(), severity == Severity::Error);
    (finding.rule.code, &finding.message)
}

#[test]
fn honest_models_pass() {
    let _seat = seat();
    let found = of(&of_dir(&repository().join("examples/transformer-small")));
    assert!(found.findings.is_empty(), "{found:?}");
    // 257 tokens of width 128, two blocks of attention and a gated layer, five norms.
    let block = 4 * 128 * 128 + 3 * 128 * 256 + 2 * 128;
    assert_eq!(found.parameters, Some(257 * 128 + 2 * block + 128));
    assert_eq!(found.seq_len, Some(128), "what its training asks for");
    for name in ["recurrent-small", "bundle-tokenizer", "legacy-parallel"] {
        let found = of(&of_dir(&repository().join("examples").join(name)));
        assert!(found.findings.is_empty(), "{name}: {found:?}");
    }
    // State that a buffer holds is part of the snapshot.
    let body = "self.seen += 1.0; return self.head(self.embedding(tokens)) * self.seen";
    let found = of(&with_forward(body));
    assert!(found.findings.is_empty(), "{body}: {found:?}");
}

#[test]
fn a_model_for_other_rows_than_the_training_asks_for_is_told() {
    let _seat = seat();
    let short = "assert tokens.shape[1] <= 32; return self.head(self.embedding(tokens))";
    let length = |seq_len: u32| format!("SEQ_LEN = {seq_len}\n{TRAINING}");
    for (training, words) in [
        (length(512), "`training.py` asks for rows of 512 tokens"),
        (
            TRAINING.to_owned(),
            "the model does not work with rows of 256 tokens",
        ),
    ] {
        let found = of(&made_of_both(short, &training));
        let (code, message) = only(&found, Severity::Warning);
        assert_eq!(code, "PRS313", "{message}");
        assert!(
            message.contains(words) && message.contains("with rows of 16"),
            "{message}"
        );
        assert!(found.findings[0].hint.contains("`seq_len`"));
        assert_eq!(found.seq_len, Some(16));
    }
    let found = of(&made_of_both(short, &length(32)));
    assert!(found.findings.is_empty(), "{found:?}");
    assert_eq!(found.seq_len, Some(32));
}

#[test]
fn logits_that_are_no_numbers_are_told() {
    let _seat = seat();
    let answer = "self.head(self.embedding(tokens))";
    for (body, positions) in [
        (format!("return {answer} * float('nan')"), 256),
        (format!("return {answer} - float('inf')"), 256),
        (format!("x = {answer}; x[:, 7] = float('inf'); return x"), 1),
    ] {
        let found = of(&with_forward(&body));
        let (code, message) = only(&found, Severity::Warning);
        assert_eq!(code, "PRS313", "{message}");
        assert!(
            message.contains(&format!("NaN or infinite, at {positions} of 256")),
            "{message}"
        );
    }
}

#[test]
fn a_model_that_trains_otherwise_than_it_predicts_is_told_to_claim_in_eval_mode() {
    let _seat = seat();
    let dropout = "return self.head(nn.functional.dropout(self.embedding(tokens), 0.1, self.training))";
    let stream =
        |claims: &str| format!("def train(ctx):\n    ctx.stream(0, batch_size=1, seq_len=256{claims})\n");
    let found = of(&made_of_both(dropout, &stream("")));
    let (code, message) = only(&found, Severity::Warning);
    assert_eq!(code, "PRS316", "{message}");
    assert!(message.starts_with("in train mode"), "{message}");
    assert!(found.findings[0].hint.contains("`claims=\"eval\"`"));
    let found = of(&made_of_both(dropout, &stream(", claims=\"eval\"")));
    assert!(found.findings.is_empty(), "{found:?}");
}

#[test]
fn a_model_for_short_rows_hears_what_else_is_wrong_with_it() {
    let _seat = seat();
    // nanoGPT as it is: a table of positions, and in evaluation the logits of the last position alone.
    let short = "assert tokens.shape[1] <= 60, 'longer than the block size'; ";
    for (body, words) in [
        (
            "return self.head(self.embedding(tokens[:, -1:]))",
            "shape (1, 1, 257)",
        ),
        ("return self.haed(self.embedding(tokens))", "AttributeError"),
    ] {
        let found = of(&with_forward(&format!("{short}{body}")));
        let (code, message) = only(&found, Severity::Error);
        assert_eq!(code, "PRS313", "{message}");
        assert!(message.contains(words), "{message}");
    }
    // Where nothing else is wrong at any length, the first one is what is told.
    let found = of(&with_forward("assert tokens.shape[1] > 5000"));
    let (_, message) = only(&found, Severity::Error);
    assert!(message.contains("1 row of 256"), "{message}");
}

#[test]
fn a_length_that_has_a_name_is_the_first_that_is_tried() {
    let _seat = seat();
    let short = "assert tokens.shape[1] <= 60, 'longer than the block size'; return self.head(self.embedding(tokens))";
    let training =
        "block_size = 60\n\n\ndef train(ctx):\n    ctx.stream(0, batch_size=1, seq_len=block_size)\n";
    let found = of(&made_of_both(short, training));
    assert!(found.findings.is_empty(), "{found:?}");
}

#[test]
fn a_build_that_does_not_give_a_module_is_refused() {
    let _seat = seat();
    let found = of(&redteam("raises-in-build"));
    assert_eq!(
        only(&found, Severity::Error),
        ("PRS311", "`build_model` raised ValueError: no model today")
    );
    let traceback = found.findings[0].traceback.as_deref().unwrap();
    assert!(
        traceback.contains("File \"architecture.py\", line"),
        "{traceback}"
    );
    assert!(traceback.contains("raise ValueError"), "{traceback}");
    assert_eq!(found.findings[0].rule.id, "prism:build-model");

    let cases = [
        (redteam("not-a-module"), "`build_model` returned function"),
        (
            redteam("raises-at-import"),
            "the import of `architecture.py` raised",
        ),
        (
            made_of("return tokens", "import os; os._exit(0)"),
            "the import of `architecture.py` or `build_model` ended the process",
        ),
        (
            made_of("return tokens", "import os; os.kill(os.getpid(), 11)"),
            "crashed: a signal ended the process",
        ),
        (
            made_of("return tokens", "import os; os.write(3, b'x' * 64)"),
            "wrote to the harness's own descriptors",
        ),
    ];
    for (bundle, words) in cases {
        let found = of(&bundle);
        let (code, message) = only(&found, Severity::Error);
        assert_eq!(code, "PRS311", "{message}");
        assert!(message.contains(words), "{message}");
        assert_eq!(found.parameters, None);
    }
}

#[test]
fn time_and_memory_have_a_limit() {
    let _seat = seat();
    let limits = InstantiationLimits {
        build: Duration::from_secs(2),
        ..InstantiationLimits::default()
    };
    let never = made_of("return tokens", "while True: pass");
    let (host, cancel) = (engine_host(), Cancel::new());
    let work = || instantiate_within(&limits, &never, &recipe(), SEED, &host, &cancel, &mut |_| ());
    let found = leaving_nothing(work).unwrap();
    check(&found);
    let (code, message) = only(&found, Severity::Error);
    assert_eq!(code, "PRS311");
    assert!(message.contains("did not end within 2 s"), "{message}");

    let found = of(&redteam("memory-bomb-in-build"));
    let (code, message) = only(&found, Severity::Error);
    assert_eq!(code, "PRS311", "{message}");
    let limit = format!(
        "is {} MB",
        recipe().sandbox.auditor_memory_bytes.div_ceil(1_000_000)
    );
    assert!(
        message.contains("memory") && message.contains(&limit) && message.contains("the most it had was"),
        "{message}"
    );
}

#[test]
fn caps_hold_for_lazy_parameters_and_buffers_too() {
    let _seat = seat();
    for name in ["parameter-cap", "parameter-cap-lazily", "snapshot-cap-by-buffers"] {
        let found = of(&redteam(name));
        let (code, message) = only(&found, Severity::Error);
        assert_eq!(code, "PRS312", "{name}: {message}");
        assert_eq!(found.findings[0].rule.id, "prism:param-cap");
    }
}

#[test]
fn logits_must_have_the_shape_of_the_contract() {
    let _seat = seat();
    for name in ["logits-wide", "logits-wrong-rank", "raises-in-forward"] {
        let found = of(&redteam(name));
        let (code, message) = only(&found, Severity::Error);
        assert_eq!(code, "PRS313", "{name}: {message}");
        assert_eq!(found.findings[0].rule.id, "prism:logits-shape");
        // What it was at the length that the training asks for, not at the last one that was tried.
        assert!(message.contains("60"), "{name}: {message}");
    }
    let found = of(&with_forward(
        "assert tokens.shape[0] == 1; return self.head(self.embedding(tokens))",
    ));
    let (code, message) = only(&found, Severity::Warning);
    assert_eq!(code, "PRS313");
    assert!(message.contains("one row but not two"), "{message}");
    assert!(found.findings[0].traceback.is_some());
}

#[test]
fn state_outside_of_the_snapshot_is_refused() {
    let _seat = seat();
    let counter =
        with_forward("self.calls += 1; return self.head(self.embedding(tokens)) * (1 + 0.01 * self.calls)");
    let random =
        with_forward("return nn.functional.dropout(self.head(self.embedding(tokens)), 0.5, training=True)");
    // Its head starts at zero: only other weights than those of the start show what it remembers.
    for bundle in [counter, random, redteam("state-outside-parameters")] {
        let found = of(&bundle);
        let (code, _) = only(&found, Severity::Error);
        assert_eq!(code, "PRS314");
        assert_eq!(found.findings[0].rule.id, "prism:stateful-forward");
        assert!(found.parameters.is_some());
    }
}

#[test]
fn what_an_auditor_does_not_see_moves_no_prediction_of_a_good_model() {
    let _seat = seat();
    // Half precision, a padded convolution that is cropped, a transform that is
    // padded, and one that is scaled by the largest of all positions leave nothing but rounding behind.
    let kernels = "x = self.embedding(tokens)
        with torch.autocast('cpu', torch.bfloat16):
            y = nn.functional.scaled_dot_product_attention(x[:, None], x[:, None], x[:, None], is_causal=True)[:, 0]
        length = x.shape[1]
        x = x + torch.fft.irfft(torch.fft.rfft(x, 2 * length, 1) * 0.5, 2 * length, 1)[:, :length] + y.float()
        x = x + nn.functional.conv1d(x.mT, x.new_ones(8, 1, 3), padding=2, groups=8)[..., :length].mT / 3
        top = x.amax(1, keepdim=True)
        x = x + 0.1 * (torch.exp(x - top).cumsum(1).log() + top)
        return self.head(x.bfloat16().float())";
    let found = of(&with_forward(kernels));
    assert!(found.findings.is_empty(), "{found:?}");
}

#[test]
fn a_prediction_that_moves_with_what_an_auditor_does_not_see_is_told() {
    let _seat = seat();
    let answer = "self.head(self.embedding(tokens))";
    for (body, what) in [
        (
            format!("return nn.functional.log_softmax({answer}, dim=1)"),
            "only tokens after it",
        ),
        (
            "x = self.embedding(tokens); x = x + 0.1 * x.mean(dim=0, keepdim=True); return self.head(x)"
                .to_owned(),
            "only another row",
        ),
        // One layer whose mask is off by one: nothing but the very next token moves anything.
        (
            "x = self.embedding(tokens); n = tokens.shape[1]; mask = torch.ones(n, n).tril(1)
        return self.head(mask @ x / mask.sum(1, keepdim=True))"
                .to_owned(),
            "only tokens after it",
        ),
        (
            format!("return {answer} / len(tokens)"),
            "another row was put beside it",
        ),
    ] {
        let found = of(&with_forward(&body));
        let (code, message) = only(&found, Severity::Warning);
        assert_eq!(code, "PRS316", "{message}");
        assert!(message.contains(what), "{message}");
        let hint = &found.findings[0].hint;
        assert!(
            hint.contains("auditor") && hint.contains("usual causes"),
            "{hint}"
        );
    }
}

#[test]
fn a_padded_vocabulary_has_a_hint_of_its_own() {
    let _seat = seat();
    let found = of(&with_forward(
        "return nn.functional.pad(self.head(self.embedding(tokens)), (0, 63))",
    ));
    let (code, message) = only(&found, Severity::Error);
    assert_eq!(code, "PRS313");
    assert!(message.contains("(1, 256, 320)"), "{message}");
    assert!(found.findings[0].hint.contains("[..., :ctx.vocab_size]"));
}

#[test]
fn a_forward_that_asks_the_system_is_refused_with_the_name_of_the_call() {
    let _seat = seat();
    let answer = "return self.head(self.embedding(tokens))";
    // The rows of the rehearsal are among those that it knows; the ones that it is asked about are not.
    let late_import = format!(
        "self.rows = getattr(self, 'rows', 0) + 1\n        if self.rows > 3:\n            import colorsys\n        {answer}"
    );
    let two_rows =
        format!("import os\n        if len(tokens) == 2:\n            os.stat('/')\n        {answer}");
    let first_call_only = format!(
        "import colorsys, os\n        self.known = getattr(self, 'known', None) or os.listdir('/')\n        print('fine')\n        {answer}"
    );
    for (forward, calls) in [
        (late_import, ["newfstatat", "statx"]),
        (two_rows, ["newfstatat", "statx"]),
    ] {
        let found = of(&with_forward(&forward));
        let (code, message) = only(&found, Severity::Error);
        assert_eq!(code, "PRS315");
        assert!(calls.iter().any(|call| message.contains(call)), "{message}");
        assert!(found.findings[0].hint.contains("at the top of the file"));
    }
    let found = of(&with_forward(&first_call_only));
    assert!(found.findings.is_empty(), "{:?}", found.findings);
}

#[test]
fn what_is_not_the_submissions_fault_is_no_finding() {
    let _seat = seat();
    let bundle = redteam("honest-small");
    let cancel = Cancel::new();
    cancel.cancel();
    let cancelled = instantiate(&bundle, &recipe(), SEED, &engine_host(), &cancel, &mut |_| ()).unwrap_err();
    assert_eq!(cancelled.reason, Reason::Cancelled, "{}", cancelled.detail);
    let nobody = Host {
        helper: Helper {
            path: "/nonexistent".into(),
        },
        when_busy: WhenBusy::Wait,
    };
    let failure = instantiate(&bundle, &recipe(), SEED, &nobody, &Cancel::new(), &mut |_| ()).unwrap_err();
    assert_eq!(failure.reason, Reason::SandboxUnavailable, "{}", failure.detail);
    let mut broken = recipe();
    broken.compute.threads = 0;
    let failure = instantiate(
        &bundle,
        &broken,
        SEED,
        &engine_host(),
        &Cancel::new(),
        &mut |_| (),
    )
    .unwrap_err();
    assert_eq!(failure.reason, Reason::RecipeInvalid);
    leaving_nothing(|| ());
}

#[test]
fn a_tokenizer_that_cannot_be_used_is_a_finding() {
    let _seat = seat();
    let found = of(&redteam("tokenizer-not-json"));
    let (code, message) = only(&found, Severity::Error);
    assert_eq!(code, "PRS302");
    assert!(message.contains("`tokenizer.json` is refused"), "{message}");
    assert_eq!(found.findings[0].file, "tokenizer.json");
}
