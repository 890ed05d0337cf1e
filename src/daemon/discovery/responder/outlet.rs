//! One way to the network: a link and a family of addresses. What is ours is found out, announced and
//! answered on each of them by itself.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::super::links::{Outlet as Place, OutletId};
use super::super::wire::{Message, Name, PORT, Packet, Section, kind};
use super::answers::{self, Answers};
use super::records::{Claim, Parts, Profile, present};
use super::{Chance, Send};
use crate::engine::time::Moment;

/// Questions whether a name is free, and the time between them (RFC 6762 section 8.1).
const PROBES: u8 = 3;
const BETWEEN_PROBES: Duration = Duration::from_millis(250);
/// Who loses against another who probes for the name at the same moment waits, and asks again
/// (RFC 6762 section 8.2).
const AFTER_A_LOST_DRAW: Duration = Duration::from_secs(1);
/// Then the name is left to him. Who goes first has it after three questions, and will say so; one who
/// only ever asks would keep us silent for ever.
const LOST_DRAWS_MAX: u32 = 5;
/// Before the second announcement and before the third: Wi-Fi loses some (RFC 6762 section 8.3).
const BETWEEN_ANNOUNCEMENTS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];
/// Two networks may be joined without any sign on this machine: it asks for its own names now and then,
/// at twice the time each time (RFC 6762 section 5.2).
const ASK_FIRST: Duration = Duration::from_secs(20);
const ASK_SELDOM: Duration = Duration::from_secs(60 * 60);
/// Between attempts on a network that takes nothing: one whose IPv6 address is not yet confirmed will
/// soon do so.
const AFTER_A_FAILURE: Duration = Duration::from_secs(1);
const AFTER_MANY_FAILURES: Duration = Duration::from_secs(64);

pub(super) struct Outlet {
    pub(super) place: Place,
    pub(super) stage: Stage,
    answers: Answers,
    /// How often in a row nothing could be sent.
    failures: u32,
    /// How often somebody else went first, since we asked for these names.
    lost_draws: u32,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It asks whether the names are free.
    Probing { sent: u8, at: Moment },
    /// They are ours.
    Announcing { sent: usize, at: Moment },
    /// That has been said often enough.
    Announced { ask_at: Moment, gap: Duration },
}

/// What a message says about our names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Clash {
    pub(super) instance: bool,
    pub(super) host: bool,
}

impl Outlet {
    pub(super) fn new(place: Place, at: Moment) -> Outlet {
        let (stage, answers) = (Stage::at(at), Answers::default());
        Outlet { place, stage, answers, failures: 0, lost_draws: 0 }
    }

    /// Begins anew, with whatever names there are then.
    pub(super) fn restart(&mut self, at: Moment) {
        self.stage = Stage::at(at);
        self.answers = Answers::default();
        self.lost_draws = 0;
    }

    /// Whether the names are ours here, and said to be.
    pub(super) fn is_heard(&self) -> bool {
        match self.stage {
            Stage::Probing { .. } => false,
            Stage::Announcing { sent, .. } => sent > 0,
            Stage::Announced { .. } => true,
        }
    }

    pub(super) fn next_deadline(&self) -> Moment {
        let stage = match self.stage {
            Stage::Probing { at, .. } | Stage::Announcing { at, .. } => at,
            Stage::Announced { ask_at, .. } => ask_at,
        };
        self.answers.next_deadline().map_or(stage, |answer| answer.min(stage))
    }

    /// What is due by now, to everybody.
    pub(super) fn handle_time(&mut self, now: Moment, profile: &Profile) -> Vec<Send> {
        let mut packets = Vec::new();
        match self.stage {
            Stage::Probing { sent, at } if at <= now && sent < PROBES => {
                packets.push(self.probe(profile));
                self.stage = Stage::Probing { sent: sent + 1, at: now + BETWEEN_PROBES };
            }
            Stage::Probing { at, .. } if at <= now => packets.push(self.announce(now, 0, profile)),
            Stage::Announcing { sent, at } if at <= now => {
                packets.push(self.announce(now, sent, profile));
            }
            Stage::Announced { ask_at, gap } if ask_at <= now => {
                packets.push(ask(profile));
                let gap = (gap * 2).min(ASK_SELDOM);
                self.stage = Stage::Announced { ask_at: now + gap, gap };
            }
            _ => {}
        }
        if let Some(parts) = self.answers.take_due(now) {
            packets.push(self.say(now, parts, profile));
        }
        packets.into_iter().map(|packet| self.to_all(packet)).collect()
    }

    /// Something of ours could not be sent.
    pub(super) fn handle_unsent(&mut self, now: Moment) {
        let gap = AFTER_A_FAILURE * 2_u32.saturating_pow(self.failures.min(6));
        self.failures = self.failures.saturating_add(1);
        self.restart(now + gap.min(AFTER_MANY_FAILURES));
    }

    /// Answers a question. `from` is who asks.
    pub(super) fn handle_question(
        &mut self,
        now: Moment,
        profile: &Profile,
        message: &Message<'_>,
        from: SocketAddr,
        chance: &mut Chance,
    ) -> Option<Send> {
        if !self.is_heard() {
            return None;
        }
        let addresses = &self.place.announced;
        // Who asks from another port knows only plain DNS.
        if from.port() != PORT {
            let asked = message.questions.iter().map(|question| profile.asked(question, addresses));
            let parts = asked.fold(Parts::NONE, Parts::with);
            if parts.is_empty() || !self.place.is_on_link(from.ip()) {
                return None;
            }
            let packet = answers::legacy(profile, addresses, parts, message);
            return Some(self.to_one(from, packet));
        }
        let draw = |low, high| chance.between(low, high);
        let reply =
            self.answers.handle_question(now, (profile, addresses), (message, from.ip()), draw);
        if !reply.multicast.is_empty() {
            let packet = self.say(now, reply.multicast, profile);
            return Some(self.to_all(packet));
        }
        if !reply.unicast.is_empty() && self.place.is_on_link(from.ip()) {
            let packet = answers::multicast(profile, &self.place.announced, reply.unicast);
            return Some(self.to_one(from, packet));
        }
        None
    }

    /// Somebody takes back what we say, or has it forgotten before its time: another daemon of this
    /// machine that ends, or one of ill will. It is said again (RFC 6762 section 6.6).
    pub(super) fn handle_withdrawal(
        &mut self,
        now: Moment,
        profile: &Profile,
        message: &Message<'_>,
        chance: &mut Chance,
    ) {
        if self.is_heard() {
            let parts = profile.withdrawn(&self.place.announced, message);
            self.answers.say_again(now, parts, |low, high| chance.between(low, high));
        }
    }

    /// Somebody else may probe for one of our names at this moment. If he goes first (RFC 6762 section
    /// 8.2) we wait; what he gets when that goes on and on is returned. `own` are the addresses of this
    /// machine.
    pub(super) fn handle_probe(
        &mut self,
        now: Moment,
        profile: &Profile,
        message: &Message<'_>,
        own: &[IpAddr],
    ) -> Clash {
        let Stage::Probing { sent: 1.., .. } = self.stage else {
            return Clash::default();
        };
        let goes_first = |name: &Name, parts: Parts| {
            let of_name =
                message.section(Section::Authorities).filter(|record| record.name.is(name));
            let mut theirs: Vec<(u16, Vec<u8>)> = of_name
                .filter(|record| profile.claim(record, own) != Claim::Ours)
                .filter_map(|record| Some((record.kind, record.data()?)))
                .collect();
            let mut ours: Vec<(u16, Vec<u8>)> = profile
                .records(parts, &self.place.announced)
                .into_iter()
                .map(|own| (own.data.kind(), own.data.bytes()))
                .collect();
            theirs.sort();
            ours.sort();
            theirs > ours
        };
        let lost = Clash {
            instance: goes_first(&profile.instance, Parts::PLACE.with(Parts::TEXT)),
            host: goes_first(&profile.host, present(&self.place.announced)),
        };
        if lost == Clash::default() {
            return lost;
        }
        self.stage = Stage::at(now + AFTER_A_LOST_DRAW);
        self.lost_draws += 1;
        if self.lost_draws < LOST_DRAWS_MAX { Clash::default() } else { lost }
    }

    /// Takes back all that was said.
    pub(super) fn goodbye(&self, profile: &Profile) -> Option<Send> {
        if !self.is_heard() {
            return None;
        }
        let mut packet = Packet::response(0);
        for own in profile.records(Parts::ANNOUNCED, &self.place.announced) {
            own.write(&mut packet, Section::Answers, true);
        }
        Some(self.to_all(packet.finish()))
    }

    /// Asks whether anybody has our names. By multicast, unlike RFC 6762 section 8.1 would have it: a
    /// unicast answer would go to one of all the programs of this machine that share the port.
    fn probe(&self, profile: &Profile) -> Vec<u8> {
        let mut packet = Packet::query();
        packet.question(&profile.instance, kind::ANY, false);
        packet.question(&profile.host, kind::ANY, false);
        let unique = Parts::ANNOUNCED.without(Parts::SERVICE);
        for own in profile.records(unique, &self.place.announced) {
            own.propose(&mut packet);
        }
        packet.finish()
    }

    fn announce(&mut self, now: Moment, sent: usize, profile: &Profile) -> Vec<u8> {
        self.stage = match BETWEEN_ANNOUNCEMENTS.get(sent) {
            Some(gap) => Stage::Announcing { sent: sent + 1, at: now + *gap },
            None => Stage::Announced { ask_at: now + ASK_FIRST, gap: ASK_FIRST },
        };
        self.say(now, Parts::ANNOUNCED, profile)
    }

    fn say(&mut self, now: Moment, parts: Parts, profile: &Profile) -> Vec<u8> {
        self.answers.note_sent(now, parts.with(parts.next()));
        answers::multicast(profile, &self.place.announced, parts)
    }

    fn to_all(&self, packet: Vec<u8>) -> Send {
        Send { outlet: self.place.id, to: None, packet }
    }

    fn to_one(&self, to: SocketAddr, packet: Vec<u8>) -> Send {
        Send { outlet: self.place.id, to: Some(to), packet }
    }

    /// It has worked for a while: the next failure is a first one.
    pub(super) fn handle_sent(&mut self) {
        if matches!(self.stage, Stage::Announced { .. }) {
            self.failures = 0;
        }
    }

    pub(super) fn id(&self) -> OutletId {
        self.place.id
    }
}

impl Stage {
    fn at(at: Moment) -> Stage {
        Stage::Probing { sent: 0, at }
    }
}

/// Asks who else has our names: whoever does will answer.
fn ask(profile: &Profile) -> Vec<u8> {
    let mut packet = Packet::query();
    packet.question(&profile.instance, kind::SRV, false);
    packet.question(&profile.host, kind::ANY, false);
    packet.finish()
}
