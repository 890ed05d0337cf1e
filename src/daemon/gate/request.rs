//! One request, from the bytes that a client sends to the bytes that the API is given.
//!
//! Pure: bytes go in as they come, cut anywhere, and out comes *more*, a whole request, or why
//! there will be none. What goes on is written anew from an allow-list, so that nothing the API's
//! HTTP library could misread ever reaches it.

mod chunked;

use self::chunked::Chunks;
use super::client::{CLIENT_HEADER, Client};
use super::rejection::Rejection;
use super::ticket::{TICKET_HEADER, Ticket};

/// The longest head, in bytes: what common servers allow.
pub const HEAD_MAX: usize = 8 * 1024;
/// The most headers; a browser sends about 15.
pub(super) const HEADERS_MAX: usize = 64;
/// The most bytes of empty lines before a request. RFC 9112, section 2.2, asks to bear with one; old
/// browsers send one after the body of the request before.
const EMPTY_LINES_MAX: usize = 4;
/// The longest body, in bytes: a registration with every value at its longest fits five times.
pub const BODY_MAX: usize = 16 * 1024;

/// The methods that reach the API, which knows what each path allows.
const PASSED: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "QUERY"];
/// The others of RFC 9110, section 9: no path here could ever allow them.
const NEVER: [&str; 2] = ["CONNECT", "TRACE"];

const HOST: &str = "Host";
/// A proxy says in one of these for whom it asks (RFC 9110, section 7.6.3; RFC 7239, section 8).
const OF_PROXIES: [&str; 4] = ["Via", "Forwarded", "X-Forwarded-For", "X-Real-IP"];
/// The headers that pass, and whether a request may have more than one.
const ALLOWED: [(&str, bool); 11] = [
    ("Accept", true),
    ("Authorization", false),
    ("Content-Type", false),
    (HOST, false),
    ("Origin", false),
    ("Referer", false),
    ("Sec-Fetch-Dest", false),
    ("Sec-Fetch-Mode", false),
    ("Sec-Fetch-Site", false),
    ("Sec-Fetch-User", false),
    ("User-Agent", false),
];

/// A whole request, as the API is given it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Head and body, written anew.
    pub bytes: Vec<u8>,
    /// A HEAD: its answer has no body.
    pub head_only: bool,
}

/// What the bytes so far amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not yet a request.
    More {
        /// The client waits for `100 Continue` before it sends the body.
        invite: bool,
    },
    /// A request.
    Whole(Whole),
    /// It will never be one.
    Bad(Rejection),
}

/// Collects one request.
#[derive(Debug)]
pub struct Inbox {
    client: Client,
    ticket: Ticket,
    part: Part,
}

#[derive(Debug)]
enum Part {
    Head(HeadLines),
    /// `request` is its head, and what has come of a body of declared length.
    Body {
        request: Whole,
        framing: Framing,
    },
}

/// How a body's end is found.
#[derive(Debug)]
enum Framing {
    /// So many bytes are missing.
    Length(usize),
    Chunked(Chunks),
}

impl Inbox {
    /// An empty one, for a request of `client` that gets `ticket`.
    pub fn new(client: Client, ticket: Ticket) -> Inbox {
        Inbox { client, ticket, part: Part::Head(HeadLines::default()) }
    }

    /// True until the first byte that belongs to a request.
    pub fn is_empty(&self) -> bool {
        matches!(&self.part, Part::Head(head) if head.bytes.is_empty())
    }

    /// Bytes of memory taken.
    pub fn held(&self) -> usize {
        match &self.part {
            Part::Head(head) => head.bytes.capacity(),
            Part::Body { request, framing: Framing::Length(_) } => request.bytes.capacity(),
            Part::Body { request, framing: Framing::Chunked(chunks) } => {
                request.bytes.capacity() + chunks.held()
            }
        }
    }

    /// Takes the next bytes. After anything but [`Progress::More`] nothing more is to be fed; what
    /// follows a whole request is ignored, since every connection carries one.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Progress {
        let mut invite = false;
        if let Part::Head(head) = &mut self.part {
            let parsed = match head.collect(&mut bytes) {
                Ok(true) => parse_head(&head.bytes, self.client, self.ticket),
                Ok(false) => return Progress::More { invite: false },
                Err(refusal) => return Progress::Bad(refusal),
            };
            match parsed {
                Ok(head) => {
                    invite = head.expects_invitation;
                    self.part = Part::Body { request: head.request, framing: head.framing };
                }
                Err(refusal) => return Progress::Bad(refusal),
            }
        }
        self.collect_body(bytes, invite)
    }

    fn collect_body(&mut self, bytes: &[u8], invite: bool) -> Progress {
        let Part::Body { request, framing } = &mut self.part else {
            return Progress::More { invite: false };
        };
        match framing {
            Framing::Length(missing) => {
                let taken = bytes.get(..*missing).unwrap_or(bytes);
                request.bytes.extend_from_slice(taken);
                *missing = missing.saturating_sub(taken.len());
                if *missing > 0 {
                    return Progress::More { invite };
                }
            }
            Framing::Chunked(chunks) => match chunks.feed(bytes) {
                Ok(true) => end_head(&mut request.bytes, &chunks.body),
                Ok(false) => return Progress::More { invite },
                Err(refusal) => return Progress::Bad(refusal),
            },
        }
        Progress::Whole(Whole {
            bytes: std::mem::take(&mut request.bytes),
            head_only: request.head_only,
        })
    }
}

/// Ends a head now that the length of its body is known, and appends that.
fn end_head(head: &mut Vec<u8>, body: &[u8]) {
    if !body.is_empty() {
        head.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    head.extend_from_slice(body);
}

/// What has come of a head.
#[derive(Debug, Default)]
struct HeadLines {
    bytes: Vec<u8>,
    /// Bytes of empty lines before the first.
    skipped: usize,
    after_cr: bool,
}

impl HeadLines {
    /// Takes bytes until the head is whole: true then. Each byte is looked at once, so a client
    /// that sends one at a time costs no more than another, and how they are cut makes no
    /// difference. What can never become a head is refused at once: a TLS greeting or another
    /// protocol may never have an empty line.
    fn collect(&mut self, bytes: &mut &[u8]) -> Result<bool, Rejection> {
        while let Some((&byte, rest)) = bytes.split_first() {
            *bytes = rest;
            self.check_line_end(byte)?;
            if self.bytes.is_empty() && matches!(byte, b'\r' | b'\n') {
                self.skipped = self.skipped.saturating_add(1);
                if self.skipped > EMPTY_LINES_MAX {
                    return Err(Rejection::Malformed("empty lines instead of a request"));
                }
                continue;
            }
            if self.bytes.len() >= HEAD_MAX {
                return Err(Rejection::LongHead);
            }
            if byte.is_ascii_control() && !matches!(byte, b'\r' | b'\n' | b'\t') {
                return Err(Rejection::Malformed("a control character (is it https?)"));
            }
            self.bytes.push(byte);
            if self.bytes.ends_with(b"\r\n\r\n") {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Carriage return and line feed come together or not at all: whoever takes one for a line end
    /// and whoever does not see two different requests (RFC 9112, section 2.2).
    fn check_line_end(&mut self, byte: u8) -> Result<(), Rejection> {
        if self.after_cr != (byte == b'\n') {
            return Err(Rejection::Malformed("a line that does not end with CR LF"));
        }
        self.after_cr = byte == b'\r';
        Ok(())
    }
}

struct ParsedHead {
    request: Whole,
    framing: Framing,
    expects_invitation: bool,
}

fn parse_head(bytes: &[u8], client: Client, ticket: Ticket) -> Result<ParsedHead, Rejection> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Request::new(&mut headers);
    match head.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => {
            return Err(Rejection::Malformed("an unexpected empty line"));
        }
        Err(why) => return Err(refusal_of(why, bytes)),
    }
    let method = method(head.method.unwrap_or_default())?;
    let target = target(head.path.unwrap_or_default())?;
    let mut anew = format!("{method} {} HTTP/1.1\r\n", target.path);
    let seen = copy_headers(head.headers, target.authority, &mut anew)?;
    // Who says so without need is believed: it takes something from him and gives nothing.
    let client = if seen.is_forwarded { client.forwarding() } else { client };
    anew.push_str(&format!("{CLIENT_HEADER}: {}\r\n", client.to_header()));
    anew.push_str(&format!("{TICKET_HEADER}: {}\r\nConnection: close\r\n", ticket.to_header()));
    let is_newest = head.version == Some(1);
    let framing = seen.framing(is_newest)?;
    match framing {
        Framing::Length(0) => anew.push_str("\r\n"),
        Framing::Length(length) => anew.push_str(&format!("Content-Length: {length}\r\n\r\n")),
        // Its length comes last.
        Framing::Chunked(_) => {}
    }
    Ok(ParsedHead {
        request: Whole { bytes: anew.into_bytes(), head_only: method == "HEAD" },
        framing,
        // HTTP/1.0 clients know no interim answers (RFC 9110, section 10.1.1).
        expects_invitation: seen.expects_invitation && is_newest,
    })
}

fn refusal_of(why: httparse::Error, head: &[u8]) -> Rejection {
    match why {
        httparse::Error::TooManyHeaders => Rejection::LongHead,
        httparse::Error::HeaderName => Rejection::Malformed("a bad header name"),
        httparse::Error::HeaderValue => Rejection::Malformed("a bad header value"),
        httparse::Error::Version if has_blank_in_target(head) => {
            Rejection::Malformed("a blank in the address, which is written %20 or +")
        }
        httparse::Error::Version => Rejection::Malformed("only HTTP/1.0 and HTTP/1.1 are spoken"),
        httparse::Error::NewLine => Rejection::Malformed("a bad line end"),
        httparse::Error::Token | httparse::Error::Status => {
            Rejection::Malformed("a bad request line")
        }
    }
}

/// Small hardware sends `?appname=a b` as it was typed. It is told, not mended (RFC 9112, section 3).
fn has_blank_in_target(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let blanks = line.iter().filter(|byte| **byte == b' ').count();
    blanks > 2 && (line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0"))
}

fn method(given: &str) -> Result<&str, Rejection> {
    if PASSED.contains(&given) {
        Ok(given)
    } else if NEVER.contains(&given) {
        Err(Rejection::Method)
    } else {
        Err(Rejection::UnknownMethod)
    }
}

/// What a request asks for.
struct Target<'a> {
    /// Name and port, where the whole address is given.
    authority: Option<&'a str>,
    /// Path and query.
    path: String,
}

/// Reads the request target. Proxies send the whole address (RFC 9112, section 3.2.2); bytes of a
/// path beyond ASCII, which curl sends as typed, are percent-encoded.
fn target(given: &str) -> Result<Target<'_>, Rejection> {
    let (authority, path) = match given.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("http://") => {
            let rest = given.get(7..).unwrap_or_default();
            let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            if authority.is_empty() || !authority.is_ascii() {
                return Err(Rejection::Malformed("an address without a host's name in ASCII"));
            }
            (Some(authority), path)
        }
        _ if given.starts_with('/') => (None, given),
        _ => return Err(Rejection::Malformed("the path must begin with /")),
    };
    let mut anew = String::with_capacity(path.len() + 1);
    if !path.starts_with('/') {
        anew.push('/');
    }
    for c in path.chars() {
        if c.is_ascii() {
            anew.push(c);
        } else {
            let mut utf8 = [0; 4];
            for byte in c.encode_utf8(&mut utf8).bytes() {
                anew.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    Ok(Target { authority, path: anew })
}

#[derive(Default)]
struct Seen {
    body_length: Option<usize>,
    is_chunked: bool,
    expects_invitation: bool,
    is_forwarded: bool,
}

impl Seen {
    /// Two ways to find the end of a body, or one that a client of HTTP/1.0 cannot know, may be two
    /// requests to somebody else (RFC 9112, section 6.1).
    fn framing(&self, is_newest: bool) -> Result<Framing, Rejection> {
        match (self.is_chunked, self.body_length) {
            (false, length) => Ok(Framing::Length(length.unwrap_or(0))),
            (true, Some(_)) => {
                Err(Rejection::Malformed("both Content-Length and Transfer-Encoding"))
            }
            (true, None) if !is_newest => {
                Err(Rejection::Malformed("Transfer-Encoding in HTTP/1.0"))
            }
            (true, None) => Ok(Framing::Chunked(Chunks::default())),
        }
    }
}

/// The name in a whole address stands for what `Host` says, whatever that is (RFC 9112, section
/// 3.2.2): else the two could name different places.
fn copy_headers(
    headers: &[httparse::Header<'_>],
    authority: Option<&str>,
    anew: &mut String,
) -> Result<Seen, Rejection> {
    if let Some(authority) = authority {
        anew.push_str(&format!("{HOST}: {authority}\r\n"));
    }
    let mut seen = Seen::default();
    let mut names_seen = [false; ALLOWED.len()];
    for header in headers {
        let value = std::str::from_utf8(header.value)
            .ok()
            .filter(|value| value.is_ascii())
            .ok_or(Rejection::Malformed("a header beyond ASCII"))?;
        if header.name.eq_ignore_ascii_case("Transfer-Encoding") {
            // Another coding, or chunks within chunks.
            if seen.is_chunked || !value.trim().eq_ignore_ascii_case("chunked") {
                return Err(Rejection::TransferEncoding);
            }
            seen.is_chunked = true;
        } else if header.name.eq_ignore_ascii_case("Content-Length") {
            if seen.body_length.replace(body_length(value)?).is_some() {
                return Err(Rejection::Malformed("more than one Content-Length"));
            }
        } else if header.name.eq_ignore_ascii_case("Expect") {
            // Other expectations may be ignored (RFC 9110, section 10.1.1).
            seen.expects_invitation = value.eq_ignore_ascii_case("100-continue");
        } else if OF_PROXIES.iter().any(|name| header.name.eq_ignore_ascii_case(name)) {
            seen.is_forwarded = true;
        } else {
            let replaced = authority.is_some() && header.name.eq_ignore_ascii_case(HOST);
            let copy = if replaced { &mut String::new() } else { &mut *anew };
            copy_allowed(header.name, value, &mut names_seen, copy)?;
        }
    }
    Ok(seen)
}

fn copy_allowed(
    name: &str,
    value: &str,
    names_seen: &mut [bool],
    anew: &mut String,
) -> Result<(), Rejection> {
    let allowed = ALLOWED.iter().zip(names_seen);
    for ((allowed, repeatable), seen) in allowed {
        if name.eq_ignore_ascii_case(allowed) {
            if std::mem::replace(seen, true) && !repeatable {
                return Err(Rejection::Malformed("a header that must be single comes twice"));
            }
            anew.push_str(&format!("{allowed}: {value}\r\n"));
            break;
        }
    }
    Ok(())
}

fn body_length(value: &str) -> Result<usize, Rejection> {
    if value.is_empty() || !value.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Rejection::Malformed("Content-Length must be digits"));
    }
    // Digits that fit no number are a length all the same, and too long a one.
    match value.parse() {
        Ok(length) if length <= BODY_MAX => Ok(length),
        _ => Err(Rejection::LongBody),
    }
}

#[cfg(test)]
mod tests;
