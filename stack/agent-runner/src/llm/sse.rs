//! Server-sent events, from bytes that may be cut anywhere.

/// A line longer than this is not an event stream, in bytes.
const LONGEST_LINE: usize = 4 * 1024 * 1024;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The `data` of an event, its lines joined.
    Data(String),
    /// The text of an `error:` line, which some servers send in place of an event.
    Error(String),
}

/// What came is not an event stream.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    /// A line is not text.
    #[error("a line is not UTF-8")]
    NotText,
    /// A line does not end.
    #[error("a line is longer than 4 MiB")]
    TooLong,
}

/// Takes bytes as they come and gives whole events.
#[derive(Debug, Default)]
pub struct SseDecoder {
    line: Vec<u8>,
    after_carriage_return: bool,
    data: Option<String>,
}

impl SseDecoder {
    /// The events that `bytes` complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Event>, SseError> {
        let mut events = Vec::new();
        for &byte in bytes {
            let rest_of_line_end = byte == b'\n' && self.after_carriage_return;
            self.after_carriage_return = byte == b'\r';
            match byte {
                b'\n' if rest_of_line_end => {}
                b'\n' | b'\r' => events.extend(self.end_line()?),
                _ if self.line.len() >= LONGEST_LINE => return Err(SseError::TooLong),
                _ => self.line.push(byte),
            }
        }
        Ok(events)
    }

    /// The event that the end of the stream completes, if the server left out its last blank line.
    pub fn finish(&mut self) -> Result<Option<Event>, SseError> {
        if let Some(event) = self.end_line()? {
            return Ok(Some(event));
        }
        Ok(self.data.take().map(Event::Data))
    }

    fn end_line(&mut self) -> Result<Option<Event>, SseError> {
        let bytes = std::mem::take(&mut self.line);
        let line = str::from_utf8(&bytes).map_err(|_| SseError::NotText)?;
        if line.is_empty() {
            return Ok(self.data.take().map(Event::Data));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "error" => return Ok(Some(Event::Error(value.to_owned()))),
            // Comments have an empty field name; event, id, and retry say nothing here.
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": comment\n\ndata: {\"a\":\"grüß 🦀\"}\n\nevent: x\r\nid: 7\r\ndata:one\r\ndata: two\r\n\r\ndata: [DONE]\n\n";

    fn expected() -> Vec<Event> {
        ["{\"a\":\"grüß 🦀\"}", "one\ntwo", "[DONE]"]
            .map(|text| Event::Data(text.to_owned()))
            .to_vec()
    }

    #[test]
    fn a_stream_cut_at_any_byte_gives_the_same_events() {
        let bytes = STREAM.as_bytes();
        for cut in 0..=bytes.len() {
            let mut decoder = SseDecoder::default();
            let mut events = decoder.feed(&bytes[..cut]).unwrap();
            events.extend(decoder.feed(&bytes[cut..]).unwrap());
            assert_eq!(events, expected(), "cut at byte {cut}");
            assert_eq!(decoder.finish().unwrap(), None, "cut at byte {cut}");
        }
    }

    #[test]
    fn a_stream_in_single_bytes_gives_the_same_events() {
        let mut decoder = SseDecoder::default();
        let events = STREAM
            .bytes()
            .flat_map(|byte| decoder.feed(&[byte]).unwrap())
            .collect::<Vec<_>>();
        assert_eq!(events, expected());
    }

    #[test]
    fn an_event_needs_its_blank_line_or_the_end_of_the_stream() {
        let mut decoder = SseDecoder::default();
        assert_eq!(decoder.feed(b"data: [DONE]").unwrap(), []);
        assert_eq!(
            decoder.finish().unwrap(),
            Some(Event::Data("[DONE]".to_owned()))
        );
    }

    #[test]
    fn an_error_line_is_an_event_of_its_own() {
        let mut decoder = SseDecoder::default();
        assert_eq!(
            decoder.feed(b"error: {\"code\":500}\n").unwrap(),
            [Event::Error("{\"code\":500}".to_owned())]
        );
    }

    #[test]
    fn what_is_not_text_or_never_ends_is_refused() {
        assert_eq!(
            SseDecoder::default().feed(b"data: \xff\n\n").unwrap_err(),
            SseError::NotText
        );
        assert_eq!(
            SseDecoder::default()
                .feed(&vec![b'x'; LONGEST_LINE + 1])
                .unwrap_err(),
            SseError::TooLong
        );
    }
}
