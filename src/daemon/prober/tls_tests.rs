//! Checks over TLS, against a server in this process, on a thread of the pool: its stack must do.

use crate::daemon::channel::channel;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};

use super::{Ourselves, Pool, Probe, ProbeKind, Prober, Request};
use crate::daemon::names::Names;
use crate::daemon::trust::{self, Trust};
use crate::engine::registration::{Origin, Tls};
use crate::engine::verdict::answer::{CheckEnd, Outcome, Verdict, Whereabouts};

const AUTHORITY: &[u8] = include_bytes!("../../../tests/tls/ca.der");
const GOOD: &[u8] = include_bytes!("../../../tests/tls/good.der");
/// Valid from the year 9997 on.
const FUTURE: &[u8] = include_bytes!("../../../tests/tls/future.der");
/// Valid until 2025.
const PAST: &[u8] = include_bytes!("../../../tests/tls/past.der");
const KEY: &[u8] = include_bytes!("../../../tests/tls/server.key.der");

/// A TLS server for `localhost` that says 200, and sends word of how each handshake went.
fn serve(certificate: &'static [u8], word: impl Fn(HandshakeKind) + Send + 'static) -> SocketAddr {
    serve_at("127.0.0.1:0", certificate, word)
}

fn serve_at(
    address: &str,
    certificate: &'static [u8],
    word: impl Fn(HandshakeKind) + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind(address).unwrap();
    let address = listener.local_addr().unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(KEY));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(certificate)], key)
        .unwrap();
    let config = Arc::new(config);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let tls = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(tls, stream.unwrap());
            let mut head = [0; 1024];
            if stream.read(&mut head).is_ok() {
                word(stream.conn.handshake_kind().unwrap());
                stream
                    .write_all(
                        b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{\"status\":\"warn\"}",
                    )
                    .unwrap();
            }
        }
    });
    address
}

fn prober(clock_is_right: fn() -> bool) -> Prober {
    let trust = Trust::new(&[CertificateDer::from(AUTHORITY)]);
    Prober::new(
        Names::new(Arc::new(|_: &str| None), 1),
        trust,
        Ourselves { clock_is_right, is_cut_off: || false, whereabouts: |_| Whereabouts::Near },
    )
}

/// What comes of a check on a thread of the pool.
fn check(prober: &Prober, url: &str) -> CheckEnd {
    check_request(prober, Request { url: url.to_owned(), ..Request::default() })
}

fn check_request(prober: &Prober, request: Request) -> CheckEnd {
    let (sender, reports) = channel();
    let prober = prober.clone();
    let check = move |probe: &Probe| prober.check(probe);
    let mut pool = Pool::new(1, Arc::new(check), sender, Arc::new(|| ()));
    let probe = Probe {
        id: 1,
        kind: ProbeKind::Http(Box::new(request)),
        timeout: Duration::from_secs(10),
        short_timeout: None,
        quick: None,
        origin: Origin::OwnMachine,
        locate: false,
    };
    pool.start(probe).unwrap();
    reports.recv().unwrap().end
}

fn verdict(end: CheckEnd) -> Verdict {
    match end {
        CheckEnd::Verdict(verdict) => verdict,
        end => panic!("a verdict was expected, not {end:?}"),
    }
}

fn reason(prober: &Prober, host: &str, address: SocketAddr) -> String {
    let verdict = verdict(check(prober, &format!("https://{host}:{}/", address.port())));
    assert_eq!(verdict.outcome, Outcome::Fail);
    verdict.reason
}

#[test]
fn a_good_certificate_is_believed_and_the_session_resumed() {
    let (sender, kinds) = channel();
    let address = serve(GOOD, move |kind| sender.send(kind).unwrap());
    let prober = prober(|| true);
    for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let url = format!("https://localhost:{}/", address.port());
        let verdict = verdict(check(&prober, &url));
        assert_eq!(verdict.outcome, Outcome::Warn, "{verdict:?}");
        assert_eq!(kinds.recv().unwrap(), kind);
    }
}

#[test]
fn bad_certificates_are_told_apart() {
    let address = serve(PAST, |_| ());
    let prober = prober(|| true);
    let expired = reason(&prober, "localhost", address);
    assert_eq!(expired, "TLS: the certificate has expired");
    let address = serve_at("127.0.0.2:0", GOOD, |_| ());
    let other = reason(&prober, "127.0.0.2", address);
    assert_eq!(other, "TLS: the certificate is for another name");
    let address = serve(GOOD, |_| ());
    let strangers = Prober::new(
        Names::new(Arc::new(|_: &str| None), 1),
        Trust::new(&[]),
        Ourselves {
            clock_is_right: || true,
            is_cut_off: || false,
            whereabouts: |_| Whereabouts::Near,
        },
    );
    let unknown = reason(&strangers, "localhost", address);
    assert!(unknown.starts_with("TLS: the certificate is not from a known authority"));
}

#[test]
fn a_certificate_of_the_future_counts_only_when_our_clock_is_right() {
    let address = serve(FUTURE, |_| ());
    let not_yet = reason(&prober(|| true), "localhost", address);
    assert_eq!(not_yet, "TLS: the certificate is not yet valid");
    let url = format!("https://localhost:{}/", address.port());
    let end = check(&prober(|| false), &url);
    assert!(matches!(end, CheckEnd::NoVerdict { .. }), "{end:?}");
}

#[test]
fn what_does_not_speak_tls_is_found_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let _ = stream.read(&mut [0; 1024]);
    });
    let text = reason(&prober(|| true), "localhost", address);
    assert!(text.contains("does not speak TLS"), "{text}");
}

#[test]
fn a_handshake_that_hangs_ends_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let probe = Probe {
        id: 1,
        kind: ProbeKind::Http(Box::new(Request {
            url: format!("https://{address}/"),
            ..Request::default()
        })),
        timeout: Duration::from_millis(300),
        short_timeout: None,
        quick: None,
        origin: Origin::OwnMachine,
        locate: false,
    };
    let started = Instant::now();
    let verdict = verdict(prober(|| true).check(&probe));
    assert_eq!(verdict.reason, "no answer within 0.3 s");
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert!(started.elapsed() < Duration::from_secs(3));
}

/// What comes of a check that believes so much.
fn check_with(prober: &Prober, address: SocketAddr, tls: Tls) -> Verdict {
    let url = format!("https://127.0.0.1:{}/", address.port());
    let request = Request { url, tls, ..Request::default() };
    verdict(check_request(prober, request))
}

#[test]
fn a_pin_is_the_first_certificate_and_no_other_whatever_its_dates() {
    let prober = prober(|| true);
    let address = serve(PAST, |_| ());
    let first = check_with(&prober, address, Tls::First);
    let print = first.certificate.map(|it| it.print).unwrap();
    assert_eq!((first.outcome, print), (Outcome::Warn, trust::print(&CertificateDer::from(PAST))));
    let pinned = check_with(&prober, address, Tls::Pin(print));
    assert_eq!(pinned.outcome, Outcome::Warn, "{pinned:?}");
    let other = check_with(&prober, serve(GOOD, |_| ()), Tls::Pin(print));
    assert_eq!((other.outcome, other.certificate), (Outcome::Fail, None));
    let shown = trust::print(&CertificateDer::from(GOOD));
    assert!(other.reason.starts_with(&format!("another certificate: pin:{shown}, not {print};")));
}

#[test]
fn what_is_decided_without_care_is_nothing_to_who_takes_care() {
    let (sender, kinds) = channel();
    let address = serve(PAST, move |kind| sender.send(kind).unwrap());
    let prober = prober(|| true);
    assert_eq!(check_with(&prober, address, Tls::Off).outcome, Outcome::Warn);
    assert_eq!(kinds.recv().unwrap(), HandshakeKind::Full);
    let strict = check_with(&prober, address, Tls::Verify);
    assert_eq!(strict.reason, "TLS: the certificate has expired");
}
