//! A service that says what a test wants: one answer a request, from a table of beginnings of request lines.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Came {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> String {
        let found = self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        });
        found.unwrap_or_default()
    }
}

/// The service.
pub(crate) struct Service {
    pub(crate) url: String,
    came: Arc<Mutex<Vec<Came>>>,
}

impl Service {
    /// Each answer belongs to requests whose line begins so; everything else is 404.
    pub(crate) fn new(answers: &[(&str, &str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let came = Arc::<Mutex<Vec<Came>>>::default();
        let kept = Arc::clone(&came);
        let answers: Vec<_> = answers
            .iter()
            .map(|(line, status, body)| ((*line).to_owned(), (*status).to_owned(), (*body).to_owned()))
            .collect();
        // It lives as long as the tests.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                answer(stream, &answers, &kept);
            }
        });
        Self { url, came }
    }

    /// What came so far.
    pub(crate) fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Keeps the request before it is answered: whoever has the answer finds it there.
fn answer(
    mut stream: TcpStream,
    answers: &[(String, String, String)],
    kept: &Mutex<Vec<Came>>,
) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0; 1];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let mut request = Came {
        head: String::from_utf8(head).ok()?,
        body: Vec::new(),
    };
    request.body = vec![0; request.header("content-length").parse().unwrap_or(0)];
    stream.read_exact(&mut request.body).ok()?;
    kept.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(request.clone());
    let found = answers.iter().find(|(line, _, _)| request.head.starts_with(line));
    let (status, body) = found.map_or(
        ("404 Not Found", r#"{"detail":"submission not found"}"#),
        |found| (found.1.as_str(), found.2.as_str()),
    );
    let kind = if body.starts_with("event:") || body.starts_with("id:") {
        "text/event-stream"
    } else {
        "application/json"
    };
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).ok()
}
