//! What the model is asked: instructions, facts, files, and a draw that nobody could know before.
//!
//! Built from the files under `prompts/`. Every line of the submission carries a tag that is random for the call, so that no
//! text of it can pass for anything else; words between the lines prove in the answer that nothing of the prompt was left out.
//! Nothing is ever cut: what is too large is told before ([`Prompt::tokens_estimate`]).

use std::fmt::Write as _;

use prism_core::hash::Sha256Hash;

use crate::answer::Charge;
use crate::case::{Case, File, View};
use crate::{plant, rules};

const INSTRUCTIONS: &str = include_str!("../prompts/instructions.md");
const REFUTE: &str = include_str!("../prompts/refute.md");
/// After so many bytes of shown files stands another seal.
const SEAL_EVERY_BYTES: usize = 16 * 1024;
/// Lines around a charge that the second reviewer sees, either way.
const CONTEXT_LINES: usize = 30;

/// What is random in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw {
    random: [u8; 32],
    plants: bool,
}

impl Draw {
    /// From bytes that nobody could know.
    pub fn new(random: [u8; 32], plants: bool) -> Self {
        Self { random, plants }
    }

    /// Whether one of `one_in` such draws plants a violation, by its own bytes.
    pub fn with_chance(random: [u8; 32], one_in: u64) -> Self {
        let number = u64::from_le_bytes(std::array::from_fn(|at| random[24 + at]));
        Self {
            random,
            plants: one_in > 0 && number % one_in == 0,
        }
    }

    fn word(&self, purpose: &str, number: usize, chars: usize) -> String {
        let mut text = self.random.to_vec();
        text.extend_from_slice(purpose.as_bytes());
        text.extend_from_slice(&number.to_le_bytes());
        let digest = Sha256Hash::of(&text).to_string();
        digest[..chars].to_owned()
    }

    fn number(&self, at: usize) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|byte| self.random[at + byte]))
    }
}

/// What is asked, and what a complete answer must hold.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// Who you are, the rules, the form of the answer.
    pub system: String,
    /// Facts, files, the last seal.
    pub user: String,
    /// The seals, as they must come back.
    pub echo: String,
    /// The files as they are shown, planted lines included.
    pub files: Vec<File>,
    /// Whether a violation was planted.
    pub planted: bool,
    /// The charges that are to be refuted.
    pub charges: usize,
}

impl Prompt {
    /// A reading of a view.
    pub fn reading(case: &Case, view: View, draw: &Draw) -> Self {
        let mut files = case.files(view);
        let planted =
            view == View::Bare && draw.plants && plant::plant(&mut files, draw.number(0), draw.number(8));
        let tag = draw.word("tag", 0, 4);
        let bytes: usize = files
            .iter()
            .flat_map(|file| &file.lines)
            .map(|line| line.text.len() + 12)
            .sum();
        let mut user = String::with_capacity(bytes + bytes / 8 + 4096);
        user.push_str("Known before this review:\n");
        for fact in &case.facts {
            let _ = writeln!(user, "- {fact}");
        }
        let _ = writeln!(user, "\nThe submission has {} Python files.", files.len());
        let mut seals: Vec<String> = Vec::new();
        let mut since_seal = 0;
        for (number, file) in (1..).zip(&files) {
            let role = match file.entry_point {
                Some(name) => format!(", which the harness imports as `{name}`"),
                None => String::new(),
            };
            let _ = writeln!(user, "\nfile {number}: `{}`{role}", file.path);
            for (line_number, line) in (1..).zip(&file.lines) {
                if since_seal >= SEAL_EVERY_BYTES {
                    since_seal = 0;
                    seal(&mut user, &tag, draw, &mut seals);
                }
                let before = user.len();
                put_line(&mut user, &tag, line_number, "", &line.text);
                since_seal += user.len() - before;
            }
        }
        user.push_str("\nThis is the end of the submission. Answer now, in the form that you were told.\n");
        seal(&mut user, &tag, draw, &mut seals);
        Self {
            system: INSTRUCTIONS
                .replace("{{rules}}", &all_rules())
                .replace("{{tag}}", &tag),
            user,
            echo: seals.join("-"),
            files,
            planted,
            charges: 0,
        }
    }

    /// The charges, without the words that they were made with, for the second reviewer.
    pub fn refutation(case: &Case, charges: &[Charge], draw: &Draw) -> Self {
        let files = case.files(View::Full);
        let tag = draw.word("tag", 0, 4);
        let mut user = String::new();
        for (number, charge) in (1..).zip(charges) {
            let told = rules::find(&charge.rule)
                .map(rules::Rule::told)
                .unwrap_or_default();
            let _ = writeln!(
                user,
                "charge {number}: that line {} of this excerpt breaks {told}\n",
                charge.line
            );
            let Some(file) = files.iter().find(|file| file.original == charge.path) else {
                continue;
            };
            let at = usize::try_from(charge.line).unwrap_or_default().saturating_sub(1);
            let from = at.saturating_sub(CONTEXT_LINES);
            let to = (at + CONTEXT_LINES + 1).min(file.lines.len());
            for (offset, line) in file.lines[from.min(to)..to].iter().enumerate() {
                let mark = if from + offset == at { ">" } else { "" };
                put_line(&mut user, &tag, from + offset + 1, mark, &line.text);
            }
            user.push('\n');
        }
        user.push_str("This is the end. Answer now, in the form that you were told.\n");
        let mut seals = Vec::new();
        seal(&mut user, &tag, draw, &mut seals);
        Self {
            system: REFUTE.replace("{{tag}}", &tag),
            user,
            echo: seals.join("-"),
            files: Vec::new(),
            planted: false,
            charges: charges.len(),
        }
    }

    /// So many tokens it has at most, as models of today cut text: a bound from above for what people write.
    pub fn tokens_estimate(&self) -> usize {
        let of = |text: &str| {
            let foreign = text.bytes().filter(|byte| !byte.is_ascii()).count();
            (text.len() - foreign) * 2 / 5 + foreign
        };
        // Tag, number and bar of a line are a handful of tokens however short they are.
        let lines: usize = self.files.iter().map(|file| file.lines.len()).sum();
        of(&self.system) + of(&self.user) + lines * 3
    }
}

fn put_line(out: &mut String, tag: &str, number: usize, mark: &str, text: &str) {
    out.push_str(tag);
    let _ = write!(out, " {number}");
    out.push_str(mark);
    out.push('|');
    out.push_str(text);
    out.push('\n');
}

fn seal(out: &mut String, tag: &str, draw: &Draw, seals: &mut Vec<String>) {
    let word = draw.word("seal", seals.len(), 6);
    let _ = writeln!(out, "{tag} seal: {word}");
    seals.push(word);
}

fn all_rules() -> String {
    let mut text = String::new();
    for rule in rules::ALL {
        let _ = writeln!(text, "- {}", rule.told());
    }
    text
}

/// The hash of everything that the prompts of a case are made of, except what is drawn. With the models and the form of the
/// answer it says what was asked.
pub fn sha256(case: &Case) -> Sha256Hash {
    let mut text = format!("{INSTRUCTIONS}\0{REFUTE}\0{}\0", all_rules());
    for fact in &case.facts {
        text.push_str(fact);
        text.push('\n');
    }
    for view in [View::Bare, View::Full] {
        for file in case.files(view) {
            let _ = write!(text, "\0{}\0", file.path);
            for line in &file.lines {
                text.push_str(&line.text);
                text.push('\n');
            }
        }
    }
    Sha256Hash::of(text.as_bytes())
}

/// The hash of the instructions alone, for whoever compares two versions.
pub fn instructions_sha256() -> Sha256Hash {
    Sha256Hash::of(format!("{INSTRUCTIONS}\0{REFUTE}").as_bytes())
}
