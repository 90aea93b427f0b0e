//! Runs a program to its end: bounded output, a time limit, a way to stop it.
//!
//! `probe` and `install` run interpreters and installers through [`run`]. The program gets its own process group and
//! the standard input that the caller has given it, and is killed with its children when the time is up or the caller
//! says so. What it prints is handed on line by line and only the end of it is kept.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// How often a waiting caller looks whether it should stop.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// How many silent polls after a program's end its streams are taken to be over, though somebody holds them open.
const POLLS_AFTER_EXIT: u32 = 10;
/// Longest line that is kept; the rest of a longer one is dropped.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// How many lines an error shows: all that an installer says of a failure, without the progress of hours before it.
const TAIL_LINES: usize = 40;

/// How a program ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// By itself.
    Exited(ExitStatus),
    /// Killed, because the time was up.
    TimedOut,
    /// Killed, because the caller said so.
    Stopped,
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) ending: Ending,
    /// The last lines that it printed on either stream.
    pub(crate) tail: String,
}

/// Runs a program; `on_line` sees each line of both streams.
pub(crate) fn run(
    mut command: Command,
    limit: Option<Duration>,
    stop: &dyn Fn() -> bool,
    on_line: &mut dyn FnMut(&str),
) -> io::Result<Finished> {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = command.spawn()?;
    let (sender, lines) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        read_in_background(stdout, sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        read_in_background(stderr, sender.clone());
    }
    drop(sender);

    let deadline = limit.map(|limit| Instant::now() + limit);
    let mut tail = VecDeque::new();
    let mut ended = None;
    let mut silent_polls = 0;
    let ending = loop {
        if stop() {
            kill(&mut child)?;
            break Ending::Stopped;
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            kill(&mut child)?;
            break Ending::TimedOut;
        }
        match lines.recv_timeout(POLL_INTERVAL) {
            Ok(line) => {
                silent_polls = 0;
                on_line(&line);
                if tail.len() == TAIL_LINES {
                    tail.pop_front();
                }
                tail.push_back(line);
            }
            Err(RecvTimeoutError::Timeout) => silent_polls += 1,
            Err(RecvTimeoutError::Disconnected) => break Ending::Exited(child.wait()?),
        }
        // A grandchild may keep the streams open; the program itself decides when it is over, and what it has
        // printed by then gets some time to arrive.
        if silent_polls > 0 && ended.is_none() {
            ended = child.try_wait()?;
        }
        if let Some(status) = ended
            && silent_polls > POLLS_AFTER_EXIT
        {
            break Ending::Exited(status);
        }
    };
    let tail: Vec<_> = tail.into();
    Ok(Finished {
        ending,
        tail: tail.join("\n"),
    })
}

fn kill(child: &mut Child) -> io::Result<()> {
    if let Some(group) = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        // It fails only where the group is gone already, which is what is wanted.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    child.wait().map(drop)
}

fn read_in_background(stream: impl Read + Send + 'static, lines: Sender<String>) {
    thread::spawn(move || {
        let mut splitter = Splitter::default();
        let mut stream = stream;
        let mut buffer = [0; 8192];
        while let Ok(read @ 1..) = stream.read(&mut buffer) {
            for line in splitter.push(&buffer[..read]) {
                if lines.send(line).is_err() {
                    return;
                }
            }
        }
        if let Some(line) = splitter.finish() {
            let _ = lines.send(line);
        }
    });
}

/// Splits a stream into lines without control characters. A carriage return ends a line too: progress bars use it.
#[derive(Default)]
struct Splitter {
    line: Vec<u8>,
}

impl Splitter {
    fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for &byte in bytes {
            match byte {
                b'\n' | b'\r' => lines.extend(self.finish()),
                _ if self.line.len() < LINE_BYTES_MAX => self.line.push(byte),
                _ => {}
            }
        }
        lines
    }

    fn finish(&mut self) -> Option<String> {
        let line = String::from_utf8_lossy(&self.line).replace(char::is_control, " ");
        self.line.clear();
        let line = line.trim_end();
        (!line.is_empty()).then(|| line.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).stdin(Stdio::null());
        command
    }

    #[test]
    fn hands_on_lines_and_keeps_the_tail() {
        let mut seen = Vec::new();
        let script = "i=0; while [ $i -lt 41 ]; do i=$((i + 1)); echo line $i; done; printf 'no end'; exit 3";
        let finished = run(shell(script), None, &|| false, &mut |line| {
            seen.push(line.to_owned());
        })
        .unwrap();
        assert!(matches!(finished.ending, Ending::Exited(status) if status.code() == Some(3)));
        assert_eq!(
            (seen.len(), seen[0].as_str(), seen[41].as_str()),
            (42, "line 1", "no end")
        );
        assert_eq!(finished.tail.lines().count(), TAIL_LINES);
        assert!(finished.tail.ends_with("line 41\nno end"));
    }

    #[test]
    fn kills_the_whole_group_when_told_to_stop() {
        // The grandchild holds the streams open for a minute; the call returns because it is killed, too.
        let stopping = std::cell::Cell::new(false);
        let finished = run(
            shell("sleep 60 & echo started; wait"),
            None,
            &|| stopping.get(),
            &mut |line| {
                assert_eq!(line, "started");
                stopping.set(true);
            },
        );
        assert!(matches!(finished.unwrap().ending, Ending::Stopped));
    }

    #[test]
    fn a_limit_of_no_time_ends_at_once() {
        let finished = run(shell("sleep 60"), Some(Duration::ZERO), &|| false, &mut |_| {}).unwrap();
        assert!(matches!(finished.ending, Ending::TimedOut));
    }

    #[test]
    fn a_missing_program_is_an_error() {
        assert!(run(Command::new("/does/not/exist"), None, &|| false, &mut |_| {}).is_err());
    }

    #[test]
    fn splits_at_both_ends_and_drops_controls_and_the_rest_of_long_lines() {
        let mut splitter = Splitter::default();
        assert_eq!(splitter.push(b"a\r\nb\x1b[2Jc\rd"), ["a", "b [2Jc"]);
        splitter.push(&vec![b'x'; 2 * LINE_BYTES_MAX]);
        assert_eq!(splitter.finish().unwrap().len(), LINE_BYTES_MAX);
        assert_eq!(splitter.finish(), None);
    }
}
