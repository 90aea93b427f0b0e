//! Whether an answer is a vote: the referee of the answer is code.

use std::collections::BTreeMap;

use prism_core::escape::is_harmful;
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Charge, Choice, Confidence, Refutation, Reply, Violation};
use crate::case::Case;
use crate::prompt::Prompt;
use crate::rules;

/// Most charges that go to the second reviewer.
const CHARGES_MAX: usize = 8;
/// Longest reason that the owner is shown, in characters.
const WHY_CHARS_MAX: usize = 600;
/// Longest quote that is kept, in characters.
const QUOTE_CHARS_MAX: usize = 500;

/// What an answer is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "vote", rename_all = "snake_case")]
pub enum Vote {
    /// It may run.
    Allow,
    /// It breaks rules, at these places.
    Reject {
        /// At least one.
        charges: Vec<Charge>,
    },
    /// The second reviewer lets these charges stand.
    Stands {
        /// Their places in the list that was sent, from 0.
        numbers: Vec<usize>,
    },
    /// The second reviewer lets none stand.
    Refuted,
}

prism_core::words! {
    /// Why an answer is no vote.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum NoVote, as_str {
        /// It is not the object that was asked for.
        Unparseable = "unparseable",
        /// It was longer than anything that is read.
        TooLong = "too_long",
        /// The seals are not those of the prompt: something was not read.
        WrongEcho = "wrong_echo",
        /// The files or their lengths are not those of the prompt: something was not read.
        WrongFiles = "wrong_files",
        /// The model is unsure.
        Unsure = "unsure",
        /// The model says that its confidence is low.
        LowConfidence = "low_confidence",
        /// It rejects, and quotes no line of code that is there.
        NoValidViolation = "no_valid_violation",
        /// It allows, and quotes a violation.
        Contradiction = "contradiction",
        /// It did not see what was planted.
        PlantMissed = "plant_missed",
        /// The model refused to answer.
        Refusal = "refusal",
        /// The answer was cut off.
        CutOff = "cut_off",
        /// There was no answer in the answer.
        Empty = "empty",
    }
}

/// What a reading is worth.
pub fn reading(case: &Case, prompt: &Prompt, answer: &Answer) -> Result<Vote, NoVote> {
    if answer.echo.trim() != prompt.echo {
        return Err(NoVote::WrongEcho);
    }
    if !has_read_all(prompt, answer) {
        return Err(NoVote::WrongFiles);
    }
    let mut plant_seen = false;
    let mut charges = Vec::new();
    for violation in &answer.violations {
        match found(case, prompt, violation) {
            Some(Found::Planted) => plant_seen = true,
            Some(Found::Charge(charge)) if !charges.contains(&charge) && charges.len() < CHARGES_MAX => {
                charges.push(charge);
            }
            Some(Found::Charge(_)) | None => {}
        }
    }
    if prompt.planted && !plant_seen {
        return Err(NoVote::PlantMissed);
    }
    match answer.decision {
        Choice::Unsure => return Err(NoVote::Unsure),
        Choice::Allow if plant_seen || !charges.is_empty() => return Err(NoVote::Contradiction),
        Choice::Allow | Choice::Reject => {}
    }
    if answer.confidence == Confidence::Low {
        return Err(NoVote::LowConfidence);
    }
    match (answer.decision, charges.is_empty()) {
        (Choice::Allow, _) => Ok(Vote::Allow),
        // All that was wrong with it was planted.
        (_, true) if plant_seen => Ok(Vote::Allow),
        (_, true) => Err(NoVote::NoValidViolation),
        (_, false) => Ok(Vote::Reject { charges }),
    }
}

/// What a refutation is worth.
pub fn refutation(prompt: &Prompt, answer: &Refutation) -> Result<Vote, NoVote> {
    if answer.echo.trim() != prompt.echo {
        return Err(NoVote::WrongEcho);
    }
    let mut findings = BTreeMap::new();
    for charge in &answer.charges {
        let number = usize::try_from(charge.number).unwrap_or_default();
        if !(1..=prompt.charges).contains(&number) || findings.insert(number, charge.finding).is_some() {
            return Err(NoVote::WrongFiles);
        }
    }
    if findings.len() != prompt.charges {
        return Err(NoVote::WrongFiles);
    }
    let numbers: Vec<usize> = findings
        .into_iter()
        .filter(|(_, finding)| *finding == Reply::Stands)
        .map(|(number, _)| number - 1)
        .collect();
    Ok(if numbers.is_empty() {
        Vote::Refuted
    } else {
        Vote::Stands { numbers }
    })
}

fn has_read_all(prompt: &Prompt, answer: &Answer) -> bool {
    let told: BTreeMap<&str, u64> = answer
        .files
        .iter()
        .map(|file| (file.path.as_str(), file.lines))
        .collect();
    told.len() == answer.files.len()
        && told.len() == prompt.files.len()
        && prompt
            .files
            .iter()
            .all(|file| told.get(file.path.as_str()) == Some(&(file.lines.len() as u64)))
}

enum Found {
    Planted,
    Charge(Charge),
}

/// The place of a violation, if its rule exists, its quote is that line, and the line is code.
fn found(case: &Case, prompt: &Prompt, violation: &Violation) -> Option<Found> {
    let rule = rules::ALL.iter().find(|rule| rule.code == violation.rule)?;
    let file = prompt.files.iter().find(|file| file.path == violation.path)?;
    let line = file
        .lines
        .get(usize::try_from(violation.line).ok()?.checked_sub(1)?)?;
    if !line.is_code || folded(&line.text) != folded(&violation.quote) || folded(&line.text).is_empty() {
        return None;
    }
    let Some(original) = line.original else {
        return Some(Found::Planted);
    };
    Some(Found::Charge(Charge {
        rule: rule.code.to_owned(),
        path: file.original.clone(),
        line: original,
        quote: short(&case.original(&file.original, original)?, QUOTE_CHARS_MAX),
        why: short(&violation.why, WHY_CHARS_MAX),
    }))
}

/// White space folded.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Its beginning, without controls: it is a stranger's text.
fn short(text: &str, chars_max: usize) -> String {
    text.chars()
        .map(|character| if is_harmful(character) { ' ' } else { character })
        .take(chars_max)
        .collect()
}

#[cfg(test)]
mod tests;
