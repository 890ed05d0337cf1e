//! Every answer that an app, or what pretends to be one, can give to a check, from raw sockets on
//! the loopback interface.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail loudly")]

use healthchecker::daemon::channel::channel;
use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use healthchecker::daemon::names::Names;
use healthchecker::daemon::prober::{Ourselves, Pool, Probe, ProbeKind, Prober, Request};
use healthchecker::daemon::trust::Trust;
use healthchecker::engine::registration::Origin;
use healthchecker::engine::registration::status_set::StatusSet;
use healthchecker::engine::time::Moment;
use healthchecker::engine::verdict::answer::{CheckEnd, Life, Outcome, Verdict, Whereabouts};

/// The time-out of the checks that are expected to run into it. Shorter than an app may have, so
/// that the tests are quick.
const SHORT: Duration = Duration::from_millis(1200);

/// How much later than its time-out a check may end on a busy machine.
const LATE: Duration = Duration::from_millis(800);

/// A server that reads each request and hands its first line and its connection to `answer`.
fn serve(answer: impl Fn(&str, TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, answer) = (stream.unwrap(), answer.clone());
            thread::spawn(move || {
                let head = read_head(&mut stream);
                answer(&head, stream);
            });
        }
    });
    address
}

fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// A server that always gives the same bytes, and then closes.
fn always(bytes: impl Into<Vec<u8>>) -> SocketAddr {
    let bytes = bytes.into();
    serve(move |_, mut stream| {
        // A client that has seen enough may be gone.
        let _ = stream.write_all(&bytes);
    })
}

/// `first`, and then `again` for ever, with `pause` in between.
fn endless(first: &'static str, again: &'static str, pause: Duration) -> SocketAddr {
    serve(move |_, mut stream| {
        let mut next = stream.write_all(first.as_bytes());
        while next.is_ok() {
            thread::sleep(pause);
            next = stream.write_all(again.as_bytes());
        }
    })
}

fn http(status: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let mut bytes = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    bytes.extend(body);
    bytes
}

fn kind(url: &str, expected: StatusSet) -> ProbeKind {
    ProbeKind::Http(Box::new(Request { url: url.to_owned(), expected, ..Request::default() }))
}

fn probe(url: &str, timeout: Duration) -> Probe {
    Probe {
        id: 1,
        kind: kind(url, StatusSet::default()),
        timeout,
        short_timeout: None,
        quick: None,
        origin: Origin::OwnMachine,
        locate: false,
    }
}

fn prober() -> Prober {
    prober_at(|_| Whereabouts::Near, || false)
}

fn prober_at(whereabouts: fn(IpAddr) -> Whereabouts, is_cut_off: fn() -> bool) -> Prober {
    Prober::new(
        Names::new(Arc::new(|_: &str| None), 1),
        Trust::new(&[]),
        Ourselves { clock_is_right: || true, is_cut_off, whereabouts },
    )
}

fn verdict(probe: &Probe) -> Verdict {
    verdict_by(&prober(), probe)
}

fn verdict_by(prober: &Prober, probe: &Probe) -> Verdict {
    match prober.check(probe) {
        CheckEnd::Verdict(verdict) => verdict,
        end => panic!("a verdict was expected, not {end:?}"),
    }
}

fn ask(address: SocketAddr) -> Verdict {
    verdict(&probe(&format!("http://{address}/health"), Duration::from_secs(10)))
}

fn ask_expecting(address: SocketAddr, codes: &str) -> Verdict {
    let kind = kind(&format!("http://{address}/"), codes.parse().unwrap());
    verdict(&Probe { kind, ..probe("", Duration::from_secs(10)) })
}

/// The verdict on a server that runs a check into its time-out, which must hold.
fn wait_for(address: SocketAddr) -> Verdict {
    let started = Instant::now();
    let verdict = verdict(&probe(&format!("http://{address}/health"), SHORT));
    let took = started.elapsed();
    assert!(took >= SHORT, "early: {took:?}, {verdict:?}");
    assert!(took < SHORT + LATE, "late: {took:?}, {verdict:?}");
    assert_eq!(verdict.outcome, Outcome::Fail);
    assert_eq!(verdict.reason, "no answer within 1.2 s");
    assert_eq!(verdict.http_status, None);
    verdict
}

#[track_caller]
fn fails(verdict: &Verdict, status: Option<u16>, reason: &str) {
    assert_eq!(verdict.outcome, Outcome::Fail, "{verdict:?}");
    assert_eq!(verdict.http_status, status, "{verdict:?}");
    assert!(verdict.reason.starts_with(reason), "{verdict:?}");
}

#[track_caller]
fn passes(verdict: &Verdict) {
    assert_eq!(verdict.outcome, Outcome::Pass, "{verdict:?}");
    assert_eq!(verdict.reason, "HTTP 200 OK");
}

#[test]
fn the_request_is_as_agreed() {
    let (seen, head) = channel();
    let address = serve(move |head, mut stream| {
        seen.send(head.to_owned()).unwrap();
        stream.write_all(&http("200 OK", "")).unwrap();
    });
    passes(&ask(address));
    let head = head.recv().unwrap().to_lowercase();
    let lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines.first(), Some(&"get /health http/1.1"));
    for line in [
        format!("host: {address}"),
        "accept: application/health+json, application/json, */*;q=0.5".to_owned(),
        "accept-encoding: identity".to_owned(),
        format!("user-agent: healthchecker/{}", env!("CARGO_PKG_VERSION")),
        "connection: close".to_owned(),
    ] {
        assert!(lines.contains(&line.as_str()), "{line} is not in {head}");
    }
}

#[test]
fn a_200_passes_unless_the_app_says_otherwise() {
    for body in ["", "ok", "fail", "<h1>DOWN</h1>", "{}", "[1]", "null"] {
        passes(&ask(always(http("200 OK", body))));
    }
    for (words, outcome) in [
        (["pass", "ok", "up", "PASS", "Ok", "UP"], Outcome::Pass),
        (["warn", "WARN", "Warn", "wArn", "warn ", " warn"], Outcome::Warn),
        (["fail", "error", "down", "FAIL", "Error", "DOWN"], Outcome::Fail),
    ] {
        for word in words {
            let body = format!(r#"{{"status":"{word}"}}"#);
            let verdict = ask(always(http("200 OK", &body)));
            assert_eq!(verdict.outcome, outcome, "{word}");
            assert_eq!(verdict.http_status, Some(200));
            assert_eq!(verdict.body.as_deref(), Some(body.as_str()));
        }
    }
}

#[test]
fn drafts_02_and_06_tell_why() {
    let draft_02 = r#"{"status":"fail","releaseID":"1","details":{"disk":[{"status":"fail","output":"98 % full"}]}}"#;
    let verdict = ask(always(http("200 OK", draft_02)));
    fails(&verdict, Some(200), "the app says fail: disk: 98 % full");
    let draft_06 = r#"{"status":"warn","releaseId":"1","checks":{"disk":[{"status":"warn","output":"90 % full"}]}}"#;
    let verdict = ask(always(http("200 OK", draft_06)));
    assert_eq!(verdict.outcome, Outcome::Warn);
    assert_eq!(verdict.reason, "the app says warn: disk: 90 % full");
}

#[test]
fn any_other_status_fails_whatever_the_body_says() {
    for (line, status) in [
        ("201 Created", 201),
        ("204 No Content", 204),
        ("304 Not Modified", 304),
        ("401 Unauthorized", 401),
        ("404 Not Found", 404),
        ("500 Internal Server Error", 500),
        ("503 Service Unavailable", 503),
    ] {
        let body = if matches!(status, 204 | 304) { "" } else { r#"{"status":"pass"}"# };
        let verdict = ask(always(http(line, body)));
        fails(&verdict, Some(status), &format!("HTTP {line}"));
    }
    let body = r#"{"status":"fail","output":"disk 98 % full"}"#;
    let verdict = ask(always(http("503 Service Unavailable", body)));
    let reason = "HTTP 503 Service Unavailable, the app says fail: disk 98 % full";
    fails(&verdict, Some(503), reason);
    let short = "HTTP/1.1 500 Oops\r\nContent-Length: 99\r\n\r\n{";
    let verdict = ask(always(short));
    fails(&verdict, Some(500), "HTTP 500 Internal Server Error");
}

#[test]
fn what_is_expected_is_the_owners_choice() {
    for line in ["204 No Content", "301 Moved Permanently", "401 Unauthorized"] {
        let address = always(http(line, ""));
        let verdict = ask_expecting(address, "204,300-499");
        assert_eq!(verdict.outcome, Outcome::Pass, "{line}");
    }
}

#[test]
fn redirects_are_followed_within_the_app_only() {
    let to = |location: &str| format!("HTTP/1.1 301 Moved\r\nLocation: {location}\r\n\r\n");
    let moved = to("/there?a=b");
    let address = serve(move |head, mut stream| {
        let there = head.starts_with("GET /there?a=b ");
        let bytes = if there { http("200 OK", "") } else { moved.clone().into_bytes() };
        stream.write_all(&bytes).unwrap();
    });
    passes(&ask(address));
    let verdict = ask(always(to("/health")));
    fails(&verdict, Some(301), "too many redirects");
    let verdict = ask(always(to("http://elsewhere.example/login?next=/health")));
    let reason = "redirected to http://elsewhere.example, which is not followed";
    fails(&verdict, Some(301), reason);
    let verdict = ask(always("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"));
    fails(&verdict, Some(302), "HTTP 302 Found");
}

#[test]
fn who_cannot_be_reached_fails() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let refused = ask(address);
    fails(&refused, None, "connection refused");
    assert!(refused.refused);
    // TCP to a broadcast address fails at once, before anything is sent.
    let verdict = ask("255.255.255.255:80".parse().unwrap());
    fails(&verdict, None, "network is unreachable");
    // No name server is asked for a name that cannot be one.
    let name = format!("{}.example", "a".repeat(64));
    let url = format!("http://{name}/health");
    fails(&verdict_of(&url), None, &format!("unknown host {name}"));
    let address = always(http("200 OK", ""));
    passes(&verdict_of(&format!("http://localhost:{}/", address.port())));
}

#[test]
fn a_silence_says_where_it_comes_from() {
    // TCP to a broadcast address fails at once, before anything is sent.
    let silent = probe("http://255.255.255.255/", Duration::from_secs(10));
    for (whereabouts, is_cut_off, found) in [
        (
            (|_| Whereabouts::Near) as fn(IpAddr) -> Whereabouts,
            (|| false) as fn() -> bool,
            (Life::Nothing, Whereabouts::Near),
        ),
        (|_| Whereabouts::Near, || true, (Life::CutOff, Whereabouts::Near)),
        (|_| Whereabouts::Public, || false, (Life::Nothing, Whereabouts::Public)),
        (|_| Whereabouts::Public, || true, (Life::CutOff, Whereabouts::Public)),
        (|_| Whereabouts::Here, || true, (Life::Nothing, Whereabouts::Here)),
    ] {
        let verdict = verdict_by(&prober_at(whereabouts, is_cut_off), &silent);
        assert_eq!((verdict.life, verdict.whereabouts), (found.0, Some(found.1)));
    }
    // An answer says so only if it is asked for that.
    let url = format!("http://{}/", always(http("200 OK", "")));
    let prober = prober_at(|_| Whereabouts::Here, || true);
    for locate in [false, true] {
        let probe = Probe { locate, ..probe(&url, Duration::from_secs(10)) };
        let verdict = verdict_by(&prober, &probe);
        let whereabouts = locate.then_some(Whereabouts::Here);
        assert_eq!((verdict.life, verdict.whereabouts), (Life::Answer, whereabouts));
    }
}

fn verdict_of(url: &str) -> Verdict {
    verdict(&probe(url, Duration::from_secs(10)))
}

#[test]
fn the_time_out_bounds_all_of_it() {
    let second = Duration::from_millis(300);
    let hang = serve(|_, stream| {
        let _hold = stream;
        thread::sleep(Duration::from_secs(60));
    });
    let cases = [
        hang,
        endless("", "\r\n", second),
        endless("HTTP/1.1 200 OK\r\nA: ", "a", second),
        endless("HTTP/1.1 200 OK\r\n", "A: a\r\n", second),
        endless("HTTP/1.1 102 Processing\r\n\r\n", "HTTP/1.1 102 P\r\n\r\n", second),
        endless("HTTP/1.1 200 OK\r\n\r\n", "a", second),
        endless("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", "a", second),
        endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n", second),
        // Redirects that each take their time.
        serve(move |_, mut stream| {
            thread::sleep(2 * second);
            let _ = stream.write_all(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n");
        }),
    ];
    thread::scope(|scope| {
        for address in cases {
            scope.spawn(move || wait_for(address));
        }
    });
}

#[test]
fn floods_end_early_and_take_no_memory() {
    let nothing = Duration::ZERO;
    let filler: &'static str = Box::leak("a".repeat(64 * 1024).into_boxed_str());
    let lines: &'static str = Box::leak("A: b\r\n".repeat(10_000).into_boxed_str());
    let head = endless("HTTP/1.1 200 OK\r\nA: ", filler, nothing);
    let heads = endless("HTTP/1.1 200 OK\r\n", lines, nothing);
    let body = endless("HTTP/1.1 200 OK\r\n\r\n", filler, nothing);
    let json = endless(
        "HTTP/1.1 200 OK\r\n\r\n{\"status\":\"fail\",\"output\":\"full\",\"a\":\"",
        filler,
        nothing,
    );
    let before = resident_kib();
    for _ in 0..10 {
        fails(&ask(head), None, "the head of the answer is larger than 16384 bytes");
        fails(&ask(heads), None, "the head of the answer is larger than 16384 bytes");
        passes(&ask(body));
        fails(&ask(json), Some(200), "the app says fail: full");
    }
    let grown = resident_kib().saturating_sub(before);
    // Other tests run at the same time; the floods were many times as large.
    assert!(grown < 16 * 1024, "grown by {grown} KiB");
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.unwrap().parse().unwrap()
}

#[test]
fn what_is_no_whole_answer_fails() {
    for garbage in ["garbage\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 20 OK\r\n\r\n"] {
        fails(&ask(always(garbage)), None, "not a valid HTTP answer: ");
    }
    let gone = "the connection was closed without an answer";
    fails(&ask(always("")), None, gone);
    fails(&ask(always("HTTP/1.1 200 OK\r\nContent-")), None, gone);
    let reset = serve(|_, stream| {
        // Closing with bytes unread resets the connection; so does half of it here.
        stream.shutdown(Shutdown::Both).unwrap();
    });
    fails(&ask(reset), None, gone);
    let early = "the answer ended early";
    let short = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"status\":\"pass\"}";
    fails(&ask(always(short)), None, early);
    let chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc";
    fails(&ask(always(chunk)), None, early);
    let switch = ask(always("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
    fails(&switch, Some(101), "HTTP 101 Switching Protocols");
}

#[test]
fn sloppy_heads_are_read_as_browsers_read_them() {
    let down = r#"{"status":"down"}"#;
    let more = "Date: now\r\n".repeat(200);
    for lines in [
        "Content-Length : 17",
        "X: a\r\n\tb\r\nContent-Length:\r\n 17",
        "X: a\u{7}\u{0}b\r\nContent-Length: 17",
        "no colon here\r\n<b>PHP Warning</b>: deprecated\r\nContent-Length: 17",
        "Content-Length:",
        "Content-Length: -1",
        "Content-Length: 17\r\nContent-Length: 17",
        &format!("{more}Content-Length: 17"),
    ] {
        let verdict = ask(always(format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\n{down}")));
        fails(&verdict, Some(200), "the app says down");
        let verdict = ask(always(format!("HTTP/1.1 503 Oh\r\n{lines}\r\n\r\n{down}")));
        fails(&verdict, Some(503), "HTTP 503 Service Unavailable, the app says down");
    }
    let place = "HTTP/1.1 302 Found\r\nLocation :\r\n http://tv/login\r\nno colon\r\n\r\n";
    fails(&ask(always(place)), Some(302), "redirected to http://tv, which is not followed");
    let early = "HTTP/1.1 100 Continue\r\nDate: now\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
    passes(&ask(always(early)));
    let chunks = "HTTP/1.0 200 OK\r\nTransfer-Encoding : chunked\r\nContent-Length: 9\r\n\r\n11\r\n{\"status\":\"down\"}\r\n0\r\n\r\n";
    fails(&ask(always(chunks)), Some(200), "the app says down");
    let lines = "HTTP/1.1 503 Oh\r\r\nContent-Length: 17\r\r\n\r\r\n{\"status\":\"down\"}";
    fails(&ask(always(lines)), Some(503), "HTTP 503 Service Unavailable, the app says down");
    let two = "HTTP/1.1 200 OK\r\nContent-Length: 17\r\nContent-Length: 2\r\n\r\n{}";
    let why = "not a valid HTTP answer: its head gives two lengths that differ";
    fails(&ask(always(two)), None, why);
}

#[test]
fn sloppy_chunks_are_read_as_browsers_read_them() {
    let chunked = |body: &str| {
        let bytes = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        // It is not the end of the connection that ends the body.
        serve(move |_, mut stream| {
            let _ = stream.write_all(bytes.as_bytes());
            thread::sleep(Duration::from_secs(60));
        })
    };
    for body in [
        "11\n{\"status\":\"down\"}\n0\n\n",
        "11;signature=0123456789abcdef0123456789abcdef\r\n{\"status\":\"down\"}\r\n0\r\n\r\n",
        "000000000000000000000000008\r\n{\"status\r\n9\r\n\":\"down\"}\r\n0\r\n",
    ] {
        fails(&ask(chunked(body)), Some(200), "the app says down");
    }
    let none = ask(chunked("{\"status\":\"pass\"}\r\n0\r\n\r\n"));
    let why = "not a valid HTTP answer: its body comes in chunks, and one of them is none";
    fails(&none, None, why);
    let verdict = ask_expecting(chunked_204(), "204");
    assert_eq!(verdict.outcome, Outcome::Pass, "it has no body");
}

fn chunked_204() -> SocketAddr {
    always("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n")
}

#[test]
fn packed_answers_are_read_all_the_same() {
    let labelled = |coding: &str, body: &[u8]| {
        let kind = "Content-Type: application/json\r\nContent-Encoding: ";
        let head = format!("HTTP/1.1 200 OK\r\n{kind}{coding}\r\n\r\n");
        always([head.as_bytes(), body].concat())
    };
    // {"status":"fail","output":"disk full"}, as Python's gzip and zlib write it.
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabV*.I,)-V\xb2RJK\xcc\xccQ\xd2Q\xca/-)(-\x01\xf2S2\x8b\xb3\x15\xd2Jsr\x94j\x01,\xce\xb0Q&\x00\x00\x00";
    let zlib = b"x\x9c\xabV*.I,)-V\xb2RJK\xcc\xccQ\xd2Q\xca/-)(-\x01\xf2S2\x8b\xb3\x15\xd2Jsr\x94j\x01\xff\x20\x0d\x18";
    fails(&ask(labelled("gzip", gzip)), Some(200), "the app says fail: disk full");
    fails(&ask(labelled("deflate", zlib)), Some(200), "the app says fail: disk full");
    let verdict = ask(labelled("br", b"\x0b\x12\x80{"));
    assert_eq!(verdict.outcome, Outcome::Warn);
    assert_eq!(verdict.reason, "the answer is packed as br, its status cannot be read");
}

#[test]
fn odd_but_whole_answers_are_answers() {
    passes(&ask(always("HTTP/1.0 200 OK\r\n\r\nok")));
    passes(&ask(always(http("200 OK", b"\xff\xfe{\"status\":\"fail\"}"))));
    let interim =
        [&b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"[..], &http("200 OK", "")].concat();
    passes(&ask(always(interim)));
    let deep = "[".repeat(30_000) + &"]".repeat(30_000);
    passes(&ask(always(http("200 OK", &deep))));
    passes(&ask(always(http("200 OK", "[".repeat(30_000)))));
    let zipped = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\0\0\0";
    passes(&ask(always(*zipped)));
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"status\r\n9\r\n\":\"DOWN\"}\r\n0\r\n\r\n";
    fails(&ask(always(chunks)), Some(200), "the app says down");
    let marked = ask(always(http("200 OK", "\u{feff}{\"status\":\"warn\"}")));
    assert_eq!(marked.outcome, Outcome::Warn);
}

#[test]
fn a_leash_ends_without_a_verdict_and_only_when_it_is_short() {
    let hang = serve(|_, stream| {
        let _hold = stream;
        thread::sleep(Duration::from_secs(60));
    });
    let mut probe = probe(&format!("http://{hang}/"), Duration::from_secs(10));
    probe.short_timeout = Some(Duration::from_millis(300));
    let started = Instant::now();
    assert_eq!(prober().check(&probe), CheckEnd::CutShort);
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert!(started.elapsed() < Duration::from_secs(5));
    probe.timeout = Duration::from_millis(300);
    fails(&verdict(&probe), None, "no answer within 0.3 s");
    let url = format!("http://{}/", always(http("200 OK", "")));
    probe.kind = kind(&url, StatusSet::default());
    passes(&verdict(&probe));
}

#[test]
fn the_pool_makes_many_checks_at_once() {
    let slow = serve(|_, mut stream| {
        thread::sleep(Duration::from_millis(200));
        let _ = stream.write_all(&http("200 OK", ""));
    });
    let (sender, reports) = channel();
    let prober = prober();
    let check = move |probe: &Probe| prober.check(probe);
    let mut pool = Pool::new(16, Arc::new(check), sender, Arc::new(|| ()));
    let started = Instant::now();
    for id in 0..16 {
        let url = format!("http://{slow}/");
        let probe = Probe { id, ..probe(&url, Duration::from_secs(10)) };
        pool.start(probe).unwrap();
    }
    assert_eq!((pool.working(), pool.free()), (16, 0));
    let mut ids: Vec<u64> = Vec::new();
    for _ in 0..16 {
        let report = reports.recv().unwrap();
        pool.finished(&report, Moment::START);
        assert!(
            matches!(&report.end, CheckEnd::Verdict(verdict) if verdict.outcome == Outcome::Pass)
        );
        assert!(report.latency >= Duration::from_millis(200));
        ids.push(report.id);
    }
    assert!(started.elapsed() < Duration::from_secs(3), "not one after another");
    ids.sort_unstable();
    assert!(ids.into_iter().eq(0..16));
    assert_eq!((pool.working(), pool.threads()), (0, 16));
}
