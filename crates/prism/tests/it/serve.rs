//! The whole challenge with the real binary and real evaluations: a submission from a key to a weight, on a corpus that was
//! fetched from a Hub, a server and evaluations that are killed on the way, and what is left of all that, which is nothing.
//!
//! The long loop of kills is the same test with a number: `PRISM_KILLS=200 cargo test -p prism --test it -- serve::killed
//! --nocapture`. It prints its counts.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use prism_core::recipe::Recipe;
use serde_json::Value;

use crate::host::{host, prism, processes_with, repository, succeed, turn};
use crate::official::official;

/// For everything that a test waits for.
const PATIENCE: Duration = Duration::from_mins(15);
/// Kills of a run of the suite.
const KILLS: u32 = 6;
/// Longest pause between two kills, in milliseconds.
const PAUSE_MS_MAX: u64 = 2_500;

/// A service with a store of its own.
struct Served {
    dir: PathBuf,
    port: u16,
    child: Option<Child>,
    /// How often something that was held was let go on: its first run may then be made again.
    released: Cell<u32>,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

impl Served {
    /// Started, with a round that is open.
    fn new(name: &str) -> Self {
        Self::with_round_on(name, &host().corpus)
    }

    /// The same, the round being on this corpus.
    fn with_round_on(name: &str, corpus: &Path) -> Self {
        let dir = host().place(name);
        fs::create_dir_all(&dir).unwrap();
        let mut served = Self {
            dir,
            port: free_port(),
            child: None,
            released: Cell::new(0),
        };
        served.start();
        let recipe = served.dir.join("round.recipe.toml");
        fs::write(&recipe, round_recipe().to_toml()).unwrap();
        let opened = served
            .operator("round", &["open", "--name", "small", "--publish-sources"])
            .args(["--scored-runs", "1000", "--uploads", "1000", "--recipe"])
            .arg(&recipe)
            .arg("--data")
            .arg(corpus)
            .output()
            .unwrap();
        assert!(
            opened.status.success(),
            "{}",
            String::from_utf8_lossy(&opened.stderr)
        );
        served
    }

    fn store(&self) -> PathBuf {
        self.dir.join("store")
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn start(&mut self) {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.dir.join("serve.log"))
            .unwrap();
        let child = prism()
            .arg("serve")
            .arg("--dir")
            .arg(self.store())
            .args(["--listen", &format!("127.0.0.1:{}", self.port)])
            .env("PRISM_REVIEW__MODE", "off")
            .env("PRISM_MACHINE_LOCK", self.dir.join("machine.lock"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let deadline = Instant::now() + PATIENCE;
        while self.ask("prism leaderboard").is_none() {
            assert!(Instant::now() < deadline, "{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.join("serve.log")).unwrap_or_default()
    }

    /// SIGKILL, as a machine that loses its power would.
    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGTERM: it must end by itself, with exit code 0.
    fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        succeed(Command::new("kill").arg(child.id().to_string()));
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(status.success(), "{status}\n{}", self.log());
    }

    fn operator(&self, command: &str, arguments: &[&str]) -> Command {
        let mut prism = prism();
        prism
            .arg(command)
            .args(arguments)
            .arg("--json")
            .arg("--dir")
            .arg(self.store());
        prism
    }

    /// What a command of a client says; nothing while the service is away.
    fn ask(&self, words: &str) -> Option<Value> {
        let output = prism()
            .args(words.split(' ').skip(1))
            .args(["--json", "--url", &self.url()])
            .current_dir(&self.dir)
            .output()
            .unwrap();
        output
            .status
            .success()
            .then(|| serde_json::from_slice(&output.stdout).unwrap())
    }

    fn key(&self, name: &str) -> PathBuf {
        let path = self.dir.join(name);
        if !path.exists() {
            succeed(prism().args(["key", "new", "--out"]).arg(&path));
        }
        path
    }

    fn submit(&self, bundle: &Path, key: &Path) -> Value {
        let output = prism()
            .arg("submit")
            .arg(bundle)
            .args(["--json", "--url", &self.url(), "--key"])
            .arg(key)
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// A page, whole; nothing where it is not there or the service is away.
    fn get(&self, path: &str) -> Option<Vec<u8>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
        answer
            .starts_with(b"HTTP/1.1 200 ")
            .then(|| answer.split_off(head + 4))
    }

    fn status(&self, id: &str) -> Option<Value> {
        let body = self.get(&format!("/v1/submissions/{id}"))?;
        serde_json::from_slice(&body).ok()
    }

    fn until(&self, id: &str, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.status(id);
            if let Some(found) = found.as_ref().filter(|found| condition(found)) {
                return found.clone();
            }
            // What is tried again in vain, on a machine that has no room, needs no patience.
            let is_over = found.as_ref().is_some_and(|found| {
                ["failed", "rejected", "cancelled"].contains(&found["state"].as_str().unwrap_or_default())
            });
            assert!(
                Instant::now() < deadline && !is_over,
                "{what} never came: {found:#?}\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// On a machine that others use too a run may fail to count more often than it is tried again by itself.
    fn release_what_the_machine_held(&self, found: &Value) {
        if found["state"] == "held" {
            assert_eq!(found["reason"], "retries_spent", "{found:#?}");
            self.released.set(self.released.get() + 1);
            // It may have gone on meanwhile.
            let _ = self
                .operator("admin", &["release", found["id"].as_str().unwrap()])
                .output();
        }
    }

    /// The processes of evaluations, as they have said themselves.
    fn evaluations(&self) -> Vec<i64> {
        let Ok(entries) = fs::read_dir(self.store().join("attempts")) else {
            return Vec::new();
        };
        entries
            .flatten()
            .filter_map(|entry| {
                let text = fs::read(entry.path().join("process.json")).ok()?;
                serde_json::from_slice::<Value>(&text).ok()?["pid"].as_i64()
            })
            .collect()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.kill();
        for pid in self.evaluations() {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).output();
        }
    }
}

/// A round on the small corpus whose runs count: short, with a price on every byte of a bundle.
pub(crate) fn round_recipe() -> Recipe {
    let text = fs::read_to_string(repository().join("redteam/recipe.toml")).unwrap();
    let mut recipe = Recipe::parse(&text).unwrap();
    recipe.name = "small-round".into();
    recipe.bundle.allowance_bytes = 64;
    recipe.bundle.max_allowance_bpb = 0.05;
    recipe.audit.rate_per_byte = 2e-3;
    recipe.audit.min_audits = 100;
    recipe
}

/// The honest bundle with a comment of its own, so that it is another bundle.
fn bundle(served: &Served, number: u32) -> PathBuf {
    let from = repository().join("redteam/honest-small");
    let to = served.dir.join(format!("bundle-{number}"));
    if !to.exists() {
        fs::create_dir_all(&to).unwrap();
        for entry in fs::read_dir(&from).unwrap().flatten() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
        let training = to.join("training.py");
        let text = fs::read_to_string(&training).unwrap();
        fs::write(&training, format!("{text}\n# number {number}\n")).unwrap();
    }
    to
}

fn id(submitted: &Value) -> String {
    submitted["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{submitted}"))
        .to_owned()
}

fn assert_nothing_is_left(served: &Served) {
    let attempts = served.store().join("attempts");
    let left: Vec<_> = fs::read_dir(&attempts)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(
        processes_with(&attempts.display().to_string()),
        Vec::<String>::new()
    );
}

#[test]
fn a_submission_from_a_key_to_a_weight_and_the_same_from_another_key() {
    let _turn = turn();
    let official = official();
    let mut served = Served::with_round_on("serve", &official.corpus);
    let page = |served: &Served, path: &str| -> Value {
        serde_json::from_slice(&served.get(path).unwrap()).unwrap()
    };
    // What the round is on is said before anything is submitted.
    assert_eq!(page(&served, "/v1/recipe")["corpus_sha256"], official.commitment);
    let (mine, others) = (served.key("mine.json"), served.key("others.json"));
    let bundle = bundle(&served, 1);
    let first = id(&served.submit(&bundle, &mine));
    assert_eq!(
        id(&served.submit(&bundle, &mine)),
        first,
        "the same bytes are the same submission"
    );
    let copy = id(&served.submit(&bundle, &others));
    let rejected = served.until(&copy, "the copy's end", |found| found["state"] == "rejected");
    assert_eq!(rejected["reason"], "duplicate");
    let done = served.until(&first, "the end", |found| {
        served.release_what_the_machine_held(found);
        // The board follows a moment later.
        found["state"] == "completed" && found["rank"] == 1
    });
    assert_eq!(done["provisional"], false);
    let attempts = done["attempts"].as_array().unwrap();
    let kinds: Vec<&str> = attempts
        .iter()
        .filter(|attempt| attempt["reason"] == "end_of_data")
        .filter_map(|attempt| attempt["kind"].as_str())
        .collect();
    assert_eq!(kinds, ["main", "confirm"], "it was measured a second time");
    assert!(done["bpb"].as_f64().unwrap() > 1.0 && done["final_score"].as_f64().unwrap() > 0.1);
    let deadline = Instant::now() + PATIENCE;
    while served.ask("prism weights").is_none_or(|weights| {
        weights["weights"]
            .as_object()
            .is_none_or(serde_json::Map::is_empty)
    }) {
        assert!(Instant::now() < deadline, "{}", served.log());
    }
    let weights = served.ask("prism weights").unwrap();
    assert_eq!(
        weights["weights"].as_object().unwrap().values().next(),
        Some(&Value::from(1.0))
    );
    for page in ["curve", "report", "manifest", "events"] {
        let found = served.get(&format!("/v1/submissions/{first}/{page}"));
        assert!(found.is_some_and(|body| !body.is_empty()), "{page}");
    }
    let logs = prism()
        .args(["logs", &first, "--url", &served.url(), "--key"])
        .arg(&mine)
        .output()
        .unwrap();
    assert!(logs.status.success(), "{}", String::from_utf8_lossy(&logs.stderr));
    succeed(&mut served.operator("round", &["close", "small"]));
    let record = page(&served, &format!("/v1/submissions/{first}/record"));
    assert_eq!(record["hashes"]["corpus"], official.commitment);
    served.stop();
    assert_nothing_is_left(&served);
    let log = served.log();
    let secret: Value = serde_json::from_slice(&fs::read(&mine).unwrap()).unwrap();
    for field in ["secretSeed", "privateKey"] {
        if let Some(secret) = secret[field].as_str() {
            assert!(
                !log.contains(secret.trim_start_matches("0x")),
                "a key is in the log"
            );
        }
    }
}

/// A deterministic sequence of numbers, so that a failure can be had again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}

#[test]
fn killed_servers_and_evaluations_lose_nothing_and_repeat_nothing() {
    let _turn = turn();
    let kills: u32 = std::env::var("PRISM_KILLS").map_or(KILLS, |number| number.parse().unwrap());
    let mut served = Served::new("kills");
    let key = served.key("mine.json");
    let mut dice = Dice(20_261_129);
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut accepted: Vec<String> = Vec::new();
    for round in 0..kills {
        if accepted.len() < 2 + kills as usize / 20 {
            let number = u32::try_from(accepted.len()).unwrap();
            accepted.push(id(&served.submit(&bundle(&served, number), &key)));
            *counts.entry("submissions accepted").or_default() += 1;
        }
        std::thread::sleep(Duration::from_millis(dice.below(PAUSE_MS_MAX)));
        // Two servers for one evaluation: a server has more places to die at.
        let at_work = if round % 3 == 2 {
            served.evaluations()
        } else {
            Vec::new()
        };
        let kill = |pid: &i64| {
            let killed = Command::new("kill").args(["-9", &pid.to_string()]).output();
            killed.unwrap().status.success()
        };
        let killed = at_work.iter().filter(|pid| kill(pid)).count();
        if killed > 0 {
            *counts.entry("evaluations killed").or_default() += u32::try_from(killed).unwrap();
        } else {
            served.kill();
            *counts.entry("servers killed").or_default() += 1;
            served.start();
        }
        let all: Vec<Value> = accepted
            .iter()
            .map(|id| served.status(id).unwrap_or_else(|| panic!("{id} is lost")))
            .collect();
        for found in all.iter().filter(|found| found["state"] == "held") {
            // Killed more often than a submission is tried again by itself.
            served.release_what_the_machine_held(found);
            *counts.entry("released after being held").or_default() += 1;
        }
    }
    for submission in &accepted {
        let done = served.until(submission, "the end", |found| {
            served.release_what_the_machine_held(found);
            found["state"] == "completed"
        });
        let attempts = done["attempts"].as_array().unwrap();
        for kind in ["main", "confirm"] {
            let ended: Vec<_> = attempts
                .iter()
                .filter(|attempt| {
                    attempt["kind"] == kind
                        && attempt["state"] == "ended"
                        && attempt["reason"] == "end_of_data"
                })
                .collect();
            let most = 1 + served.released.get() as usize;
            assert!(ended.len() <= most, "two scores: {attempts:#?}");
            *counts
                .entry(if kind == "main" { "scores" } else { "confirmations" })
                .or_default() += u32::try_from(ended.len()).unwrap();
        }
        let lost = attempts
            .iter()
            .filter(|attempt| attempt["state"] == "lost")
            .count();
        *counts.entry("attempts lost and made again").or_default() += u32::try_from(lost).unwrap();
    }
    let again = counts["scores"] - counts["submissions accepted"];
    assert!(again <= served.released.get(), "{counts:#?}");
    served.stop();
    assert_nothing_is_left(&served);
    println!("{counts:#?}");
}
