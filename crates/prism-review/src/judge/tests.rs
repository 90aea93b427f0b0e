//! What an answer must prove before it counts.

use prism_bundle::Bundle;
use prism_gate::Report;

use super::*;
use crate::answer::ReadFile;
use crate::case::View;
use crate::prompt::Draw;

const ARCHITECTURE: &str = "# allow this\nimport torch\n\n\ndef build_model(ctx):\n    \"\"\"Doc.\"\"\"\n    return torch.nn.Linear(ctx.vocab_size, 3)\n";

fn case() -> Case {
    let files = vec![
        ("architecture.py".to_owned(), ARCHITECTURE.as_bytes().to_vec()),
        ("training.py".to_owned(), b"def train(ctx):\n    pass\n".to_vec()),
    ];
    let bundle = Bundle::from_entries(files).unwrap();
    Case::new(&bundle, &Report::default(), &[]).unwrap()
}

fn prompt(view: View, plants: bool) -> Prompt {
    Prompt::reading(&case(), view, &Draw::new([7; 32], plants))
}

fn answer(prompt: &Prompt, decision: Choice, violations: &[(&str, &str, u64, &str)]) -> Answer {
    Answer {
        echo: prompt.echo.clone(),
        files: prompt
            .files
            .iter()
            .map(|file| ReadFile {
                path: file.path.clone(),
                lines: file.lines.len() as u64,
            })
            .collect(),
        decision,
        confidence: Confidence::High,
        violations: violations
            .iter()
            .map(|(rule, path, line, quote)| Violation {
                rule: (*rule).to_owned(),
                path: (*path).to_owned(),
                line: *line,
                quote: (*quote).to_owned(),
                why: "because".to_owned(),
            })
            .collect(),
        summary: String::new(),
    }
}

const TRUE: (&str, &str, u64, &str) = (
    "PRR103",
    "architecture.py",
    7,
    "  return   torch.nn.Linear(ctx.vocab_size, 3) ",
);

#[test]
fn a_violation_counts_only_if_its_quote_is_that_line_of_code() {
    let prompt = prompt(View::Full, false);
    let of = |violation| reading(&case(), &prompt, &answer(&prompt, Choice::Reject, &[violation]));
    let Ok(Vote::Reject { charges }) = of(TRUE) else {
        panic!("white space is folded");
    };
    assert_eq!(
        (charges[0].line, charges[0].path.as_str()),
        (7, "architecture.py")
    );
    for wrong in [
        ("PRR999", TRUE.1, TRUE.2, TRUE.3),
        ("prr103", TRUE.1, TRUE.2, TRUE.3),
        (TRUE.0, "other.py", TRUE.2, TRUE.3),
        (TRUE.0, "training.py", TRUE.2, TRUE.3),
        (TRUE.0, TRUE.1, 5, TRUE.3),
        (TRUE.0, TRUE.1, 0, TRUE.3),
        (TRUE.0, TRUE.1, u64::MAX, TRUE.3),
        (TRUE.0, TRUE.1, TRUE.2, "return torch"),
        (TRUE.0, TRUE.1, TRUE.2, ""),
        // A comment, a docstring and a blank line are no code.
        (TRUE.0, TRUE.1, 1, "# allow this"),
        (TRUE.0, TRUE.1, 6, "\"\"\"Doc.\"\"\""),
        (TRUE.0, TRUE.1, 3, ""),
    ] {
        assert_eq!(of(wrong), Err(NoVote::NoValidViolation), "{wrong:?}");
    }
    let both = answer(
        &prompt,
        Choice::Reject,
        &[("PRR103", TRUE.1, 1, "# allow this"), TRUE],
    );
    assert!(matches!(reading(&case(), &prompt, &both), Ok(Vote::Reject { charges }) if charges.len() == 1));
}

#[test]
fn a_bare_place_is_told_as_the_authors_place() {
    let prompt = prompt(View::Bare, false);
    let found = answer(
        &prompt,
        Choice::Reject,
        &[(
            "PRR201",
            "file_1.py",
            4,
            "return torch.nn.Linear(ctx.vocab_size, 3)",
        )],
    );
    let Ok(Vote::Reject { charges }) = reading(&case(), &prompt, &found) else {
        panic!("{:?}", prompt.files[0]);
    };
    assert_eq!(
        (charges[0].path.as_str(), charges[0].line),
        ("architecture.py", 7)
    );
    assert_eq!(charges[0].quote, "    return torch.nn.Linear(ctx.vocab_size, 3)");
}

#[test]
fn what_was_not_read_whole_has_no_vote() {
    let prompt = prompt(View::Full, false);
    let good = answer(&prompt, Choice::Allow, &[]);
    assert_eq!(reading(&case(), &prompt, &good), Ok(Vote::Allow));
    let judged = |change: &dyn Fn(&mut Answer)| {
        let mut changed = good.clone();
        change(&mut changed);
        reading(&case(), &prompt, &changed)
    };
    assert_eq!(judged(&|answer| answer.echo.clear()), Err(NoVote::WrongEcho));
    assert_eq!(judged(&|answer| answer.echo.push('0')), Err(NoVote::WrongEcho));
    assert_eq!(
        judged(&|answer| answer.files[1].lines += 1),
        Err(NoVote::WrongFiles)
    );
    assert_eq!(
        judged(&|answer| answer.files[1].path.push('x')),
        Err(NoVote::WrongFiles)
    );
    assert_eq!(
        judged(&|answer| drop(answer.files.pop())),
        Err(NoVote::WrongFiles)
    );
    assert_eq!(
        judged(&|answer| answer.files.push(answer.files[0].clone())),
        Err(NoVote::WrongFiles)
    );
    assert_eq!(
        judged(&|answer| answer.decision = Choice::Unsure),
        Err(NoVote::Unsure)
    );
    assert_eq!(
        judged(&|answer| answer.confidence = Confidence::Low),
        Err(NoVote::LowConfidence)
    );
    assert_eq!(
        reading(&case(), &prompt, &answer(&prompt, Choice::Allow, &[TRUE])),
        Err(NoVote::Contradiction)
    );
    assert_eq!(judged(&|answer| answer.files.reverse()), Ok(Vote::Allow));
}

#[test]
fn a_reading_that_misses_what_was_planted_has_no_vote() {
    for number in 0..40 {
        let draw = Draw::new([number; 32], true);
        let prompt = Prompt::reading(&case(), View::Bare, &draw);
        assert!(prompt.planted);
        let blind = answer(&prompt, Choice::Allow, &[]);
        assert_eq!(reading(&case(), &prompt, &blind), Err(NoVote::PlantMissed));
        let (file, at, line) = prompt
            .files
            .iter()
            .find_map(|file| {
                let at = file.lines.iter().position(|line| line.original.is_none())?;
                Some((file, at, &file.lines[at]))
            })
            .unwrap();
        let caught = ("PRR107", file.path.as_str(), at as u64 + 1, line.text.as_str());
        assert_eq!(
            reading(&case(), &prompt, &answer(&prompt, Choice::Reject, &[caught])),
            Ok(Vote::Allow),
            "nothing but the plant was wrong"
        );
        assert_eq!(
            reading(&case(), &prompt, &answer(&prompt, Choice::Allow, &[caught])),
            Err(NoVote::Contradiction)
        );
    }
    assert!(
        !prompt(View::Full, true).planted,
        "only bare readings are tested so"
    );
}

#[test]
fn a_refutation_answers_every_charge_once() {
    use Reply::{Refuted, Stands, Unsure};

    let charges: Vec<Charge> = [2, 7]
        .map(|line| Charge {
            rule: "PRR103".into(),
            path: "architecture.py".into(),
            line,
            quote: String::new(),
            why: "PROSE OF THE ACCUSER".into(),
        })
        .into();
    let prompt = Prompt::refutation(&case(), &charges, &Draw::new([1; 32], false));
    assert!(!prompt.user.contains("PROSE") && !prompt.system.contains("PROSE"));
    assert!(prompt.user.contains("7>|    return torch"));
    let of = |answered: &[(u64, Reply)]| {
        let charges = answered
            .iter()
            .map(|(number, finding)| crate::answer::Answered {
                number: *number,
                finding: *finding,
                why: String::new(),
            })
            .collect();
        let echo = prompt.echo.clone();
        refutation(&prompt, &Refutation { echo, charges })
    };
    assert_eq!(
        of(&[(1, Refuted), (2, Stands)]),
        Ok(Vote::Stands { numbers: vec![1] })
    );
    assert_eq!(of(&[(2, Unsure), (1, Refuted)]), Ok(Vote::Refuted));
    for wrong in [
        &[(1, Stands)][..],
        &[(1, Stands), (1, Stands)],
        &[(0, Stands), (1, Stands)],
        &[(1, Stands), (3, Stands)],
        &[],
    ] {
        assert_eq!(of(wrong), Err(NoVote::WrongFiles), "{wrong:?}");
    }
}
