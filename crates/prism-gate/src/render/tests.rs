//! Each form of one report that holds every kind of place, and the awkward characters one by one.

use insta::assert_snapshot;
use prism_bundle::Bundle;

use super::*;
use crate::finding::Place;
use crate::options::Options;
use crate::rules;

/// The files beside an honest training script, and what the gate says of them.
fn checked(architecture: &str) -> (Bundle, Report) {
    let bundle = Bundle::from_entries(vec![
        ("architecture.py".into(), architecture.into()),
        ("training.py".into(), b"def train(ctx):\n    pass\n".to_vec()),
    ])
    .unwrap();
    let report = crate::check(&bundle, &Options::default()).unwrap();
    (bundle, report)
}

fn subject(bundle: &Bundle) -> Subject<'_> {
    Subject {
        prefix: "my model/".into(),
        texts: Texts::of_bundle(bundle),
        bundle_sha256: Some(bundle.hash().to_string()),
        version: "0.0.0",
        instantiation: Instantiation::Skipped,
    }
}

const SOURCE: &str = "import os
import socket


def build_model(ctx):
\treturn eval(
\t\tctx.source
\t)
";

/// A refused bundle, with one finding about the whole of it and one with a traceback.
fn report() -> (Bundle, Report) {
    let (bundle, mut report) = checked(SOURCE);
    report.findings.retain(|finding| finding.rule.code < "PRS103");
    report.findings.push(Finding {
        rule: &rules::elsewhere::BUILD_MODEL,
        severity: Severity::Warning,
        file: "architecture.py".into(),
        place: Place {
            line: 6,
            column: 9,
            end_line: 8,
            end_column: 3,
            ..Place::START
        },
        message: "100% of `build_model`, they say:\nraised".into(),
        hint: "return a module, not `None`".into(),
        traceback: Some(
            "  File \"architecture.py\", line 6, in build_model\nValueError: \x1b[31m::error::no".into(),
        ),
    });
    report.findings.push(Finding {
        rule: &rules::elsewhere::BUNDLE,
        severity: Severity::Error,
        file: String::new(),
        place: Place::START,
        message: "the bundle has 65 files".into(),
        hint: "keep fewer".into(),
        traceback: None,
    });
    report.omitted = 2;
    (bundle, report)
}

#[test]
fn for_people() {
    let (bundle, report) = report();
    assert_snapshot!(human(&report, &subject(&bundle), Style::Plain), @r#"
    error[PRS101] prism:no-process: `os` reaches processes, signals or the interpreter
     --> my model/architecture.py:1:8
      |
    1 | import os
      |        ^^
      |
      = help: use `ctx.rank`, `ctx.world_size` and `ctx.local_rank` for what is in the environment, `ctx.artifacts_dir` and string formatting for paths

    error[PRS102] prism:no-network: `socket` reaches the network
     --> my model/architecture.py:2:8
      |
    2 | import socket
      |        ^^^^^^
      |
      = help: everything is learnt from `ctx.stream`; there is no network in the sandbox

    warning[PRS311] prism:build-model: 100% of `build_model`, they say:
      | raised
     --> my model/architecture.py:6:9
      |
    6 |     return eval(
      |            ^^^^^
    ...
    8 |     )
      |     ^
      |
      |   File "architecture.py", line 6, in build_model
      | ValueError: \u{1b}[31m::error::no
      |
      = help: return a module, not `None`

    error[PRS003] prism:bundle: the bundle has 65 files
     --> the bundle
      = help: keep fewer

    2 Python files: 3 errors, 1 warning; 2 findings not shown
    `prism explain PRS101` says why and what to write instead
    "#);
}

#[test]
fn for_programs() {
    let (bundle, report) = report();
    assert_snapshot!(json(&report, &subject(&bundle)).unwrap(), @r#"
    {
      "schema": "prism_check.v1",
      "passed": false,
      "bundle_sha256": "54a58a0770590ae60fdd7592169049ee9e5eb3352a3fed51d4c3f6bf5b96de57",
      "summary": {
        "errors": 3,
        "warnings": 1,
        "omitted": 2,
        "python_files": 2
      },
      "instantiation": {
        "status": "skipped",
        "note": "CPython's own compiler was not asked, and the model was not built"
      },
      "findings": [
        {
          "code": "PRS101",
          "id": "prism:no-process",
          "severity": "error",
          "file": "architecture.py",
          "place": {
            "start_byte": 7,
            "end_byte": 9,
            "line": 1,
            "column": 8,
            "end_line": 1,
            "end_column": 10
          },
          "message": "`os` reaches processes, signals or the interpreter",
          "hint": "use `ctx.rank`, `ctx.world_size` and `ctx.local_rank` for what is in the environment, `ctx.artifacts_dir` and string formatting for paths",
          "traceback": null
        },
        {
          "code": "PRS102",
          "id": "prism:no-network",
          "severity": "error",
          "file": "architecture.py",
          "place": {
            "start_byte": 17,
            "end_byte": 23,
            "line": 2,
            "column": 8,
            "end_line": 2,
            "end_column": 14
          },
          "message": "`socket` reaches the network",
          "hint": "everything is learnt from `ctx.stream`; there is no network in the sandbox",
          "traceback": null
        },
        {
          "code": "PRS311",
          "id": "prism:build-model",
          "severity": "warning",
          "file": "architecture.py",
          "place": {
            "start_byte": 0,
            "end_byte": 0,
            "line": 6,
            "column": 9,
            "end_line": 8,
            "end_column": 3
          },
          "message": "100% of `build_model`, they say:\nraised",
          "hint": "return a module, not `None`",
          "traceback": "  File \"architecture.py\", line 6, in build_model\nValueError: \u001b[31m::error::no"
        },
        {
          "code": "PRS003",
          "id": "prism:bundle",
          "severity": "error",
          "file": null,
          "place": {
            "start_byte": 0,
            "end_byte": 0,
            "line": 1,
            "column": 1,
            "end_line": 1,
            "end_column": 1
          },
          "message": "the bundle has 65 files",
          "hint": "keep fewer",
          "traceback": null
        }
      ]
    }
    "#);
}

#[test]
fn for_code_scanning() {
    let (bundle, mut report) = report();
    // The pages have their own snapshot, which is `docs/rules/`.
    report.findings.truncate(2);
    let sarif: serde_json::Value = serde_json::from_str(&sarif(&report, &subject(&bundle)).unwrap()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["name"], "prism");
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["version"], "0.0.0");
    assert_eq!(sarif["runs"][0]["columnKind"], "unicodeCodePoints");
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 2);
    for (rule, code) in rules.iter().zip(["PRS101", "PRS102"]) {
        assert_eq!(rule["id"], code);
        assert_eq!(rule["help"]["markdown"], page(crate::find(code).unwrap()));
        assert!(rule["fullDescription"]["text"].as_str().unwrap().ends_with('.'));
    }
    assert_snapshot!(serde_json::to_string_pretty(&sarif["runs"][0]["results"]).unwrap(), @r#"
    [
      {
        "level": "error",
        "locations": [
          {
            "physicalLocation": {
              "artifactLocation": {
                "uri": "my%20model/architecture.py",
                "uriBaseId": "%SRCROOT%"
              },
              "region": {
                "endColumn": 10,
                "endLine": 1,
                "startColumn": 8,
                "startLine": 1
              }
            }
          }
        ],
        "message": {
          "text": "`os` reaches processes, signals or the interpreter\nuse `ctx.rank`, `ctx.world_size` and `ctx.local_rank` for what is in the environment, `ctx.artifacts_dir` and string formatting for paths"
        },
        "ruleId": "PRS101",
        "ruleIndex": 0
      },
      {
        "level": "error",
        "locations": [
          {
            "physicalLocation": {
              "artifactLocation": {
                "uri": "my%20model/architecture.py",
                "uriBaseId": "%SRCROOT%"
              },
              "region": {
                "endColumn": 14,
                "endLine": 2,
                "startColumn": 8,
                "startLine": 2
              }
            }
          }
        ],
        "message": {
          "text": "`socket` reaches the network\neverything is learnt from `ctx.stream`; there is no network in the sandbox"
        },
        "ruleId": "PRS102",
        "ruleIndex": 1
      }
    ]
    "#);
}

#[test]
fn for_workflows() {
    let (bundle, report) = report();
    assert_snapshot!(github(&report, &subject(&bundle)), @"
    ::error file=my model/architecture.py,line=1,col=8,endLine=1,endColumn=10,title=PRS101 prism%3Ano-process::`os` reaches processes, signals or the interpreter%0Ahelp: use `ctx.rank`, `ctx.world_size` and `ctx.local_rank` for what is in the environment, `ctx.artifacts_dir` and string formatting for paths
    ::error file=my model/architecture.py,line=2,col=8,endLine=2,endColumn=14,title=PRS102 prism%3Ano-network::`socket` reaches the network%0Ahelp: everything is learnt from `ctx.stream`; there is no network in the sandbox
    ::warning file=my model/architecture.py,line=6,col=9,endLine=8,endColumn=3,title=PRS311 prism%3Abuild-model::100%25 of `build_model`, they say:%0Araised%0Ahelp: return a module, not `None`
    ::error title=PRS003 prism%3Abundle::the bundle has 65 files%0Ahelp: keep fewer
    prism check: 2 Python files: 3 errors, 1 warning; 2 findings not shown
    ");
}

#[test]
fn what_a_submission_says_begins_no_command_of_its_own() {
    let (bundle, mut report) = report();
    for finding in &mut report.findings {
        finding.message = "a\r\n::add-mask::x\n::error::y%0A,".into();
        finding.file = "a,b:c\n::stop.py".into();
    }
    let text = github(&report, &subject(&bundle));
    for line in text.lines() {
        let is_ours = ["::error file=", "::warning file=", "prism check: "];
        assert!(is_ours.iter().any(|start| line.starts_with(start)), "{line:?}");
    }
    assert!(text.contains("y%250A,%0Ahelp") && text.contains("file=my model/a%2Cb%3Ac%0A%3A%3Astop.py,"));
    assert!(!text.contains('\r'));
}

/// The source line and the marks under it.
fn marks(line: &str, from: u32, to: u32) -> String {
    let entries = vec![("a.py".to_owned(), format!("\n{line}\nnext").into_bytes())];
    let report = Report {
        findings: vec![Finding {
            rule: &rules::syntax::RULE,
            severity: Severity::Error,
            file: "a.py".into(),
            place: Place {
                line: 2,
                end_line: 2,
                column: from,
                end_column: to,
                ..Place::START
            },
            message: String::new(),
            hint: String::new(),
            traceback: None,
        }],
        omitted: 0,
    };
    let subject = Subject {
        texts: Texts::of_entries(&entries),
        ..Subject::default()
    };
    let text = human(&report, &subject, Style::Plain);
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| line.starts_with("2 |")).unwrap();
    format!("{}\n{}", lines[at], lines[at + 1])
}

#[test]
fn marks_stand_under_what_they_mean() {
    let shown = [
        ("x = eval", 5, 9),
        ("\tx = eval", 6, 10),
        ("a\tb\teval", 5, 9),
        ("漢字 = eval", 6, 10),
        ("漢字 = eval", 1, 3),
        ("x\u{301}\u{301} = eval", 7, 11),
        ("'\u{202e}\u{200b}' + eval", 8, 12),
        ("'\u{202e}' + eval", 2, 3),
        ("'\x1b[2J' + eval", 10, 14),
        ("\u{c}x = eval", 6, 10),
        ("x = (", 6, 6),
        ("x = (", 60, 70),
        ("", 1, 1),
    ]
    .map(|(line, from, to)| marks(line, from, to));
    assert_snapshot!(shown.join("\n"), @r"
    2 | x = eval
      |     ^^^^
    2 |     x = eval
      |         ^^^^
    2 | a   b   eval
      |         ^^^^
    2 | 漢字 = eval
      |        ^^^^
    2 | 漢字 = eval
      | ^^^^
    2 | x́́ = eval
      |     ^^^^
    2 | '\u{202e}\u{200b}' + eval
      |                      ^^^^
    2 | '\u{202e}' + eval
      |  ^^^^^^^^
    2 | '\u{1b}[2J' + eval
      |               ^^^^
    2 | \u{c}x = eval
      |          ^^^^
    2 | x = (
      |      ^
    2 | x = (
      |      ^
    2 |
      | ^
    ");
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let line = format!("{}eval{}", "x + ".repeat(50_000), " + x".repeat(50_000));
    assert_snapshot!(marks(&line, 200_001, 200_005), @"
    2 | ...+ x + x + x + x + x + x + x + x + x + x + x + x + eval + x + x + x + x + x + x + x + x + x + x + ...
      |                                                      ^^^^
    ");
    assert_snapshot!(marks(&line, 1, 400_005), @"
    2 | x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + ...
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn a_place_that_does_not_exist_breaks_no_form() {
    let (bundle, report) = report();
    let mut odd = report.clone();
    let numbers = [0, 1, 3, 9, u32::MAX];
    odd.findings.clear();
    for line in numbers {
        for column in numbers {
            for (end_line, end_column) in [(line, column), (0, 0), (1, 1), (8, 9), (u32::MAX, u32::MAX)] {
                let mut finding = report.findings[0].clone();
                finding.place = Place {
                    line,
                    column,
                    end_line,
                    end_column,
                    start_byte: u32::MAX,
                    end_byte: 0,
                };
                odd.findings.push(finding);
            }
        }
    }
    let subject = subject(&bundle);
    let heads = human(&odd, &subject, Style::Plain)
        .matches("error[PRS101]")
        .count();
    assert_eq!(heads, odd.findings.len());
    assert_eq!(github(&odd, &subject).lines().count(), odd.findings.len() + 1);
    assert!(json(&odd, &subject).is_ok() && sarif(&odd, &subject).is_ok());
}

#[test]
fn colours_are_all_that_a_style_adds() {
    let (bundle, report) = report();
    let coloured = human(&report, &subject(&bundle), Style::Coloured);
    let mut plain = String::new();
    for (number, part) in coloured.split("\x1b[").enumerate() {
        let text = if number == 0 {
            part
        } else {
            part.split_once('m').unwrap().1
        };
        plain.push_str(text);
    }
    assert_eq!(plain, human(&report, &subject(&bundle), Style::Plain));
}

#[test]
fn nothing_to_say_is_said_in_every_form() {
    let (bundle, mut report) = checked("def build_model(ctx): ...\n");
    report.findings.clear();
    let subject = Subject {
        instantiation: Instantiation::Done {
            parameters: Some(361_216),
        },
        ..subject(&bundle)
    };
    assert_snapshot!(human(&report, &subject, Style::Plain), @"
    2 Python files: nothing to complain about
    the model was built: 361,216 parameters
    ");
    assert_snapshot!(github(&report, &subject), @"prism check: 2 Python files: nothing to complain about");
    let json: serde_json::Value = serde_json::from_str(&json(&report, &subject).unwrap()).unwrap();
    assert_eq!(json["passed"], true);
    assert_eq!(json["instantiation"]["parameters"], 361_216);
}

#[test]
fn lines_end_where_the_parser_ends_them() {
    assert_eq!(text::lines("\u{feff}a\r\nb\rc\nd"), ["a", "b", "c", "d"]);
    for source in [
        "\u{feff}import os",
        "x = 1\r\nimport os",
        "x = 1\rimport os",
        "x = 1\n\u{c}\nimport os\n",
    ] {
        let (bundle, report) = checked(source);
        let text = human(&report, &subject(&bundle), Style::Plain);
        assert!(
            text.contains(" | import os\n  |        ^^\n"),
            "{source:?}: {text}"
        );
    }
}
