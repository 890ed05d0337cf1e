//! Why there is no whole answer to a check.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::answer::Life;
use crate::engine::registration::Print;
use crate::engine::text::span::{Seconds, in_words};

/// Why there is no whole answer. `Display` is the reason for a person; texts from outside are as
/// they came, so it goes through [`plain`](crate::engine::text::plain) before it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The machine is there, nothing listens.
    Refused,
    /// The machine does not answer at the link (switched off, or another network).
    NoRoute,
    /// We have no network, or none of this address family.
    NoNetwork,
    /// Our own machine does not let us connect there.
    Forbidden,
    /// The name leads to the daemon's own machine, and came from another.
    OwnMachine {
        /// The name.
        name: String,
        /// What it leads to.
        address: IpAddr,
    },
    /// No address belongs to the name.
    UnknownHost(String),
    /// Nobody could be asked for the address of the name, or nobody answered.
    NamesAway(String),
    /// The time was up while the address of the name was still being looked up.
    LookupTimeout {
        /// The name.
        name: String,
        /// How long was waited.
        after: Duration,
    },
    /// The time was up.
    Timeout {
        /// How long was waited.
        after: Duration,
    },
    /// The connection was closed or reset before a whole head came.
    NoAnswer,
    /// The connection ended before the body that the head had announced.
    EndedEarly,
    /// The head of the answer is larger than this many bytes.
    HeadTooLarge(usize),
    /// What came is not HTTP, or not as it should be.
    NotHttp(String),
    /// More redirects than are followed.
    TooManyRedirects {
        /// The status code of the last one.
        status: u16,
    },
    /// A redirect that is not followed.
    RedirectElsewhere {
        /// Its status code.
        status: u16,
        /// Where it leads: scheme, host and port.
        to: String,
    },
    /// A login is wanted where a redirect leads, and was given for another place.
    LoginElsewhere {
        /// The status code there.
        status: u16,
        /// Scheme, host and port.
        to: String,
    },
    /// It was to report.
    NoBeat {
        /// So long after the one before.
        within: Duration,
    },
    /// Another certificate than the one that is pinned.
    OtherCertificate {
        /// That of who answers,
        shown: Print,
        /// and of who should.
        pinned: Print,
    },
    /// The certificate is not yet valid: the app's fault, or our clock's.
    NotYetValid,
    /// Any other TLS failure.
    Tls(String),
    /// Any other failure.
    Other(String),
}

impl Trouble {
    /// The status code, where one came.
    pub fn http_status(&self) -> Option<u16> {
        match self {
            Trouble::TooManyRedirects { status }
            | Trouble::RedirectElsewhere { status, .. }
            | Trouble::LoginElsewhere { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What it shows of whoever was asked.
    pub fn life(&self) -> Life {
        match self {
            Trouble::Refused | Trouble::NoAnswer | Trouble::EndedEarly => Life::HostOnly,
            Trouble::NoRoute
            | Trouble::NoNetwork
            | Trouble::UnknownHost(_)
            | Trouble::NamesAway(_)
            | Trouble::LookupTimeout { .. }
            | Trouble::NoBeat { .. }
            | Trouble::Timeout { .. } => Life::Nothing,
            // What is our own doing says nothing of the app, and counts as any failure.
            Trouble::Forbidden
            | Trouble::OwnMachine { .. }
            | Trouble::HeadTooLarge(_)
            | Trouble::NotHttp(_)
            | Trouble::TooManyRedirects { .. }
            | Trouble::RedirectElsewhere { .. }
            | Trouble::LoginElsewhere { .. }
            | Trouble::OtherCertificate { .. }
            | Trouble::NotYetValid
            | Trouble::Tls(_)
            | Trouble::Other(_) => Life::Answer,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Refused => f.write_str("connection refused"),
            Trouble::NoRoute => f.write_str("no route to host"),
            Trouble::NoNetwork => f.write_str("network is unreachable"),
            Trouble::Forbidden => f.write_str(
                "the health checker's own machine forbids the connection (its firewall?)",
            ),
            Trouble::OwnMachine { name, address } => write!(
                f,
                "{name} is the health checker's own machine here ({address}); register the address or \
                 name by which the app is reached over the network"
            ),
            Trouble::UnknownHost(name) => write!(f, "unknown host {name}"),
            Trouble::NamesAway(name) => {
                write!(f, "unknown host {name}: nobody answers for this name")
            }
            Trouble::LookupTimeout { name, after } => {
                write!(f, "no answer within {} s, still looking up {name}", seconds(*after))
            }
            Trouble::Timeout { after } => write!(f, "no answer within {} s", seconds(*after)),
            Trouble::NoAnswer => f.write_str("the connection was closed without an answer"),
            Trouble::EndedEarly => f.write_str("the answer ended early"),
            Trouble::HeadTooLarge(most) => {
                write!(f, "the head of the answer is larger than {most} bytes")
            }
            Trouble::NotHttp(text) => write!(f, "not a valid HTTP answer: {text}"),
            Trouble::TooManyRedirects { .. } => f.write_str("too many redirects"),
            Trouble::RedirectElsewhere { to, .. } => {
                write!(f, "redirected to {to}, which is not followed")
            }
            Trouble::LoginElsewhere { to, .. } => write!(
                f,
                "redirected to {to}, where the login is not sent: register that address with it"
            ),
            Trouble::NoBeat { within } => write!(f, "no beat within {}", in_words(*within)),
            // As long as a reason may be, and no longer.
            Trouble::OtherCertificate { shown, pinned } => write!(
                f,
                "another certificate: pin:{shown}, not {pinned}; if you renewed it set tls to the first"
            ),
            Trouble::NotYetValid => f.write_str("TLS: the certificate is not yet valid"),
            Trouble::Tls(text) => write!(f, "TLS: {text}"),
            Trouble::Other(text) => f.write_str(text),
        }
    }
}

/// To the millisecond.
fn seconds(span: Duration) -> Seconds {
    Seconds(Duration::from_millis(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_plain() {
        let text = |ms| {
            let after = Duration::from_millis(ms);
            Trouble::Timeout { after }.to_string()
        };
        assert_eq!(text(5000), "no answer within 5 s");
        assert_eq!(text(60_000), "no answer within 60 s");
        assert_eq!(text(1500), "no answer within 1.5 s");
    }

    #[test]
    fn another_certificate_is_told_whole() {
        let (shown, pinned) = (Print([0xAB; Print::BYTES]), Print([0xCD; Print::BYTES]));
        let text = Trouble::OtherCertificate { shown, pinned }.to_string();
        assert!(text.chars().count() <= crate::engine::verdict::REASON_MAX, "{text}");
        assert!(text.contains(&format!("pin:{shown}")) && text.contains(&pinned.to_string()));
    }

    #[test]
    fn a_look_up_that_hangs_is_told_apart() {
        let trouble =
            Trouble::LookupTimeout { name: "nas.lan".to_owned(), after: Duration::from_secs(5) };
        assert_eq!(trouble.to_string(), "no answer within 5 s, still looking up nas.lan");
    }
}
