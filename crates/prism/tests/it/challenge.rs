//! Every way of a submission through the pipeline, in seconds.

use prism_bundle::Bundle;
use prism_core::outcome::{Reason, Status};
use prism_core::submission::{Position, Stage};
use prism_engine::executor::Executor as _;
use prism_engine::round::RunKind;
use prism_server::challenge::Challenge as _;
use prism_service::{Operation, ReviewMode};
use prism_store::{attempts, budgets, events, results};

use crate::challenge_world::{End, SEED, World, bundle, corpus};

#[test]
fn a_submission_is_checked_measured_twice_ranked_and_weighed() {
    let world = World::new();
    let first = world.submit("5First", &bundle(1));
    world.script(&first, "confirm", &[End::Scores(1.02)]);
    let done = world.completed(&first);
    assert_eq!(world.started(&first), [RunKind::Main, RunKind::Confirmation]);
    let all = world.store().read(|tx| results::of(tx, &first)).unwrap();
    assert_eq!(all.len(), 2);
    let score = done.score.unwrap();
    assert_eq!(
        score.bpb,
        all[0].result.bpb.max(all[1].result.bpb),
        "the worse counts"
    );
    assert_eq!(score.kind, attempts::Kind::Confirm);
    let seeds: Vec<u64> = world
        .executor
        .started
        .lock()
        .unwrap()
        .iter()
        .map(|run| run.2)
        .collect();
    assert_eq!(seeds[0], SEED, "a main run has the round's seed");
    assert_ne!(seeds[1], SEED, "a confirmation has its own");
    world.until("the weight", |world| {
        world.weights() == [("5First".to_owned(), 1.0)]
    });
    // What the commands of a miner read of it.
    let weights: prism_client::wire::weights::Weights =
        serde_json::from_slice(world.service().weights().prepared().text()).unwrap();
    assert_eq!(weights.weights.len(), 1);
    let board = world.service().board();
    let row = &board.view().entries[0];
    assert_eq!(
        (row.rank, row.submission_id.as_str(), row.provisional),
        (1, first.as_str(), false)
    );
    let steps = world.store().read(|tx| events::of(tx, &first, 0, 100)).unwrap();
    let stages: Vec<String> = steps.iter().map(|step| step.position.to_string()).collect();
    assert_eq!(
        stages,
        [
            "pending (received)",
            "pending (contract)",
            "pending (gate)",
            "pending (similarity)",
            "pending (queued)",
            "running (training)",
            "running (scoring)",
            "pending (confirming)",
            "running (confirming)",
            "completed",
        ]
    );
    // The seed of its run is secret until the round closes.
    let manifest = world.service().manifest(&first).unwrap().unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(manifest.text()).unwrap();
    assert_eq!(manifest["run"]["seed"], serde_json::Value::Null);
    // The second is worse: it needs no confirmation and takes half of the first's share.
    let second = world.submit_scripted("5Second", &bundle(2), &[End::Scores(1.5)]);
    world.completed(&second);
    assert_eq!(world.started(&second), [RunKind::Main]);
    world.until("two weights", |world| world.weights().len() == 2);
    let weights = world.weights();
    assert_eq!(weights[0].0, "5First");
    assert!((weights[0].1 - 2.0 / 3.0).abs() < 1e-12 && (weights[1].1 - 1.0 / 3.0).abs() < 1e-12);
    assert!(
        world.executor.handles().unwrap().is_empty(),
        "nothing is left of the runs"
    );
}

#[test]
fn until_it_is_confirmed_a_better_one_takes_nothing() {
    let world = World::new();
    let first = world.submit_scripted("5First", &bundle(1), &[End::Scores(1.0)]);
    world.completed(&first);
    world.until("the weight", |world| world.weights().len() == 1);
    world.admin(&Operation::Pause).unwrap();
    let better = world.submit("5Better", &bundle(2));
    world.script(&better, "main", &[End::Scores(0.8)]);
    world.script(&better, "confirm", &[End::Hangs]);
    world.admin(&Operation::Resume).unwrap();
    world.wait_for(&better, Position::Running(Stage::Confirming));
    world.until("the board", |world| {
        world.service().board().view().entries.len() == 2
    });
    let board = world.service().board();
    assert_eq!(board.view().entries[0].submission_id, better);
    assert!(board.view().entries[0].provisional);
    assert_eq!(world.weights(), [("5First".to_owned(), 1.0)]);
    // Its owner gives up: the first has lost nothing.
    world.service().cancel(&better).unwrap();
    world.wait_for(&better, Position::Ended(Status::Cancelled));
    world.until("it is ended", |world| {
        world.executor.handles().unwrap().is_empty()
    });
    world.until("the board", |world| {
        world.service().board().view().entries.len() == 1
    });
    assert_eq!(world.weights(), [("5First".to_owned(), 1.0)]);
}

#[test]
fn what_is_refused_never_starts_and_costs_no_run() {
    let world = World::new();
    let first = world.submit("5First", &bundle(1));
    let copy = world.submit("5Other", &bundle(1));
    let no_zip = world.submit("5Other", b"no zip");
    let hostile = Bundle::from_entries(vec![
        (
            "architecture.py".to_owned(),
            b"import os\n\n\ndef build_model(ctx):\n    os.system('id')\n".to_vec(),
        ),
        ("training.py".to_owned(), b"def train(ctx):\n    pass\n".to_vec()),
    ])
    .unwrap()
    .to_zip();
    let hostile = world.submit("5Other", &hostile);
    world.completed(&first);
    for (id, reason) in [
        (&copy, Reason::Duplicate),
        (&no_zip, Reason::BundleInvalid),
        (&hostile, Reason::GateRejected),
    ] {
        let found = world.wait_for(id, Position::Ended(Status::Rejected));
        assert_eq!(found.reason, Some(reason));
        assert_eq!(world.started(id), []);
        assert!(world.store().read(|tx| attempts::of(tx, id)).unwrap().is_empty());
    }
    assert!(world.get(&copy).sentence.contains("duplicate") && world.get(&copy).sentence.contains(&first));
    let used = world
        .store()
        .read(|tx| budgets::of(tx, "5Other", world.now().day()))
        .unwrap();
    assert_eq!((used.uploads, used.scored_runs), (3, 0));
    assert!(world.service().findings(&hostile).unwrap().is_some());
}

/// A bundle whose code is its own, with a comment: another bundle, the same code.
fn commented(comment: &str) -> Vec<u8> {
    let files = ["architecture.py", "training.py"].map(|path| {
        let source = match path {
            "architecture.py" => ITS_OWN,
            _ => "def train(ctx):\n    pass\n",
        };
        (path.to_owned(), format!("{source}\n# {comment}\n").into_bytes())
    });
    Bundle::from_entries(files.to_vec()).unwrap().to_zip()
}

/// A model that nobody has published, so that all of it is its author's own.
const ITS_OWN: &str = r"
import torch
from torch import nn


class Tide(nn.Module):
    def __init__(self, width, moons):
        super().__init__()
        self.moons = moons
        self.pull = nn.Parameter(torch.linspace(-2.0, 2.0, moons * width).view(moons, width))
        self.shore = nn.Linear(width * moons, width, bias=False)
        self.depth = nn.Parameter(torch.zeros(moons))

    def forward(self, x):
        rate = torch.sigmoid(self.pull)
        level = torch.zeros(x.shape[0], self.moons, x.shape[2], dtype=x.dtype)
        seen = []
        for step in range(x.shape[1]):
            level = level * rate + (1.0 - rate) * x[:, step, None, :]
            ebb = torch.where(level > 0, level, level * torch.tanh(self.depth)[:, None])
            seen.append(ebb.flatten(1) - level.flatten(1).mean(1, keepdim=True))
        return x + self.shore(torch.stack(seen, 1))


class Sand(nn.Module):
    def __init__(self, width, grains):
        super().__init__()
        self.sieve = nn.Linear(width, 3 * grains)
        self.heap = nn.Linear(grains, width)

    def forward(self, x):
        fine, coarse, wet = self.sieve(x).chunk(3, dim=-1)
        sorted_out = nn.functional.softplus(fine) * torch.cos(coarse) - wet.square().clamp(max=4.0)
        return x + self.heap(sorted_out / (1.0 + sorted_out.abs().amax(-1, keepdim=True)))


class Beach(nn.Module):
    def __init__(self, words):
        super().__init__()
        self.shells = nn.Embedding(words, 40)
        self.waves = nn.ModuleList([Tide(40, 3) if turn % 2 else Sand(40, 56) for turn in range(5)])
        self.wind = nn.Parameter(torch.full((5,), 0.3))

    def forward(self, tokens):
        x = self.shells(tokens)
        for wave, strength in zip(self.waves, self.wind):
            x = x + strength * (wave(x) - x.roll(1, dims=-1))
        return x @ self.shells.weight.mT


def build_model(ctx):
    return Beach(ctx.vocab_size)
";

#[test]
fn the_later_of_two_copies_is_refused_whatever_happens_in_between() {
    let world = World::new();
    world.admin(&Operation::Pause).unwrap();
    let first = world.submit("5First", &commented("one"));
    // A check of somebody else's in between changes nothing, nor does a restart.
    world.service().precheck("a.zip", &commented("none")).unwrap();
    world.wait_for(&first, Position::Pending(Stage::Queued));
    let copy = world.submit("5Other", &commented("two"));
    let refused = world.wait_for(&copy, Position::Ended(Status::Rejected));
    assert_eq!(refused.reason, Some(Reason::SimilarSource));
    assert!(refused.sentence.contains(&first));
    let own = world.submit("5First", &commented("three"));
    world.wait_for(&own, Position::Pending(Stage::Queued));
    // What its owner has withdrawn before it ran is nobody's property.
    world.service().cancel(&first).unwrap();
    world.service().cancel(&own).unwrap();
    let next = world.submit("5Third", &commented("four"));
    world.wait_for(&next, Position::Pending(Stage::Queued));
    // The one that was refused is let in by the operator: it is the earlier of the two.
    let requeue = Operation::Requeue {
        submission: copy.clone(),
        free: true,
    };
    world.admin(&requeue).unwrap();
    world.wait_for(&copy, Position::Pending(Stage::Queued));
    let last = world.submit("5Fourth", &commented("five"));
    let refused = world.wait_for(&last, Position::Ended(Status::Rejected));
    assert_eq!(refused.reason, Some(Reason::SimilarSource));
}

#[test]
fn a_copy_of_what_a_person_released_is_a_copy() {
    let world = World::reviewed(ReviewMode::Enforce);
    let first = world.submit("5First", &commented("one"));
    world.wait_for(&first, Position::Ended(Status::Held));
    let other = world.submit("5Other", &bundle(1));
    world.wait_for(&other, Position::Ended(Status::Held));
    world.admin(&Operation::Pause).unwrap();
    world
        .admin(&Operation::Release {
            submission: first.clone(),
        })
        .unwrap();
    let copy = world.submit("5Third", &commented("two"));
    let refused = world.wait_for(&copy, Position::Ended(Status::Rejected));
    assert_eq!(refused.reason, Some(Reason::SimilarSource));
}

#[test]
fn whoever_cancels_a_run_that_has_begun_has_had_it() {
    let world = World::new();
    let id = world.submit_scripted("5First", &bundle(1), &[End::Hangs]);
    world.wait_for(&id, Position::Running(Stage::Training));
    world.until("it has read something", |world| {
        world
            .service()
            .progress(&id)
            .is_some_and(|progress| progress.covered_bytes > 0)
    });
    world.service().cancel(&id).unwrap();
    let used = world
        .store()
        .read(|tx| budgets::of(tx, "5First", world.now().day()))
        .unwrap();
    assert_eq!(used.scored_runs, 1);
    world.until("it is ended", |world| {
        world.executor.handles().unwrap().is_empty()
    });
}

#[test]
fn one_upload_that_is_gone_from_the_disk_stops_nobody_else() {
    let world = World::new();
    world.admin(&Operation::Pause).unwrap();
    let gone = world.submit("5First", &bundle(1));
    let other = world.submit("5Other", &bundle(2));
    for id in [&gone, &other] {
        world.wait_for(id, Position::Pending(Stage::Queued));
    }
    let blob = world.store().blobs().path(&world.get(&gone).zip_sha256);
    std::fs::remove_file(blob).unwrap();
    world.admin(&Operation::Resume).unwrap();
    world.completed(&other);
    let held = world.wait_for(&gone, Position::Ended(Status::Held));
    assert_eq!(held.reason, Some(Reason::Internal));
    assert_eq!(world.started(&gone), []);
}

/// What `/v1/recipe` answers has the hash that binds the text of the round, as every record has it.
#[test]
fn the_recipe_of_a_round_commits_to_its_corpus_and_its_seed() {
    let world = World::new();
    let prepared = world.service().recipe();
    let told: serde_json::Value = serde_json::from_slice(prepared.text()).unwrap();
    assert_eq!(told["corpus_sha256"], corpus().to_string());
    assert_eq!(told["seed_commitment"].as_str().unwrap().len(), 64);
}
