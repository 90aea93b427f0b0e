//! `prism init`: a scaffold in a new or empty directory, and nowhere else.

use std::fs;

use insta::assert_snapshot;
use serde_json::json;

use crate::context::{Context, tree};

#[test]
fn a_scaffold_is_a_bundle_with_a_stub_for_the_editor() {
    let context = Context::new();
    assert_snapshot!(context.shown("init my-new-model"), @"
    exit: 0
    ----- stdout
    my-new-model: a bundle called `my-new-model`
      .prism/typings/prism_runtime/__init__.pyi
      README.md
      architecture.py
      prism.yaml
      pyrightconfig.json
      training.py

    Next:
      prism check my-new-model
      prism data lock --from TEXT --out corpus     # or: prism data synth --bytes 1300000 --out corpus
      prism eval my-new-model --data corpus
      python -m prism_runtime.local my-new-model --text FILE   # in the open, for a debugger: docs/local.md
    ----- stderr
    ");
    let manifest = fs::read_to_string(context.path("my-new-model/prism.yaml")).unwrap();
    assert!(manifest.contains("name: my-new-model"), "{manifest}");
    let config: serde_json::Value =
        serde_json::from_slice(&fs::read(context.path("my-new-model/pyrightconfig.json")).unwrap()).unwrap();
    let stub = context
        .path("my-new-model")
        .join(config["stubPath"].as_str().unwrap())
        .join("prism_runtime/__init__.pyi");
    assert!(fs::read_to_string(stub).unwrap().contains("class"));
}

#[test]
fn a_directory_that_is_used_is_left_alone() {
    let context = Context::new();
    context.write("mine/thesis.txt", "years of work");
    context.write("file", "");
    assert_snapshot!(context.shown("init mine"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: mine is not empty

    hint: name a new or empty directory
    ");
    assert_eq!(context.run("init file").status.code(), Some(2));
    assert_eq!(tree(&context.path("mine")), ["thesis.txt"]);
    fs::create_dir(context.path("empty")).unwrap();
    let (exit, value) = context.json("init empty --name net.v2 --json");
    assert_eq!((exit, &value["name"]), (0, &json!("net.v2")));
}

#[test]
fn a_name_must_do_for_a_leaderboard() {
    let context = Context::new();
    assert_eq!(
        context
            .command(&["init", "x", "--name", "a\nb: c"])
            .output()
            .unwrap()
            .status
            .code(),
        Some(2)
    );
    assert!(!context.path("x").exists());
}
