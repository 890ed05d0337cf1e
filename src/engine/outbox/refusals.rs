//! Mails that were refused for good: they stand where the owner looks until a later mail to that address
//! was accepted, or somebody says that they have seen it.

use serde::{Deserialize, Serialize};

use crate::engine::ledger::{Kept, Ledger};
use crate::engine::recipients::Recipient;
use crate::engine::time::{Stamp, Zone};

/// The most addresses that are remembered: a person reads no more, and whoever may register can make them
/// up. The oldest give way; the log has them.
pub const ADDRESSES_MAX: usize = 100;

/// Mails to one person that were refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The recipient.
    pub to: Recipient,
    /// How many, one after the other.
    pub mails: u32,
    /// When the last was.
    pub at: Stamp,
    /// What the server said to it.
    pub text: String,
}

impl Refusal {
    /// The whole of it, for people.
    pub fn sentence(&self, zone: &Zone) -> String {
        let Refusal { to, mails, at, text } = self;
        let at = at.in_a_sentence(zone);
        match mails {
            0 | 1 => format!("a mail to {to} was refused for good {at}: {text}"),
            _ => format!("{mails} mails to {to} were refused for good, the last {at}: {text}"),
        }
    }
}

/// All that stand.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Refusals {
    standing: Ledger<Recipient, Refusal>,
}

impl Kept for Refusal {
    type Facts = Refusal;
    type Mark = ();
    const WHOLE: () = ();

    fn facts(&self) -> Refusal {
        self.clone()
    }
}

impl Refusals {
    /// A mail was refused. The oldest is forgotten if there are too many.
    pub(in crate::engine) fn refused(&mut self, to: &Recipient, at: Stamp, text: String) {
        let before = self.standing.get(to).map_or(0, |refusal| refusal.mails);
        let refusal = Refusal { to: to.clone(), mails: before.saturating_add(1), at, text };
        self.standing.insert(to.clone(), refusal);
        if self.standing.len() <= ADDRESSES_MAX {
            return;
        }
        let others = self.standing.iter().filter(|(other, _)| *other != to);
        let others = others.map(|(_, refusal)| refusal);
        let oldest = others.reduce(|a, b| if a.at.is_not_after(b.at) { a } else { b });
        if let Some(oldest) = oldest.map(|oldest| oldest.to.clone()) {
            self.over(&oldest);
        }
    }

    /// A later mail was accepted, or somebody has seen it. Whether there was any.
    pub(in crate::engine) fn over(&mut self, to: &Recipient) -> bool {
        self.standing.remove(to).is_some()
    }

    /// Takes in what is on record.
    pub(in crate::engine) fn restore(&mut self, refusal: Refusal) {
        self.standing.restore(refusal.to.clone(), refusal);
    }

    /// The people of those that began, went on or ended since this was called last.
    pub(in crate::engine) fn take_changed(&mut self) -> Vec<Recipient> {
        self.standing.take_changed().into_iter().map(|(to, ())| to).collect()
    }

    /// Hands over every time in it, to be put right after the clock was set.
    pub(in crate::engine) fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        self.standing.put_right(|refusal| put_right(&mut refusal.at));
    }

    /// That of one person.
    pub(in crate::engine) fn of(&self, to: &Recipient) -> Option<&Refusal> {
        self.standing.get(to)
    }

    /// All of them, by recipient.
    pub(in crate::engine) fn all(&self) -> impl Iterator<Item = &Refusal> {
        self.standing.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::{Moment, Now, Wall};

    fn person(address: &str) -> Recipient {
        Recipient::mail(address)
    }

    fn at(second: i64) -> Stamp {
        Stamp::on_record(Wall::from_unix_millis(1_795_474_540_000 + second * 1000))
    }

    #[test]
    fn they_are_counted_until_they_are_over_however_the_address_is_written() {
        let mut refusals = Refusals::default();
        refusals.refused(&person("Owner@example.org"), at(0), "550 5.1.1".to_owned());
        let said = refusals.of(&person("owner@example.org")).unwrap().sentence(&Zone::UTC);
        let once = "a mail to Owner@example.org was refused for good at 2026-11-23 22:55:40 UTC: 550 5.1.1";
        assert_eq!(said, once);
        refusals.refused(&person("owner@example.org"), at(60), "550 5.1.6".to_owned());
        let said = refusals.of(&person("OWNER@example.org")).unwrap().sentence(&Zone::UTC);
        assert!(
            said.starts_with(
                "2 mails to owner@example.org were refused for good, the last at 2026"
            )
        );
        assert!(
            refusals.over(&person("OWNER@EXAMPLE.ORG"))
                && !refusals.over(&person("owner@example.org"))
        );
        assert_eq!(refusals.all().count(), 0);
    }

    #[test]
    fn a_clock_that_is_set_puts_the_time_of_each_right() {
        let mut refusals = Refusals::default();
        refusals.refused(&person("owner@b.c"), at(0), String::new());
        refusals.for_each_stamp(|stamp| *stamp = at(60));
        assert_eq!(refusals.of(&person("owner@b.c")).unwrap().at, at(60));
    }

    #[test]
    fn of_too_many_the_oldest_give_way() {
        let mut refusals = Refusals::default();
        for n in 0..ADDRESSES_MAX {
            refusals.refused(&Recipient::mail(format!("{n}@b.c")), at(n as i64 + 1), String::new());
        }
        assert_eq!(refusals.take_changed().len(), ADDRESSES_MAX);
        // However wrong the clock is, the newest is no victim, nor what this run has noted.
        let now = Now { at: Moment::START, wall: Wall::default() };
        let ours = Stamp::noted(now);
        refusals.refused(&person("new@b.c"), ours, String::new());
        refusals.refused(&person("newer@b.c"), ours, String::new());
        let changed = refusals.take_changed();
        assert!(
            changed.iter().eq(&["0@b.c", "1@b.c", "new@b.c", "newer@b.c"].map(person)),
            "{changed:?}"
        );
        assert_eq!(refusals.all().count(), ADDRESSES_MAX);
        assert!(refusals.of(&person("new@b.c")).is_some());
        let said = refusals.of(&person("new@b.c")).unwrap().sentence(&Zone::UTC);
        assert!(said.contains("for good less than 1 s after the start: "), "{said}");
    }
}
