//! The admin socket: a Unix socket of mode 0600. A line of JSON in, a line of JSON out, one a connection.
//!
//! Whoever may open the socket is the operator; there is no other password. Served by threads of the service, one a
//! connection and so many at once; asked by `prism admin` and `prism round`. It must never let one who says nothing keep
//! another waiting.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::{
        fs::PermissionsExt as _,
        net::{UnixListener, UnixStream},
    },
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use prism_core::advice::{Advice, Hint};
use serde_json::{Value, json};

use crate::{
    admin::Operation,
    problem::{Result, ServiceProblem},
    service::Service,
};

/// Longest question and answer, in bytes.
const LINE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Questions at once. Each has a thread, so that nobody waits for somebody else's.
const CONNECTIONS_MAX: usize = 16;
/// How long a question may take to be asked.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may take: opening a round reads the whole corpus.
const ANSWER_TIMEOUT: Duration = Duration::from_hours(1);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "what an error says describes it")]
pub enum SocketError {
    #[error("cannot reach the service at {path}: {source}")]
    Unreachable { path: String, source: io::Error },
    #[error("the service did not answer: {0}")]
    Broken(io::Error),
    #[error("{0}")]
    Refused(String),
}

impl Advice for SocketError {
    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::Unreachable { .. } => "is `prism serve` running, and are you its user?".into(),
            _ => return None,
        })
    }
}

impl Service {
    /// Serves the socket on a thread of its own, until the process ends. A file that is there already is an old one: the
    /// store's lock says that there is no other service.
    pub fn serve_admin(self: &Arc<Self>, path: &Path) -> Result<()> {
        let failed = |source| ServiceProblem::Io {
            what: format!("the admin socket {}", path.display()),
            source,
        };
        match fs::remove_file(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let service = Arc::clone(self);
        thread::Builder::new()
            .name("prism-admin".to_owned())
            .spawn(move || {
                let open = Arc::new(AtomicUsize::new(0));
                for connection in listener.incoming() {
                    if let Err(error) = connection.and_then(|one| Self::attend(&service, one, &open)) {
                        tracing::warn!(%error, "the admin socket");
                        thread::sleep(Duration::from_millis(100));
                    }
                }
            })
            .map_err(failed)?;
        Ok(())
    }

    /// Answers a connection on a thread of its own, or says that there are too many.
    fn attend(service: &Arc<Self>, connection: UnixStream, open: &Arc<AtomicUsize>) -> io::Result<()> {
        let place = Place(Arc::clone(open));
        if open.fetch_add(1, Ordering::SeqCst) >= CONNECTIONS_MAX {
            // Nobody reads the question: it is short, and the answer fits into the socket.
            connection.set_write_timeout(Some(Duration::from_millis(100)))?;
            tell(
                &connection,
                &json!({ "error": "too many questions at once; ask again in a moment" }),
            );
            drop(place);
            return Ok(());
        }
        let service = Arc::clone(service);
        thread::Builder::new()
            .name("prism-admin-one".to_owned())
            .spawn(move || {
                let _place = place;
                service.answer(&connection);
            })?;
        Ok(())
    }

    fn answer(&self, connection: &UnixStream) {
        let answer = match question(connection) {
            Ok(operation) => match self.administer(&operation) {
                Ok(value) => json!({ "ok": value }),
                Err(problem) => json!({ "error": problem.to_string() }),
            },
            Err(error) => json!({ "error": format!("the question cannot be read: {error}") }),
        };
        tell(connection, &answer);
    }
}

/// A connection that is counted, until this is dropped.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn tell(mut connection: &UnixStream, answer: &Value) {
    let mut text = answer.to_string();
    text.push('\n');
    // Whoever asked may be gone.
    let _ = connection.write_all(text.as_bytes());
}

fn question(connection: &UnixStream) -> io::Result<Operation> {
    connection.set_read_timeout(Some(QUESTION_TIMEOUT))?;
    connection.set_write_timeout(Some(QUESTION_TIMEOUT))?;
    let line = line(connection)?;
    serde_json::from_str(&line).map_err(io::Error::other)
}

fn line(connection: &UnixStream) -> io::Result<String> {
    let mut line = String::new();
    let read = BufReader::new(connection)
        .take(LINE_BYTES_MAX)
        .read_line(&mut line)?;
    if read == 0 || !line.ends_with('\n') {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the line has no end",
        ));
    }
    Ok(line)
}

/// Asks the service behind a socket.
pub fn ask(path: &Path, operation: &Operation) -> std::result::Result<Value, SocketError> {
    let connection = UnixStream::connect(path).map_err(|source| SocketError::Unreachable {
        path: path.display().to_string(),
        source,
    })?;
    let mut text = serde_json::to_string(operation).map_err(|error| SocketError::Broken(error.into()))?;
    text.push('\n');
    connection
        .set_read_timeout(Some(ANSWER_TIMEOUT))
        .and_then(|()| (&connection).write_all(text.as_bytes()))
        .map_err(SocketError::Broken)?;
    let answer = line(&connection).map_err(SocketError::Broken)?;
    let answer: Value = serde_json::from_str(&answer).map_err(|error| SocketError::Broken(error.into()))?;
    match (answer.get("ok"), answer.get("error").and_then(Value::as_str)) {
        (Some(value), None) => Ok(value.clone()),
        (_, Some(error)) => Err(SocketError::Refused(error.to_owned())),
        (None, None) => Err(SocketError::Broken(io::Error::other("it answered with nothing"))),
    }
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, time::Instant};

    use prism_core::{failure::Failure, outcome::Reason, time::Timestamp};
    use prism_engine::executor::Local;
    use prism_store::Store;

    use super::*;
    use crate::{review::ReviewMode, service::ServiceSettings};

    fn served() -> (tempfile::TempDir, Arc<Service>, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store"), Timestamp(0)).unwrap();
        let executor = Local::new(dir.path().join("attempts"), "/bin/false".into(), Vec::new());
        let settings = ServiceSettings {
            cache_dir: dir.path().join("cache"),
            slots: Vec::new(),
            review: ReviewMode::Off,
            reviewer: None,
            preflight: Box::new(|_| Err(Failure::new(Reason::RuntimeMissing, "there is none"))),
            reserve_bytes: 0,
            clock: Arc::new(|| Timestamp(0)),
        };
        let service = Service::new(store, Arc::new(executor), settings).unwrap();
        let socket = dir.path().join("admin.sock");
        service.serve_admin(&socket).unwrap();
        (dir, service, socket)
    }

    #[test]
    fn who_says_nothing_blocks_nobody_and_too_many_are_told_so() {
        let (_dir, _service, socket) = served();
        let silent: Vec<UnixStream> = (1..CONNECTIONS_MAX)
            .map(|_| {
                let one = UnixStream::connect(&socket).unwrap();
                (&one).write_all(b"{\"do\":").unwrap();
                one
            })
            .collect();
        let begun = Instant::now();
        assert_eq!(
            ask(&socket, &Operation::RoundList).unwrap(),
            json!({ "rounds": [] })
        );
        assert!(
            begun.elapsed() < QUESTION_TIMEOUT,
            "one after the other would wait for each"
        );
        // The place of an answered one is given back when its thread ends; until then whoever comes for it is refused.
        let mut refused = None;
        let mut last = Vec::new();
        for _ in 0..100 {
            last.push(UnixStream::connect(&socket).unwrap());
            match ask(&socket, &Operation::RoundList) {
                Err(error) => {
                    refused = Some(error.to_string());
                    break;
                }
                Ok(_) => thread::sleep(Duration::from_millis(10)),
            }
        }
        assert!(
            refused.is_some_and(|why| why.contains("too many questions") || why.contains("did not answer"))
        );
        drop((silent, last));
        let deadline = Instant::now() + QUESTION_TIMEOUT;
        while ask(&socket, &Operation::RoundList).is_err() {
            assert!(Instant::now() < deadline, "the places never came back");
            thread::sleep(Duration::from_millis(10));
        }
    }
}
