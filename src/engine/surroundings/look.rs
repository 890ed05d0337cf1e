//! A look around: when an app falls silent, others are asked out of turn whether they live.
//!
//! Here are only the words between the engine and the daemon: what is to be looked at, and what was seen. A
//! look asks nobody for their health; a connection shows that a machine lives, and a refused one, too.

use std::net::IpAddr;
use std::time::Duration;

use crate::engine::registration::Host;
use crate::engine::registry::AppId;

/// So long a look takes at most: who has not answered by then is silent.
pub const LOOK_TAKES: Duration = Duration::from_secs(2);

/// What is to be looked at. Reported with `Engine::handle_look`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Which one: to be given back.
    pub id: u64,
    /// Who is asked, nearest first.
    pub witnesses: Vec<(Witness, Place)>,
    /// Routers that have answered a connection or an echo before: their silence tells something.
    pub routers: Vec<IpAddr>,
    /// For so long somebody has been silent: what a router has shown at the link since counts.
    pub silent_for: Duration,
}

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Witness {
    /// An app.
    App(AppId),
    /// The way out of our own network: any of the routers that the system names.
    Gateway,
    /// One of the addresses of the option `anchors`, by its place in the list.
    Anchor(u8),
}

/// Where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A port is connected to. A name is not looked up anew: where no address of it is known, nothing
    /// can be said.
    Port {
        /// On this host.
        host: Host,
        /// The port.
        port: u16,
    },
    /// An echo is asked for; a name as above.
    Echo {
        /// Of this host.
        host: Host,
    },
    /// Whatever the system names as the next hop of its default routes.
    Gateways,
}

/// What was seen of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// It took the connection, or answered in another way.
    Answers,
    /// It refused, or reset: the machine lives.
    HostOnly,
    /// Nothing came within [`LOOK_TAKES`], or nobody is there.
    Nothing,
    /// Nothing can be said: its address is not known, there is no gateway, or it may have been seen
    /// too long ago.
    Undecided,
    /// It is an address of this very machine: it says nothing of our network.
    Ourselves,
}

/// What was seen. A look may be reported in pieces, as answers come in; each witness is in one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookReport {
    /// Of this look.
    pub id: u64,
    /// Who was seen how, since the last piece.
    pub seen: Vec<(Witness, Sight)>,
    /// We are on no network: no carrier, no address.
    pub cut_off: bool,
    /// The router that was asked, for people.
    pub gateway: Option<IpAddr>,
    /// The router that has answered a connection or an echo.
    pub spoke: Option<IpAddr>,
    /// It is the last piece.
    pub ended: bool,
}
