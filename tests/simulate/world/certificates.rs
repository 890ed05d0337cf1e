//! Certificates, as a check over TLS finds them: by the clock of the machine that asks.

use healthchecker::engine::registration::Print;
use healthchecker::engine::time::Wall;
use healthchecker::engine::verdict::answer::{Certificate, CheckEnd, Verdict};
use healthchecker::engine::verdict::judge;
use healthchecker::engine::verdict::trouble::Trouble;

use crate::deed::{Reply, Says, Shown};
use crate::story::{CauseId, ClockSet};

/// A day, in ms.
const DAY: i64 = 86_400_000;
/// What the documents promise: people are told once, on the page, two weeks before a certificate ends, and by mail
/// three days before.
const SAID_BEFORE: i64 = 14 * DAY;
const TOLD_BEFORE: i64 = 3 * DAY;

/// What a certificate is at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    NotYet,
    Enough,
    TwoWeeks,
    ThreeDays,
    Nothing,
}

/// What comes of a check over TLS, which would have this verdict otherwise. Why that is so is added to the causes.
pub(super) fn looked_at(verdict: Verdict, reply: &mut Reply, clock: ClockSet) -> CheckEnd {
    let speaks = matches!(reply.says, Says::Pass | Says::Warn | Says::Fail);
    let Some(shown) = reply.certificate.filter(|_| speaks) else {
        return CheckEnd::Verdict(verdict);
    };
    let (left, really) = (Left::of(shown, clock.shows), Left::of(shown, clock.right));
    reply.causes.extend(causes(shown, left, really));
    match left {
        // As the prober does where the system does not say that the clock is right.
        Left::NotYet => CheckEnd::NoVerdict { reason: Trouble::NotYetValid.to_string() },
        Left::Nothing => {
            CheckEnd::Verdict(judge(Err(Trouble::Tls("the certificate has expired".to_owned()))))
        }
        Left::Enough | Left::TwoWeeks | Left::ThreeDays => {
            let ends = Some(Wall::from_unix_millis(shown.valid.1));
            let certificate = Certificate { print: Print([0; Print::BYTES]), ends };
            CheckEnd::Verdict(Verdict { certificate: Some(Box::new(certificate)), ..verdict })
        }
    }
}

impl Left {
    fn of(shown: Shown, wall: i64) -> Left {
        match shown.valid.1 - wall {
            _ if wall < shown.valid.0 => Left::NotYet,
            left if left <= 0 => Left::Nothing,
            left if left < TOLD_BEFORE => Left::ThreeDays,
            left if left < SAID_BEFORE => Left::TwoWeeks,
            _ => Left::Enough,
        }
    }
}

/// What is the cause of what is found: that it really ends, and that our clock makes it worse.
fn causes(shown: Shown, left: Left, really: Left) -> impl Iterator<Item = CauseId> {
    let ends = match left.min(really) {
        Left::TwoWeeks => shown.is_said,
        Left::ThreeDays | Left::Nothing => shown.ends,
        Left::NotYet | Left::Enough => None,
    };
    let clock = shown.wrong_clock.filter(|_| left > really);
    ends.into_iter().chain(clock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use healthchecker::engine::verdict::answer::Outcome;
    use healthchecker::engine::verdict::connected;

    const SHOWN: Shown = Shown {
        valid: (0, 90 * DAY),
        is_said: Some(CauseId(1)),
        ends: Some(CauseId(2)),
        wrong_clock: Some(CauseId(3)),
    };

    /// What comes of a check on that day, when our clock shows that one.
    fn on(right: i64, shows: i64) -> (Option<Outcome>, Vec<usize>) {
        let certificate = Some(SHOWN);
        let mut reply = Reply { after: None, says: Says::Pass, causes: vec![], certificate };
        let clock = ClockSet { from: 0, shows: shows * DAY, right: right * DAY };
        let outcome = match looked_at(connected(), &mut reply, clock) {
            CheckEnd::Verdict(verdict) => Some(verdict.outcome),
            _ => None,
        };
        (outcome, reply.causes.iter().map(|it| it.0).collect())
    }

    #[test]
    fn it_ends_by_our_clock() {
        let (pass, fail) = (Some(Outcome::Pass), Some(Outcome::Fail));
        assert_eq!(on(50, 50), (pass, vec![]));
        assert_eq!(on(80, 80), (pass, vec![1]), "the engine says so, once");
        assert_eq!(on(88, 88), (pass, vec![2]));
        assert_eq!(on(90, 90), (fail, vec![2]));
        assert_eq!(on(50, 95), (fail, vec![3]), "it has not, and our clock is wrong");
        assert_eq!(on(88, 95), (fail, vec![2, 3]));
        assert_eq!(on(88, 50), (pass, vec![]), "nobody can know");
        assert_eq!(on(50, -1), (None, vec![]), "and it has begun");
    }
}
