//! How much is done for others: so much a second, and a little more at once.

use std::net::IpAddr;
use std::time::Duration;

use crate::engine::time::Moment;

/// Packets that are read in a second, and at once. What comes faster stays in the kernel, which throws it
/// away: so a flood takes a small part of a Pi Zero's processor, whatever it says.
const ALL: (u32, u32) = (500, 1000);

/// Packets of one sender that are looked into. A household's loudest gadgets send some tens when they start.
const OF_ONE: (u32, u32) = (50, 200);

/// Senders that are told apart. Of more, the one that has been quiet the longest is forgotten.
const SENDERS: usize = 64;

/// What may be done now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    a_second: u32,
    at_once: u32,
    /// Thousandths of one.
    left: u64,
    at: Moment,
}

impl Allowance {
    pub(super) fn new(a_second: u32, at_once: u32, now: Moment) -> Allowance {
        Allowance { a_second, at_once, left: u64::from(at_once) * 1000, at: now }
    }

    /// Takes one; false when there is none.
    pub(super) fn take(&mut self, now: Moment) -> bool {
        let millis = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let more = millis.saturating_mul(u64::from(self.a_second));
        self.left = self.left.saturating_add(more).min(u64::from(self.at_once) * 1000);
        self.at = self.at.max(now);
        match self.left.checked_sub(1000) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

/// Who may still be listened to.
#[derive(Debug)]
pub(super) struct Listening {
    all: Allowance,
    senders: Vec<(IpAddr, Allowance)>,
}

impl Listening {
    pub(super) fn new(now: Moment) -> Listening {
        Listening { all: Allowance::new(ALL.0, ALL.1, now), senders: Vec::new() }
    }

    /// How long nothing is read once [`Listening::may_read`] has said no.
    pub(super) const PAUSE: Duration = Duration::from_millis(100);

    /// Whether one more packet may be read.
    pub(super) fn may_read(&mut self, now: Moment) -> bool {
        self.all.take(now)
    }

    /// Whether the packet that was read, from this sender, is to be looked into.
    pub(super) fn may_look(&mut self, from: IpAddr, now: Moment) -> bool {
        if let Some((_, allowance)) = self.senders.iter_mut().find(|(one, _)| *one == from) {
            return allowance.take(now);
        }
        if self.senders.len() == SENDERS {
            let quiet = self.senders.iter().enumerate().min_by_key(|(_, (_, one))| one.at);
            if let Some((index, _)) = quiet {
                self.senders.swap_remove(index);
            }
        }
        let mut allowance = Allowance::new(OF_ONE.0, OF_ONE.1, now);
        let may = allowance.take(now);
        self.senders.push((from, allowance));
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_burst_it_is_so_much_a_second() {
        let t0 = Moment::START;
        let mut allowance = Allowance::new(10, 3, t0);
        let mut taken = |now| (0..100).filter(|_| allowance.take(now)).count();
        assert_eq!(taken(t0), 3);
        assert_eq!(taken(t0 + Duration::from_millis(99)), 0);
        assert_eq!(taken(t0 + Duration::from_millis(100)), 1);
        assert_eq!(taken(t0 + Duration::from_secs(3600)), 3);
    }

    #[test]
    fn a_loud_sender_takes_nothing_from_the_others() {
        let now = Moment::START;
        let mut listening = Listening::new(now);
        let (loud, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let heard = (0..10_000).filter(|_| listening.may_look(loud, now)).count();
        assert_eq!(heard, usize::try_from(OF_ONE.1).unwrap());
        assert!(listening.may_look(other, now));
    }

    #[test]
    fn whoever_invents_senders_is_forgotten_again() {
        let now = Moment::START;
        let mut listening = Listening::new(now);
        for number in 0..100_000_u32 {
            listening.may_look(IpAddr::from(number.to_be_bytes()), now);
        }
        assert!(listening.senders.len() <= SENDERS);
        let read = (0..100_000).filter(|_| listening.may_read(now)).count();
        assert_eq!(read, usize::try_from(ALL.1).unwrap());
    }
}
