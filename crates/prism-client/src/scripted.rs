//! A server for tests on a loopback port: it does exactly what its script says, byte for byte, once a connection.
//!
//! It can stall in the middle of a head, cut a body, drip, and vanish. What it was sent is kept for the test to look at.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::patience::Patience;
use crate::server::Server;

/// What is done on one connection, in this order.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Reads a request with its body.
    Read,
    /// Reads the head of a request and leaves the body.
    ReadHead,
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes one by one, with pauses.
    Drip(Vec<u8>),
    /// Sends these bytes again and again until nobody takes them.
    Flood(Vec<u8>),
    /// Says nothing until the other side leaves.
    Stall,
}

/// A request that came, as text.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Came {
    /// The first line.
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// The server.
pub(crate) struct Scripted {
    port: u16,
    came: Receiver<Came>,
    _thread: JoinHandle<()>,
}

impl Scripted {
    /// Plays one script a connection; after the last one nobody listens any more.
    pub(crate) fn play(scripts: Vec<Vec<Act>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, came) = channel();
        let thread = thread::spawn(move || {
            for script in scripts {
                let Ok((stream, _)) = listener.accept() else {
                    return;
                };
                connection(stream, &script, &sender);
            }
        });
        Self {
            port,
            came,
            _thread: thread,
        }
    }

    pub(crate) fn server(&self) -> Server {
        Server::parse(&format!("http://127.0.0.1:{}", self.port)).unwrap()
    }

    /// What came so far.
    pub(crate) fn came(&self) -> Vec<Came> {
        self.came.try_iter().collect()
    }
}

fn connection(mut stream: TcpStream, script: &[Act], came: &Sender<Came>) {
    // A test that fails must not hang its server.
    let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
    let _ = stream.set_write_timeout(Some(Duration::from_secs(20)));
    for act in script {
        let done = match act {
            Act::Read => read(&mut stream, true).map(|request| drop(came.send(request))),
            Act::ReadHead => read(&mut stream, false).map(|request| drop(came.send(request))),
            Act::Send(bytes) => stream.write_all(bytes).ok(),
            Act::Drip(bytes) => bytes.iter().try_for_each(|&byte| {
                thread::sleep(Duration::from_millis(5));
                stream.write_all(&[byte]).ok()
            }),
            Act::Flood(bytes) => {
                while stream.write_all(bytes).is_ok() {}
                None
            }
            Act::Stall => {
                let _ = stream.read(&mut [0; 1]);
                None
            }
        };
        if done.is_none() {
            return;
        }
    }
    let _ = stream.shutdown(Shutdown::Write);
    // Waits for the other side, so that what was sent is not lost with a reset.
    let _ = stream.set_read_timeout(Some(Duration::from_millis(500)));
    while matches!(stream.read(&mut [0; 4096]), Ok(length) if length > 0) {}
}

fn read(stream: &mut TcpStream, with_body: bool) -> Option<Came> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        let mut byte = [0; 1];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    };
    let mut request = Came {
        head: String::from_utf8(bytes[..end].to_vec()).ok()?,
        body: Vec::new(),
    };
    if with_body {
        if request.header("expect").is_some() {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
        }
        let length = request
            .header("content-length")
            .map_or(Some(0), |text| text.parse().ok())?;
        request.body = vec![0; length];
        stream.read_exact(&mut request.body).ok()?;
    }
    Some(request)
}

/// An answer with its length.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Act {
    let length = body.len();
    Act::Send(
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}")
            .into_bytes(),
    )
}

/// A success with a JSON body.
pub(crate) fn ok(body: &str) -> Act {
    answer("200 OK", "content-type: application/json\r\n", body)
}

/// The head of a stream of events; what follows are pieces.
pub(crate) fn stream() -> Act {
    Act::Send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n".to_vec())
}

/// Short enough for a test, long enough for a busy machine.
pub(crate) fn hurried() -> Patience {
    Patience {
        connect: Duration::from_secs(10),
        send: Duration::from_secs(10),
        answer: Duration::from_secs(10),
        body: Duration::from_secs(10),
        silence: Duration::from_secs(10),
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(8),
        read_again_for: Duration::from_millis(20),
        signed_again_for: Duration::from_secs(5),
        follow_again_for: Duration::from_millis(200),
    }
}
