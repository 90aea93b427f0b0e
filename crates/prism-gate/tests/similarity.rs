//! The comparison of bundles from outside: what changes nothing, what is told, and what hostile input gets.

#![allow(
    clippy::unwrap_used,
    clippy::struct_excessive_bools,
    reason = "helpers of tests; a style is a row of switches"
)]

use std::fmt::Write as _;

use prism_bundle::Bundle;
use prism_gate::similarity::{Fingerprints, Index, Match, SimilarityError, Verdict, against};
use prism_gate::{Severity, find};
use proptest::prelude::*;

const TRAINING: &str = "def train(ctx):\n    model = ctx.build_model()\n    for batch in ctx.stream(model, batch_size=32, seq_len=256):\n        batch.loss(model(batch.inputs)).backward()\n";

fn bundle_of(files: &[(&str, &str)]) -> Bundle {
    let entries = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    Bundle::from_entries(entries.collect()).unwrap()
}

fn bundle(architecture: &str) -> Bundle {
    bundle_of(&[("architecture.py", architecture), ("training.py", TRAINING)])
}

fn fingerprints(architecture: &str) -> Fingerprints {
    Fingerprints::of(&bundle(architecture)).unwrap()
}

/// The shares of the later and of the earlier one that both have.
fn share(earlier: &Fingerprints, later: &Fingerprints) -> (f64, f64) {
    let found = Match::of("earlier", later, earlier);
    (found.of_later, found.of_earlier)
}

/// How a program is written down; nothing of it may matter.
#[derive(Clone, Debug)]
struct Style {
    prefix: String,
    number: u32,
    comments: bool,
    hints: bool,
    spaces: usize,
    /// Which of the orders of independent things.
    rotation: usize,
    split: bool,
    wrapped: bool,
}

fn style() -> impl Strategy<Value = Style> {
    (
        "[b-y]{3}q[a-z]{2,5}",
        1_u32..1_000_000,
        any::<bool>(),
        any::<bool>(),
        1_usize..5,
        0_usize..7,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(prefix, number, comments, hints, spaces, rotation, split, wrapped)| Style {
                prefix,
                number,
                comments,
                hints,
                spaces,
                rotation,
                split,
                wrapped,
            },
        )
}

/// A layer: what it has, and what it computes from what.
#[derive(Clone, Debug)]
struct Layer {
    parts: Vec<u8>,
    steps: Vec<(u8, u8, u8)>,
}

fn layer() -> impl Strategy<Value = Layer> {
    let parts = prop::collection::vec(0_u8..6, 2..5);
    let steps = prop::collection::vec((0_u8..8, any::<u8>(), any::<u8>()), 3..9);
    (parts, steps).prop_map(|(parts, steps)| Layer { parts, steps })
}

fn rotated<T>(mut items: Vec<T>, by: usize) -> Vec<T> {
    if !items.is_empty() {
        let by = by % items.len();
        items.rotate_left(by);
    }
    items
}

fn class(layer: &Layer, number: usize, style: &Style) -> String {
    let Style {
        prefix,
        number: literal,
        ..
    } = style;
    let indent = " ".repeat(style.spaces);
    let hint = if style.hints { ": object" } else { "" };
    let kinds = ["Linear", "Conv1d", "GRUCell", "Bilinear", "LSTMCell", "Embedding"];
    let parts = layer.parts.iter().enumerate().map(|(at, part)| {
        let kind = kinds[*part as usize % kinds.len()];
        format!("self.{prefix}_p{at} = nn.{kind}({literal}, {literal} + 1)\n")
    });
    let mut init = format!("def __init__(self):\n{indent}super().__init__()\n");
    for part in rotated(parts.collect(), style.rotation) {
        init.push_str(&indent);
        init.push_str(&part);
    }
    let mut forward = format!("def forward(self, {prefix}_v0{hint}):\n");
    if style.comments {
        writeln!(
            forward,
            "{indent}\"\"\"What {prefix} does.\"\"\"\n{indent}# {prefix}\n{indent}print('here')"
        )
        .unwrap();
    }
    let mut body = String::new();
    for (at, (what, one, two)) in layer.steps.iter().enumerate() {
        let value = |pick: u8| format!("{prefix}_v{}", pick as usize % (at + 1));
        let part = format!("self.{prefix}_p{}", *one as usize % layer.parts.len());
        let (one, two) = (value(*one), value(*two));
        let expr = match what {
            0 => format!("{part}({two}).cumsum({literal})"),
            1 => format!("torch.sigmoid({one} * {two}) - {two}"),
            2 => format!("F.softplus({part}({one})) / {literal}"),
            3 => format!("{one}[:, {literal}:].flip({literal}) @ {two}"),
            4 => format!("torch.where({one} > {literal}, {two}, {part}({one}))"),
            5 => format!("[{part}(item) for item in {one} if item is not {two}]"),
            6 => format!("{two}.logsumexp(dim=-{literal}, keepdim=True)"),
            _ => format!("torch.einsum('bij,bjk->bik', {one}, {two}).tanh()"),
        };
        writeln!(body, "{prefix}_v{}{hint} = {expr}", at + 1).unwrap();
    }
    writeln!(body, "return {prefix}_v{}", layer.steps.len()).unwrap();
    let inner = if style.wrapped {
        writeln!(forward, "{indent}if True:").unwrap();
        indent.repeat(2)
    } else {
        indent.clone()
    };
    for line in body.lines() {
        writeln!(forward, "{inner}{line}").unwrap();
    }
    let mut text = format!("class {prefix}Layer{number}(nn.Module):\n");
    for method in rotated(vec![init, forward], style.rotation) {
        for line in method.lines() {
            writeln!(text, "{indent}{line}").unwrap();
        }
        text.push('\n');
    }
    text
}

fn written(layers: &[Layer], style: &Style) -> Bundle {
    let imports = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\n";
    let classes = layers
        .iter()
        .enumerate()
        .map(|(number, layer)| class(layer, number, style));
    let classes = rotated(classes.collect(), style.rotation).join("\n\n");
    let names: Vec<String> = (0..layers.len())
        .map(|number| format!("{}Layer{number}", style.prefix))
        .collect();
    let build = format!(
        "def build_model(ctx):\n{}return nn.Sequential({})\n",
        " ".repeat(style.spaces),
        names
            .iter()
            .map(|name| format!("{name}()"))
            .collect::<Vec<_>>()
            .join(", ")
    );
    if style.split {
        let architecture = format!(
            "from torch import nn\nfrom parts import {}\n\n\n{build}",
            names.join(", ")
        );
        let parts = format!("{imports}{classes}");
        bundle_of(&[
            ("architecture.py", &architecture),
            ("parts.py", &parts),
            ("training.py", TRAINING),
        ])
    } else {
        bundle_of(&[
            ("architecture.py", &format!("{imports}{classes}\n\n{build}")),
            ("training.py", TRAINING),
        ])
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn names_numbers_comments_hints_order_and_files_change_nothing(
        layers in prop::collection::vec(layer(), 1..4),
        one in style(),
        two in style(),
    ) {
        let first = Fingerprints::of(&written(&layers, &one)).unwrap();
        let second = Fingerprints::of(&written(&layers, &two)).unwrap();
        prop_assert_eq!(first.len(), second.len());
        if !first.is_empty() {
            prop_assert_eq!(share(&first, &second), (1.0, 1.0));
        }
    }
}

/// A mixer of somebody's own.
const GATED: &str = r"
import torch
import torch.nn.functional as F
from torch import nn

WIDTH = 64


class Mixer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.rate = nn.Linear(width, width)
        self.value = nn.Linear(width, width, bias=False)
        self.gate = nn.Linear(width, 2 * width)
        self.start = nn.Parameter(torch.full((width,), -2.0))

    def forward(self, x):
        decay = torch.exp(-F.softplus(self.rate(x) + self.start))
        first, second = self.gate(x).chunk(2, dim=-1)
        value = self.value(x) * torch.sigmoid(first)
        states = []
        state = torch.zeros_like(x[:, 0])
        for t in range(x.shape[1]):
            state = state * decay[:, t] + value[:, t] * (1 - decay[:, t])
            states.append(state.tanh() * second[:, t].cos())
        mixed = torch.stack(states, dim=1)
        spread = mixed.std(dim=-1, keepdim=True).clamp_min(1e-4)
        return (mixed - mixed.median(dim=-1, keepdim=True).values) / spread


class Model(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, WIDTH)
        self.mixer = Mixer(WIDTH)

    def forward(self, tokens):
        x = self.embedding(tokens)
        return self.mixer(x).flip(-1) @ self.embedding.weight.roll(1, 0).t()


def build_model(ctx):
    return Model(ctx.vocab_size)
";

/// The same by somebody who wants to hide it.
const DISGUISED: &str = r#"
import torch as th
from torch.nn import Embedding, Linear, Module, Parameter

from torch.nn.functional import softplus as sp


def build_model(context):
    """Builds it."""
    return Net(context.vocab_size, 96)


class Net(Module):
    def forward(self, ids: th.Tensor) -> th.Tensor:
        if True:
            e = self.table(ids)
            out = th.flip(self.block(e), dims=(-1,))
            return th.matmul(out, self.table.weight.roll(1, 0).T)

    def __init__(self, n: int, d: int = 32):
        super().__init__()
        self.block = Core(d)
        self.table = Embedding(n, d)


class Core(Module):
    def forward(self, h):
        a, b = self.lin3(h).chunk(chunks=2, dim=-1)
        unused = 17
        v = th.sigmoid(a) * self.lin2(h)
        pre = self.off + self.lin1(h)
        k = th.exp(-sp(pre))
        s = th.zeros_like(h[:, 0])
        collected = []
        for i in range(h.size(1)):
            s = (1 - k[:, i]) * v[:, i] + k[:, i] * s
            collected.append(th.cos(b[:, i]) * th.tanh(s))
        print("mixed", unused)
        y = th.stack(collected, dim=1)
        return (y - th.median(y, dim=-1, keepdim=True).values) / y.std(dim=-1, keepdim=True).clamp_min(1e-3)

    def __init__(self, d):
        super().__init__()
        self.off = Parameter(th.full((d,), -1.5))
        self.lin3 = Linear(d, d * 2)
        self.lin2 = Linear(d, d, bias=False)
        self.lin1 = Linear(d, d)
"#;

const PLAIN: &str = include_str!("../../../examples/transformer-small/architecture.py");

#[test]
fn a_disguised_copy_is_refused_with_files_and_lines() {
    let findings = against(&bundle(DISGUISED), &[("first".to_owned(), bundle(GATED))]).unwrap();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].rule.id, "prism:near-duplicate");
    assert_eq!(findings[0].severity, Severity::Error);
    assert_eq!(findings[0].file, "architecture.py");
    let loop_line = DISGUISED
        .lines()
        .position(|line| line.contains("for i in"))
        .unwrap()
        + 1;
    let lines = findings[0].place.line as usize..=findings[0].place.end_line as usize;
    assert!(lines.contains(&loop_line), "{:?}", findings[0]);
    assert!(findings[0].message.contains("`first`"), "{}", findings[0].message);
    assert!(
        findings[0].message.contains(" = architecture.py:"),
        "{}",
        findings[0].message
    );
}

#[test]
fn the_same_files_are_a_duplicate() {
    let findings = against(&bundle(PLAIN), &[("first".to_owned(), bundle(PLAIN))]).unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(
        (findings[0].rule.code, findings[0].severity),
        ("PRS601", Severity::Error)
    );
    assert_eq!(find("duplicate").unwrap().code, "PRS601");
    assert_eq!(find("PRS602").unwrap().id, "prism:near-duplicate");
}

#[test]
fn building_blocks_belong_to_nobody() {
    let renamed = PLAIN
        .replace("SwiGLU", "Gated")
        .replace("WIDTH = 128", "WIDTH = 256");
    assert_eq!(fingerprints(PLAIN).len(), 0);
    assert!(
        against(&bundle(&renamed), &[("first".to_owned(), bundle(PLAIN))])
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_query_tells_the_gravest_first_and_then_the_earliest() {
    let later = fingerprints(DISGUISED);
    let mut index = Index::default();
    let half =
        GATED.replace("return Model(", "everything()\n    return Model(") + &foreign("everything", 300);
    index.add("half", fingerprints(&half)).unwrap();
    index.add("first", fingerprints(GATED)).unwrap();
    index.add("unlike", fingerprints(PLAIN)).unwrap();
    index.add("again", fingerprints(GATED)).unwrap();
    index.add("same", later.clone()).unwrap();
    let told = index.query(&later);
    let told: Vec<_> = told
        .iter()
        .map(|found| (found.id.as_str(), found.verdict, found.exact))
        .collect();
    assert_eq!(
        told,
        [
            ("same", Verdict::Reject, true),
            ("first", Verdict::Reject, false),
            ("again", Verdict::Reject, false),
            ("half", Verdict::Review, false),
        ]
    );
}

#[test]
fn a_small_part_of_something_large_is_for_a_person_to_judge() {
    let large = GATED.replace("return Model(", "everything()\n    return Model(")
        + "\n\n"
        + &foreign("everything", 60);
    let (squatter, honest) = (fingerprints(&large), fingerprints(GATED));
    assert!(
        squatter.len() > 5 * honest.len(),
        "{} {}",
        squatter.len(),
        honest.len()
    );
    assert_eq!(Match::of("squatter", &honest, &squatter).verdict, Verdict::Review);
}

/// Code by somebody else, over and over something else: a function of so many lines.
fn foreign(name: &str, lines: usize) -> String {
    let op = [
        "atan2",
        "hypot",
        "xlogy",
        "ldexp",
        "fmod",
        "copysign",
        "nextafter",
    ];
    let mut text = format!("def {name}(v, w, q, u):\n");
    for number in 0..lines {
        let pick = |shift: u32| op[(number / 7_usize.pow(shift)) % 7];
        writeln!(
            text,
            "    torch.{}(torch.{}(v.cummax(0), torch.{}(w, q.{}(u))), torch.logaddexp(w, v.sinc()))",
            pick(0),
            pick(1),
            pick(0),
            pick(2)
        )
        .unwrap();
    }
    text
}

fn verdict(earlier: &Bundle, later: &Bundle) -> Verdict {
    let of = |bundle| Fingerprints::of(bundle).unwrap();
    Match::of("earlier", &of(later), &of(earlier)).verdict
}

#[test]
fn a_copy_beside_much_else_is_found_by_its_parts() {
    let others = format!("import torch\n\n\n{}", foreign("everything", 300));
    let later = DISGUISED.replace("    return Net(", "    everything()\n    return Net(");
    let later = bundle_of(&[
        (
            "architecture.py",
            &format!("from others import everything\n{later}"),
        ),
        ("others.py", &others),
        ("training.py", TRAINING),
    ]);
    let (one, two) = (fingerprints(GATED), Fingerprints::of(&later).unwrap());
    assert!(two.len() > 5 * one.len(), "{} {}", two.len(), one.len());
    assert_eq!(verdict(&bundle(GATED), &later), Verdict::Reject);
    // What is beside it alone is nobody's copy.
    let alone = format!("{others}\n\ndef build_model(ctx):\n    return everything()\n");
    assert_eq!(verdict(&bundle(GATED), &bundle(&alone)), Verdict::Unlike);
}

#[test]
fn another_loop_around_an_architecture_changes_nothing() {
    let with = |architecture: &str, lines: usize, op: &str| {
        let training = format!(
            "import torch\n\n\n{}\n\n{TRAINING}    mine()\n",
            foreign("mine", lines).replace("logaddexp", op)
        );
        bundle_of(&[("architecture.py", architecture), ("training.py", &training)])
    };
    let (earlier, later) = (with(GATED, 8, "logaddexp"), with(DISGUISED, 200, "remainder"));
    assert_eq!(verdict(&earlier, &later), Verdict::Reject);
    let unlike = with("def build_model(ctx):\n    return ctx\n", 200, "remainder");
    assert_eq!(verdict(&earlier, &unlike), Verdict::Unlike);
}

#[test]
fn a_line_behind_a_function_of_ones_own_is_that_line() {
    let helped = GATED
        .replace(
            "decay = torch.exp(-F.softplus(self.rate(x) + self.start))",
            "decay = first_of(self, x)",
        )
        .replace(
            "value = self.value(x) * torch.sigmoid(first)",
            "value = self.second_of(g=first, x=x)",
        )
        .replace(
            "    def forward(self, x):\n        decay",
            "    def second_of(self, x, g):\n        return self.value(x) * torch.sigmoid(g)\n\n    def forward(self, x):\n        decay",
        )
        .replace(
            "class Mixer",
            "def inner_of(owner, h):\n    \"\"\"Adds.\"\"\"\n    return owner.rate(h) + owner.start\n\n\ndef first_of(owner, h):\n    return torch.exp(-F.softplus(inner_of(owner, h)))\n\n\nclass Mixer",
        );
    let (_, of_earlier) = share(&fingerprints(GATED), &fingerprints(&helped));
    assert!(of_earlier > 0.99, "{of_earlier}");
    // A helper that calls itself, or another one in a circle, is a call.
    let circle = format!(
        "{GATED}\n\ndef one(x):\n    return two(x) + one(x)\n\n\ndef two(x):\n    return one(x) * two(x)\n\n\nUSED = one(1)\n"
    );
    assert!(fingerprints(&circle).len() >= fingerprints(GATED).len());
}

#[test]
fn published_bundles_belong_to_nobody() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../redteam/honest");
    for name in ["mamba-scan", "deltanet", "soap-optimizer"] {
        let mut entries = prism_bundle::pack::read_dir(&root.join(name)).unwrap();
        entries.retain(|(path, _)| path != "case.toml");
        let bundle = Bundle::from_entries(entries).unwrap();
        assert_eq!(Fingerprints::of(&bundle).unwrap().len(), 0, "{name}");
        assert!(
            Fingerprints::before_publication(&bundle).unwrap().len() > 20,
            "{name}"
        );
    }
}

#[test]
fn code_that_nothing_mentions_claims_nothing() {
    let dead = format!(
        "{GATED}\n\ndef never(x):\n    return torch.fft.rfft(x).abs().logcumsumexp(0).quantile(0.5)\n"
    );
    assert_eq!(fingerprints(&dead).len(), fingerprints(GATED).len());
}

#[test]
fn nesting_and_syntax_errors_are_refused() {
    let deep = format!(
        "def build_model(ctx):\n    return {}0{}\n",
        "(".repeat(5_000),
        ")".repeat(5_000)
    );
    assert!(matches!(
        Fingerprints::of(&bundle(&deep)),
        Err(SimilarityError::Unreadable { file, line: 2, problem }) if file == "architecture.py" && problem.contains("too deep")
    ));
    let mut blocks = "def build_model(ctx):\n".to_owned();
    for depth in 1..150 {
        writeln!(blocks, "{}while x:", " ".repeat(depth)).unwrap();
    }
    writeln!(blocks, "{}y()", " ".repeat(150)).unwrap();
    assert!(matches!(
        Fingerprints::of(&bundle(&blocks)),
        Err(SimilarityError::Unreadable { line: 102, .. })
    ));
    let wrong = "def build_model(ctx):\n    return (\n";
    assert!(matches!(
        Fingerprints::of(&bundle(wrong)),
        Err(SimilarityError::Unreadable { line: 3, .. })
    ));
    let findings = against(&bundle(&deep), &[("same".to_owned(), bundle(&deep))]).unwrap();
    let codes: Vec<&str> = findings.iter().map(|finding| finding.rule.code).collect();
    assert_eq!(codes, ["PRS601", "PRS602"]);
    // An earlier one that cannot be read says nothing of a later one that can.
    assert!(
        against(&bundle(GATED), &[("deep".to_owned(), bundle(&deep))])
            .unwrap()
            .is_empty()
    );
}

#[test]
fn the_deepest_code_that_is_read_fits_on_the_stack() {
    let mut text = "def build_model(ctx):\n".to_owned();
    for depth in 1..90 {
        writeln!(text, "{}while x.sum():", " ".repeat(depth)).unwrap();
    }
    writeln!(
        text,
        "{}y = {}x.sum(){}",
        " ".repeat(90),
        "torch.exp(x + ".repeat(240),
        ")".repeat(240)
    )
    .unwrap();
    writeln!(text, " return y").unwrap();
    assert!(Fingerprints::of(&bundle(&text)).is_ok());
}

#[test]
fn huge_bundles_are_refused() {
    let mut text = "def build_model(ctx):\n".to_owned();
    while text.len() < 250_000 {
        text.push_str("  p(a)+p(a)-p(a)/p(a)\n");
    }
    let paths: Vec<String> = (0..3).map(|number| format!("part{number}.py")).collect();
    let parts: Vec<String> = (0..3)
        .map(|number| text.replace('a', &number.to_string()))
        .collect();
    let mut files = vec![("architecture.py", text.as_str()), ("training.py", TRAINING)];
    files.extend(
        paths
            .iter()
            .map(String::as_str)
            .zip(parts.iter().map(String::as_str)),
    );
    assert!(matches!(
        Fingerprints::of(&bundle_of(&files)),
        Err(SimilarityError::TooLarge)
    ));
}

#[test]
fn no_two_honest_bundles_come_near_a_review() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut dirs: Vec<_> = ["redteam/honest", "examples"]
        .iter()
        .flat_map(|dir| std::fs::read_dir(root.join(dir)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    dirs.sort();
    assert!(dirs.len() >= 60, "{}", dirs.len());
    let mut read: Vec<(String, Fingerprints)> = Vec::new();
    let mut near = String::new();
    for dir in dirs {
        let mut entries = prism_bundle::pack::read_dir(&dir).unwrap();
        entries.retain(|(path, _)| path != "case.toml");
        let later = Fingerprints::before_publication(&Bundle::from_entries(entries).unwrap()).unwrap();
        let id = dir.display().to_string();
        for (earlier, fingerprints) in &read {
            let told = Match::of(earlier, &later, fingerprints);
            // Well below what a review takes.
            let is_near = told.shared >= 6 && told.share() >= 0.28;
            if is_near || told.copied > 0 {
                writeln!(near, "{id}: {told:?}").unwrap();
            }
        }
        read.push((id, later));
    }
    assert!(near.is_empty(), "{near}");
}
