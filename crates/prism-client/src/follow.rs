//! Following a submission to its end, over streams that break and servers that are started again.
//!
//! Reads the stream of events; where it ends, breaks or falls silent, asks for the submission, and goes on after the last
//! event that it has, with longer and longer pauses while nobody answers. Every event is told once and in order. A stream
//! that ends by itself is no end: only the submission's status is.

use std::collections::VecDeque;
use std::io::Read as _;
use std::thread;
use std::time::Duration;

use serde::de::DeserializeOwned;
use ureq::BodyReader;

use crate::client::{Client, is_passing};
use crate::error::ClientError;
use crate::exchange::{self, Request};
use crate::patience::Pauses;
use crate::sse::{Message, Parser};
use crate::wire::{Event, Got, Id, Progress, Submission};

const CHUNK_BYTES: usize = 16 * 1024;

/// What there is to tell of a submission.
#[derive(Debug)]
pub enum News {
    /// Something happened to it.
    Event(Event),
    /// Its evaluation is so far.
    Progress(Progress),
    /// The server is out of reach; it is asked again after a pause.
    Away {
        /// Why.
        cause: ClientError,
        /// How long.
        pause: Duration,
    },
    /// It is over. Nothing comes after this.
    Over(Box<Got<Submission>>),
}

/// An iterator of news that waits for the next one.
pub struct Follow<'a> {
    client: &'a Client,
    id: &'a Id,
    last_seq: u64,
    stream: Option<Stream>,
    waiting: VecDeque<News>,
    pauses: Pauses,
    /// To be slept before the next request, so that its reason is told first.
    pause: Option<Duration>,
    is_over: bool,
}

struct Stream {
    reader: BodyReader<'static>,
    parser: Parser,
    has_told: bool,
}

impl Client {
    /// Follows a submission from its first event, or from the one after `after`. A server that is out of reach is waited
    /// for from the beginning: whoever is not sure of its address asks for the status first.
    pub fn follow<'a>(&'a self, id: &'a Id, after: Option<u64>) -> Follow<'a> {
        Follow {
            client: self,
            id,
            last_seq: after.unwrap_or(0),
            stream: None,
            waiting: VecDeque::new(),
            pauses: self.follow_pauses(),
            pause: None,
            is_over: false,
        }
    }

    fn follow_pauses(&self) -> Pauses {
        Pauses::new(&self.patience, self.patience.follow_again_for)
    }
}

impl Iterator for Follow<'_> {
    type Item = Result<News, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(news) = self.waiting.pop_front() {
                return Some(Ok(news));
            }
            if self.is_over {
                return None;
            }
            if let Err(error) = self.go_on() {
                self.is_over = true;
                return Some(Err(error));
            }
        }
    }
}

impl Follow<'_> {
    /// One step: waits, connects or reads. An error is final.
    fn go_on(&mut self) -> Result<(), ClientError> {
        if let Some(pause) = self.pause.take() {
            thread::sleep(pause);
        }
        let Some(stream) = &mut self.stream else {
            return match self.connect() {
                Ok(stream) => {
                    self.stream = Some(stream);
                    Ok(())
                }
                Err(error) => self.away(error),
            };
        };
        let mut chunk = vec![0; CHUNK_BYTES];
        let read = stream.reader.read(&mut chunk);
        let mut messages = Vec::new();
        match read {
            Ok(0) => return self.ended(),
            Ok(length) => {
                let fed = stream
                    .parser
                    .feed(&chunk[..length], |message| messages.push(message));
                fed.map_err(|error| exchange::unexpected(&self.client.server, error.to_string()))?;
            }
            Err(error) => {
                self.stream = None;
                return self.away(exchange::lost(&self.client.server, exchange::cut(&error)));
            }
        }
        for message in messages {
            if message.event == "end" {
                return self.ended();
            }
            self.take(&message)?;
        }
        Ok(())
    }

    fn connect(&self) -> Result<Stream, ClientError> {
        let client = self.client;
        let mut headers = vec![("accept", "text/event-stream".to_owned())];
        if self.last_seq > 0 {
            headers.push(("last-event-id", self.last_seq.to_string()));
        }
        let request = Request {
            method: "GET",
            path: format!(
                "{}/v1/submissions/{}/events/stream",
                client.road.prefix(),
                self.id
            ),
            headers,
            body: &[],
            answer_bytes_max: 0,
        };
        let response = exchange::send(&client.streams, &client.server, &request)?;
        let kind = response
            .body()
            .mime_type()
            .unwrap_or_default()
            .to_ascii_lowercase();
        if kind != "text/event-stream" {
            return Err(exchange::unexpected(
                &client.server,
                "it is no stream of events".to_owned(),
            ));
        }
        Ok(Stream {
            reader: response.into_body().into_reader(),
            parser: Parser::default(),
            has_told: false,
        })
    }

    fn take(&mut self, message: &Message) -> Result<(), ClientError> {
        let news = match message.event.as_str() {
            "stage" => {
                let event: Event = self.understood(message)?;
                if event.seq <= self.last_seq {
                    return Ok(());
                }
                self.last_seq = event.seq;
                News::Event(event)
            }
            "progress" => News::Progress(self.understood(message)?),
            // A newer server may tell more.
            _ => return Ok(()),
        };
        if let Some(stream) = &mut self.stream {
            stream.has_told = true;
        }
        self.pauses = self.client.follow_pauses();
        self.waiting.push_back(news);
        Ok(())
    }

    fn understood<T: DeserializeOwned>(&self, message: &Message) -> Result<T, ClientError> {
        serde_json::from_str(&message.data).map_err(|error| {
            exchange::unexpected(
                &self.client.server,
                format!("an event `{}`: {error}", message.event),
            )
        })
    }

    /// The stream is at its end: the submission may be, too.
    fn ended(&mut self) -> Result<(), ClientError> {
        let has_told = self.stream.take().is_some_and(|stream| stream.has_told);
        match self.client.status(self.id) {
            Ok(got) if got.value.is_over() => {
                self.waiting.push_back(News::Over(Box::new(got)));
                self.is_over = true;
                Ok(())
            }
            // Streams end after some minutes.
            Ok(_) if has_told => {
                self.pause = Some(self.client.patience.first_pause);
                Ok(())
            }
            Ok(_) => {
                let cause = "its streams of events end before they have told anything".to_owned();
                let pause = self.pauses.next(None);
                self.pause = Some(pause.ok_or_else(|| exchange::lost(&self.client.server, cause))?);
                Ok(())
            }
            Err(error) => self.away(error),
        }
    }

    /// Tells of an error that may pass, and gives up on any other one.
    fn away(&mut self, cause: ClientError) -> Result<(), ClientError> {
        let pause = match &cause {
            ClientError::Lost { .. } | ClientError::Unreachable { .. } => self.pauses.next(None),
            ClientError::Refused { problem, .. } if is_passing(problem.status) => {
                self.pauses.next(problem.retry_after)
            }
            _ => None,
        };
        let Some(pause) = pause else { return Err(cause) };
        self.pause = Some(pause);
        self.waiting.push_back(News::Away { cause, pause });
        Ok(())
    }
}
