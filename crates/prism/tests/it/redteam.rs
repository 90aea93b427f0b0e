//! The red team: every bundle under `redteam/` through the real binary, sandbox and engine, with the static gate off.
//!
//! A case passes if its score is not better than that of its honest twin (the same learner without the trick) beyond
//! its standard error, or if the run fails with the right named reason; and in any case if it escaped nowhere, changed
//! nothing on the host and left nothing running. `PRISM_REDTEAM=name,name` runs some cases only; `honest` stands for all
//! honest models, some of which run on demand alone, and `all` for everything.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    net::TcpListener,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener},
    },
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use prism_core::recipe::Recipe;
use serde::Deserialize;

use crate::host::{Host, host, prism, processes_with, repository, turn, write_key};

/// The recipe gives each process one thread; this many evaluations run side by side.
const WORKERS: usize = 2;
/// What a case may be better than its twin by rounding alone, in bits per byte.
const TOLERANCE_BPB: f64 = 1e-4;
/// A secret in the environment of the caller. No log may ever hold it.
const CANARY: &str = "canary-4be1d2f0c7";
/// Where the host listens on its own loopback, and on an abstract socket. Nobody may ever knock.
const CANARY_PORT: u16 = 47_613;
const CANARY_SOCKET: &str = "prism-redteam-canary";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[allow(dead_code, reason = "for people")]
    title: String,
    #[allow(dead_code, reason = "for people")]
    tries: String,
    family: String,
    twin: Option<String>,
    time_limit_seconds: Option<u64>,
    question_seconds: Option<u64>,
    startup_seconds: Option<u64>,
    /// So many bytes of the secret split, and of the train documents, are measured in this case.
    heldout_bytes: Option<u64>,
    /// The only architecture on which the case means anything.
    only_on: Option<String>,
    /// It does not run unless it is asked for.
    #[serde(default)]
    on_demand: bool,
    expect: Expect,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    outcome: Expected,
    #[serde(default)]
    reason: Vec<String>,
    #[serde(default)]
    flags: Vec<String>,
    #[serde(default)]
    needs_audits: bool,
    #[serde(default)]
    forbidden_files: Vec<PathBuf>,
    #[serde(default)]
    markers_absent: Vec<String>,
    /// Words of a command line that nothing on the host may have afterwards.
    leftover_process: Option<String>,
    /// What must not be better: `bpb` where absent.
    compare: Option<Compare>,
    /// The root mean square of the differences between audits and claims, at most.
    claims_rms_nats_max: Option<f64>,
    /// Words of the traceback that the miner is shown.
    traceback_has: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Compare {
    FinalScore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Expected {
    /// An honest bundle: it must simply complete.
    Completed,
    NoBetter,
    /// It completes and is no better than its twin, or fails for one of the reasons: which of them depends on how the
    /// machine freezes processes.
    StoppedOrNoBetter,
    /// It completes and takes no rank, for one of the reasons, whatever its estimate is.
    Unranked,
    Failed,
    Rejected,
}

/// What `prism eval --json` said, as far as it matters here.
#[derive(Clone, Debug, Deserialize)]
struct Said {
    status: String,
    reason: String,
    detail: String,
    bpb: Option<f64>,
    bpb_se: Option<f64>,
    bpb_ranked: Option<f64>,
    final_score: Option<f64>,
    no_rank: Option<String>,
    flags: Vec<String>,
    audits: u64,
    traceback: Option<String>,
    run_dir: Option<PathBuf>,
}

fn load(dir: &Path) -> Case {
    let path = dir.join("case.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn recipe_file(host: &Host, name: &str, case: &Case) -> PathBuf {
    let mut recipe =
        Recipe::parse(&fs::read_to_string(repository().join("redteam/recipe.toml")).unwrap()).unwrap();
    if let Some(seconds) = case.time_limit_seconds {
        recipe.budget.time_limit_seconds = seconds;
    }
    if let Some(seconds) = case.question_seconds {
        recipe.sandbox.question_seconds = seconds;
    }
    if let Some(seconds) = case.startup_seconds {
        recipe.sandbox.startup_seconds = seconds;
    }
    if let Some(bytes) = case.heldout_bytes {
        (recipe.heldout.val_bytes, recipe.heldout.gap_bytes) = (bytes, bytes);
    }
    let path = host.place(&format!("{name}.recipe.toml"));
    fs::write(&path, recipe.to_toml()).unwrap();
    path
}

fn evaluate(host: &Host, name: &str, case: &Case) -> Said {
    // The audit key is fixed so that a failure can be seen again; the red team knows no key anyway.
    let key = host.place(&format!("{name}.key"));
    write_key(&key, &"5a".repeat(32));
    let output = prism()
        .arg("eval")
        .arg(repository().join("redteam").join(name))
        .arg("--data")
        .arg(&host.corpus)
        .arg("--recipe")
        .arg(recipe_file(host, name, case))
        .arg("--audit-key-file")
        .arg(&key)
        .arg("--run-dir")
        .arg(host.place(&format!("run-{name}")))
        .args(["--seed", "3", "--no-gate", "--json"])
        .env("PRISM_REDTEAM_CANARY", CANARY)
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&stdout).unwrap_or_else(|error| {
        panic!(
            "{name}: {error} in {stdout:?}; stderr {}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// Everything that the processes of a run wrote.
fn logs(said: &Said) -> String {
    let Some(dir) = &said.run_dir else {
        return String::new();
    };
    let mut all = String::new();
    for entry in fs::read_dir(dir.join("logs")).into_iter().flatten().flatten() {
        all.push_str(&String::from_utf8_lossy(&fs::read(entry.path()).unwrap()));
    }
    all
}

/// The root mean square of the differences between audits and claims of a run that completed, in nats.
fn claims_rms_nats(said: &Said) -> Option<f64> {
    #[derive(Deserialize)]
    struct Record {
        measured: Measured,
    }
    #[derive(Deserialize)]
    struct Measured {
        difference_mean_nats: f64,
        difference_sd_nats: f64,
    }
    let text = fs::read_to_string(said.run_dir.as_ref()?.join("record.json")).ok()?;
    let Record { measured } = serde_json::from_str(&text).ok()?;
    Some(measured.difference_mean_nats.hypot(measured.difference_sd_nats))
}

/// Whether a score is not better than its twin's beyond the standard error of their difference. The two are measured
/// apart, so the error of the difference is that of both. Who takes no rank has nothing that could be ranked above the
/// twin, which must take one.
fn no_better(said: &Said, twin: &Said, compare: Option<Compare>) -> bool {
    let estimate = |said: &Said| Some((said.bpb?, said.bpb_se?));
    let (Some((bpb, own_se)), Some((twin_bpb, twin_se))) = (estimate(said), estimate(twin)) else {
        return false;
    };
    let (Some(twin_ranked), Some(twin_score)) = (twin.bpb_ranked, twin.final_score) else {
        return false;
    };
    let se = own_se.hypot(twin_se);
    match (compare, said.bpb_ranked, said.final_score) {
        (Some(Compare::FinalScore), _, score) => score.is_none_or(|score| score <= twin_score),
        (None, ranked, _) => {
            bpb >= twin_bpb - 3.0 * se - TOLERANCE_BPB
                && ranked.is_none_or(|ranked| ranked >= twin_ranked - TOLERANCE_BPB)
        }
    }
}

/// What is wrong with the claims of a run, and with the traceback that its miner is shown.
fn wrong_figures(expect: &Expect, said: &Said) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(most) = expect.claims_rms_nats_max {
        let rms = claims_rms_nats(said);
        if rms.is_none_or(|rms| rms > most) {
            wrong.push(format!(
                "audits and claims differ by {rms:?} nats, {most} at most were due"
            ));
        }
    }
    if let Some(words) = &expect.traceback_has {
        let shown = said.traceback.as_deref().unwrap_or_default();
        if !shown.contains(words) {
            wrong.push(format!("{words:?} is not in its traceback: {shown:?}"));
        }
    }
    wrong
}

/// Compares what happened with what must happen; an empty text means that all is well.
fn judge(name: &str, case: &Case, said: &Said, twin: Option<&Said>) -> String {
    let mut wrong = String::new();
    let mut complain = |text: String| writeln!(wrong, "  {text}").unwrap();
    let expect = &case.expect;
    let outcome = match (expect.outcome, said.status.as_str()) {
        (Expected::StoppedOrNoBetter, "failed") => Expected::Failed,
        (Expected::StoppedOrNoBetter, _) => Expected::NoBetter,
        (outcome, _) => outcome,
    };
    match outcome {
        Expected::Completed | Expected::NoBetter | Expected::Unranked if said.status != "completed" => {
            complain(format!("{}: {} ({})", said.status, said.reason, said.detail));
        }
        Expected::Failed | Expected::Rejected => {
            let status = if outcome == Expected::Failed {
                "failed"
            } else {
                "rejected"
            };
            if said.status != status || !expect.reason.contains(&said.reason) {
                let due = expect.reason.join(" or ");
                complain(format!(
                    "{}: {} ({}); due was {status}: {due}",
                    said.status, said.reason, said.detail
                ));
            }
            if said.bpb.is_some() || said.final_score.is_some() {
                complain("it has a score".to_owned());
            }
        }
        Expected::Unranked => {
            let why = said.no_rank.as_ref();
            if !why.is_some_and(|why| expect.reason.contains(why))
                || said.bpb_ranked.is_some()
                || said.final_score.is_some()
            {
                let due = expect.reason.join(" or ");
                complain(format!(
                    "it takes a rank, or none for another reason than {due}: {said:?}"
                ));
            }
        }
        Expected::NoBetter => match twin {
            Some(twin) if no_better(said, twin, expect.compare) => {}
            twin => complain(format!("it is better than its twin: {said:?} {twin:?}")),
        },
        Expected::Completed | Expected::StoppedOrNoBetter => {}
    }
    wrong_figures(expect, said).into_iter().for_each(&mut complain);
    for flag in &expect.flags {
        if !said.flags.contains(flag) {
            complain(format!("the flag {flag} is missing from {:?}", said.flags));
        }
    }
    if expect.needs_audits && said.audits == 0 {
        complain("nothing was audited".to_owned());
    }
    let logs = logs(said);
    let escaped: Vec<&str> = logs
        .lines()
        .filter(|line| line.contains("ESCAPED"))
        .take(5)
        .collect();
    if !escaped.is_empty() {
        complain(format!("it escaped: {escaped:?}"));
    }
    for marker in expect.markers_absent.iter().map(String::as_str).chain([CANARY]) {
        if logs.contains(marker) || said.detail.contains(marker) {
            complain(format!("{marker:?} is in its output"));
        }
    }
    for file in &expect.forbidden_files {
        if fs::symlink_metadata(file).is_ok() {
            complain(format!("{} exists", file.display()));
        }
    }
    if wrong.is_empty() {
        String::new()
    } else {
        format!("{name}\n{wrong}")
    }
}

/// What a run could have changed on the host: names in the places that everybody may write to.
fn writable_places() -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for place in ["/tmp", "/var/tmp", "/dev/shm", "/run/lock"] {
        for entry in fs::read_dir(place).into_iter().flatten().flatten() {
            // Other programs come and go; what a case would leave has `prism` or `redteam` in its name.
            let name = entry.file_name().to_string_lossy().to_lowercase();
            if name.contains("redteam") || name.contains("escaped") {
                found.insert(entry.path());
            }
        }
    }
    found
}

#[test]
fn a_difference_has_the_error_of_both() {
    let said = |bpb: f64, se: f64| Said {
        status: "completed".into(),
        reason: "end_of_data".into(),
        detail: String::new(),
        bpb: Some(bpb),
        bpb_se: Some(se),
        bpb_ranked: Some(3.0),
        final_score: Some(0.25),
        no_rank: None,
        flags: Vec::new(),
        audits: 1,
        traceback: None,
        run_dir: None,
    };
    let twin = said(2.0, 0.04);
    assert!(no_better(&said(1.86, 0.03), &twin, None), "within 3 * 0.05");
    assert!(!no_better(&said(1.84, 0.03), &twin, None));
    assert!(no_better(&said(1.89, 0.0), &twin, None), "within 3 * 0.04");
    assert!(!no_better(&said(1.87, 0.0), &twin, None));
    let unranked = |bpb| Said {
        bpb_ranked: None,
        final_score: None,
        no_rank: Some("claims_untrue".into()),
        ..said(bpb, 0.0)
    };
    assert!(no_better(&unranked(2.0), &twin, None));
    assert!(!no_better(&unranked(1.5), &twin, None), "its estimate is better");
    assert!(no_better(&unranked(1.5), &twin, Some(Compare::FinalScore)));
    assert!(
        !no_better(&twin, &unranked(2.0), None),
        "a twin without a rank proves nothing"
    );
    let failed = Said {
        bpb: None,
        ..said(2.0, 0.0)
    };
    assert!(
        !no_better(&failed, &twin, None),
        "what has no score proves nothing"
    );
}

#[test]
fn no_case_gains_anything() {
    let _turn = turn();
    let host = host();
    let before = writable_places();
    let tcp = TcpListener::bind(("127.0.0.1", CANARY_PORT)).unwrap();
    let local = UnixListener::bind_addr(&SocketAddr::from_abstract_name(CANARY_SOCKET).unwrap()).unwrap();
    tcp.set_nonblocking(true).unwrap();
    local.set_nonblocking(true).unwrap();
    let only = std::env::var("PRISM_REDTEAM").ok();
    let wanted = |name: &str, case: &Case| match only.as_deref() {
        None => !case.on_demand,
        Some(only) => only.split(',').any(|part| match part {
            "all" => true,
            "honest" => case.family == "honest",
            part => part == name,
        }),
    };
    let here = |case: &Case| {
        case.only_on
            .as_deref()
            .is_none_or(|arch| arch == std::env::consts::ARCH)
    };
    let cases: BTreeMap<String, Case> = fs::read_dir(repository().join("redteam"))
        .unwrap()
        .flatten()
        // `gate/` and `honest/` hold no cases of their own: the static gate's tests read them.
        .filter(|entry| entry.path().join("case.toml").is_file())
        .map(|entry| (entry.file_name().into_string().unwrap(), load(&entry.path())))
        .filter(|(_, case)| here(case))
        .collect();
    assert!(cases.len() >= 60, "only {} cases were found", cases.len());
    let twins: BTreeSet<String> = cases
        .iter()
        .filter(|(name, case)| wanted(name, case))
        .filter_map(|(_, case)| case.twin.clone())
        .collect();
    let due: Vec<&String> = cases
        .iter()
        .filter(|(name, case)| wanted(name, case) || twins.contains(*name))
        .map(|(name, _)| name)
        .collect();

    let next = AtomicUsize::new(0);
    let said = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(&name) = due.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let begun = Instant::now();
                    let result = evaluate(host, name, &cases[name]);
                    println!("{:>4} s {name}", begun.elapsed().as_secs());
                    said.lock().unwrap().insert(name.clone(), result);
                }
            });
        }
    });
    let said = said.into_inner().unwrap();

    let mut failures = String::new();
    for (name, result) in &said {
        let twin = cases[name].twin.as_ref().map(|twin| {
            said.get(twin)
                .unwrap_or_else(|| panic!("{name}: there is no twin {twin}"))
        });
        failures.push_str(&judge(name, &cases[name], result, twin));
    }
    let mut survivors = processes_with("/prism/runtime/boot.py");
    for words in cases
        .values()
        .filter_map(|case| case.expect.leftover_process.as_deref())
    {
        survivors.extend(processes_with(words));
    }
    if !survivors.is_empty() {
        let _ = writeln!(failures, "still running: {survivors:?}");
    }
    if tcp.accept().is_ok() || local.accept().is_ok() {
        let _ = writeln!(failures, "somebody reached a socket of the host");
    }
    let left: Vec<_> = writable_places().difference(&before).cloned().collect();
    if !left.is_empty() {
        let _ = writeln!(failures, "left on the host: {left:?}");
    }
    assert!(failures.is_empty(), "of {} cases:\n{failures}", said.len());
    println!("{} cases, none gained anything", said.len());
}
