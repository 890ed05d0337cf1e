//! Zeroconf: announces the service, so that apps find it by its name alone (RFC 6762, RFC 6763).
//!
//! mdns-sd does the work on a thread of its own. What is kept here is the will to be announced: it
//! looks now and then whether the announcement has reached the network, and starts mdns-sd anew
//! when it has not. Without multicast everything else of the daemon works.

mod names;
mod reach;
mod responder;

use std::net::IpAddr;
use std::time::Duration;

use log::{info, warn};
use mdns_sd::ServiceDaemon;

use crate::engine::time::Moment;
use names::host_name;
use responder::Responder;

/// From the registration to the verdict on it. Probing takes a second, and one more for each
/// conflict (RFC 6762 section 8.1).
const SETTLING: Duration = Duration::from_secs(3);

/// Between two looks in that time: a taken host name must not stay in use.
const LOOK_EARLY: Duration = Duration::from_millis(250);

/// Between later looks, and between attempts to be announced.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// How many host names are tried: a broken reflector on the network can make every name a conflict.
const HOST_NAMES_MAX: u32 = 9;

/// What is announced.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// The address that the service is bound to: decides which addresses are announced.
    pub bind: IpAddr,
    /// The port that the service listens on.
    pub port: u16,
    /// The version of the program.
    pub version: &'static str,
    /// The name of the machine.
    pub hostname: String,
}

/// Keeps the service announced. Belongs to the event loop; no call but [`Announcer::stop`] blocks.
pub struct Announcer {
    announcement: Announcement,
    host: String,
    hosts_tried: u32,
    responder: Option<Responder>,
    phase: Phase,
    told: Told,
    look_at: Option<Moment>,
}

/// How much time the responder has had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It probes: judged at `until`, looked at often before.
    Settling { until: Moment },
    /// It has had its time.
    Settled,
}

/// How the responder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    /// It could not be started.
    Absent,
    /// Its thread has ended.
    Dead,
    /// It runs, and nothing has left.
    Silent,
    /// It runs, and the announcement has left.
    Heard,
}

/// What the owner knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    /// That the service cannot be found.
    Unheard,
    /// That the service can be found.
    Heard,
}

impl Announcer {
    /// Begins to announce. A service bound to the loopback interface cannot be used from the
    /// network, so it is not announced.
    pub fn start(announcement: Announcement, now: Moment) -> Announcer {
        let bind = announcement.bind;
        let mut announcer = Announcer {
            host: host_name(&announcement.hostname),
            hosts_tried: 1,
            announcement,
            responder: None,
            phase: Phase::Settled,
            told: Told::Nothing,
            look_at: None,
        };
        if bind.to_canonical().is_loopback() {
            info!("zeroconf: not announced, because only this machine can reach {bind}");
        } else {
            announcer.connect(now);
        }
        announcer
    }

    /// When [`Announcer::tick`] is to be called next; `None`: never. Changes only in `tick`.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.look_at
    }

    /// Looks after the announcement when that is due, else does nothing. True when
    /// [`Announcer::daemon`] is another one afterwards.
    pub fn tick(&mut self, now: Moment) -> bool {
        if self.look_at.is_none_or(|at| now < at) {
            return false;
        }
        let health = self.health();
        if self.move_to_other_host() {
            self.connect(now);
            return true;
        }
        match self.phase {
            Phase::Settling { until } if now < until => {
                self.look_at = Some(now + LOOK_EARLY);
                false
            }
            Phase::Settling { .. } => {
                self.phase = Phase::Settled;
                self.look_at = Some(now + LOOK_AGAIN);
                self.tell(health);
                false
            }
            Phase::Settled if health == Health::Heard => {
                self.look_at = Some(now + LOOK_AGAIN);
                self.tell(health);
                false
            }
            Phase::Settled => {
                if health == Health::Dead {
                    self.tell(health);
                }
                // Also when nothing was heard: mdns-sd opens its sockets only at its start.
                self.connect(now);
                true
            }
        }
    }

    /// mdns-sd's handle, for looking up `.local` names over the same sockets; `None` while there
    /// is none.
    pub fn daemon(&self) -> Option<ServiceDaemon> {
        self.responder.as_ref().map(Responder::daemon)
    }

    /// Says goodbye to the network, so that clients forget the service at once. Blocks for up to
    /// 1.5 s, mostly for 0.15 s.
    pub fn stop(self) {
        if let Some(responder) = self.responder {
            responder.say_goodbye();
        }
    }

    fn health(&mut self) -> Health {
        let Some(responder) = &mut self.responder else {
            return Health::Absent;
        };
        responder.read_events();
        if responder.is_dead() {
            Health::Dead
        } else if responder.is_heard() {
            Health::Heard
        } else {
            Health::Silent
        }
    }

    /// Takes another host name when ours belongs to another machine.
    fn move_to_other_host(&mut self) -> bool {
        let other = self.responder.as_mut().and_then(Responder::take_other_host);
        match other {
            Some(host) if self.hosts_tried < HOST_NAMES_MAX => {
                info!("zeroconf: another machine is {}; this one is {host}", self.host);
                self.host = host;
                self.hosts_tried += 1;
                true
            }
            _ => false,
        }
    }

    /// Starts mdns-sd, anew if it is there.
    fn connect(&mut self, now: Moment) {
        if let Some(old) = self.responder.take() {
            old.abandon();
        }
        match Responder::start(&self.announcement, &self.host) {
            Ok(responder) => {
                self.responder = Some(responder);
                self.phase = Phase::Settling { until: now + SETTLING };
                self.look_at = Some(now + LOOK_EARLY);
            }
            Err(error) => {
                self.tell_unheard(&error.to_string());
                self.phase = Phase::Settled;
                self.look_at = Some(now + LOOK_AGAIN);
            }
        }
    }

    fn tell(&mut self, health: Health) {
        match health {
            Health::Heard => self.tell_heard(),
            Health::Silent => {
                self.tell_unheard("no network interface takes multicast on UDP port 5353");
            }
            Health::Dead => self.tell_unheard("the thread of mdns-sd ended"),
            Health::Absent => {}
        }
    }

    fn tell_heard(&mut self) {
        if self.told != Told::Heard {
            let name = self.responder.as_ref().map_or("", Responder::fullname);
            info!("zeroconf: announced as {name} on {}", self.host);
            self.told = Told::Heard;
        }
    }

    fn tell_unheard(&mut self, reason: &str) {
        if self.told != Told::Unheard {
            warn!(
                "zeroconf: cannot announce the service: {reason}; trying again every minute, \
                 everything else works"
            );
            self.told = Told::Unheard;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_for_this_machine_alone_is_not_announced() {
        for bind in ["127.0.0.1", "::1", "127.0.0.2", "::ffff:127.0.0.1"] {
            let mut announcer = Announcer::start(
                Announcement {
                    bind: bind.parse().unwrap(),
                    port: 8080,
                    version: "0",
                    hostname: "pi".to_owned(),
                },
                Moment::START,
            );
            assert_eq!(announcer.next_deadline(), None, "{bind}");
            assert!(announcer.daemon().is_none(), "{bind}");
            assert!(!announcer.tick(Moment::from_millis(1 << 40)), "{bind}");
            announcer.stop();
        }
    }
}
