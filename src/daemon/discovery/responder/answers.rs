//! What an outlet answers, and when.
//!
//! A record is multicast once a second at most (RFC 6762 section 6). Who asks within that second is
//! answered at its end: after a power cut everybody asks at the same moment.

use std::net::IpAddr;
use std::time::Duration;

use super::super::wire::{Message, Packet, Record, Section};
use super::records::{Parts, Profile};
use crate::engine::time::Moment;

/// Between two multicasts of one record.
const ONCE_IN: Duration = Duration::from_secs(1);
/// As that, when somebody means to take our name (RFC 6762 section 6).
const DEFENDED_ONCE_IN: Duration = Duration::from_millis(250);
/// An answer that others may have as well waits at random between these (RFC 6762 section 6).
const BY_TURNS: (u64, u64) = (20, 120);
/// As that, when more known answers follow (RFC 6762 section 7.2).
const MORE_FOLLOWS: (u64, u64) = (400, 500);
/// However many ask, and whatever they say of more that follows: an answer leaves by then.
const LATEST: Duration = Duration::from_millis(1200);

/// The answers of one outlet. There is one answer that waits, at most: whoever asks meanwhile adds to
/// it.
#[derive(Debug, Default)]
pub(super) struct Answers {
    waiting: Option<Waiting>,
    /// When which record was last multicast, and for how long clients keep it.
    sent: [Option<Moment>; Parts::COUNT],
    defended: Option<Moment>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    parts: Parts,
    at: Moment,
    latest: Moment,
    /// The only one who has asked, if there is no other, and more of what he knows may follow.
    asker: Option<IpAddr>,
}

/// What is to be done about a question at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reply {
    /// These by multicast, to defend our name.
    pub(super) multicast: Parts,
    /// These to the one who asks, by unicast.
    pub(super) unicast: Parts,
}

impl Answers {
    /// Takes in a question of `from`. `addresses` are announced here; `draw` gives a number between two.
    pub(super) fn handle_question(
        &mut self,
        now: Moment,
        (profile, addresses): (&Profile, &[IpAddr]),
        (message, from): (&Message<'_>, IpAddr),
        draw: impl FnOnce(u64, u64) -> u64,
    ) -> Reply {
        let known: Vec<&Record<'_>> = message.section(Section::Answers).collect();
        if let Some(waiting) = &mut self.waiting
            && message.questions.is_empty()
            && waiting.asker == Some(from)
        {
            // The rest of what he knows. If others wait too, they know nothing of it.
            waiting.parts = waiting.parts.without(profile.known(waiting.parts, addresses, &known));
        }
        let mut by_multicast = Parts::NONE;
        let mut by_unicast = Parts::NONE;
        for question in &message.questions {
            let parts = profile.asked(question, addresses);
            if question.unicast {
                by_unicast = by_unicast.with(parts);
            } else {
                by_multicast = by_multicast.with(parts);
            }
        }
        if message.section(Section::Authorities).next().is_some() {
            let asked = by_multicast.with(by_unicast);
            return Reply { multicast: self.defend(now, asked), unicast: Parts::NONE };
        }
        let asked = by_multicast.with(by_unicast);
        let asked = asked.without(profile.known(asked, addresses, &known));
        // Others too should know what has not been said for a while (RFC 6762 section 5.4).
        let unicast = asked.without(by_multicast);
        let unicast = if self.are_fresh(now, unicast) { unicast } else { Parts::NONE };
        let multicast = asked.without(unicast);
        if !multicast.is_empty() {
            let delay = match (message.is_truncated, multicast.is_shared()) {
                (true, _) => draw(MORE_FOLLOWS.0, MORE_FOLLOWS.1),
                (false, true) => draw(BY_TURNS.0, BY_TURNS.1),
                (false, false) => 0,
            };
            let asker = message.is_truncated.then_some(from);
            self.wait(now, multicast, Duration::from_millis(delay), asker);
        }
        Reply { multicast: Parts::NONE, unicast }
    }

    /// These are to be multicast though nobody asks.
    pub(super) fn say_again(
        &mut self,
        now: Moment,
        parts: Parts,
        draw: impl FnOnce(u64, u64) -> u64,
    ) {
        // What waits already is not put off by one who goes on.
        let parts = parts.without(self.waiting.map_or(Parts::NONE, |waiting| waiting.parts));
        if !parts.is_empty() {
            let delay = Duration::from_millis(draw(BY_TURNS.0, BY_TURNS.1));
            self.wait(now, parts, delay, None);
        }
    }

    fn defend(&mut self, now: Moment, parts: Parts) -> Parts {
        let parts = parts.without(Parts::SERVICE.with(Parts::TYPE));
        if parts.is_empty() || self.defended.is_some_and(|at| now < at + DEFENDED_ONCE_IN) {
            return Parts::NONE;
        }
        self.defended = Some(now);
        parts
    }

    fn wait(&mut self, now: Moment, parts: Parts, delay: Duration, asker: Option<IpAddr>) {
        let allowed = parts.with(parts.next()).each().filter_map(|(bit, _)| self.sent_at(bit));
        let allowed = allowed.map(|at| at + ONCE_IN).max();
        let at = allowed.unwrap_or(now).max(now + delay);
        self.waiting = Some(match self.waiting {
            None => Waiting { parts, at, latest: now + LATEST, asker },
            Some(before) => Waiting {
                parts: before.parts.with(parts),
                at: before.at.max(at).min(before.latest),
                latest: before.latest,
                asker: before.asker.filter(|_| before.asker == asker),
            },
        });
    }

    /// The parts whose time has come.
    pub(super) fn take_due(&mut self, now: Moment) -> Option<Parts> {
        let due = self.waiting.take_if(|waiting| waiting.at <= now)?;
        (!due.parts.is_empty()).then_some(due.parts)
    }

    pub(super) fn next_deadline(&self) -> Option<Moment> {
        self.waiting.map(|waiting| waiting.at)
    }

    /// These have just been multicast.
    pub(super) fn note_sent(&mut self, now: Moment, parts: Parts) {
        for (bit, _) in parts.each() {
            if let Some(sent) = self.sent.get_mut(bit) {
                *sent = Some(now);
            }
        }
    }

    fn sent_at(&self, bit: usize) -> Option<Moment> {
        self.sent.get(bit).copied().flatten()
    }

    /// Whether all of these were multicast within a quarter of the time that clients keep them.
    fn are_fresh(&self, now: Moment, parts: Parts) -> bool {
        parts.each().all(|(bit, part)| {
            let quarter = Duration::from_secs(u64::from(part.ttl())) / 4;
            self.sent_at(bit).is_some_and(|at| now < at + quarter)
        })
    }
}

/// A multicast answer of these parts, with what is asked next.
pub(super) fn multicast(profile: &Profile, addresses: &[IpAddr], parts: Parts) -> Vec<u8> {
    let mut packet = Packet::response(0);
    for (section, parts) in sections(parts) {
        for own in profile.records(parts, addresses) {
            own.write(&mut packet, section, false);
        }
    }
    packet.finish()
}

/// An answer for a client that asked from another port than that of mDNS: as from any name server, with
/// its question in it (RFC 6762 section 6.7).
pub(super) fn legacy(
    profile: &Profile,
    addresses: &[IpAddr],
    parts: Parts,
    asked: &Message<'_>,
) -> Vec<u8> {
    let mut packet = Packet::response(asked.id);
    for question in &asked.questions {
        if !profile.asked(question, addresses).is_empty()
            && let Some(name) = question.name.to_name()
        {
            packet.question(&name, question.kind, false);
            break;
        }
    }
    for (section, parts) in sections(parts) {
        for own in profile.records(parts, addresses) {
            own.write_legacy(&mut packet, section);
        }
    }
    packet.finish()
}

fn sections(parts: Parts) -> [(Section, Parts); 2] {
    [(Section::Answers, parts), (Section::Additionals, parts.next())]
}
