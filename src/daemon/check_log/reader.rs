//! The newest lines of the health check log, for the API: found from the end, told from the front.
//!
//! Only the places of the lines are held in memory; the lines themselves are read as they are sent.

use crate::daemon::channel::{Sender, channel};
use std::borrow::Cow;
use std::io::{self, Read};
use std::time::Duration;

use serde::Deserialize;

use super::backwards::{Backwards, Source};
use super::writer::{Look, Order};

/// A disk that takes longer is not waited for: less than the client gets.
const LOOK_WITHIN: Duration = Duration::from_secs(10);

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Only lines of this app.
    pub appname: Option<String>,
    /// Only so many, the newest.
    pub limit: usize,
}

/// Reads the log, in any thread but the event loop's: it waits for the disk.
#[derive(Clone, Debug)]
pub struct LogReader {
    orders: Sender<Order>,
}

impl LogReader {
    pub(super) fn new(orders: Sender<Order>) -> LogReader {
        LogReader { orders }
    }

    /// Finds lines, those among them that are not on the disk yet.
    ///
    /// # Errors
    /// In a sentence for the client: the disk does not answer.
    pub fn find(&self, query: &Query) -> Result<Found, String> {
        let (to, look) = channel();
        let sent = self.orders.send(Order::Look(to)).ok();
        let look = sent.and_then(|()| look.recv_timeout(LOOK_WITHIN).ok());
        let look =
            look.ok_or("the health check log cannot be read now: the disk does not answer")?;
        Ok(Found::search(look, query))
    }
}

/// Lines that were found, to be read once, newest last.
#[derive(Debug)]
pub struct Found {
    sources: Vec<Source>,
    /// The last one first.
    spans: Vec<Span>,
    length: usize,
}

/// Lines that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    /// Which source.
    source: usize,
    offset: u64,
    length: usize,
}

impl Found {
    /// Bytes of all lines together.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is no such line.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    fn search(look: Look, query: &Query) -> Found {
        let files = look.files.into_iter().map(Source::File);
        let sources: Vec<Source> =
            [Source::Memory(look.unwritten)].into_iter().chain(files).collect();
        let mut places = Places { spans: Vec::new(), left: query.limit };
        for (number, source) in sources.iter().enumerate() {
            if let Err(why) = places.search(number, source, query) {
                log::warn!("a part of the health check log cannot be read: {why}");
            }
        }
        let length = places.spans.iter().map(|span| span.length).sum();
        Found { sources, spans: places.spans, length }
    }
}

/// Places of lines, while they are looked for from the end.
struct Places {
    spans: Vec<Span>,
    /// How many lines are still wanted.
    left: usize,
}

impl Places {
    fn search(&mut self, number: usize, source: &Source, query: &Query) -> io::Result<()> {
        let mut lines = Backwards::new(source);
        while self.left > 0 {
            let Some(piece) = lines.next_piece()? else { break };
            if is_wanted(&piece.bytes, query.appname.as_deref()) {
                self.left -= 1;
                self.add(Span { source: number, offset: piece.offset, length: piece.bytes.len() });
            }
        }
        Ok(())
    }

    /// Adds the place before all others, to the first one if they touch.
    fn add(&mut self, span: Span) {
        let end = span.offset + span.length as u64;
        match self.spans.last_mut() {
            Some(first) if first.source == span.source && first.offset == end => {
                first.offset = span.offset;
                first.length += span.length;
            }
            _ => self.spans.push(span),
        }
    }
}

/// Whether these bytes are a whole line of ours, of the app if one is named.
fn is_wanted(bytes: &[u8], appname: Option<&str>) -> bool {
    #[derive(Deserialize)]
    struct Line<'a> {
        #[serde(borrow)]
        appname: Cow<'a, str>,
    }
    let text = bytes.strip_suffix(b"\n").and_then(|line| std::str::from_utf8(line).ok());
    let line = text.and_then(|text| serde_json::from_str::<Line<'_>>(text).ok());
    line.is_some_and(|line| appname.is_none_or(|name| line.appname == name))
}

impl Read for Found {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let Some(span) = self.spans.last_mut() else { return Ok(0) };
        let most = to.len().min(span.length);
        let room = to.get_mut(..most).unwrap_or_default();
        let source = self.sources.get(span.source).ok_or(io::ErrorKind::NotFound)?;
        let read = source.read_at(room, span.offset)?;
        if read == 0 && most > 0 {
            // Somebody has emptied the file.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        span.offset += read as u64;
        span.length -= read;
        if span.length == 0 {
            self.spans.pop();
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::check_log::store::Opened;

    fn query(appname: Option<&str>, limit: usize) -> Query {
        Query { appname: appname.map(str::to_owned), limit }
    }

    fn file(text: &str) -> Opened {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        Opened { file, size: text.len() as u64 }
    }

    fn line(app: &str, n: usize) -> String {
        format!("{{\"appname\":\"{app}\",\"n\":{n}}}\n")
    }

    fn found(older: &str, newest: &str, unwritten: &str, query: &Query) -> String {
        let files = vec![file(newest), file(older)];
        let mut found = Found::search(Look { unwritten: unwritten.into(), files }, query);
        let length = found.len();
        let mut text = String::new();
        found.read_to_string(&mut text).unwrap();
        assert_eq!(text.len(), length);
        text
    }

    #[test]
    fn the_newest_come_last_from_wherever_they_are() {
        let (a, b, c) = (line("a", 1), line("a", 2) + &line("a", 3), line("a", 4));
        let all = format!("{a}{b}{c}");
        assert_eq!(found(&a, &b, &c, &query(None, 10)), all);
        assert_eq!(found(&a, &b, &c, &query(None, 2)), line("a", 3) + &line("a", 4));
        assert_eq!(found(&a, &b, "", &query(None, 1)), line("a", 3));
        assert_eq!(found("", "", "", &query(None, 5)), "");
    }

    #[test]
    fn one_app_is_picked_out_by_its_exact_name() {
        let lines: String =
            (0..600).map(|n| line(["a", "ab", "Küche \\\"1\\\""][n % 3], n)).collect();
        let picked = found("", &lines, "", &query(Some("a"), 2));
        assert_eq!(picked, line("a", 594) + &line("a", 597));
        let picked = found("", &lines, "", &query(Some("Küche \"1\""), 1));
        assert_eq!(picked, line("Küche \\\"1\\\"", 599));
        assert_eq!(found("", &lines, "", &query(Some("b"), 9)), "");
    }

    #[test]
    fn what_is_no_line_of_ours_is_passed_over() {
        let newest =
            format!("[1]\n\n{}{{\"appname\":\"a\",\n\0\0\n{}garb", line("a", 1), line("a", 2));
        let whole = line("a", 1) + &line("a", 2);
        assert_eq!(found("\u{fffd}\n{}\n", &newest, "", &query(None, 9)), whole);
        let bytes = b"{\"appname\":\"\xff\"}\n";
        assert!(!is_wanted(bytes, None), "not UTF-8");
    }

    #[test]
    fn lines_in_a_row_take_one_place() {
        let lines: String = (0..1000).map(|n| line("a", n)).collect();
        let look = Look { unwritten: Vec::new(), files: vec![file(&lines)] };
        assert_eq!(Found::search(look, &query(None, 900)).spans.len(), 1);
    }

    #[test]
    fn a_file_that_is_emptied_meanwhile_ends_the_answer() {
        let newest = file(&line("a", 1));
        let emptied = newest.file.try_clone().unwrap();
        let look = Look { unwritten: Vec::new(), files: vec![newest] };
        let mut found = Found::search(look, &query(None, 9));
        emptied.set_len(0).unwrap();
        let error = found.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
