//! A server that speaks the Hub's API, on this machine, with the faults that networks have.
//!
//! Two listeners: the Hub, and the host that it redirects to for the bytes of files. Every request is answered by one
//! thread and its connection closed. What goes wrong is decided by the number of the request, so that a test repeats.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use sha2::{Digest, Sha256};

use prism_core::hex;

pub(super) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub(super) const TOKEN: &str = "hf_a_token_of_nobody";

/// What goes wrong, each once in so many requests; zero is never.
#[derive(Clone, Copy, Default)]
pub(super) struct Faults {
    /// 429 with a `Retry-After` of no time.
    pub(super) busy: u64,
    /// 503.
    pub(super) down: u64,
    /// The body ends in the middle.
    pub(super) cut: u64,
    /// The connection is closed before there is an answer.
    pub(super) reset: u64,
    /// The signed address is not good any more.
    pub(super) expired: u64,
}

/// What is wrong all the time.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Lie {
    #[default]
    None,
    /// Ranges are other ones than were asked for.
    OtherRange,
    /// Ranges are not known.
    NoRange,
    /// Other bytes of the same length.
    OtherBytes,
    /// The entity tag changes with each answer.
    OtherTag,
    /// Another commit where files are resolved.
    OtherCommit,
    /// Another hash where files are resolved.
    OtherHash,
    /// A redirect to an address of another scheme.
    Downgrade,
    /// A path of the tree that leads elsewhere.
    EscapingPath,
    /// A file of the tree that is larger than any.
    HugeFile,
    /// The next page of the tree has an address of another scheme.
    OtherPage,
    /// The host of the bytes redirects once more, to itself under another name.
    LongWay,
    /// The tree is no JSON.
    NoJson,
    /// A busy server that asks for a day.
    Patience,
    /// Nobody may see the dataset.
    Gated,
}

struct Shared {
    files: BTreeMap<String, Vec<u8>>,
    faults: Faults,
    lie: Lie,
    /// Where the branch points to.
    head: Mutex<String>,
    requests: AtomicU64,
    requests_for_bytes: AtomicU64,
    /// The token was sent where it must not go.
    token_leaked: AtomicBool,
    wants_token: bool,
    hub: Mutex<String>,
    bytes: Mutex<String>,
}

pub(super) struct Server {
    shared: Arc<Shared>,
}

impl Server {
    pub(super) fn start(files: BTreeMap<String, Vec<u8>>, faults: Faults, lie: Lie) -> Self {
        let shared = Arc::new(Shared {
            files,
            faults,
            lie,
            head: Mutex::new(COMMIT.to_owned()),
            requests: AtomicU64::new(0),
            requests_for_bytes: AtomicU64::new(0),
            token_leaked: AtomicBool::new(false),
            wants_token: true,
            hub: Mutex::default(),
            bytes: Mutex::default(),
        });
        let listen = |is_hub: bool| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = format!("http://{}", listener.local_addr().unwrap());
            let shared = Arc::clone(&shared);
            // It ends with the process.
            thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || shared.serve(stream, is_hub));
                }
            });
            address
        };
        *shared.hub.lock().unwrap() = listen(true);
        *shared.bytes.lock().unwrap() = listen(false);
        Self { shared }
    }

    pub(super) fn endpoint(&self) -> String {
        self.shared.hub.lock().unwrap().clone()
    }

    pub(super) fn move_branch(&self, commit: &str) {
        *self.shared.head.lock().unwrap() = commit.to_owned();
    }

    pub(super) fn token_leaked(&self) -> bool {
        self.shared.token_leaked.load(Ordering::SeqCst)
    }

    pub(super) fn requests_for_bytes(&self) -> u64 {
        self.shared.requests_for_bytes.load(Ordering::SeqCst)
    }
}

struct Asked {
    path: String,
    range: Option<(usize, usize)>,
    token: Option<String>,
}

fn asked(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut range, mut token) = (None, None);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim();
        if header.is_empty() {
            return Some(Asked { path, range, token });
        }
        let (name, value) = header.split_once(':')?;
        match name.to_ascii_lowercase().as_str() {
            "range" => {
                let (first, last) = value.trim().strip_prefix("bytes=")?.split_once('-')?;
                range = Some((first.parse().ok()?, last.parse().ok()?));
            }
            "authorization" => token = Some(value.trim().to_owned()),
            _ => {}
        }
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream, is_hub: bool) {
        let Some(asked) = asked(&stream) else { return };
        let number = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        // Mixed, so that no thread that asks in turn with others meets the same fault each time.
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let comes = |each: u64| each > 0 && mixed.is_multiple_of(each);
        if comes(self.faults.reset) {
            return;
        }
        let _sent = if comes(self.faults.busy) {
            answer(
                &mut stream,
                "429 Too Many Requests",
                &[("Retry-After", "0")],
                b"slow down",
            )
        } else if comes(self.faults.down) {
            answer(&mut stream, "503 Service Unavailable", &[], b"<html>down</html>")
        } else if self.lie == Lie::Patience {
            answer(
                &mut stream,
                "429 Too Many Requests",
                &[("Retry-After", "86400")],
                b"",
            )
        } else if is_hub {
            self.hub(&mut stream, &asked)
        } else {
            self.bytes(
                &mut stream,
                &asked,
                number,
                comes(self.faults.cut),
                comes(self.faults.expired),
            )
        };
    }

    fn hub(&self, stream: &mut TcpStream, asked: &Asked) -> std::io::Result<()> {
        let expected = format!("Bearer {TOKEN}");
        if self.lie == Lie::Gated || (self.wants_token && asked.token.as_deref() != Some(&expected)) {
            return answer(stream, "401 Unauthorized", &[("X-Error-Code", "GatedRepo")], b"");
        }
        if let Some(revision) = asked.path.strip_prefix("/api/datasets/owner/set/revision/") {
            return if revision == "main" {
                let head = self.head.lock().unwrap().clone();
                answer(
                    stream,
                    "200 OK",
                    &[],
                    format!("{{\"sha\":\"{head}\",\"private\":false}}").as_bytes(),
                )
            } else {
                answer(
                    stream,
                    "404 Not Found",
                    &[("X-Error-Code", "RevisionNotFound")],
                    b"",
                )
            };
        }
        if let Some(rest) = asked
            .path
            .strip_prefix(&format!("/api/datasets/owner/set/tree/{COMMIT}/"))
        {
            let (folder, query) = rest.split_once('?').unwrap();
            return self.tree(stream, folder, query);
        }
        if let Some(path) = asked
            .path
            .strip_prefix(&format!("/datasets/owner/set/resolve/{COMMIT}/"))
        {
            let Some(bytes) = self.files.get(path) else {
                return answer(stream, "404 Not Found", &[("X-Error-Code", "EntryNotFound")], b"");
            };
            let commit = if self.lie == Lie::OtherCommit {
                "f".repeat(40)
            } else {
                COMMIT.to_owned()
            };
            let hash = if self.lie == Lie::OtherHash {
                "0".repeat(64)
            } else {
                sha256(bytes)
            };
            let to = if self.lie == Lie::Downgrade {
                "ftp://example.org/x".to_owned()
            } else {
                format!(
                    "{}/signed/{path}?Expires=1&Signature=abc",
                    self.bytes.lock().unwrap()
                )
            };
            return answer(
                stream,
                "302 Found",
                &[
                    ("Location", &to),
                    ("X-Repo-Commit", &commit),
                    ("X-Linked-Size", &bytes.len().to_string()),
                    ("X-Linked-ETag", &format!("\"{hash}\"")),
                    ("X-Xet-Hash", "not-used"),
                ],
                b"Found. Redirecting",
            );
        }
        answer(stream, "404 Not Found", &[("X-Error-Code", "RepoNotFound")], b"")
    }

    /// Two entries a page.
    fn tree(&self, stream: &mut TcpStream, folder: &str, query: &str) -> std::io::Result<()> {
        if self.lie == Lie::NoJson {
            return answer(stream, "200 OK", &[], b"<html>welcome</html>");
        }
        if folder.is_empty() {
            let root = br#"[{"type":"directory","oid":"1","size":0,"path":"sample"},{"type":"file","oid":"2","size":9,"path":"README.md"}]"#;
            return answer(stream, "200 OK", &[], root);
        }
        let entries: Vec<String> = self
            .files
            .iter()
            .filter(|(path, _)| path.starts_with(&format!("{folder}/")))
            .map(|(path, bytes)| {
                let path = if self.lie == Lie::EscapingPath { "sample/../../x.parquet" } else { path };
                format!(
                    r#"{{"type":"file","oid":"abc","size":{size},"path":"{path}","lfs":{{"oid":"{hash}","size":{size},"pointerSize":134}},"xetHash":"x"}}"#,
                    size = if self.lie == Lie::HugeFile { 1 << 60 } else { bytes.len() },
                    hash = sha256(bytes),
                )
            })
            .collect();
        if entries.is_empty() {
            return answer(stream, "404 Not Found", &[("X-Error-Code", "EntryNotFound")], b"");
        }
        let from: usize = query
            .split('&')
            .find_map(|part| part.strip_prefix("cursor="))
            .map_or(0, |cursor| cursor.parse().unwrap());
        let page = entries[from..]
            .iter()
            .take(2)
            .cloned()
            .collect::<Vec<_>>()
            .join(",");
        let host = if self.lie == Lie::OtherPage {
            "ftp://example.org".to_owned()
        } else {
            self.hub.lock().unwrap().clone()
        };
        let link = format!(
            "<{host}/api/datasets/owner/set/tree/{COMMIT}/{folder}?recursive=true&cursor={}>; rel=\"next\"",
            from + 2
        );
        let headers: &[(&str, &str)] = if from + 2 < entries.len() {
            &[("Link", &link)]
        } else {
            &[]
        };
        answer(stream, "200 OK", headers, format!("[{page}]").as_bytes())
    }

    fn bytes(
        &self,
        stream: &mut TcpStream,
        asked: &Asked,
        number: u64,
        is_cut: bool,
        is_expired: bool,
    ) -> std::io::Result<()> {
        self.requests_for_bytes.fetch_add(1, Ordering::SeqCst);
        if asked.token.is_some() {
            self.token_leaked.store(true, Ordering::SeqCst);
        }
        if is_expired {
            return answer(stream, "403 Forbidden", &[], b"<Error>expired</Error>");
        }
        if self.lie == Lie::LongWay && asked.path.starts_with("/signed/") {
            let to = format!(
                "{}{}",
                self.bytes.lock().unwrap().replace("127.0.0.1", "localhost"),
                asked.path.replace("/signed/", "/moved/")
            );
            return answer(stream, "302 Found", &[("Location", &to)], b"");
        }
        let path = asked
            .path
            .strip_prefix("/signed/")
            .or_else(|| asked.path.strip_prefix("/moved/"))
            .and_then(|rest| rest.split('?').next());
        let Some(bytes) = path.and_then(|path| self.files.get(path)) else {
            return answer(stream, "404 Not Found", &[], b"");
        };
        let mut bytes = bytes.clone();
        if self.lie == Lie::OtherBytes {
            bytes[1000] ^= 1;
        }
        let tag = if self.lie == Lie::OtherTag {
            format!("\"{number}\"")
        } else {
            "\"tag\"".to_owned()
        };
        let Some((first, last)) = asked.range.filter(|_| self.lie != Lie::NoRange) else {
            return answer(stream, "200 OK", &[("ETag", &tag)], &bytes);
        };
        let (first, last) = (first, last.min(bytes.len() - 1));
        let told = if self.lie == Lie::OtherRange {
            first + 1
        } else {
            first
        };
        let body = &bytes[first..=last];
        let head = format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {told}-{last}/{}\r\nETag: {tag}\r\nConnection: close\r\n\r\n",
            body.len(),
            bytes.len()
        );
        stream.write_all(head.as_bytes())?;
        let sent = if is_cut { body.len() * 2 / 3 } else { body.len() };
        stream.write_all(&body[..sent])
    }
}

fn answer(
    stream: &mut TcpStream,
    status: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<()> {
    let mut head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(body)
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes))
}
