//! `prism check`: whatever lies in the files is a finding with a place and an exit code, never a panic.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;
use prism_bundle::Bundle;
use serde_json::{Value, json};

use crate::context::{Context, tree};
use crate::host::{host, seat};

const ARCHITECTURE: &str = "from torch import nn\n\n\ndef build_model(ctx):\n    return nn.Embedding(ctx.vocab_size, ctx.vocab_size)\n";
const TRAINING: &str = "def train(ctx):\n    model = ctx.build_model()\n    for batch in ctx.stream(model, batch_size=32, seq_len=256):\n        batch.loss(model(batch.inputs)).backward()\n";

/// A context with a bundle in which these files are added or replaced.
fn with(files: &[(&str, &[u8])]) -> Context {
    let context = Context::new();
    context.write("model/architecture.py", ARCHITECTURE);
    context.write("model/training.py", TRAINING);
    for (path, content) in files {
        context.write(&format!("model/{path}"), content);
    }
    context
}

/// A context whose interpreter leaves a mark where it is ever started.
fn with_trap(files: &[(&str, &[u8])]) -> Context {
    let context = with(files);
    let mark = context.path("an-interpreter-ran");
    context.write("python", format!("#!/bin/sh\ntouch {}\nexit 1\n", mark.display()));
    fs::set_permissions(context.path("python"), fs::Permissions::from_mode(0o755)).unwrap();
    context
}

#[test]
fn an_honest_bundle_passes() {
    let context = with(&[]);
    assert_snapshot!(context.shown("check model --no-instantiate"), @"
    exit: 0
    ----- stdout
    2 Python files: nothing to complain about
    CPython's own compiler was not asked, and the model was not built: leave out `--no-instantiate` for both
    ----- stderr
    ");
    for format in ["json", "sarif", "github"] {
        let output = context.run(&format!("check model --no-instantiate --format {format}"));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.contains("CPython's own compiler was not asked"),
            "{format}: {text}"
        );
    }
    assert_eq!(
        tree(&context.dir()),
        ["model/architecture.py", "model/training.py"],
        "nothing is written"
    );
}

#[test]
fn a_refused_bundle_says_where_and_why() {
    let context = with(&[(
        "training.py",
        b"import socket\n\n\ndef train(ctx):\n    socket.socket()\n",
    )]);
    assert_snapshot!(context.shown("check ./model/ --no-instantiate"), @"
    exit: 1
    ----- stdout
    error[PRS102] prism:no-network: `socket` reaches the network
     --> model/training.py:1:8
      |
    1 | import socket
      |        ^^^^^^
      |
      = help: everything is learnt from `ctx.stream`; there is no network in the sandbox

    2 Python files: 1 error
    CPython's own compiler was not asked, and the model was not built: leave out `--no-instantiate` for both
    `prism explain PRS102` says why and what to write instead
    ----- stderr
    ");
    for format in ["human", "text", "json", "sarif", "github"] {
        let output = context.run(&format!("check model --no-instantiate --format {format}"));
        assert_eq!(output.status.code(), Some(1), "{format}");
        assert!(output.stderr.is_empty(), "{format}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("PRS102"), "{format}");
        assert!(text.contains("training.py"), "{format}");
    }
    assert_eq!(
        context.run("check model --no-instantiate --json").stdout,
        context.run("check model --no-instantiate --format json").stdout
    );
}

#[test]
fn an_archive_is_checked_like_its_directory() {
    let context = with(&[("training.py", b"import socket\n\n\ndef train(ctx):\n    pass\n")]);
    let bundle = Bundle::from_entries(prism_bundle::pack::read_dir(&context.path("model")).unwrap()).unwrap();
    context.write("model.zip", bundle.to_zip());
    let (exit, zipped) = context.json("check model.zip --json");
    assert_eq!((exit, &zipped["findings"][0]["code"]), (1, &json!("PRS102")));
    assert_eq!(zipped, context.json("check model --json").1);
}

#[test]
fn whatever_lies_in_the_files_is_a_finding_with_a_place() {
    let long_line = format!("x = '{}'\n", "a".repeat(1 << 20)).into_bytes();
    let deep = |open: &str, levels| format!("x = 1\ny = {}\n", open.repeat(levels)).into_bytes();
    let broken: &[u8] = b"def build_model(ctx)\n    return None\n";
    let marked = [b"\xef\xbb\xbf", broken].concat();
    let carriage_returns = b"x = 1\r\ndef build_model(ctx)\r\n    return None\r\n";
    let cases: Vec<(&str, &str, Vec<u8>)> = vec![
        ("does not parse", "architecture.py", broken.to_vec()),
        ("byte-order mark", "architecture.py", marked),
        ("CRLF", "architecture.py", carriage_returns.to_vec()),
        ("CR", "architecture.py", b"x = 1\rdef build_model(ctx)\r".to_vec()),
        (
            "form feed",
            "architecture.py",
            b"\x0cx = 1\n\x0cdef f(ctx)\n".to_vec(),
        ),
        ("not UTF-8", "architecture.py", b"x = 1\ny = '\xe9'\n".to_vec()),
        ("null byte", "architecture.py", b"x = 1\ny = '\0'\n".to_vec()),
        ("UTF-16", "architecture.py", b"\xff\xfex\0=\x001\0".to_vec()),
        (
            "other encoding",
            "architecture.py",
            b"#\n# coding: rot13\n".to_vec(),
        ),
        ("brackets", "architecture.py", deep("(", 100_000)),
        ("operators", "architecture.py", deep("-", 100_000)),
        ("f-strings", "architecture.py", deep("f'{", 80_000)),
        ("1 MiB line", "architecture.py", long_line),
        ("data that is not UTF-8", "notes.md", b"\xff".to_vec()),
        ("native code", "fast.so", b"\x7fELF".to_vec()),
        ("shadows torch", "torch.py", Vec::new()),
        ("name with an escape", "a\x1b[31m.py", Vec::new()),
        (
            "manifest to nowhere",
            "prism.yaml",
            b"entrypoints:\n  training: gone.py\n".to_vec(),
        ),
        (
            "manifest is no YAML",
            "prism.yaml",
            b"name: x\ntraining: [\n".to_vec(),
        ),
        ("manifest with a typo", "prism.yaml", b"nmae: x\n".to_vec()),
        ("manifest elsewhere", "conf/prism.yml", b"name: x\n".to_vec()),
        ("tokenizer undeclared", "tokenizer.json", b"{}".to_vec()),
    ];
    let mut shown = String::new();
    for (what, path, content) in cases {
        let context = with(&[(path, &content)]);
        let (exit, value) = context.json("check model --json");
        let findings = value["findings"].as_array().unwrap();
        let first = findings
            .iter()
            .find(|finding| finding["severity"] == "error")
            .unwrap();
        let place = &first["place"];
        let _ = writeln!(
            shown,
            "{exit} {what:<24} {} {}:{}:{}",
            first["code"], first["file"], place["line"], place["column"]
        );
        assert_eq!(value["passed"], false, "{what}");
        assert_eq!(value["instantiation"]["status"], "skipped", "{what}");
        for format in ["human", "sarif", "github"] {
            let output = context.run(&format!("check model --format {format}"));
            assert_eq!(output.status.code(), Some(1), "{what}: {}", context.show(&output));
            assert!(output.stderr.is_empty(), "{what}");
            let harmful = |byte: &u8| *byte < 0x20 && *byte != b'\n';
            assert!(
                !output.stdout.iter().any(harmful),
                "{what}: {}",
                context.show(&output)
            );
            assert!(
                output.stdout.len() < 30_000,
                "{what}: {} bytes",
                output.stdout.len()
            );
        }
    }
    assert_snapshot!(shown, @r#"
    1 does not parse           "PRS001" "architecture.py":1:21
    1 byte-order mark          "PRS001" "architecture.py":1:21
    1 CRLF                     "PRS001" "architecture.py":2:21
    1 CR                       "PRS001" "architecture.py":2:21
    1 form feed                "PRS001" "architecture.py":2:12
    1 not UTF-8                "PRS001" "architecture.py":2:6
    1 null byte                "PRS001" "architecture.py":2:6
    1 UTF-16                   "PRS001" "architecture.py":1:1
    1 other encoding           "PRS001" "architecture.py":2:1
    1 brackets                 "PRS002" "architecture.py":2:1005
    1 operators                "PRS002" "architecture.py":2:1005
    1 f-strings                "PRS002" "architecture.py":2:1506
    1 1 MiB line               "PRS003" "architecture.py":1:1
    1 data that is not UTF-8   "PRS003" "notes.md":1:1
    1 native code              "PRS003" "fast.so":1:1
    1 shadows torch            "PRS003" "torch.py":1:1
    1 name with an escape      "PRS003" null:1:1
    1 manifest to nowhere      "PRS301" "prism.yaml":1:1
    1 manifest is no YAML      "PRS301" "prism.yaml":3:1
    1 manifest with a typo     "PRS301" "prism.yaml":1:1
    1 manifest elsewhere       "PRS301" "conf/prism.yml":1:1
    1 tokenizer undeclared     "PRS301" null:1:1
    "#);
}

#[test]
fn a_place_that_holds_no_bundle_is_a_finding_too() {
    let context = with(&[]);
    std::os::unix::fs::symlink("/etc/hostname", context.path("model/notes.txt")).unwrap();
    context.write("not.zip", "PK\x03\x04 and no more");
    context.write("empty.zip", "");
    fs::create_dir(context.path("empty")).unwrap();
    for number in 0..=200 {
        context.write(&format!("many/f{number}.py"), "");
    }
    let mut shown = String::new();
    for path in ["model", "not.zip", "empty.zip", "empty", "many"] {
        let (exit, value) = context.json(&format!("check {path} --json"));
        let first = &value["findings"][0];
        let _ = writeln!(
            shown,
            "{exit} {path:<9} {} {} {}",
            first["code"], first["file"], first["message"]
        );
    }
    let shown = shown.replace(context.dir().to_str().unwrap(), "[DIR]");
    assert_snapshot!(shown, @r#"
    1 model     "PRS003" null "\"model/notes.txt\" is a symbolic link"
    1 not.zip   "PRS003" null "this is not a .zip archive, or its end is cut off"
    1 empty.zip "PRS003" null "this is not a .zip archive, or its end is cut off"
    1 empty     "PRS301" null "the architecture script `architecture.py` is not in the bundle"
    1 many      "PRS003" null "\"many\" has more than 200 files besides hidden ones and caches"
    "#);
}

#[test]
fn a_copy_of_an_earlier_bundle_is_told_by_name() {
    let context = with(&[]);
    context.write("earlier/no-bundle/notes.txt", "");
    context.write("earlier/other/architecture.py", ARCHITECTURE);
    context.write(
        "earlier/other/training.py",
        "def train(ctx):\n    for batch in ctx.iter_train_batches(ctx.build_model()):\n        print(batch)\n",
    );
    let check = "check model --no-instantiate --against earlier --json";
    let output = context.run(check);
    assert_eq!(output.status.code(), Some(0), "{}", context.show(&output));
    let warned = String::from_utf8(output.stderr).unwrap();
    assert!(warned.contains("no-bundle was not compared"), "{warned}");

    for name in ["architecture.py", "training.py"] {
        let text = fs::read(context.path(&format!("model/{name}"))).unwrap();
        context.write(&format!("earlier/first/{name}"), text);
    }
    let (exit, value) = context.json(check);
    let copied = &value["findings"][0];
    assert_eq!((exit, &copied["code"]), (1, &json!("PRS601")), "{value}");
    assert!(copied["message"].as_str().unwrap().contains("`first`"), "{value}");
    // What lies in the directory itself is not its own copy.
    assert_eq!(
        context
            .run("check earlier/first --no-instantiate --against earlier")
            .status
            .code(),
        Some(0)
    );
    for dir in ["nowhere", "model"] {
        let output = context.run(&format!("check model --no-instantiate --against {dir}"));
        assert_eq!(output.status.code(), Some(2), "{}", context.show(&output));
    }
}

#[test]
fn what_is_typed_wrong_is_a_usage_error() {
    let context = with(&[]);
    assert_snapshot!(context.shown("check nowhere"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: the bundle nowhere cannot be read: No such file or directory (os error 2)
    ");
    for words in [
        "check",
        "check model --format yaml",
        "check model --distributed maybe",
        "check model --recipe nowhere",
        "runs list --format sarif",
        "explain --all --format github",
    ] {
        let output = context.run(words);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{words}: {}",
            context.show(&output)
        );
        assert!(output.stdout.is_empty(), "{words}");
    }
}

#[test]
fn a_machine_without_a_runtime_still_tells_what_it_found() {
    let context = with(&[]);
    let output = context.run("check model");
    assert_eq!(output.status.code(), Some(3), "{}", context.show(&output));
    let (stdout, stderr) = (output.stdout, String::from_utf8(output.stderr).unwrap());
    let without = String::from_utf8(context.run("check model --no-instantiate").stdout).unwrap();
    let told: Vec<_> = without
        .lines()
        .filter(|line| !line.contains("--no-instantiate"))
        .collect();
    assert_eq!(
        String::from_utf8(stdout).unwrap().lines().collect::<Vec<_>>(),
        told
    );
    assert!(
        stderr.contains("--no-instantiate") && stderr.contains("runtime"),
        "{stderr}"
    );
    let (exit, value) = context.json("check model --json");
    assert_eq!((exit, &value["passed"]), (3, &json!(true)));
    assert_eq!(value["instantiation"]["status"], "unavailable");
    assert_eq!(value["instantiation"]["reason"], "runtime_missing");
}

#[test]
fn nothing_runs_of_a_bundle_that_the_gate_refuses() {
    let refused: &[(&str, &[u8])] = &[(
        "architecture.py",
        b"import os\n\n\ndef build_model(ctx):\n    pass\n",
    )];
    let started = |files| {
        let context = with_trap(files);
        let python = context.path("python");
        let output = context
            .command(&["check", "model"])
            .env("PRISM_PYTHON", python)
            .output()
            .unwrap();
        (output.status.code(), context.path("an-interpreter-ran").exists())
    };
    assert_eq!(started(refused), (Some(1), false));
    assert_eq!(started(&[]), (Some(3), true), "the trap works");
}

#[test]
fn an_evaluation_that_the_gate_rejects_has_not_begun() {
    let source = b"import os, socket, ctypes, threading\n\n\ndef train(ctx):\n    pass\n";
    let context = with_trap(&[("training.py", source)]);
    let before = tree(&context.dir());
    let eval = |flags: &[&str]| {
        // There is no corpus: whatever came after the gate would say so.
        let words = [
            "eval",
            "model",
            "--data",
            "corpus",
            "--json",
            "--progress-fd",
            "2",
        ];
        let mut command = context.command(&[&words[..], flags].concat());
        let output = command
            .env("PRISM_PYTHON", context.path("python"))
            .output()
            .unwrap();
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        let events: Vec<Value> = String::from_utf8(output.stderr)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        (output.status.code().unwrap(), value, events)
    };
    let (exit, value, events) = eval(&[]);
    assert_eq!(exit, 1);
    assert_eq!(value["status"], "rejected");
    assert_eq!(value["fault"], "miner");
    assert_eq!(value["reason"], "gate_rejected");
    assert_eq!(value["run_dir"], Value::Null);
    assert_eq!(value["findings"].as_array().unwrap().len(), 4);
    assert_eq!(value["findings"][1]["code"], "PRS102");
    assert_snapshot!(value["detail"].as_str().unwrap(), @"
    the gate refuses the source of the bundle:
      training.py:1:8: PRS101 `os` reaches processes, signals or the interpreter
      training.py:1:12: PRS102 `socket` reaches the network
      training.py:1:20: PRS104 `ctypes` calls foreign code
      and 1 more
    `prism check model` shows everything and what to write instead
    ");
    let told: Vec<_> = events
        .iter()
        .map(|event| format!("{} {}", event["event"], event["stage"]))
        .collect();
    assert_snapshot!(told.join("\n"), @r#"
    "stage" "bundle"
    "stage" "gate"
    "gate" null
    "finished" null
    "#);
    assert_eq!(tree(&context.dir()), before, "no run directory, no process");

    let (_, value, events) = eval(&["--no-gate"]);
    assert_eq!(value["reason"], "usage");
    assert!(value["detail"].as_str().unwrap().contains("corpus is no corpus"));
    assert!(
        value["rehearsal_reasons"]
            .as_array()
            .unwrap()
            .contains(&json!("no_gate"))
    );
    assert!(
        events
            .iter()
            .all(|event| event["stage"] != "gate" && event["event"] != "gate")
    );
}

#[test]
fn what_building_the_model_shows_stands_beside_the_other_findings() {
    let _seat = seat();
    let _ = host();
    let check = |architecture: &str| {
        let context = with(&[("architecture.py", architecture.as_bytes())]);
        let output = crate::host::prism()
            .args(["check", "model", "--json"])
            .current_dir(context.dir())
            .output()
            .unwrap();
        let value: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", context.show(&output)));
        (output.status.code().unwrap(), value)
    };
    let (exit, value) = check(ARCHITECTURE);
    assert_eq!((exit, &value["findings"]), (0, &json!([])));
    assert_eq!(value["instantiation"]["status"], "done");
    assert!(value["instantiation"]["parameters"].as_u64().unwrap() > 60_000);

    let (exit, value) = check("def build_model(ctx):\n    size = 1\n    return size / 0\n");
    let finding = &value["findings"][0];
    assert_eq!((exit, &finding["code"]), (1, &json!("PRS311")), "{value}");
    assert_eq!(
        (&finding["file"], &finding["place"]["line"]),
        (&json!("architecture.py"), &json!(3))
    );
    assert!(
        finding["traceback"]
            .as_str()
            .unwrap()
            .contains("ZeroDivisionError"),
        "{value}"
    );

    let counting = "from torch import nn\n\n\nclass Model(nn.Module):\n    def __init__(self, size):\n        super().__init__()\n        self.table = nn.Embedding(size, size)\n        self.calls = 0\n\n    def forward(self, tokens):\n        self.calls += 1\n        return self.table(tokens) * self.calls\n\n\ndef build_model(ctx):\n    return Model(ctx.vocab_size)\n";
    let (exit, value) = check(counting);
    assert_eq!(exit, 1, "{value}");
    assert_eq!(value["findings"][0]["code"], "PRS314");
    assert_eq!(value["findings"][0]["severity"], "error");
}

#[test]
fn a_recipe_for_a_gpu_is_checked_without_one() {
    let _seat = seat();
    let _ = host();
    // Its rows are longer than those of `demo`, and the processor answers for them.
    let context = with(&[]);
    let output = crate::host::prism()
        .args([
            "check", "model", "--json", "--recipe", "official", "--device", "cpu",
        ])
        .current_dir(context.dir())
        .output()
        .unwrap();
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{value}");
    assert_eq!(value["instantiation"]["status"], "done", "{value}");
}

/// Files that the gate's parser takes and CPython refuses, and where it says so; a column of 0 differs between its versions.
const REFUSED_BY_CPYTHON: [(&str, &str, u32, u32); 10] = [
    ("def f(a, a):\n    pass\n", "duplicate argument 'a'", 1, 10),
    ("x = 'é'; return 1\n", "'return' outside function", 1, 10),
    ("def f():\n\tif 1:\n        return 2\n", "TabError", 3, 0),
    ("x = 1\nfrom __future__ import annotations\n", "__future__", 2, 0),
    ("def f():\n    nonlocal x\n", "no binding for nonlocal", 2, 0),
    ("def f(x):\n    global x\n", "parameter and global", 2, 0),
    (
        "def f():\n    x = 1\n    global x\n",
        "before global declaration",
        3,
        0,
    ),
    ("break\n", "'break' outside loop", 1, 0),
    (
        "def f():\n    from math import *\n",
        "import * only allowed at module level",
        2,
        0,
    ),
    (
        "[(x := 1) for x in y]\n",
        "cannot rebind comprehension iteration variable",
        1,
        0,
    ),
];

#[test]
fn what_cpython_refuses_is_a_syntax_error_with_its_place() {
    let _seat = seat();
    let _ = host();
    // Each in a file of its own, in one bundle: one sandbox compiles them all.
    let names: Vec<String> = (0..REFUSED_BY_CPYTHON.len())
        .map(|number| format!("f{number:02}.py"))
        .collect();
    let mut files: Vec<(&str, &[u8])> = names
        .iter()
        .zip(REFUSED_BY_CPYTHON)
        .map(|(name, (source, ..))| (name.as_str(), source.as_bytes()))
        .collect();
    // A warning stops nothing.
    files.push(("warned.py", b"assert (1, 'x')\ny = 1 is 1\nz = '\\d'\n"));
    let context = with(&files);
    assert_eq!(
        context.json("check model --no-instantiate --json").0,
        0,
        "the gate's own parser takes them all"
    );
    let check = |format: &str| {
        let output = crate::host::prism()
            .args(["check", "model", "--format", format])
            .current_dir(context.dir())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", context.show(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let value: Value = serde_json::from_str(&check("json")).unwrap();
    let findings = value["findings"].as_array().unwrap();
    assert_eq!(findings.len(), names.len(), "{value}");
    for ((finding, name), (source, message, line, column)) in
        findings.iter().zip(&names).zip(REFUSED_BY_CPYTHON)
    {
        assert_eq!(
            (&finding["code"], &finding["severity"]),
            (&json!("PRS001"), &json!("error"))
        );
        assert_eq!(finding["file"], *name, "{source}");
        let place = &finding["place"];
        assert_eq!(place["line"], line, "{source}");
        assert!(column == 0 || place["column"] == column, "{source}: {place}");
        let said = finding["message"].as_str().unwrap();
        assert!(
            said.starts_with("CPython refuses this file: ") && said.contains(message),
            "{said}"
        );
    }
    for format in ["human", "sarif", "github"] {
        let text = check(format);
        for words in ["duplicate argument", "outside function"] {
            assert!(text.contains(words), "{format}: {words}");
        }
    }
}

#[test]
fn a_training_script_that_cannot_be_imported_is_a_finding() {
    let _seat = seat();
    let _ = host();
    let context = with(&[(
        "training.py",
        b"import torch\nif torch.ones(1):\n    from .architecture import build_model\n\n\ndef train(ctx):\n    pass\n",
    )]);
    let output = crate::host::prism()
        .args(["check", "model", "--json"])
        .current_dir(context.dir())
        .output()
        .unwrap();
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{value}");
    assert_eq!(value["findings"].as_array().unwrap().len(), 1, "{value}");
    let finding = &value["findings"][0];
    assert_eq!(finding["code"], "PRS317");
    assert_eq!(
        (&finding["file"], &finding["place"]["line"]),
        (&json!("training.py"), &json!(3))
    );
    assert!(
        finding["message"].as_str().unwrap().contains("relative import"),
        "{value}"
    );
    assert!(
        finding["hint"]
            .as_str()
            .unwrap()
            .contains("from architecture import"),
        "{value}"
    );
    // The model was built all the same.
    assert!(value["instantiation"]["parameters"].as_u64().is_some(), "{value}");
}

#[test]
fn a_tokenizer_file_is_looked_at_without_a_runtime() {
    let refused = br#"{
  "added_tokens": [{"id": 1, "content": "</s>", "special": true}],
  "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
    {"type": "Split", "pattern": {"Regex": "(a+)+b"}, "behavior": "Isolated"},
    {"type": "ByteLevel", "add_prefix_space": false}
  ]},
  "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}
}"#;
    let manifest: (&str, &[u8]) = ("prism.yaml", b"name: x\ntokenizer: bundle\n");
    let context = with(&[manifest, ("tokenizer.json", refused)]);
    assert_snapshot!(context.shown("check model --no-instantiate"), @r#"
    exit: 1
    ----- stdout
    error[PRS302] prism:tokenizer: `tokenizer.json` is refused: the expression "(a+)+b" of a `Split` is not one of the 13 that are allowed (at `pre_tokenizer.pretokenizers[0].pattern.Regex`)
     --> model/tokenizer.json:4:35
      |
    4 |     {"type": "Split", "pattern": {"Regex": "(a+)+b"}, "behavior": "Isolated"},
      |                                   ^
      |
      = help: use one of those that well-known tokenizers publish (`prism explain PRS302` lists them), or `ByteLevel` with `use_regex`

    2 Python files: 1 error
    CPython's own compiler was not asked, and the model was not built: leave out `--no-instantiate` for both
    `prism explain PRS302` says why and what to write instead
    ----- stderr
    "#);
    for format in ["json", "sarif", "github"] {
        let output = context.run(&format!("check model --no-instantiate --format {format}"));
        assert_eq!(output.status.code(), Some(1), "{format}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.contains("PRS302") && text.contains("tokenizer.json"),
            "{format}: {text}"
        );
    }
    let good = String::from_utf8(refused.to_vec())
        .unwrap()
        .replace("(a+)+b", r"\\p{N}{1,3}");
    let context = with(&[manifest, ("tokenizer.json", good.as_bytes())]);
    assert_eq!(context.json("check model --no-instantiate --json").0, 0);
}

/// The page for miners and the list that the referee goes by.
#[test]
fn the_page_of_the_rule_lists_every_split_expression() {
    let page = prism_gate::find("PRS302").unwrap().page();
    for expression in prism_corpus::tokenizer::SPLIT_PATTERNS {
        let shown = expression.replace('\r', r"\r").replace('\n', r"\n");
        let is_listed = page.lines().any(|line| line == shown) || page.contains(&format!("`{shown}`"));
        assert!(is_listed, "{shown}");
    }
}
