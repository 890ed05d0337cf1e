//! One request at the gate.

use std::net::Ipv4Addr;

use healthchecker::daemon::gate::{BODY_MAX, Client, HEAD_MAX, Inbox, Progress, Ticket};
use healthchecker::engine::registration::Origin;

/// How the bytes are cut makes no difference, and what passes is plain, bounded HTTP.
pub fn run(bytes: &[u8]) {
    let whole = end(bytes, bytes.len().max(1));
    for size in [1, 7] {
        assert_eq!(end(bytes, size), whole, "in pieces of {size}");
    }
    match whole {
        Progress::Whole(request) => assert_plain(&request.bytes),
        Progress::Bad(refusal) => {
            assert!(refusal.answer(false).starts_with(b"HTTP/1.1 "));
        }
        Progress::More { .. } => {}
    }
}

fn end(bytes: &[u8], size: usize) -> Progress {
    let client = Client {
        addr: Ipv4Addr::new(10, 0, 0, 8).into(),
        origin: Origin::Network,
        is_forwarded: false,
    };
    let mut inbox = Inbox::new(client, Ticket::default());
    for piece in bytes.chunks(size) {
        match inbox.feed(piece) {
            // How much may be held: a head and a body at their longest, and what doubling adds.
            Progress::More { .. } => assert!(inbox.held() <= 2 * (HEAD_MAX + BODY_MAX) + 1024),
            end => return end,
        }
    }
    Progress::More { invite: false }
}

fn assert_plain(request: &[u8]) {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = std::str::from_utf8(&request[..end]).expect("ASCII");
    assert!(head.is_ascii());
    assert!(request.len() - end - 4 <= BODY_MAX);
    let mut lines = head.split("\r\n");
    assert_eq!(lines.next().unwrap().split(' ').count(), 3);
    for line in lines.clone() {
        assert!(!line.contains(['\r', '\n', '\0']) && line.contains(": "), "{line:?}");
        let name = line.split(':').next().unwrap().to_ascii_lowercase();
        assert!(!["transfer-encoding", "expect", "te", "upgrade"].contains(&name.as_str()));
    }
    assert_eq!(lines.filter(|line| *line == "Connection: close").count(), 1);
}
