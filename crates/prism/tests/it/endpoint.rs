//! An OpenAI-compatible endpoint on loopback that says what a test wants: votes, nonsense, lies, silence, floods.
//!
//! It reads the prompt as a model would, so that an answer of it can be complete, and incomplete where a test wants that. What it
//! was sent is kept.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// The key that tests use; no file of the service may hold it.
pub(crate) const KEY: &str = "key-71f3-of-the-reviewer-test";

/// What is said to one request.
#[derive(Clone, Debug)]
pub(crate) enum Say {
    /// A complete answer that allows.
    Allow,
    /// A complete answer that quotes the first line with this text, by this rule.
    Reject(&'static str, &'static str),
    /// A complete answer to a refutation: every charge is found so.
    Find(&'static str),
    /// The complete answer, changed.
    Changed(fn(&mut Value)),
    /// This text of the model.
    Text(String),
    /// The same, ended for this reason.
    Finished(&'static str),
    /// This body, with 200.
    Body(String),
    /// This status, with this `Retry-After`.
    Status(u16, Option<u64>),
    /// Nothing, until the other side leaves.
    Stall,
    /// A byte now and then, for ever.
    Drip,
    /// A hundred megabytes.
    Flood,
    /// Half of an answer, then nothing.
    Half,
    /// The connection is closed.
    Close,
    /// Redirected to another path of this server.
    Redirect,
}

/// A prompt, read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) request: Value,
    /// `bare`, `full` or `refute`.
    pub(crate) purpose: &'static str,
    pub(crate) seals: Vec<String>,
    /// Path and lines with their numbers.
    pub(crate) files: Vec<(String, Vec<(u64, String)>)>,
    pub(crate) charges: usize,
}

impl Seen {
    /// Reads a prompt as it stands in these texts.
    pub(crate) fn read(head: &str, request: Value, system: &str, user: &str) -> Self {
        let (_, rest) = system.split_once("tag of this call is `").expect("a tag");
        let tag = rest.split('`').next().unwrap();
        let mut seen = Self {
            head: head.to_owned(),
            request,
            purpose: "full",
            ..Self::default()
        };
        for line in user.lines() {
            if let Some(rest) = line.strip_prefix("file ")
                && let Some((_, rest)) = rest.split_once(": `")
                && let Some((path, _)) = rest.split_once('`')
            {
                if path == "file_1.py" {
                    seen.purpose = "bare";
                }
                seen.files.push((path.to_owned(), Vec::new()));
            } else if line.starts_with("charge ") {
                seen.purpose = "refute";
                seen.charges += 1;
            } else if let Some(rest) = line.strip_prefix(tag).and_then(|rest| rest.strip_prefix(' ')) {
                if let Some(word) = rest.strip_prefix("seal: ") {
                    seen.seals.push(word.to_owned());
                } else if let Some((number, text)) = rest.split_once('|') {
                    let number = number.trim_end_matches('>').parse().unwrap();
                    if let Some((_, lines)) = seen.files.last_mut() {
                        lines.push((number, text.to_owned()));
                    }
                }
            }
        }
        seen
    }

    /// The first line with this text: path, number and the line.
    pub(crate) fn find(&self, text: &str) -> Option<(String, u64, String)> {
        self.files.iter().find_map(|(path, lines)| {
            let (number, line) = lines.iter().find(|(_, line)| line.contains(text))?;
            Some((path.clone(), *number, line.clone()))
        })
    }

    /// A complete answer without violations.
    pub(crate) fn answer(&self, decision: &str) -> Value {
        if self.purpose == "refute" {
            let charges: Vec<Value> = (1..=self.charges)
                .map(|number| json!({"number": number, "finding": decision, "why": "so"}))
                .collect();
            return json!({ "echo": self.seals.join("-"), "charges": charges });
        }
        let files: Vec<Value> = self
            .files
            .iter()
            .map(
                |(path, lines)| json!({"path": path, "lines": lines.last().map_or(0, |(number, _)| *number)}),
            )
            .collect();
        json!({
            "echo": self.seals.join("-"), "files": files, "decision": decision, "confidence": "high",
            "violations": [], "summary": "a model",
        })
    }

    /// A complete answer that quotes a line.
    pub(crate) fn charge(&self, text: &str, rule: &str) -> Value {
        let (path, line, quote) = self.find(text).unwrap_or_else(|| panic!("no line holds {text}"));
        let mut answer = self.answer("reject");
        answer["violations"] =
            json!([{"rule": rule, "path": path, "line": line, "quote": quote, "why": "as a test says"}]);
        answer
    }
}

/// What is to be said to the n-th request, from 0.
pub(crate) type Script = Arc<dyn Fn(&Seen, usize) -> Say + Send + Sync>;

/// The endpoint.
pub(crate) struct Endpoint {
    port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Endpoint {
    pub(crate) fn new(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let kept = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, kept) = (Arc::clone(&script), Arc::clone(&kept));
                thread::spawn(move || serve(stream, &script, &kept));
            }
        });
        Self { port, seen }
    }

    /// The same to everybody.
    pub(crate) fn always(say: impl Fn(&Seen) -> Say + Send + Sync + 'static) -> Self {
        Self::new(Arc::new(move |seen, _| say(seen)))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// What was asked for, in order.
    pub(crate) fn asked(&self) -> Vec<&'static str> {
        self.seen().iter().map(|seen| seen.purpose).collect()
    }
}

fn read_request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut part = vec![0; 65536];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length:")?
                        .trim()
                        .parse()
                        .ok()
                })
                .unwrap_or(0);
            let mut body = bytes.split_off(end + 4);
            while body.len() < length {
                let read = stream.read(&mut part).ok().filter(|read| *read > 0)?;
                body.extend_from_slice(&part[..read]);
            }
            return Some((head, body));
        }
        let read = stream.read(&mut part).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&part[..read]);
    }
}

fn serve(mut stream: TcpStream, script: &Script, kept: &Mutex<Vec<Seen>>) {
    let Some((head, body)) = read_request(&mut stream) else {
        return;
    };
    let request: Value = serde_json::from_slice(&body).unwrap();
    let text = |at: usize| request["messages"][at]["content"].as_str().unwrap().to_owned();
    let (system, user) = (text(0), text(1));
    let seen = Seen::read(&head, request, &system, &user);
    let number = {
        let mut kept = kept.lock().unwrap();
        kept.push(seen.clone());
        kept.len() - 1
    };
    say(&mut stream, &seen, script(&seen, number));
    let _ = stream.shutdown(Shutdown::Both);
}

/// An answer around the model's text.
pub(crate) fn around(text: &str, finish: &str) -> String {
    json!({
        "id": "x", "model": "model-as-it-came-back-2026", "provider": "loopback",
        "choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "cost": 0.01},
    })
    .to_string()
}

fn say(stream: &mut TcpStream, seen: &Seen, say: Say) {
    let whole = |stream: &mut TcpStream, status: u16, more: &str, body: &str| {
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n{more}\r\n",
            body.len()
        );
        // Whoever is gone hears nothing.
        let _ = stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(body.as_bytes()));
    };
    let answer = |value: &Value| around(&value.to_string(), "stop");
    match say {
        Say::Allow => whole(stream, 200, "", &answer(&seen.answer("allow"))),
        Say::Reject(text, rule) => whole(stream, 200, "", &answer(&seen.charge(text, rule))),
        Say::Find(finding) => whole(stream, 200, "", &answer(&seen.answer(finding))),
        Say::Changed(change) => {
            let mut value = seen.answer("allow");
            change(&mut value);
            whole(stream, 200, "", &answer(&value));
        }
        Say::Text(text) => whole(stream, 200, "", &around(&text, "stop")),
        Say::Finished(reason) => whole(
            stream,
            200,
            "",
            &around(&seen.answer("allow").to_string(), reason),
        ),
        Say::Body(body) => whole(stream, 200, "", &body),
        Say::Status(status, retry_after) => {
            let more = retry_after.map_or_else(String::new, |seconds| format!("retry-after: {seconds}\r\n"));
            // Peers repeat what they were sent.
            let body =
                json!({"error": {"code": status, "message": format!("no: {KEY} {}", seen.head)}}).to_string();
            whole(stream, status, &more, &body);
        }
        Say::Stall => {
            let _ = stream.read(&mut [0; 1]);
        }
        Say::Drip => {
            let _ = stream.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 100000\r\n\r\n");
            while stream.write_all(b" ").is_ok() {
                thread::sleep(Duration::from_millis(50));
            }
        }
        Say::Flood => {
            let _ = stream.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 104857600\r\n\r\n");
            let block = vec![b' '; 1024 * 1024];
            for _ in 0..100 {
                if stream.write_all(&block).is_err() {
                    return;
                }
            }
        }
        Say::Half => {
            let body = answer(&seen.answer("allow"));
            let head = format!("HTTP/1.1 200 X\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(&body.as_bytes()[..body.len() / 2]);
        }
        Say::Close => {}
        Say::Redirect => whole(stream, 307, "location: /elsewhere/chat/completions\r\n", ""),
    }
}
