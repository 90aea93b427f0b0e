//! Server-sent events: bytes to messages, bounded.
//!
//! Pure; fed by [`crate::follow`] with whatever arrives. A server that sends lines without end is an error and fills no
//! memory. Fields that nobody here needs (`retry`, unknown ones) are passed over, as the format wants it.

/// Longest line.
pub const LINE_BYTES_MAX: usize = 256 * 1024;
/// Most bytes of data of one message.
pub const DATA_BYTES_MAX: usize = 1024 * 1024;
/// Longest id that is kept; others are passed over.
const ID_BYTES_MAX: usize = 20;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its kind; `message` where it names none.
    pub event: String,
    /// Its data, lines joined.
    pub data: String,
    /// The id that it, or one before it, has set: digits.
    pub id: Option<String>,
}

/// A stream that cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// A line does not end.
    #[error("a line of the stream has more than {LINE_BYTES_MAX} bytes")]
    Line,
    /// A message does not end.
    #[error("a message of the stream has more than {DATA_BYTES_MAX} bytes")]
    Data,
}

/// Takes bytes in and gives messages out.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    /// The last byte was a carriage return: a line feed after it ends no second line.
    after_return: bool,
    is_begun: bool,
    event: String,
    data: String,
    id: Option<String>,
}

impl Parser {
    /// Takes in what arrived; calls back for each message that is complete.
    pub fn feed(&mut self, bytes: &[u8], mut tell: impl FnMut(Message)) -> Result<(), StreamError> {
        for &byte in bytes {
            let after_return = std::mem::take(&mut self.after_return);
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => {
                    self.after_return = byte == b'\r';
                    if let Some(message) = self.end_of_line()? {
                        tell(message);
                    }
                }
                _ if self.line.len() == LINE_BYTES_MAX => return Err(StreamError::Line),
                _ => self.line.push(byte),
            }
        }
        Ok(())
    }

    fn end_of_line(&mut self) -> Result<Option<Message>, StreamError> {
        let bytes = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&bytes);
        let line = if std::mem::replace(&mut self.is_begun, true) {
            &*line
        } else {
            line.strip_prefix('\u{feff}').unwrap_or(&line)
        };
        if line.is_empty() {
            return Ok(self.end_of_message());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event),
            "data" => {
                if self.data.len() + value.len() + 1 > DATA_BYTES_MAX {
                    return Err(StreamError::Data);
                }
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if is_id(value) => self.id = Some(value.to_owned()),
            // Comments have no name before their colon.
            _ => {}
        }
        Ok(None)
    }

    fn end_of_message(&mut self) -> Option<Message> {
        let event = std::mem::take(&mut self.event);
        let mut data = std::mem::take(&mut self.data);
        // A blank line alone ends nothing; what was set as id stays.
        if data.pop().is_none() && event.is_empty() {
            return None;
        }
        Some(Message {
            event: if event.is_empty() {
                "message".to_owned()
            } else {
                event
            },
            data,
            id: self.id.clone(),
        })
    }
}

/// Ids go back to the server in a header, so they are what ours are: numbers.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= ID_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Vec<(String, String, Option<String>)> {
        let mut messages = Vec::new();
        Parser::default()
            .feed(text.as_bytes(), |message| {
                messages.push((message.event, message.data, message.id));
            })
            .unwrap();
        messages
    }

    fn message(event: &str, data: &str, id: Option<&str>) -> (String, String, Option<String>) {
        (event.to_owned(), data.to_owned(), id.map(str::to_owned))
    }

    #[test]
    fn messages_are_read_as_the_format_has_them() {
        assert_eq!(
            parse(": hello\nid: 7\nevent: stage\ndata: {\"a\":1}\n\n"),
            [message("stage", "{\"a\":1}", Some("7"))]
        );
        assert_eq!(
            parse("data:a\ndata: b\ndata\n\ndata: c\r\n\r\ndata: d\r\rdata: unfinished"),
            [
                message("message", "a\nb\n", None),
                message("message", "c", None),
                message("message", "d", None)
            ]
        );
        assert_eq!(parse("\u{feff}data: x\n\n"), [message("message", "x", None)]);
        assert_eq!(
            parse("event: end\n\nid: 3\n\ndata: y\n\n\n"),
            [message("end", "", None), message("message", "y", Some("3"))]
        );
        assert_eq!(
            parse("retry: 5\nunknown: 1\ndata:  z\n\n"),
            [message("message", " z", None)]
        );
    }

    #[test]
    fn an_id_that_cannot_go_into_a_header_is_passed_over() {
        for id in ["", "x", "1 2", "1\u{0}", "-1", "999999999999999999999"] {
            assert_eq!(
                parse(&format!("id: 4\nid: {id}\ndata: x\n\n")),
                [message("message", "x", Some("4"))]
            );
        }
    }

    #[test]
    fn lines_and_messages_without_end_are_refused() {
        let long = vec![b'x'; LINE_BYTES_MAX + 1];
        assert_eq!(Parser::default().feed(&long, |_| ()), Err(StreamError::Line));
        let lines = format!("data: {}\n", "x".repeat(1000)).repeat(DATA_BYTES_MAX / 1000 + 1);
        assert_eq!(
            Parser::default().feed(lines.as_bytes(), |_| ()),
            Err(StreamError::Data)
        );
        let comments = format!(": {}\n", "x".repeat(1000)).repeat(5000);
        assert_eq!(Parser::default().feed(comments.as_bytes(), |_| ()), Ok(()));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_bytes_are_cut(
            pieces in proptest::collection::vec("(data|event|id|:|x)?:? ?[a-z0-9é]{0,6}(\n|\r|\r\n)?", 0..20),
            at: proptest::sample::Index,
        ) {
            let text = pieces.concat();
            let bytes = text.as_bytes();
            let middle = at.index(bytes.len() + 1);
            let mut cut = Vec::new();
            let mut parser = Parser::default();
            for part in [&bytes[..middle], &bytes[middle..]] {
                parser.feed(part, |message| cut.push((message.event, message.data, message.id))).unwrap();
            }
            prop_assert_eq!(cut, parse(&text));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = Parser::default().feed(&bytes, |_| ());
        }
    }
}
