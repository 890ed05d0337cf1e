//! Answers for our one service, as RFC 6762 asks: finds out whether its names are free, announces it,
//! answers, takes other names after a conflict however late, and says goodbye.
//!
//! No socket, clock or thread: links, packets and the time come in, packets go out. It holds a few
//! names and, for each outlet, one answer that waits: nothing that others send makes it grow.

mod answers;
mod outlet;
mod records;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::Announcement;
use super::links::{Outlet as Place, OutletId};
use super::names::Names;
use super::wire::{Message, Section};
use crate::engine::time::Moment;
use outlet::{Clash, Outlet, Stage};
use records::{Claim, Profile};

/// The longest wait before the first question, in milliseconds: after a power cut not all machines ask
/// at once (RFC 6762 section 8.1).
const FIRST_WAIT: u64 = 250;

/// After so many conflicts in so much time each attempt waits (RFC 6762 section 8.1): somebody has
/// something against us, or a reflector is broken.
const MANY_CONFLICTS: usize = 15;
const CONFLICTS_WITHIN: Duration = Duration::from_secs(10);
const AFTER_MANY_CONFLICTS: Duration = Duration::from_secs(5);

/// Unicast answers a second, and at once. Clients of good will ask for one each when they start.
const UNICASTS: (u32, u32) = (20, 40);

/// A packet that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Send {
    /// Where it goes out.
    pub outlet: OutletId,
    /// To whom; `None`: to everybody.
    pub to: Option<SocketAddr>,
    /// What.
    pub packet: Vec<u8>,
}

/// Answers for our service.
pub struct Responder {
    names: Names,
    port: u16,
    text: Vec<String>,
    /// All that is said, under the names of now. `None` only where no name can be written.
    profile: Option<Profile>,
    outlets: Vec<Outlet>,
    /// The latest conflicts.
    conflicts: VecDeque<Moment>,
    unicasts: super::allowance::Allowance,
    chance: Chance,
    sends: VecDeque<Send>,
}

impl Responder {
    /// Nothing is said before there are outlets. `seed` decides who waits how long.
    pub fn new(announcement: &Announcement, seed: u64, now: Moment) -> Responder {
        let names = Names::new(&announcement.hostname);
        let text = announcement.text();
        let profile = Profile::new(&names, announcement.port, &text);
        Responder {
            names,
            port: announcement.port,
            text,
            profile,
            outlets: Vec::new(),
            conflicts: VecDeque::new(),
            unicasts: super::allowance::Allowance::new(UNICASTS.0, UNICASTS.1, now),
            chance: Chance(seed),
            sends: VecDeque::new(),
        }
    }

    /// The full name of the service, and its host, for people.
    pub fn names(&self) -> (String, String) {
        (self.names.fullname(), format!("{}.local.", self.names.host()))
    }

    /// Whether the service has been announced somewhere, and nobody else has its name.
    pub fn is_heard(&self) -> bool {
        self.outlets.iter().any(Outlet::is_heard)
    }

    /// These are the outlets now. On each that is new, or whose network is another one, the names are
    /// asked for.
    pub fn handle_links(&mut self, now: Moment, places: &[Place]) {
        self.outlets.retain(|outlet| places.iter().any(|place| place.id == outlet.id()));
        for place in places {
            let known = self.outlets.iter_mut().find(|outlet| outlet.id() == place.id);
            let at = now + Duration::from_millis(self.chance.between(0, FIRST_WAIT));
            match known {
                Some(outlet) if outlet.place == *place => {}
                _ if place.announced.is_empty() => {
                    self.outlets.retain(|outlet| outlet.id() != place.id);
                }
                Some(outlet) => *outlet = Outlet::new(place.clone(), at),
                None => self.outlets.push(Outlet::new(place.clone(), at)),
            }
        }
    }

    /// A message has come in at `outlet`, from `from`.
    pub fn handle_message(
        &mut self,
        now: Moment,
        outlet: OutletId,
        from: SocketAddr,
        message: &Message<'_>,
    ) {
        let own = self.own_addresses();
        let Some(profile) = &self.profile else {
            return;
        };
        let Some(here) = self.outlets.iter_mut().find(|one| one.id() == outlet) else {
            return;
        };
        if message.is_response {
            if message.is_response_from(from) {
                here.handle_withdrawal(now, profile, message, &mut self.chance);
            }
            let clash = clash(profile, message, &own);
            let stage = here.stage;
            if message.is_response_from(from) && clash != Clash::default() {
                self.handle_clash(now, clash, stage);
            }
            return;
        }
        let lost = here.handle_probe(now, profile, message, &own);
        if lost != Clash::default() {
            let stage = here.stage;
            return self.handle_clash(now, lost, stage);
        }
        let send = here.handle_question(now, profile, message, from, &mut self.chance);
        if let Some(send) = send
            && (send.to.is_none() || self.unicasts.take(now))
        {
            self.sends.push_back(send);
        }
    }

    /// Does what is due.
    pub fn handle_time(&mut self, now: Moment) {
        if let Some(profile) = &self.profile {
            let due = self.outlets.iter_mut().filter(|outlet| outlet.next_deadline() <= now);
            for outlet in due {
                self.sends.extend(outlet.handle_time(now, profile));
            }
        }
    }

    /// When [`Responder::handle_time`] is to be called next; changes in every call.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.outlets.iter().map(Outlet::next_deadline).min()
    }

    /// The next packet to be sent. Whether that worked is told to [`Responder::handle_sent`].
    pub fn poll_send(&mut self) -> Option<Send> {
        self.sends.pop_front()
    }

    /// A packet to everybody at `outlet` has left, or could not.
    pub fn handle_sent(&mut self, now: Moment, outlet: OutletId, worked: bool) {
        if let Some(outlet) = self.outlets.iter_mut().find(|one| one.id() == outlet) {
            match worked {
                true => outlet.handle_sent(),
                false => outlet.handle_unsent(now),
            }
        }
    }

    /// Takes back what was said, so that clients forget the service at once.
    pub fn goodbye(&mut self) {
        if let Some(profile) = &self.profile {
            self.sends.extend(self.outlets.iter().filter_map(|outlet| outlet.goodbye(profile)));
        }
    }

    /// Somebody else has one of our names. While we ask for it, it is his. Later nobody knows whose it is:
    /// we ask anew, and he will (RFC 6762 section 9).
    fn handle_clash(&mut self, now: Moment, clash: Clash, stage: Stage) {
        if let Stage::Probing { .. } = stage {
            if clash.instance {
                self.names.next_instance();
            }
            if clash.host {
                self.names.next_host();
            }
            self.profile = Profile::new(&self.names, self.port, &self.text);
        }
        let again = now + self.wait_after_conflict(now);
        // What waits to be sent may be under the old name.
        self.sends.clear();
        for outlet in &mut self.outlets {
            outlet.restart(again);
        }
    }

    fn wait_after_conflict(&mut self, now: Moment) -> Duration {
        self.conflicts.push_back(now);
        if self.conflicts.len() > MANY_CONFLICTS {
            self.conflicts.pop_front();
        }
        let is_full = self.conflicts.len() == MANY_CONFLICTS;
        let first = self.conflicts.front().copied().unwrap_or(now);
        if is_full && now.since(first) < CONFLICTS_WITHIN {
            AFTER_MANY_CONFLICTS
        } else {
            Duration::from_millis(self.chance.between(0, FIRST_WAIT))
        }
    }

    /// Of this machine, whether the service listens there or not: another daemon here may be called by
    /// the same host name.
    fn own_addresses(&self) -> Vec<IpAddr> {
        self.outlets
            .iter()
            .flat_map(|outlet| outlet.place.subnets.iter().map(|(ip, _)| *ip))
            .collect()
    }
}

/// What a response says of our names.
fn clash(profile: &Profile, message: &Message<'_>, own: &[IpAddr]) -> Clash {
    let mut clash = Clash::default();
    for section in [Section::Answers, Section::Additionals] {
        for record in message.section(section) {
            match profile.claim(record, own) {
                Claim::Instance => clash.instance = true,
                Claim::Host => clash.host = true,
                Claim::None | Claim::Ours => {}
            }
        }
    }
    clash
}

/// Numbers from a seed (SplitMix64): who waits how long is told apart, not kept secret.
pub(super) struct Chance(u64);

impl Chance {
    /// A number from `low` to `high`, both of them possible.
    fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        low + (z ^ z >> 31) % (high - low + 1)
    }
}
