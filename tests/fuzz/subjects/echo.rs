//! ICMP that anybody sends: to one kind of socket, or to the other.

use healthchecker::daemon::echo::packet::{Family, PACKET, Request};

/// The token of the request in the corpus.
const TOKEN: u64 = 0x0102_0304_0506_0708;

/// Only bytes that bring the token back, behind the head of an answer, are one, and to nobody else.
pub fn run(bytes: &[u8]) {
    let (mut ours, other) = (Request::new(TOKEN), Request::new(!TOKEN));
    for family in [Family::V4, Family::V6] {
        for is_raw in [false, true] {
            if ours.is_answered_by(bytes, family, is_raw) {
                assert!(bytes.len() >= 16);
                assert!(bytes.windows(8).any(|part| part == TOKEN.to_be_bytes()));
                assert!(!other.is_answered_by(bytes, family, is_raw));
            }
        }
        assert_eq!(ours.packet(family).len(), PACKET);
    }
}
