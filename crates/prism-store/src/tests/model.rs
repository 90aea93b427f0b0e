//! Random lives of a store, held against a model of a hundred lines that keeps everything in memory.
//!
//! The model knows the rules and no SQL. After each operation store and model must agree on what was answered and on where
//! everybody stands; after each refusal the store must be what it was before.

use std::collections::BTreeMap;

use prism_core::{
    outcome::Status,
    submission::{Actor, Position, Stage},
};
use proptest::prelude::*;

use super::fixture::{Fixture, T0, end, id_of, new_attempt, nonce, result, round};
use crate::{
    attempts::{self, Of, Taken},
    events, results, rounds,
    submissions::{self, Step},
    uploads::{self, Kind, NewUpload, Refused},
};

#[derive(Clone, Debug)]
enum Op {
    Upload {
        hotkey: u8,
        bundle: u8,
        nonce: Option<(u8, u8)>,
    },
    Answer {
        hotkey: u8,
        nonce: u8,
        request: u8,
    },
    Step {
        which: usize,
        to: usize,
        by: usize,
        counts: bool,
    },
    /// The next step of the usual way.
    Forward {
        which: usize,
        confirm: bool,
    },
    Begin {
        which: usize,
        confirm: bool,
    },
    End {
        which: usize,
        right: bool,
    },
    Lost {
        which: usize,
    },
    Invalidate {
        which: usize,
    },
    Round,
    Reopen,
}

fn op() -> impl Strategy<Value = Op> {
    let (which, hotkey, bundle) = (0_usize..3, 0_u8..2, 0_u8..2);
    let used = (0_u8..2, 0_u8..2);
    // Few submissions that come far, rather than many that do not.
    let by = prop_oneof![8 => Just(0_usize), 1 => 1_usize..3];
    let right = prop_oneof![6 => Just(true), 1 => Just(false)];
    prop_oneof![
        4 => (hotkey.clone(), bundle, proptest::option::of(used.clone()))
            .prop_map(|(hotkey, bundle, nonce)| Op::Upload { hotkey, bundle, nonce }),
        1 => (hotkey, used).prop_map(|(hotkey, (nonce, request))| Op::Answer { hotkey, nonce, request }),
        3 => (which.clone(), 0_usize..16, by, any::<bool>())
            .prop_map(|(which, to, by, counts)| Op::Step { which, to, by, counts }),
        16 => (which.clone(), any::<bool>()).prop_map(|(which, confirm)| Op::Forward { which, confirm }),
        10 => (which.clone(), any::<bool>()).prop_map(|(which, confirm)| Op::Begin { which, confirm }),
        10 => (0_usize..6, right).prop_map(|(which, right)| Op::End { which, right }),
        1 => (0_usize..6).prop_map(|which| Op::Lost { which }),
        1 => which.prop_map(|which| Op::Invalidate { which }),
        1 => Just(Op::Round),
        1 => Just(Op::Reopen),
    ]
}

/// All positions that exist.
fn positions() -> Vec<Position> {
    let ends = [
        "completed",
        "failed",
        "rejected",
        "held",
        "cancelled",
        "invalidated",
    ];
    let stages = |status: &'static str| {
        Stage::ALL
            .into_iter()
            .filter_map(move |stage| Position::parse(status, Some(stage.as_str())))
    };
    let ends = ends.into_iter().filter_map(|end| Position::parse(end, None));
    stages("pending").chain(stages("running")).chain(ends).collect()
}

#[derive(Default)]
struct Model {
    rounds: u32,
    open: bool,
    submissions: Vec<ModelSubmission>,
    /// By hotkey and nonce: the request and what it heard.
    nonces: BTreeMap<(u8, u8), (u8, Heard)>,
    /// Whose, and whether it is live.
    attempts: Vec<(usize, bool)>,
    /// Whose, the score, and whether it still may count.
    results: Vec<(usize, f64, bool)>,
    events: i64,
}

struct ModelSubmission {
    id: String,
    key: (u32, u8, u8),
    position: Position,
    counts: Option<usize>,
}

#[derive(Clone, Copy)]
enum Heard {
    Submission(usize, Position),
    No,
}

const CONFIRMING: Stage = Stage::Confirming;

impl Model {
    fn step(&mut self, which: usize, to: Position, by: Actor, counts: Option<usize>) -> bool {
        let this = &self.submissions[which];
        let scored = to == Position::Ended(Status::Completed) || to.stage() == Some(CONFIRMING);
        let counted = match (scored, counts) {
            (false, None) => Some(None),
            (false, Some(_)) => None,
            (true, None) => this.counts.map(Some),
            (true, Some(new)) => {
                let (of, score, valid) = self.results[new];
                let better = this.counts.is_some_and(|old| score > self.results[old].1);
                (of == which && valid && !better).then_some(Some(new))
            }
        };
        let (true, Some(counted)) = (this.position.may_step(to, by).is_ok(), counted) else {
            return false;
        };
        let this = &mut self.submissions[which];
        (this.position, this.counts) = (to, counted);
        self.events += 1;
        if !matches!(to, Position::Running(_)) {
            for (of, live) in &mut self.attempts {
                *live &= *of != which;
            }
        }
        true
    }

    fn last_result(&self, which: usize) -> Option<usize> {
        self.results.iter().rposition(|(of, _, _)| *of == which)
    }
}

struct Both {
    f: Option<Fixture>,
    model: Model,
}

impl Both {
    fn f(&self) -> &Fixture {
        self.f.as_ref().unwrap()
    }

    /// Does it to both; whether it changed something, by the model.
    fn apply(&mut self, op: &Op) -> bool {
        let count = self.model.submissions.len();
        match *op {
            Op::Upload {
                hotkey,
                bundle,
                nonce,
            } => self.upload(hotkey, bundle, nonce),
            Op::Answer {
                hotkey,
                nonce: name,
                request,
            } => {
                let used = nonce(&hotkey.to_string(), &name.to_string(), &request.to_string());
                let known = self
                    .f()
                    .store
                    .write(move |tx| uploads::answer(tx, &used, 422, b"no", T0))
                    .unwrap();
                let free = !self.model.nonces.contains_key(&(hotkey, name));
                assert_eq!(known == uploads::Nonce::Free, free);
                if free {
                    self.model.nonces.insert((hotkey, name), (request, Heard::No));
                }
                free
            }
            Op::Step { which, .. }
            | Op::Forward { which, .. }
            | Op::Begin { which, .. }
            | Op::Invalidate { which }
                if which >= count =>
            {
                false
            }
            Op::Step {
                which,
                to,
                by,
                counts,
            } => {
                let by = [Actor::Pipeline, Actor::Owner, Actor::Operator][by];
                self.step(which, positions()[to], by, counts)
            }
            Op::Forward { which, confirm } => {
                let completed = Position::Ended(Status::Completed);
                let (to, counts) = match self.model.submissions[which].position {
                    Position::Running(Stage::Training) => (Position::Running(Stage::Scoring), false),
                    Position::Running(Stage::Scoring) if confirm => (Position::Pending(CONFIRMING), true),
                    Position::Running(_) => (completed, confirm),
                    Position::Pending(CONFIRMING) => (Position::Running(CONFIRMING), false),
                    Position::Pending(Stage::Queued) => (Position::Running(Stage::Training), false),
                    Position::Pending(_) => (Position::Pending(Stage::Queued), false),
                    Position::Ended(_) => (Position::Pending(CONFIRMING), false),
                };
                self.step(which, to, Actor::Pipeline, counts)
            }
            Op::Begin { which, confirm } => self.begin(which, confirm),
            Op::End { which, .. } | Op::Lost { which } if which >= self.model.attempts.len() => false,
            Op::End { which, right } => self.end(which, right),
            Op::Lost { which } => {
                let number = i64::try_from(which + 1).unwrap();
                let lost = self
                    .f()
                    .store
                    .write(move |tx| attempts::lost(tx, number, "gone", T0))
                    .unwrap();
                assert_eq!(lost, std::mem::take(&mut self.model.attempts[which].1));
                lost
            }
            Op::Invalidate { which } => {
                let id = self.model.submissions[which].id.clone();
                let done = self
                    .f()
                    .store
                    .write(move |tx| results::invalidate(tx, &id, "a fault", T0))
                    .is_ok();
                let completed = Position::Ended(Status::Completed);
                let position = self.model.submissions[which].position;
                let legal = position == completed || position.stage() == Some(CONFIRMING);
                assert_eq!(done, legal);
                if legal {
                    if position != completed {
                        assert!(self.model.step(which, completed, Actor::Pipeline, None));
                    }
                    assert!(self.model.step(
                        which,
                        Position::Ended(Status::Invalidated),
                        Actor::Operator,
                        None
                    ));
                    for (of, _, valid) in &mut self.model.results {
                        *valid &= *of != which;
                    }
                }
                legal
            }
            Op::Round => {
                let number = self.model.rounds + u32::from(!self.model.open);
                if self.model.open {
                    self.f()
                        .store
                        .write(move |tx| rounds::close(tx, &round(number).id, T0))
                        .unwrap();
                } else {
                    self.f()
                        .store
                        .write(move |tx| rounds::open(tx, &round(number), T0))
                        .unwrap();
                }
                (self.model.rounds, self.model.open) = (number, !self.model.open);
                true
            }
            Op::Reopen => {
                self.f = self.f.take().map(Fixture::reopen);
                false
            }
        }
    }

    fn step(&mut self, which: usize, to: Position, by: Actor, counts: bool) -> bool {
        let counts = if counts {
            self.model.last_result(which)
        } else {
            None
        };
        let id = self.model.submissions[which].id.clone();
        let stepped = self.f().store.write(move |tx| {
            let step = Step {
                reason: Some(prism_core::outcome::Reason::Cancelled),
                counts: counts.map(|result| i64::try_from(result + 1).unwrap()),
                ..Step::new(to, by, "a step")
            };
            submissions::step(tx, &id, &step, T0)
        });
        let legal = self.model.step(which, to, by, counts);
        assert_eq!(stepped.is_ok(), legal, "{stepped:?}");
        legal
    }

    fn upload(&mut self, hotkey: u8, bundle: u8, used: Option<(u8, u8)>) -> bool {
        let f = self.f.as_ref().unwrap();
        let model = &mut self.model;
        let new = NewUpload {
            id: id_of(&format!("submission {}", model.submissions.len())),
            nonce: used
                .map(|(name, request)| nonce(&hotkey.to_string(), &name.to_string(), &request.to_string())),
            ..f.upload(&hotkey.to_string(), &format!("bundle {bundle}"))
        };
        let id = new.id.clone();
        let answer = f.accept(new, T0);
        match used.and_then(|(name, request)| Some((request, *model.nonces.get(&(hotkey, name))?))) {
            Some((request, (known, _))) if request != known => assert_eq!(answer, Err(Refused::NonceUsed)),
            Some((_, (_, Heard::No))) => {
                assert!(matches!(answer, Err(Refused::Answered { status_code: 422, .. })));
            }
            Some((_, (_, Heard::Submission(which, then)))) => {
                let accepted = answer.unwrap();
                assert_eq!((accepted.kind, accepted.answered), (Kind::Repeat, then));
                assert_eq!(accepted.submission.id, model.submissions[which].id);
            }
            None if !model.open => assert_eq!(answer, Err(Refused::NoRound)),
            None => {
                let accepted = answer.unwrap();
                let key = (model.rounds, hotkey, bundle);
                let known = model.submissions.iter().position(|one| one.key == key);
                assert_eq!(
                    accepted.kind,
                    if known.is_some() {
                        Kind::SameBytes
                    } else {
                        Kind::New
                    }
                );
                let which = known.unwrap_or_else(|| {
                    let position = Position::Pending(Stage::Received);
                    model.submissions.push(ModelSubmission {
                        id,
                        key,
                        position,
                        counts: None,
                    });
                    model.events += 1;
                    model.submissions.len() - 1
                });
                let one = &model.submissions[which];
                assert_eq!(
                    (&accepted.submission.id, accepted.answered),
                    (&one.id, one.position)
                );
                if let Some((name, request)) = used {
                    model
                        .nonces
                        .insert((hotkey, name), (request, Heard::Submission(which, one.position)));
                }
                return known.is_none() || used.is_some();
            }
        }
        false
    }

    fn begin(&mut self, which: usize, confirm: bool) -> bool {
        let one = &self.model.submissions[which];
        let (of, legal) = if confirm {
            (
                Of::Confirm(one.id.clone()),
                one.position.stage() == Some(CONFIRMING),
            )
        } else {
            let waits = [
                Position::Pending(Stage::Queued),
                Position::Running(Stage::Training),
            ];
            (Of::Main(one.id.clone()), waits.contains(&one.position))
        };
        let legal = legal && !self.model.attempts.iter().any(|(of, live)| *of == which && *live);
        let number = self.model.attempts.len();
        let new = new_attempt(of, u8::try_from(number).unwrap());
        let begun = self.f().store.write(move |tx| attempts::begin(tx, &new, T0));
        assert_eq!(begun.is_ok(), legal, "{begun:?}");
        if let Ok(begun) = begun {
            assert_eq!(begun.id, i64::try_from(number + 1).unwrap());
            self.model.attempts.push((which, true));
        }
        legal
    }

    /// A result, with what its nonce is worth.
    fn end(&mut self, which: usize, right: bool) -> bool {
        let shown = [u8::try_from(if right { which } else { which + 100 }).unwrap(); 16];
        let number = i64::try_from(which + 1).unwrap();
        let score = [0.4, 0.5, 0.3][self.model.results.len() % 3];
        let taken = self.f().store.write(move |tx| {
            let taken = attempts::ended(
                tx,
                number,
                &shown,
                &end(prism_core::outcome::Reason::EndOfData),
                T0,
            )?;
            if taken == Taken::Taken {
                results::store(tx, number, &result(score), T0)?;
            }
            Ok(taken)
        });
        let (of, live) = self.model.attempts[which];
        let takes = live && right;
        assert_eq!(taken.unwrap() == Taken::Taken, takes);
        if takes {
            self.model.attempts[which].1 = false;
            self.model.results.push((of, score, true));
        }
        // What is late is kept.
        true
    }

    fn agree(&self) {
        let f = self.f();
        for one in &self.model.submissions {
            let found = f.get(&one.id);
            assert_eq!(found.position, one.position);
            let counts = one.counts.map(|result| i64::try_from(result + 1).unwrap());
            assert_eq!(found.score.map(|score| score.result_id), counts);
        }
        let live = self.model.attempts.iter().filter(|(_, live)| *live).count();
        assert_eq!(f.store.read(attempts::live).unwrap().len(), live);
        let scored = self
            .model
            .submissions
            .iter()
            .filter(|one| one.counts.is_some())
            .count();
        assert_eq!(
            f.store
                .read(|tx| results::scored(tx, &results::Scope::All))
                .unwrap()
                .len(),
            scored
        );
        assert_eq!(f.store.read(events::last_seq).unwrap(), self.model.events);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_what_the_model_says(ops in proptest::collection::vec(op(), 1..100)) {
        let mut both = Both {
            f: Some(Fixture::new()),
            model: Model { rounds: 1, open: true, ..Model::default() },
        };
        for op in &ops {
            let before = both.f().dump();
            let changed = both.apply(op);
            both.agree();
            prop_assert_eq!(both.f().dump() != before, changed, "{:?}", op);
        }
    }
}
