//! Whether all parts are alive: pure, in virtual time.

use std::time::Duration;

use crate::engine::time::Moment;

/// Rounds within one period of the manager's: one report may be lost, the next is still in time.
const ROUNDS: u32 = 3;

/// The service may take so long to answer: more than that is a hang, not a slow machine.
const SERVICE_PATIENCE: Duration = Duration::from_secs(60);

/// The mailer's thread answers at once, whatever mail servers do: it only passes mails on. Until a restart
/// helps it, no mail is lost, so there is no hurry.
const MAILER_PATIENCE: Duration = Duration::from_secs(15 * 60);

/// What is to be done in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Round {
    pub(super) ask_service: bool,
    pub(super) ask_mailer: bool,
    /// What does not answer, in words; nothing: we are alive.
    pub(super) hangs: Option<&'static str>,
}

/// A part that is asked in every round.
#[derive(Clone, Copy, Debug)]
struct Part {
    patience: Duration,
    /// Since when it owes us an answer.
    asked: Option<Moment>,
}

impl Part {
    fn new(patience: Duration) -> Part {
        Part { patience, asked: None }
    }

    fn hangs(&self, now: Moment) -> bool {
        self.asked.is_some_and(|asked| now.since(asked) >= self.patience)
    }

    /// Whether it is to be asked: it owes no answer.
    fn ask(&mut self, now: Moment) -> bool {
        let owes_none = self.asked.is_none();
        self.asked.get_or_insert(now);
        owes_none
    }
}

/// The state of all parts.
#[derive(Clone, Debug)]
pub(super) struct Vitals {
    every: Duration,
    next: Moment,
    service: Part,
    mailer: Option<Part>,
}

impl Vitals {
    /// For a manager that wants to hear of us within every `period`; the first round is at once.
    pub(super) fn new(period: Duration, mailing: bool, now: Moment) -> Vitals {
        let every = period / ROUNDS;
        Vitals {
            every,
            next: now,
            service: Part::new(SERVICE_PATIENCE.min(every)),
            mailer: mailing.then(|| Part::new(MAILER_PATIENCE)),
        }
    }

    pub(super) fn next_deadline(&self) -> Moment {
        self.next
    }

    pub(super) fn service_answered(&mut self) {
        self.service.asked = None;
    }

    pub(super) fn mailer_answered(&mut self) {
        if let Some(mailer) = &mut self.mailer {
            mailer.asked = None;
        }
    }

    /// The round that is due, if one is.
    pub(super) fn handle_time(&mut self, now: Moment) -> Option<Round> {
        if now < self.next {
            return None;
        }
        self.next = now + self.every;
        let hangs = if self.service.hangs(now) {
            Some("the service does not answer our own request")
        } else if self.mailer.is_some_and(|mailer| mailer.hangs(now)) {
            Some("the mailer's thread does not answer")
        } else {
            None
        };
        // A request that failed is made again; the mailer's queue is not filled with questions.
        self.service.ask(now);
        let ask_mailer = self.mailer.as_mut().is_some_and(|mailer| mailer.ask(now));
        Some(Round { ask_service: true, ask_mailer, hangs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(180);

    fn at(seconds: u64) -> Moment {
        Moment::START + Duration::from_secs(seconds)
    }

    fn alive(vitals: &mut Vitals, seconds: u64) -> bool {
        vitals.handle_time(at(seconds)).expect("a round").hangs.is_none()
    }

    #[test]
    fn it_is_alive_while_all_answer() {
        let mut vitals = Vitals::new(PERIOD, true, at(0));
        for minute in 0..1000 {
            let round = vitals.handle_time(at(60 * minute)).unwrap();
            assert_eq!(round, Round { ask_service: true, ask_mailer: true, hangs: None });
            assert_eq!(vitals.handle_time(at(60 * minute + 59)), None, "no round is due");
            assert_eq!(vitals.next_deadline(), at(60 * minute + 60));
            vitals.service_answered();
            vitals.mailer_answered();
        }
    }

    #[test]
    fn a_service_that_hangs_is_not_reported_alive_until_it_answers() {
        let mut vitals = Vitals::new(PERIOD, false, at(0));
        assert!(alive(&mut vitals, 0));
        vitals.service_answered();
        assert!(alive(&mut vitals, 60));
        // Asked at 60, and silent.
        for minute in 2..10 {
            let round = vitals.handle_time(at(60 * minute)).unwrap();
            assert!(round.hangs.is_some() && round.ask_service, "asked again and again");
        }
        vitals.service_answered();
        assert!(alive(&mut vitals, 600));
    }

    #[test]
    fn a_mailer_is_given_a_quarter_of_an_hour() {
        let mut vitals = Vitals::new(PERIOD, true, at(0));
        for minute in 0..15 {
            let round = vitals.handle_time(at(60 * minute)).unwrap();
            assert_eq!(round.hangs, None);
            assert_eq!(round.ask_mailer, minute == 0, "one question at a time");
            vitals.service_answered();
        }
        assert!(!alive(&mut vitals, 15 * 60), "this is one");
        vitals.service_answered();
        vitals.mailer_answered();
        let round = vitals.handle_time(at(16 * 60)).unwrap();
        assert_eq!(round, Round { ask_service: true, ask_mailer: true, hangs: None });
    }

    #[test]
    fn a_loop_that_was_late_asks_before_it_judges() {
        let mut vitals = Vitals::new(PERIOD, false, at(0));
        assert!(alive(&mut vitals, 0));
        vitals.service_answered();
        assert!(alive(&mut vitals, 1000), "nothing was asked in the meantime");
    }

    #[test]
    fn one_report_may_be_lost() {
        let mut vitals = Vitals::new(PERIOD, false, at(0));
        vitals.handle_time(at(0));
        assert!(vitals.next_deadline() <= at(PERIOD.as_secs() / 2));
    }
}
