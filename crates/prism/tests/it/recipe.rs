//! `prism recipe`: constants with what they mean.

use insta::assert_snapshot;
use serde_json::json;

use crate::context::Context;

#[test]
fn a_recipe_explains_itself_and_reads_back() {
    let context = Context::new();
    let shown = context.shown("recipe show demo");
    let start: String = shown.split_inclusive('\n').take(14).collect();
    let mut settings = insta::Settings::clone_current();
    settings.add_filter("sha256 [0-9a-f]{64}", "sha256 [SHA-256]");
    settings.bind(|| {
        assert_snapshot!(start, @r#"
    exit: 0
    ----- stdout
    # Recipe `demo`, version 3
    # sha256 [SHA-256]

    # Version of this file format.
    schema = 1
    # What people call it.
    name = "demo"
    # Grows with every change of a constant.
    version = 3

    [stream]
    # The stream is the longest prefix of the train documents within this many bytes.
    "#);
    });
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
    error: broken.toml: the recipe is not valid: TOML parse error at line 3, column 1
      |
    3 | surprise = 2
      | ^^^^^^^^
    unknown field `surprise`, expected one of `schema`, `name`, `version`, `stream`, `budget`, `audit`, `bundle`, `caps`, `heldout`, `score`, `compute`, `sandbox`

    hint: see `prism recipe show` for what each field means
    ");
    let (exit, value) = context.json("recipe show broken.toml --json");
    assert_eq!((exit, &value["error"]), (2, &json!("recipe_invalid")));
}
