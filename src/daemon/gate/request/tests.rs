use proptest::prelude::*;

use crate::engine::registration::Origin;

use super::*;

fn inbox() -> Inbox {
    let client =
        Client { addr: "10.0.0.8".parse().unwrap(), origin: Origin::Network, is_forwarded: false };
    Inbox::new(client, Ticket::default().next())
}

fn feed(bytes: impl AsRef<[u8]>) -> Progress {
    inbox().feed(bytes.as_ref())
}

fn whole(bytes: &str) -> String {
    match feed(bytes) {
        Progress::Whole(whole) => String::from_utf8(whole.bytes).unwrap(),
        other => panic!("{bytes:?} gave {other:?}"),
    }
}

const TAIL: &str = "X-Healthchecker-Client: net 10.0.0.8\r\nX-Healthchecker-Ticket: 1\r\n\
                    Connection: close\r\n\r\n";
/// The same before a body of so many bytes.
fn tail(length: usize) -> String {
    format!("{}Content-Length: {length}\r\n\r\n", TAIL.strip_suffix("\r\n").unwrap())
}

const MORE: Progress = Progress::More { invite: false };

#[test]
fn the_head_is_written_anew_from_the_allow_list() {
    let sent = "POST /healthchecker/monitor?x=1 HTTP/1.1\r\nhost: pi:9090\r\nCookie: a\r\n\
                TE: chunked\r\nUpgrade: h2c\r\nConnection: keep-alive, Upgrade\r\n\
                X-Healthchecker-Client: own 127.0.0.1\r\nX-Healthchecker-Ticket: 7\r\nContent-type: text/plain\r\n\
                content-length: 3\r\n\r\na=bGET / HTTP/1.1\r\n\r\n";
    let given = format!(
        "POST /healthchecker/monitor?x=1 HTTP/1.1\r\nHost: pi:9090\r\nContent-Type: text/plain\r\n{}a=b",
        tail(3)
    );
    assert_eq!(whole(sent), given);
}

#[test]
fn a_proxy_is_told_by_what_it_says_of_whom_it_asks_for() {
    for header in
        ["X-Forwarded-For: 10.0.0.7", "forwarded: for=10.0.0.7", "via: 1.1 a", "X-REAL-IP:"]
    {
        let given = whole(&format!("GET /health HTTP/1.1\r\n{header}\r\n\r\n"));
        assert!(given.contains("\r\nX-Healthchecker-Client: via 10.0.0.8\r\n"), "{given}");
        assert!(!given.contains("10.0.0.7"));
    }
}

#[test]
fn the_barest_clients_are_understood() {
    let given = format!("GET /health HTTP/1.1\r\n{TAIL}");
    for sent in [
        "GET /health HTTP/1.0\r\n\r\n",
        "\r\n\r\nGET /health HTTP/1.1\r\n\r\n",
        "GET /health HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    ] {
        assert_eq!(whole(sent), given, "{sent:?}");
    }
    assert!(whole("GET /a?n=Küche HTTP/1.1\r\n\r\n").starts_with("GET /a?n=K%C3%BCche "));
}

#[test]
fn a_whole_address_says_the_host_whatever_the_header_says() {
    let given = format!("GET /health HTTP/1.1\r\nHost: pi:9090\r\n{TAIL}");
    for headers in ["", "Host: pi:9090\r\n", "host: evil.example\r\n", "Host:\r\n"] {
        assert_eq!(whole(&format!("GET http://pi:9090/health HTTP/1.1\r\n{headers}\r\n")), given);
    }
    assert!(
        whole("GET HTTP://pi?a HTTP/1.1\r\n\r\n").starts_with("GET /?a HTTP/1.1\r\nHost: pi\r\n")
    );
    for sent in [
        "GET http:///health HTTP/1.1\r\n\r\n",
        "GET http:// HTTP/1.1\r\n\r\n",
        "GET http://k\u{fc}che/ HTTP/1.1\r\n\r\n",
        "GET http://pi/ HTTP/1.1\r\nHost: pi\r\nHost: pi\r\n\r\n",
    ] {
        assert!(matches!(feed(sent), Progress::Bad(Rejection::Malformed(_))), "{sent:?}");
    }
}

#[test]
fn what_is_not_http_is_refused_at_once() {
    for (sent, refusal) in [
        (&b"\x16\x03\x01"[..], "a control character (is it https?)"),
        (b"GET / HTTP/2.0\r\n\r\n", "only HTTP/1.0 and HTTP/1.1 are spoken"),
        (b"GET  / HTTP/1.1\r\n\r\n", "a bad request line"),
        (b"GET / a HTTP/1.1\r\n\r\n", "a blank in the address, which is written %20 or +"),
        (
            b"GET /?appname=a b c HTTP/1.0\r\n\r\n",
            "a blank in the address, which is written %20 or +",
        ),
        (b"GET / a HTTP/2.0\r\n\r\n", "only HTTP/1.0 and HTTP/1.1 are spoken"),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\nx",
            "both Content-Length and Transfer-Encoding",
        ),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "both Content-Length and Transfer-Encoding",
        ),
        (
            b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding in HTTP/1.0",
        ),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n",
            "a chunk whose size is no hexadecimal number",
        ),
        (b"GET * HTTP/1.1\r\n\r\n", "the path must begin with /"),
        (b"GET a HTTP/1.1\r\n\r\n", "the path must begin with /"),
        (b"GET / HTTP/1.1\r\nA B: c\r\n\r\n", "a bad header name"),
        (b"GET / HTTP/1.1\r\nA : c\r\n\r\n", "a bad header name"),
        (b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "a bad header name"),
        (b"GET / HTTP/1.1\r\nA: \0\r\n\r\n", "a control character (is it https?)"),
        (b"GET /health HTTP/1.1\n\n", "a line that does not end with CR LF"),
        (b"GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", "a line that does not end with CR LF"),
        (b"GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n", "a line that does not end with CR LF"),
        (b"GET / HTTP/1.1\r\n\r\r\n", "a line that does not end with CR LF"),
        (b"\r\n\r\n\r\n", "empty lines instead of a request"),
        (b"GET / HTTP/1.1\r\nCookie: k\xc3\xbc\r\n\r\n", "a header beyond ASCII"),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "a header that must be single comes twice",
        ),
        (
            b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
            "more than one Content-Length",
        ),
        (b"GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\nx", "Content-Length must be digits"),
        (b"GET / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\nx", "Content-Length must be digits"),
        (b"GET / HTTP/1.1\r\nContent-Length:\r\n\r\nx", "Content-Length must be digits"),
    ] {
        assert_eq!(feed(sent), Progress::Bad(Rejection::Malformed(refusal)), "{sent:?}");
    }
}

#[test]
fn what_is_too_much_or_unknown_has_its_own_answer() {
    let head = |line: &str| format!("POST / HTTP/1.1\r\n{line}\r\n\r\n");
    for (sent, refusal) in [
        (head("Content-Length: 16385"), Rejection::LongBody),
        (head("Content-Length: 9000000000000000000"), Rejection::LongBody),
        (head(&format!("Content-Length: {}", "9".repeat(99))), Rejection::LongBody),
        (head("Transfer-Encoding: gzip, chunked"), Rejection::TransferEncoding),
        (head("Transfer-Encoding: chunked, chunked"), Rejection::TransferEncoding),
        (
            head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
            Rejection::TransferEncoding,
        ),
        (head("Transfer-Encoding: identity"), Rejection::TransferEncoding),
        (head("Transfer-Encoding:"), Rejection::TransferEncoding),
        (head("Transfer-Encoding: xchunked"), Rejection::TransferEncoding),
        (head("Transfer-Encoding: chunked") + "4001\r\n", Rejection::LongBody),
        (head(&format!("A: {}", "x".repeat(HEAD_MAX))), Rejection::LongHead),
        (head(&"A: b\r\n".repeat(HEADERS_MAX + 1)[..6 * HEADERS_MAX + 4]), Rejection::LongHead),
        ("BREW / HTTP/1.1\r\n\r\n".to_owned(), Rejection::UnknownMethod),
        ("TRACE / HTTP/1.1\r\n\r\n".to_owned(), Rejection::Method),
        ("CONNECT pi:80 HTTP/1.1\r\n\r\n".to_owned(), Rejection::Method),
    ] {
        assert_eq!(feed(&sent), Progress::Bad(refusal), "{sent:?}");
    }
}

#[test]
fn the_limits_are_exact() {
    let frame = "GET / HTTP/1.1\r\nA: \r\n\r\n".len();
    let head = |fill: usize| format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(fill));
    assert!(matches!(feed(head(HEAD_MAX - frame)), Progress::Whole(_)));
    assert_eq!(feed(head(HEAD_MAX - frame + 1)), Progress::Bad(Rejection::LongHead));
    let body =
        |n: usize| format!("POST / HTTP/1.1\r\nContent-Length: {n}\r\n\r\n{}", "x".repeat(n));
    assert!(matches!(feed(body(BODY_MAX)), Progress::Whole(_)));
}

#[test]
fn a_body_is_invited_once_and_only_if_it_is_waited_for() {
    let head = "POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
    let mut one = inbox();
    assert_eq!(one.feed(head.as_bytes()), Progress::More { invite: true });
    assert_eq!(one.feed(b"o"), MORE);
    assert!(matches!(one.feed(b"k"), Progress::Whole(_)));
    assert_eq!(feed(head.replace("1.1", "1.0")), MORE);
    assert!(!whole(&format!("{head}ok")).contains("Expect"));
}

#[test]
fn chunks_go_on_as_a_body_of_a_length() {
    let sent = "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\na=\r\n1;x\r\nb\r\n0\r\nT: t\r\n\r\nGET /";
    assert_eq!(whole(sent), format!("POST / HTTP/1.1\r\n{}a=b", tail(3)));
    let empty = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(whole(empty), format!("POST / HTTP/1.1\r\n{TAIL}"));
    let mut one = inbox();
    let head = "POST / HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(one.feed(head.as_bytes()), Progress::More { invite: true });
    assert_eq!(one.feed(b"1\r\nx\r\n0\r\n"), MORE);
    assert!(one.held() > 0);
    assert!(matches!(one.feed(b"\r\n"), Progress::Whole(_)));
}

#[test]
fn only_a_request_makes_an_inbox_other_than_empty() {
    let mut one = inbox();
    assert_eq!(one.feed(b"\r\n"), MORE);
    assert!(one.is_empty());
    assert_eq!(one.feed(b"G"), MORE);
    assert!(!one.is_empty());
}

/// The first thing other than *more* that comes of the pieces.
fn feed_in_pieces(bytes: &[u8], cuts: &[usize]) -> Progress {
    let mut one = inbox();
    let mut start = 0;
    for &cut in cuts.iter().chain([&bytes.len()]) {
        let piece = &bytes[start..cut.clamp(start, bytes.len())];
        start += piece.len();
        match one.feed(piece) {
            Progress::More { .. } => {}
            end => return end,
        }
    }
    MORE
}

fn end(bytes: &[u8]) -> Progress {
    feed_in_pieces(bytes, &[])
}

/// How a client tires out a server that skips empty lines for as long as they come.
#[test]
fn empty_lines_without_end_are_no_request() {
    let mut one = inbox();
    assert_eq!(one.feed(b"\r\n\r\n"), MORE);
    assert!(matches!(one.feed(b"\r\n"), Progress::Bad(Rejection::Malformed(_))));
}

const PIECES: &[&[u8]] = &[
    b"GET ",
    b"POST ",
    b"/healthchecker/monitor?appname=a",
    b" HTTP/1.1",
    b" HTTP/1.0",
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b"Content-Length: 5",
    b"Content-Length: 99999999999999999999",
    b"Transfer-Encoding: chunked",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"Expect: 100-continue",
    b"Host: pi",
    b": ",
    b"hello",
    b"\xc3\xbc",
    b"\0",
];

/// Texts near enough to HTTP to come far into the parser.
fn nearly_http() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(proptest::sample::select(PIECES), 0..24)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        end(&bytes);
    }

    #[test]
    fn how_the_bytes_are_cut_makes_no_difference(
        bytes in nearly_http(),
        mut cuts in proptest::collection::vec(0usize..400, 0..6),
    ) {
        cuts.sort_unstable();
        prop_assert_eq!(feed_in_pieces(&bytes, &cuts), end(&bytes));
        let every: Vec<usize> = (0..bytes.len()).collect();
        prop_assert_eq!(feed_in_pieces(&bytes, &every), end(&bytes));
    }

    #[test]
    fn what_passes_is_a_head_of_plain_lines(bytes in nearly_http()) {
        if let Progress::Whole(whole) = end(&bytes) {
            let text = String::from_utf8_lossy(&whole.bytes).into_owned();
            let (head, _) = text.split_once("\r\n\r\n").unwrap();
            prop_assert!(head.is_ascii());
            prop_assert!(head.split("\r\n").all(|line| !line.contains(['\r', '\n'])));
            prop_assert!(!head.contains("Transfer-Encoding") && !head.contains("Expect"));
            prop_assert_eq!(head.matches("Connection: close").count(), 1);
        }
    }
}
