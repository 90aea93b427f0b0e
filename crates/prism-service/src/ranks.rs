//! The board and the weights: made from the store whenever something has changed, kept in memory, swapped whole.
//!
//! The arithmetic is `prism-core`'s (`ranking`, `weights`); this gathers what it needs, decides who must be measured a second
//! time before first place, and shows the outcome.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
};

use prism_core::{
    hash::Sha256Hash,
    outcome::Status,
    ranking::{
        Counts, NotCounted, RoundResult, View,
        compare::NoiseFloor,
        profile::{CodeProfile, PROFILE_BYTES_MAX},
        rank,
    },
    submission::{Actor, Position, Stage},
    time::Timestamp,
    weights::{policy::Policy, weigh},
};
use prism_server::challenge::{Board, BoardRow, BoardView, RoundName, Weights, WeightsView};
use prism_store::{
    Store,
    attempts::{self, Kind},
    events,
    results::{self, Scope, Score, Scored},
    rounds::{self, Round},
    submissions::{self, Filter, Step, Submission},
};

use crate::{
    problem::{Result, ServiceProblem},
    service::Service,
};

/// Submissions in the stage of scoring that are settled in one turn.
const SCORING_PAGE: u32 = 100;

/// What is shown of ranks and weights now.
pub(crate) struct Standings {
    pub(crate) board: Arc<Board>,
    pub(crate) weights: Arc<Weights>,
    pub(crate) noise_floor: NoiseFloor,
    /// The round whose ranks and weights these are.
    shown: Option<Round>,
    profiles: Profiles,
}

/// What ranks and weights were made from: they are made again where something else is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Basis {
    /// The last event that they know of.
    last_seq: i64,
    /// The open round and the last closed one, each with its noise floor.
    rounds: Vec<(String, Option<u64>)>,
}

impl Basis {
    /// What there is now, and whether it is worth other ranks than `old`.
    fn of(store: &Store, old: Option<&Self>) -> Result<(Self, bool)> {
        let (rounds, news) = store.read(|tx| {
            let rounds = [rounds::current(tx)?, rounds::last_closed(tx)?];
            let last_seq = old.map_or(0, |old| old.last_seq);
            Ok((rounds, events::news(tx, last_seq)?))
        })?;
        let rounds = rounds
            .into_iter()
            .flatten()
            .map(|round| (round.id, round.noise_floor_bpb.map(f64::to_bits)))
            .collect();
        let is_other = old.is_none_or(|old| old.rounds != rounds) || news.of_scores;
        let basis = Self {
            last_seq: news.last_seq,
            rounds,
        };
        Ok((basis, is_other))
    }
}

type Profiles = HashMap<Sha256Hash, Arc<CodeProfile>>;

/// Why ranks cannot be made. A defect, or a store that was changed by somebody else.
fn defect(what: impl std::fmt::Display) -> ServiceProblem {
    ServiceProblem::Refused(format!("the ranks cannot be made: {what}"))
}

impl Standings {
    /// Of a store as it is now.
    pub(crate) fn of(store: &Store, now: Timestamp) -> Result<Self> {
        Self::after(store, now, &Profiles::new())
    }

    fn after(store: &Store, now: Timestamp, known: &Profiles) -> Result<Self> {
        let (round, fallback) = store.read(|tx| Ok((rounds::current(tx)?, rounds::last_closed(tx)?)))?;
        let mut profiles = Profiles::new();
        // The last closed round's where the open one has none yet.
        let mut shown = None;
        for candidate in [round, fallback].into_iter().flatten() {
            let results = Gathered::of(store, &candidate, known, &mut profiles)?;
            let has_weights = !results.weigh(&candidate)?.weights.is_empty();
            if shown.is_none() || has_weights {
                let is_first = shown.is_none();
                shown = Some((candidate, results));
                if has_weights || !is_first {
                    break;
                }
            }
        }
        let Some((round, results)) = shown else {
            return Ok(Self {
                board: Arc::new(Board::new(BoardView::empty(now)).map_err(defect)?),
                weights: Arc::new(Weights::new(WeightsView::empty("", now)).map_err(defect)?),
                noise_floor: NoiseFloor::default(),
                shown: None,
                profiles,
            });
        };
        let (board, weights) = results.shown(&round, now)?;
        Ok(Self {
            board: Arc::new(board),
            weights: Arc::new(weights),
            noise_floor: noise_floor(&round)?,
            shown: Some(round),
            profiles,
        })
    }
}

fn noise_floor(round: &Round) -> Result<NoiseFloor> {
    round.noise_floor_bpb.map_or_else(
        || Ok(NoiseFloor::default()),
        |bpb| NoiseFloor::new(bpb).map_err(defect),
    )
}

/// The results of a round, as ranking takes them.
pub(crate) struct Gathered {
    scored: Vec<Scored>,
    results: Vec<RoundResult>,
}

impl Gathered {
    fn of(store: &Store, round: &Round, known: &Profiles, used: &mut Profiles) -> Result<Self> {
        let scope = Scope::Round(round.id.clone());
        let scored = store.read(|tx| results::scored(tx, &scope))?;
        let mut results = Vec::with_capacity(scored.len());
        for row in &scored {
            let profile = row
                .profile
                .as_ref()
                .and_then(|hash| profile(store, hash, known, used));
            let counts = if row.provisional {
                Counts::Provisional
            } else {
                Counts::Counted
            };
            results.push(result(
                &row.submission,
                &row.hotkey,
                row.accepted_at,
                counts,
                &row.score,
                profile,
            ));
        }
        Ok(Self { scored, results })
    }

    /// The weights under the round's own policy.
    pub(crate) fn weigh(&self, round: &Round) -> Result<prism_core::weights::Weights> {
        let policy: Policy = round.weight_policy.parse().map_err(defect)?;
        self.weigh_by(round, policy)
    }

    /// The weights under any policy.
    pub(crate) fn weigh_by(&self, round: &Round, policy: Policy) -> Result<prism_core::weights::Weights> {
        weigh(&self.results, noise_floor(round)?, policy).map_err(defect)
    }

    fn shown(&self, round: &Round, now: Timestamp) -> Result<(Board, Weights)> {
        let weighed = self.weigh(round)?;
        let ranking = rank(&self.results, noise_floor(round)?, View::Board).map_err(defect)?;
        let rows: HashMap<&str, &Scored> = self
            .scored
            .iter()
            .map(|row| (row.submission.as_str(), row))
            .collect();
        let changed_at = self
            .scored
            .iter()
            .map(|row| row.scored_at)
            .max()
            .unwrap_or(round.opened_at);
        let entries = ranking
            .entries
            .iter()
            .map(|entry| {
                let result = entry.result;
                let row = rows.get(result.submission.as_str());
                let weight = weighed.weights.get(&result.hotkey).copied().unwrap_or(0.0);
                BoardRow {
                    rank: entry.rank,
                    tie_group: entry.tie_group,
                    hotkey: result.hotkey.clone(),
                    submission_id: result.submission.clone(),
                    score: result.final_score,
                    bpb: Some(result.bpb),
                    bpb_se: Some(result.bpb_se),
                    provisional: result.counts == Counts::Provisional,
                    weight,
                    flags: row.map_or_else(Vec::new, |row| row.score.flags.clone()),
                    created_at: Timestamp(result.accepted_at_us).to_string(),
                }
            })
            .collect();
        let board = Board::new(BoardView {
            round: Some(RoundName {
                id: round.id.clone(),
                name: round.name.clone(),
            }),
            noise_bpb: round.noise_floor_bpb,
            changed_at: changed_at.to_string(),
            entries,
        })
        .map_err(defect)?;
        let explanation = weighed
            .explained
            .iter()
            .map(|explained| {
                serde_json::value::to_raw_value(&Told {
                    explained,
                    lines: explained.lines(|time| Timestamp(time).to_string()),
                })
            })
            .collect::<std::result::Result<_, _>>()
            .map_err(defect)?;
        let weights = Weights::new(WeightsView {
            round: Some(round.name.clone()),
            policy: weighed.policy.to_string(),
            computed_at: now.to_string(),
            inputs_hash: weighed.inputs_hash.to_string(),
            weights: weighed.weights,
            explanation,
        })
        .map_err(defect)?;
        Ok((board, weights))
    }
}

/// Why a hotkey has its weight, for programs and in lines for people.
#[derive(serde::Serialize)]
struct Told<E> {
    #[serde(flatten)]
    explained: E,
    lines: Vec<String>,
}

/// One that cannot be read is none: the comparison then goes by the standard errors, and says so.
fn profile(
    store: &Store,
    hash: &Sha256Hash,
    known: &Profiles,
    used: &mut Profiles,
) -> Option<Arc<CodeProfile>> {
    if let Some(found) = known.get(hash).or_else(|| used.get(hash)) {
        let found = Arc::clone(found);
        used.insert(*hash, Arc::clone(&found));
        return Some(found);
    }
    let read = || -> Result<CodeProfile> {
        let bytes = store.blobs().read(hash, PROFILE_BYTES_MAX as u64)?;
        CodeProfile::from_json(&bytes).map_err(defect)
    };
    match read() {
        Ok(found) => {
            let found = Arc::new(found);
            used.insert(*hash, Arc::clone(&found));
            Some(found)
        }
        Err(problem) => {
            tracing::error!(profile = %hash, %problem, "a profile cannot be read");
            None
        }
    }
}

fn result(
    submission: &str,
    hotkey: &str,
    accepted_at: Timestamp,
    counts: Counts,
    score: &Score,
    profile: Option<Arc<CodeProfile>>,
) -> RoundResult {
    let has_flag = |flag: &str| score.flags.iter().any(|found| found == flag);
    let (counts, figures) = if score.rehearsal {
        (Counts::Not(NotCounted::Rehearsal), None)
    } else {
        match (score.standing.final_score(), score.standing.bpb_ranked()) {
            (Some(final_score), Some(bpb_ranked)) => (counts, Some((final_score, bpb_ranked))),
            _ => (Counts::Not(NotCounted::NoRank), None),
        }
    };
    let (final_score, bpb_ranked) = figures.unwrap_or((0.0, f64::MAX));
    RoundResult {
        submission: submission.to_owned(),
        hotkey: hotkey.to_owned(),
        accepted_at_us: accepted_at.0,
        counts,
        final_score,
        bpb: score.bpb,
        bpb_se: score.bpb_se,
        bpb_ranked,
        memorization: has_flag("memorization"),
        anomalous: has_flag("step0_anomaly"),
        profile,
    }
}

impl Service {
    /// Settles what was scored, then makes board and weights anew where anything has changed.
    pub(crate) fn rank_submissions(&self) -> Result<()> {
        self.settle_scored()?;
        let known = self.state().ranked.clone();
        // Before anything is read: what comes meanwhile is news the next time.
        let (basis, is_other) = Basis::of(&self.store, known.as_ref())?;
        if !is_other {
            self.state().ranked = Some(basis);
            return Ok(());
        }
        let old = self.standings();
        let new = Standings::after(&self.store, self.now(), &old.profiles)?;
        // Before anybody sees it: nobody holds first place who was measured only once.
        if self.confirm_the_first(&new)? {
            return Ok(());
        }
        self.state().ranked = Some(basis);
        *self.standings.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        Ok(())
    }

    /// What is shown now.
    pub(crate) fn standings(&self) -> Arc<Standings> {
        Arc::clone(&self.standings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The results of a round, with the profiles that are known already.
    pub(crate) fn gathered(&self, round: &Round) -> Result<Gathered> {
        let known = self.standings();
        Gathered::of(&self.store, round, &known.profiles, &mut Profiles::new())
    }

    /// A measured submission is completed, or waits to be measured a second time if it would take first place.
    fn settle_scored(&self) -> Result<()> {
        let filter = Filter {
            stage: Some(Stage::Scoring),
            ..Filter::default()
        };
        let waiting = self
            .store
            .read(|tx| Ok(submissions::list(tx, &filter, None, SCORING_PAGE)?.submissions))?;
        for submission in waiting {
            if let Err(problem) = self.settle(&submission) {
                // One that cannot be settled keeps nobody else from his place.
                self.hold(&submission, &problem.to_string())?;
            }
        }
        Ok(())
    }

    fn settle(&self, submission: &Submission) -> Result<()> {
        let (round, all) = self.store.read(|tx| {
            Ok((
                rounds::get(tx, &submission.round_id)?,
                results::of(tx, &submission.id)?,
            ))
        })?;
        // The newest one: earlier ones are of runs that were invalidated.
        let main = all
            .iter()
            .rfind(|result| result.kind == Kind::Main && result.invalidated.is_none())
            .ok_or_else(|| defect("it is scored and has no result"))?;
        let score = results::as_score(main);
        let (to, sentence) = if self.would_be_first(&round, submission, &score, main.result.files.profile)? {
            (
                Position::Pending(Stage::Confirming),
                "it would take first place, so it is measured a second time: the worse of the two scores counts",
            )
        } else {
            (Position::Ended(Status::Completed), "it has a score")
        };
        let (id, now, result_id, attempt) = (submission.id.clone(), self.now(), main.id, main.attempt);
        self.store.write(move |tx| {
            let step = Step {
                counts: Some(result_id),
                reason: match to {
                    Position::Ended(_) => attempts::get(tx, attempt)?.reason,
                    Position::Pending(_) | Position::Running(_) => None,
                },
                ..Step::new(to, Actor::Pipeline, sentence)
            };
            submissions::step(tx, &id, &step, now)
        })?;
        Ok(())
    }

    fn would_be_first(
        &self,
        round: &Round,
        submission: &Submission,
        score: &Score,
        profile_hash: Option<Sha256Hash>,
    ) -> Result<bool> {
        let mut gathered = self.gathered(round)?;
        let profile = profile_hash
            .as_ref()
            .and_then(|hash| profile(&self.store, hash, &Profiles::new(), &mut Profiles::new()));
        // As if it were confirmed already: would it hold first place among those that may have a weight?
        let candidate = result(
            &submission.id,
            &submission.hotkey,
            submission.accepted_at,
            Counts::Counted,
            score,
            profile,
        );
        gathered
            .results
            .retain(|result| result.submission != submission.id);
        gathered.results.push(candidate);
        let ranking = rank(&gathered.results, noise_floor(round)?, View::Weights).map_err(defect)?;
        Ok(ranking
            .first_places()
            .any(|first| first.submission == submission.id))
    }

    /// Whoever would hold first place without having been measured twice, since the one above was withdrawn, is measured again.
    /// One at a time: while one waits for that, nobody else is taken from his place. Whether somebody was moved.
    fn confirm_the_first(&self, standings: &Standings) -> Result<bool> {
        let Some(round) = &standings.shown else {
            return Ok(false);
        };
        let gathered = Gathered::of(&self.store, round, &standings.profiles, &mut Profiles::new())?;
        if gathered.scored.iter().any(|row| row.provisional) {
            return Ok(false);
        }
        let ranking = rank(&gathered.results, noise_floor(round)?, View::Weights).map_err(defect)?;
        for first in ranking.first_places() {
            let all = self.store.read(|tx| results::of(tx, &first.submission))?;
            let is_confirmed = all
                .iter()
                .any(|result| result.kind == Kind::Confirm && result.invalidated.is_none());
            if is_confirmed {
                continue;
            }
            let (id, now) = (first.submission.clone(), self.now());
            return Ok(self.store.write(move |tx| {
                if submissions::get(tx, &id)?.position != Position::Ended(Status::Completed) {
                    return Ok(false);
                }
                let step = Step::new(
                    Position::Pending(Stage::Confirming),
                    Actor::Pipeline,
                    "it has come to first place, so it is measured a second time",
                );
                submissions::step(tx, &id, &step, now)?;
                Ok(true)
            })?);
        }
        Ok(false)
    }
}
