//! The review from the command line: `prism review`, `prism review eval`, and what owner and operator do about a rejection, each
//! by the real binary with an endpoint on loopback.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::context::{Context, tree};
use crate::endpoint::{Endpoint, KEY, Say};
use crate::host::host;

const PATIENCE: Duration = Duration::from_mins(5);
/// A line that a test charges.
const LINE: &str = "torch.nn.Linear(3, 3)";
const TRAINING: &str = "def train(ctx):\n    pass\n";

fn architecture(layer: &str) -> String {
    format!(
        "import torch\n\n\nclass Model(torch.nn.Module):\n    def __init__(self, width):\n        super().__init__()\n        \
         self.table = torch.nn.Embedding(width, width)\n        self.extra = {layer}\n\n    def forward(self, tokens):\n        \
         return self.table(tokens)\n\n\ndef build_model(ctx):\n    return Model(ctx.vocab_size)\n"
    )
}

/// A directory with bundles: one that is charged by `charges`, one that is not, one that the gate refuses.
fn context() -> Context {
    let context = Context::new();
    let bundles = [
        ("charged", architecture(LINE)),
        ("clean", architecture("torch.nn.Linear(4, 4)")),
        ("refused", "import socket\n".to_owned() + &architecture(LINE)),
    ];
    for (name, text) in bundles {
        context.write(&format!("{name}/architecture.py"), text);
        context.write(&format!("{name}/training.py"), TRAINING);
    }
    context
}

/// What may be planted into a reading, to see whether it is worth anything.
const PLANTS: [&str; 4] = ["v901 = {}", "def f911(", "v921 = ", "v931 = "];

/// Rejects whatever holds the line, and lets the charge stand. It sees what is planted, too.
fn charges() -> Endpoint {
    Endpoint::always(|seen| {
        if seen.purpose == "refute" {
            return Say::Find("stands");
        }
        let mut answer = seen.answer("allow");
        for text in PLANTS.into_iter().chain([LINE]) {
            if seen.find(text).is_some() {
                let charged = seen.charge(text, "PRR106");
                let charge = charged["violations"][0].clone();
                answer["decision"] = charged["decision"].clone();
                answer["violations"].as_array_mut().unwrap().push(charge);
            }
        }
        Say::Text(answer.to_string())
    })
}

/// `prism` with an endpoint and a key.
fn asking(context: &Context, endpoint: &Endpoint, words: &str) -> Command {
    let words: Vec<_> = words.split(' ').collect();
    let mut command = context.command(&words);
    command
        .args(["--base-url", &endpoint.url(), "--model", "model-asked"])
        .env("PRISM_REVIEW_API_KEY", KEY);
    command
}

/// What is shown, with the seconds of calls left out.
fn shown(context: &Context, endpoint: &Endpoint, words: &str) -> String {
    let output = asking(context, endpoint, words).output().unwrap();
    let text = context.show(&output);
    assert!(!text.contains(KEY), "{text}");
    let lines = text.lines().map(|line| match line.split_once(" s, ") {
        Some((before, after)) if after.ends_with("USD") => {
            let (before, _) = before.rsplit_once(' ').unwrap();
            format!("{before} [SECONDS] s, {after}")
        }
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_bundle_is_read_as_a_service_would_have_it_read() {
    let (context, endpoint) = (context(), charges());
    assert_snapshot!(shown(&context, &endpoint, "review clean"), @"
    exit: 0
    ----- stdout
    passed by model-asked
    bare: allow, [SECONDS] s, 0.0100 USD
    full: allow, [SECONDS] s, 0.0100 USD
    ----- stderr
    ");
    assert_eq!(endpoint.asked(), ["bare", "full"]);
    assert_snapshot!(shown(&context, &endpoint, "review charged"), @"
    exit: 1
    ----- stdout
    rejected by model-asked
    architecture.py:8: PRR106 Behaving differently where it is measured
      |         self.extra = torch.nn.Linear(3, 3)
      = as a test says
    bare: reject (1), [SECONDS] s, 0.0100 USD
    full: reject (1), [SECONDS] s, 0.0100 USD
    refute: stands (1), [SECONDS] s, 0.0100 USD
    ----- stderr
    ");
    assert_eq!(endpoint.asked()[2..], ["bare", "full", "refute"]);
    let output = asking(
        &context,
        &endpoint,
        "review charged --json --second-model model-second",
    )
    .output()
    .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&value["verdict"], &value["model"], &value["second_model"]),
        (&json!("rejected"), &json!("model-asked"), &json!("model-second"))
    );
    assert_eq!(endpoint.seen().last().unwrap().request["model"], "model-second");
    let charge = &value["charges"][0];
    assert_eq!(
        (&charge["rule"], &charge["path"], &charge["line"]),
        (&json!("PRR106"), &json!("architecture.py"), &json!(8))
    );
    assert_eq!(value["cost_usd"], 0.03);
    assert_eq!(value["calls"].as_array().unwrap().len(), 3);

    let output = asking(&context, &endpoint, "review charged --format sarif")
        .output()
        .unwrap();
    let sarif: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&sarif["version"], &sarif["runs"][0]["results"][0]["ruleId"]),
        (&json!("2.1.0"), &json!("PRR106"))
    );
}

#[test]
fn nobody_is_asked_about_what_the_gate_refuses_or_without_a_key() {
    let (context, endpoint) = (context(), charges());
    assert_snapshot!(shown(&context, &endpoint, "review refused"), @"
    exit: 1
    ----- stdout
    ----- stderr
    error: the gate refuses the source (PRS102), so that nobody would review it

    hint: `prism check refused` says what and why
    ");
    assert_snapshot!(shown(&context, &endpoint, "review nowhere"), @r#"
    exit: 2
    ----- stdout
    ----- stderr
    error: the bundle nowhere cannot be read: cannot look at nowhere: No such file or directory (os error 2)
    "#);
    let mut without = asking(&context, &endpoint, "review clean");
    without.env_remove("PRISM_REVIEW_API_KEY");
    assert_snapshot!(context.show(&without.output().unwrap()), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: no key of the reviewer is set: set PRISM_REVIEW_API_KEY or OPENROUTER_API_KEY, or name a file by `review.key_file`
    ");
    assert_eq!(endpoint.asked(), [""; 0]);
}

#[test]
fn an_endpoint_that_is_set_up_wrong_is_no_verdict() {
    let context = context();
    let endpoint = Endpoint::always(|_| Say::Status(401, None));
    assert_snapshot!(shown(&context, &endpoint, "review clean"), @"
    exit: 3
    ----- stdout
    held by model-asked
    the endpoint answers 401: look at base URL, model and key
    bare: status 401, [SECONDS] s, 0.0000 USD
    ----- stderr
    ");
    let endpoint = Endpoint::always(|_| Say::Text("I allow it.".to_owned()));
    assert_snapshot!(shown(&context, &endpoint, "review clean"), @"
    exit: 1
    ----- stdout
    held by model-asked
    two readings were no vote
    bare: no vote: unparseable, [SECONDS] s, 0.0100 USD
    bare: no vote: unparseable, [SECONDS] s, 0.0100 USD
    ----- stderr
    ");
}

#[test]
fn a_corpus_is_read_and_counted() {
    let context = context();
    for name in ["first", "second"] {
        context.write(&format!("corpus/hostile/{name}/architecture.py"), {
            architecture(if name == "first" {
                LINE
            } else {
                "torch.nn.Linear(5, 5)"
            })
        });
        context.write(&format!("corpus/hostile/{name}/training.py"), TRAINING);
    }
    context.write("honest/clean/architecture.py", architecture("torch.nn.ReLU()"));
    context.write("honest/clean/training.py", TRAINING);
    context.write("honest/known/notes.txt", "not read");
    let cases = |more: &str| {
        format!(
            "honest_folders = [\"../honest\"]\nhonest_except = [\"known\"]\n\
             hostile = [{{ name = \"first\", rule = \"PRR106\", tries = \"a\" }}, \
             {{ name = \"second\", rule = \"PRR103\", tries = \"b\" }}]\n{more}"
        )
    };
    context.write("corpus/cases.toml", cases(""));
    let endpoint = charges();
    let text = shown(&context, &endpoint, "review eval --corpus corpus");
    let text = text.lines().map(|line| match line.split_once(" vote, ") {
        Some((before, after)) => {
            // What is planted is drawn, and none of it was missed.
            let (planted, after) = after.split_once(" planted").unwrap();
            assert!(planted.starts_with("0 of "), "{planted}");
            let (after, _) = after.rsplit_once(", ").unwrap();
            format!("{before} vote, 0 of [PLANTED] planted{after}, [SECONDS] s")
        }
        None => line.to_owned(),
    });
    assert_snapshot!(text.collect::<Vec<_>>().join("\n"), @"
    exit: 0
    ----- stdout
    rule    bundles  rejected  by its rule  held  passed  readings agree
    PRR103        1         0            0     0       1          1 of 1
    PRR106        1         1            1     0       0          1 of 1
    honest        1         0            0     0       1          1 of 1

    3 bundles by model-asked: 7 calls, 0 without a vote, 0 of [PLANTED] planted violations missed, 7000 + 700 tokens, 0.07 USD, [SECONDS] s
    passed: second
    ----- stderr
    first: rejected
    second: passed
    clean: passed
    ");
    let output = asking(
        &context,
        &endpoint,
        "review eval --corpus corpus --limit 1 --json",
    )
    .output()
    .unwrap();
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        value["rules"],
        json!({
            "PRR106": {"bundles": 1, "rejected": 1, "by_its_rule": 1, "held": 0, "passed": 0, "both_voted": 1, "agreed": 1},
            "honest": {"bundles": 1, "rejected": 0, "by_its_rule": 0, "held": 0, "passed": 1, "both_voted": 1, "agreed": 1},
        })
    );
    assert_eq!(
        (&value["calls"], &value["input_tokens"], &value["surprises"]),
        (&json!(5), &json!(5000), &json!([]))
    );

    // What cannot be counted is said before anybody is asked.
    let asked = endpoint.asked().len();
    context.write("corpus/cases.toml", cases("more = 1\n"));
    assert_snapshot!(shown(&context, &endpoint, "review eval --corpus corpus"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: corpus/cases.toml: TOML parse error at line 4, column 1
      |
    4 | more = 1
      | ^^^^
    unknown field `more`, expected one of `honest_folders`, `honest_except`, `hostile`
    ");
    assert_snapshot!(shown(&context, &endpoint, "review eval --corpus nowhere"), @"
    exit: 2
    ----- stdout
    ----- stderr
    error: nowhere/cases.toml: No such file or directory (os error 2)
    ");
    assert_eq!(endpoint.asked().len(), asked);
}

/// A service with a reviewer whose runs are paused: nothing of what is submitted runs.
struct Served<'a> {
    context: &'a Context,
    url: String,
    endpoint: String,
    child: Option<Child>,
}

impl<'a> Served<'a> {
    fn new(context: &'a Context, endpoint: &Endpoint) -> Self {
        host();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut served = Self {
            context,
            url: format!("http://{free}"),
            endpoint: endpoint.url(),
            child: None,
        };
        let log = fs::File::create(context.path("serve.log")).unwrap();
        let child = served.command("serve").stdout(Stdio::null()).stderr(log).spawn();
        served.child = Some(child.unwrap());
        served.wait("it answers", |served| {
            let health = served.command("leaderboard --json").output().unwrap();
            health.status.success().then_some(())
        });
        served.says("data synth --bytes 800000 --seed 7 --out corpus");
        served.says("admin pause");
        served.says("round open --name one --recipe small --data corpus");
        served
    }

    fn command(&self, words: &str) -> Command {
        let words: Vec<_> = words.split(' ').collect();
        let mut command = self.context.command(&words);
        if ["leaderboard", "submit", "status", "appeal"].contains(&words[0]) {
            command.args(["--url", &self.url]);
        }
        command
            .env("PRISM_REVIEW__BASE_URL", &self.endpoint)
            .env("PRISM_REVIEW__MODEL", "model-asked")
            .env("PRISM_REVIEW_API_KEY", KEY)
            .env("PRISM_STORE__DIR", self.context.path("store"))
            .env("PRISM_SERVER__LISTEN", self.url.trim_start_matches("http://"))
            // A round is opened against the runtime that is installed here.
            .env("HOME", std::env::var_os("HOME").unwrap())
            .env_remove("PRISM_DATA_DIR");
        command
    }

    /// What a command that succeeds says.
    fn says(&self, words: &str) -> Value {
        let output = self.command(&format!("{words} --json")).output().unwrap();
        assert!(output.status.success(), "{words}\n{}", self.context.show(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The code of the error of a command that fails, with what else it says.
    fn refuses(&self, words: &str) -> (String, Value) {
        let output = self.command(&format!("{words} --json")).output().unwrap();
        assert!(
            !output.status.success(),
            "{words}\n{}",
            self.context.show(&output)
        );
        assert_eq!(output.status.code(), Some(2), "{words}");
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        (said["error"].as_str().unwrap().to_owned(), said)
    }

    fn wait<T>(&self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            let log = || fs::read_to_string(self.context.path("serve.log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "{what}\n{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The page of the board.
    fn board(&self) -> String {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).unwrap();
        let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request).unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page
    }

    /// Submits a bundle and waits until it is there.
    fn submit(&self, bundle: &str, state: &str) -> String {
        let sent = self.says(&format!("submit {bundle} --key me.json"));
        let id = sent["id"].as_str().unwrap().to_owned();
        self.wait(state, |served| {
            let status = served.says(&format!("status {id}"));
            (status["state"] == state || status["stage"] == state).then_some(())
        });
        id
    }
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn an_owner_appeals_and_a_person_decides_from_the_command_line() {
    let (context, endpoint) = (context(), charges());
    context.json("key new --out me.json --json");
    context.json("key new --out other.json --json");
    let served = Served::new(&context, &endpoint);
    let id = served.submit("charged", "rejected");
    let asked = endpoint.asked().len();

    // Only its owner sees the lines.
    let (error, refused) = served.refuses(&format!("appeal {id} --key other.json"));
    assert_eq!(error, "not_owner", "{refused}");
    assert!(!refused.to_string().contains("PRR106"), "{refused}");
    let seen = served.says(&format!("appeal {id} --key me.json"));
    assert_eq!(
        (&seen["verdict"], &seen["may_appeal"], &seen["charges"][0]["rule"]),
        (&json!("rejected"), &json!(true), &json!("PRR106"))
    );
    let (error, _) = served.refuses(&format!("appeal {id} --key other.json --text no"));
    assert_eq!(error, "not_owner");
    served.says(&format!("appeal {id} --key me.json --text published"));
    let status = served.says(&format!("status {id}"));
    assert_eq!(
        (&status["state"], &status["reason"]),
        (&json!("held"), &json!("review_appealed"))
    );
    let (error, said) = served.refuses(&format!("appeal {id} --key me.json --text again"));
    assert_eq!(error, "wrong_state", "once: {said}");

    // The operator sees all of it, and lets it go on.
    let held = served.says("admin held");
    assert!(held.to_string().contains(&id), "{held}");
    let all = served.says(&format!("admin review {id}"));
    assert_eq!(all["appeal"]["text"], "published");
    assert_eq!(all["reviews"][0]["calls"].as_array().unwrap().len(), 3);
    served.says(&format!("admin release {id}"));
    served.wait("it waits for its run", |served| {
        (served.says(&format!("status {id}"))["stage"] == "queued").then_some(())
    });
    assert_eq!(endpoint.asked().len(), asked, "the same source is not read again");

    // The board and the operator's page say who reads; nothing ran and nothing was charged.
    let board = served.board();
    assert!(board.contains("<strong>enforce</strong>") && board.contains("<code>model-asked</code>"));
    let day = served.says("admin review");
    assert_eq!((&day["today"]["calls"], &day["waiting"]), (&json!(3), &json!(0)));
    assert_eq!(served.says(&format!("status {id}"))["attempts"], json!([]));
    assert_eq!(tree(&context.path("store/attempts")), [""; 0]);
}

#[test]
fn an_operator_rejects_what_is_held_for_a_person() {
    let context = context();
    context.json("key new --out me.json --json");
    // Its words change the verdict: a person decides.
    let endpoint = Endpoint::always(|seen| match seen.purpose {
        "bare" if PLANTS.into_iter().all(|text| seen.find(text).is_none()) => Say::Reject(LINE, "PRR103"),
        "bare" => Say::Text("nothing of use".to_owned()),
        _ => Say::Allow,
    });
    let served = Served::new(&context, &endpoint);
    let id = served.submit("charged", "held");
    let mut reject = served.command(&format!("admin reject {id} --json --why"));
    assert!(reject.arg("it holds a table").output().unwrap().status.success());
    let status = served.says(&format!("status {id}"));
    assert_eq!(
        (&status["state"], &status["reason"]),
        (&json!("rejected"), &json!("rejected_by_operator"))
    );
    // An appeal is against the reviewer, not against a person.
    let (error, said) = served.refuses(&format!("appeal {id} --key me.json --text no"));
    assert_eq!(error, "wrong_state", "{said}");
    let (error, said) = served.refuses(&format!("admin release {id}"));
    assert_eq!(error, "refused", "{said}");
}
