//! Readings by the reviewer: one row a review, one a call, and appeals against what came of them.
//!
//! A call is stored before it is made, with what it may cost at most, so that no crash and no crowd gets past a budget. How a
//! review goes on is a function of its calls, and is decided elsewhere; what the columns with JSON hold is the service's.

use prism_core::hash::Sha256Hash;
use prism_core::time::Timestamp;
use rusqlite::params;

use crate::columns::Columns;
use crate::submissions::seq_of;
use crate::{Read, Result, StoreError, Write};

/// Most characters of an appeal.
pub const APPEAL_CHARS_MAX: usize = 4_000;

/// What a review asks, and of whom. Two with the same answers to all of this have the same verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The bundle.
    pub bundle_sha256: Sha256Hash,
    /// Everything that the prompts are made of.
    pub prompt_sha256: Sha256Hash,
    /// The version of the rules.
    pub rules_version: u32,
    /// The rules themselves.
    pub rules_sha256: Sha256Hash,
    /// The model that reads.
    pub model: String,
    /// The model that refutes.
    pub second_model: String,
}

/// A review.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    /// Its number.
    pub id: i64,
    /// The submission.
    pub submission: String,
    /// `enforce` or `advisory`.
    pub mode: String,
    /// What it asks.
    pub question: Question,
    /// What the reviewer is told beside the files, as a JSON list.
    pub facts_json: String,
    /// When it began.
    pub begun_at: Timestamp,
    /// Its end, once there is one.
    pub ended: Option<Ended>,
}

/// How a review ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// `passed`, `rejected` or `held`.
    pub verdict: String,
    /// What it rests on.
    pub verdict_json: String,
    /// The earlier review whose verdict it is.
    pub copied_from: Option<i64>,
}

/// A call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Its number.
    pub id: i64,
    /// What for.
    pub purpose: String,
    /// When it began.
    pub begun_at: Timestamp,
    /// Whether a violation was planted.
    pub planted: bool,
    /// What it cost, or may cost at most until it has ended, in US dollars.
    pub cost_usd: f64,
    /// What came, once it came.
    pub done: Option<Done>,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// When.
    pub at: Timestamp,
    /// How long it took.
    pub seconds: f64,
    /// In a word.
    pub outcome: String,
    /// What the service made of it.
    pub outcome_json: String,
    /// The model as it came back.
    pub model: Option<String>,
    /// Who ran it.
    pub provider: Option<String>,
    /// Tokens of the question.
    pub input_tokens: Option<u64>,
    /// Tokens of the answer.
    pub output_tokens: Option<u64>,
    /// What it cost, in US dollars.
    pub cost_usd: f64,
    /// The beginning of what the model wrote.
    pub raw: Option<String>,
}

const COLUMNS: &str = "v.id, s.id, v.mode, v.bundle_sha256, v.prompt_sha256, v.rules_version, v.rules_sha256, v.model, v.second_model, \
     v.facts_json, v.begun_at, v.ended_at, v.verdict, v.verdict_json, v.copied_from \
     FROM reviews v JOIN submissions s ON s.seq = v.submission";

fn review(row: &rusqlite::Row<'_>) -> rusqlite::Result<Review> {
    let mut columns = Columns::of(row);
    let id = columns.take()?;
    let submission = columns.take()?;
    let mode = columns.take()?;
    let question = Question {
        bundle_sha256: columns.hash()?,
        prompt_sha256: columns.hash()?,
        rules_version: columns.take()?,
        rules_sha256: columns.hash()?,
        model: columns.take()?,
        second_model: columns.take()?,
    };
    let facts_json = columns.take()?;
    let begun_at = columns.time()?;
    let at = columns.maybe_time()?;
    let verdict: Option<String> = columns.take()?;
    let verdict_json: Option<String> = columns.take()?;
    let copied_from = columns.take()?;
    let ended = match (at, verdict, verdict_json) {
        (Some(at), Some(verdict), Some(verdict_json)) => Some(Ended {
            at,
            verdict,
            verdict_json,
            copied_from,
        }),
        (None | Some(_), _, _) => None,
    };
    Ok(Review {
        id,
        submission,
        mode,
        question,
        facts_json,
        begun_at,
        ended,
    })
}

/// Begins one. There is at most one that has not ended for a submission.
pub fn begin(
    tx: &Write,
    submission: &str,
    mode: &str,
    question: &Question,
    facts_json: &str,
    now: Timestamp,
) -> Result<i64> {
    let seq = seq_of(tx, submission)?;
    tx.conn.execute(
        "INSERT INTO reviews (submission, mode, bundle_sha256, prompt_sha256, rules_version, rules_sha256, model, second_model,
             facts_json, begun_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            seq,
            mode,
            question.bundle_sha256.0,
            question.prompt_sha256.0,
            question.rules_version,
            question.rules_sha256.0,
            question.model,
            question.second_model,
            facts_json,
            now.0
        ],
    )?;
    Ok(tx.conn.last_insert_rowid())
}

/// The one that has not ended.
pub fn open(tx: &Read, submission: &str) -> Result<Option<Review>> {
    let question = format!("SELECT {COLUMNS} WHERE s.id = ? AND v.ended_at IS NULL");
    tx.one(&question, [submission], review)
}

/// All of a submission, the earliest first.
pub fn of(tx: &Read, submission: &str) -> Result<Vec<Review>> {
    tx.all(
        &format!("SELECT {COLUMNS} WHERE s.id = ? ORDER BY v.id"),
        [submission],
        review,
    )
}

/// The last one of a submission.
pub fn last(tx: &Read, submission: &str) -> Result<Option<Review>> {
    let question = format!("SELECT {COLUMNS} WHERE s.id = ? ORDER BY v.id DESC LIMIT 1");
    tx.one(&question, [submission], review)
}

/// An earlier verdict on the same question: one that rests on readings, not on an endpoint that was away.
pub fn known(tx: &Read, question: &Question) -> Result<Option<Review>> {
    let earlier = format!(
        "SELECT {COLUMNS} WHERE v.bundle_sha256 = ? AND v.prompt_sha256 = ? AND v.rules_version = ? AND v.rules_sha256 = ?
             AND v.model = ? AND v.second_model = ? AND v.verdict IN ('passed', 'rejected') AND v.copied_from IS NULL
         ORDER BY v.id DESC LIMIT 1"
    );
    let asked = params![
        question.bundle_sha256.0,
        question.prompt_sha256.0,
        question.rules_version,
        question.rules_sha256.0,
        question.model,
        question.second_model
    ];
    tx.one(&earlier, asked, review)
}

/// Ends one. Refused where it has ended.
pub fn end(
    tx: &Write,
    review: i64,
    verdict: &str,
    verdict_json: &str,
    copied_from: Option<i64>,
    now: Timestamp,
) -> Result<()> {
    let changed = tx.conn.execute(
        "UPDATE reviews SET ended_at = ?, verdict = ?, verdict_json = ?, copied_from = ? WHERE id = ? AND ended_at IS NULL",
        params![now.0, verdict, verdict_json, copied_from, review],
    )?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::NotAllowed(format!(
            "the review {review} has ended, or there is none"
        )))
    }
}

/// What may be spent in a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Calls, of everybody.
    pub calls: u64,
    /// US dollars, of everybody.
    pub usd: f64,
    /// Calls for one hotkey.
    pub calls_of_hotkey: u64,
}

/// Why a call was not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// The calls of a day.
    Calls,
    /// The money of a day.
    Money,
    /// The calls of the hotkey.
    Hotkey,
}

/// What was spent of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Day {
    /// Calls.
    pub calls: u64,
    /// US dollars, calls that go on at what they may cost at most.
    pub usd: f64,
    /// Calls that a violation was planted in and that came back with an answer.
    pub planted: u64,
    /// Of these, those that missed it.
    pub missed: u64,
    /// Tokens of questions.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
}

/// What was spent of a day ([`Timestamp::day`]).
pub fn spent(tx: &Read, day: i64) -> Result<Day> {
    let mut statement = tx.conn.prepare_cached(
        "SELECT count(*), total(cost_usd), count(*) FILTER (WHERE planted = 1 AND outcome IN ('vote', 'no_vote:plant_missed')),
             count(*) FILTER (WHERE planted = 1 AND outcome = 'no_vote:plant_missed'),
             ifnull(sum(input_tokens), 0), ifnull(sum(output_tokens), 0)
         FROM review_calls WHERE day = ?",
    )?;
    Ok(statement.query_row([day], |row| {
        let mut columns = Columns::of(row);
        Ok(Day {
            calls: columns.count()?,
            usd: columns.take()?,
            planted: columns.count()?,
            missed: columns.count()?,
            input_tokens: columns.count()?,
            output_tokens: columns.count()?,
        })
    })?)
}

/// Begins a call, if the budgets of the day allow it. Calls that were begun and never ended count with what they may have cost.
pub fn begin_call(
    tx: &Write,
    review: i64,
    purpose: &str,
    planted: bool,
    cost_max_usd: f64,
    limits: &Limits,
    now: Timestamp,
) -> Result<std::result::Result<i64, Spent>> {
    let hotkey: String = tx.conn.query_row(
        "SELECT s.hotkey FROM reviews v JOIN submissions s ON s.seq = v.submission WHERE v.id = ?",
        [review],
        |row| row.get(0),
    )?;
    let day = spent(tx, now.day())?;
    let of_hotkey: u64 = tx.conn.query_row(
        "SELECT count(*) FROM review_calls WHERE day = ? AND hotkey = ?",
        params![now.day(), hotkey],
        |row| Columns::of(row).count(),
    )?;
    if of_hotkey >= limits.calls_of_hotkey {
        return Ok(Err(Spent::Hotkey));
    }
    if day.calls >= limits.calls {
        return Ok(Err(Spent::Calls));
    }
    if day.usd + cost_max_usd > limits.usd {
        return Ok(Err(Spent::Money));
    }
    tx.conn.execute(
        "INSERT INTO review_calls (review, hotkey, day, purpose, begun_at, planted, cost_usd) VALUES (?, ?, ?, ?, ?, ?, ?)",
        params![review, hotkey, now.day(), purpose, now.0, planted, cost_max_usd],
    )?;
    Ok(Ok(tx.conn.last_insert_rowid()))
}

/// Stores what came of a call. Refused where it has ended.
pub fn end_call(tx: &Write, call: i64, done: &Done) -> Result<()> {
    let changed = tx.conn.execute(
        "UPDATE review_calls SET ended_at = ?, seconds = ?, outcome = ?, outcome_json = ?, model = ?, provider = ?, input_tokens = ?,
             output_tokens = ?, cost_usd = ?, raw = ? WHERE id = ? AND ended_at IS NULL",
        params![
            done.at.0,
            done.seconds,
            done.outcome,
            done.outcome_json,
            done.model,
            done.provider,
            done.input_tokens.and_then(|tokens| i64::try_from(tokens).ok()),
            done.output_tokens.and_then(|tokens| i64::try_from(tokens).ok()),
            done.cost_usd,
            done.raw,
            call
        ],
    )?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::NotAllowed(format!(
            "the call {call} of a review has ended, or there is none"
        )))
    }
}

/// The calls of a review, the earliest first.
pub fn calls(tx: &Read, review: i64) -> Result<Vec<Call>> {
    tx.all(
        "SELECT id, purpose, begun_at, planted, cost_usd, ended_at, seconds, outcome, outcome_json, model, provider, input_tokens,
             output_tokens, raw FROM review_calls WHERE review = ? ORDER BY id", [review], |row| {
        let mut columns = Columns::of(row);
        let id = columns.take()?;
        let purpose = columns.take()?;
        let begun_at = columns.time()?;
        let planted = columns.take()?;
        let cost_usd = columns.take()?;
        let at = columns.maybe_time()?;
        let seconds: Option<f64> = columns.take()?;
        let outcome: Option<String> = columns.take()?;
        let outcome_json: Option<String> = columns.take()?;
        let model = columns.take()?;
        let provider = columns.take()?;
        let input_tokens: Option<i64> = columns.take()?;
        let output_tokens: Option<i64> = columns.take()?;
        let raw = columns.take()?;
        let done = match (at, outcome, outcome_json) {
            (Some(at), Some(outcome), Some(outcome_json)) => Some(Done {
                at,
                seconds: seconds.unwrap_or_default(),
                outcome,
                outcome_json,
                model,
                provider,
                input_tokens: input_tokens.map(i64::unsigned_abs),
                output_tokens: output_tokens.map(i64::unsigned_abs),
                cost_usd,
                raw,
            }),
            (None | Some(_), _, _) => None,
        };
        Ok(Call {
            id,
            purpose,
            begun_at,
            planted,
            cost_usd,
            done,
        })
    })
}

/// An appeal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appeal {
    /// When.
    pub at: Timestamp,
    /// What its owner says.
    pub text: String,
}

/// Stores the appeal of a submission. Refused where there is one.
pub fn appeal(tx: &Write, submission: &str, text: &str, now: Timestamp) -> Result<()> {
    if appeal_of(tx, submission)?.is_some() {
        return Err(StoreError::NotAllowed(
            "it was appealed before, and that is once".to_owned(),
        ));
    }
    tx.conn.execute(
        "INSERT INTO appeals (submission, at, text) VALUES (?, ?, ?)",
        params![seq_of(tx, submission)?, now.0, text],
    )?;
    Ok(())
}

/// The appeal of a submission.
pub fn appeal_of(tx: &Read, submission: &str) -> Result<Option<Appeal>> {
    let question =
        "SELECT a.at, a.text FROM appeals a JOIN submissions s ON s.seq = a.submission WHERE s.id = ?";
    tx.one(question, [submission], |row| {
        let mut columns = Columns::of(row);
        Ok(Appeal {
            at: columns.time()?,
            text: columns.take()?,
        })
    })
}
