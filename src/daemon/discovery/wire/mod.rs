//! Multicast DNS messages, in bytes (RFC 1035 section 4, RFC 6762 section 18).
//!
//! What comes in is read in place: nothing is copied but the few records that concern us, and no
//! packet, whatever it says, costs more than its own length.

mod message;
mod name;
mod packet;

pub use message::{Message, Question, RECORDS_MAX, Record, Section};
pub use name::{Name, NameAt};
pub(super) use packet::{Data, Packet};

/// The port of mDNS (RFC 6762 section 3).
pub const PORT: u16 = 5353;

/// The longest message, with its headers (RFC 6762 section 17).
pub const MESSAGE_MAX: usize = 9000;

/// Types of records (RFC 1035, RFC 2782, RFC 3596, RFC 4034).
pub mod kind {
    /// An IPv4 address.
    pub const A: u16 = 1;
    /// Another name.
    pub const PTR: u16 = 12;
    /// What a service says of itself.
    pub const TXT: u16 = 16;
    /// An IPv6 address.
    pub const AAAA: u16 = 28;
    /// A service's host and port.
    pub const SRV: u16 = 33;
    /// Which types a name has.
    pub const NSEC: u16 = 47;
    /// In a question: all types.
    pub const ANY: u16 = 255;
}

/// The Internet.
pub(super) const CLASS_IN: u16 = 1;
/// In a question: all classes.
pub(super) const CLASS_ANY: u16 = 255;
/// In a question: the answer may come by unicast (RFC 6762 section 5.4). In a record: what was known of
/// this name and type before is to be forgotten (section 10.2).
pub(super) const TOP_BIT: u16 = 1 << 15;

/// It is an answer, and an authoritative one, as all of mDNS are (RFC 6762 section 18).
const RESPONSE: u16 = 1 << 15;
const AUTHORITATIVE: u16 = 1 << 10;
/// More of this message follows in another packet.
const TRUNCATED: u16 = 1 << 9;
/// Operation and result: 0 in mDNS; all else is to be ignored (RFC 6762 sections 18.3 and 18.11).
const NOT_MDNS: u16 = 0x780F;
