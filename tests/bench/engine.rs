//! The engine in virtual time, with nothing around it.

use std::collections::VecDeque;
use std::time::Duration;

use healthchecker::engine::core::{Action, Engine, Options};
use healthchecker::engine::outbox::Policy;
use healthchecker::engine::outbox::mail::Mail;
use healthchecker::engine::recipients::Recipients;
use healthchecker::engine::registration::{Origin, QuietTimes, Registration};
use healthchecker::engine::scheduler::Ran;
use healthchecker::engine::time::{Moment, Now, Wall, Zone};
use healthchecker::engine::verdict::answer::{CheckEnd, Life, Outcome, Verdict};

/// What an app takes to answer.
const LATENCY: Duration = Duration::from_millis(5);

/// When it begins.
pub(crate) fn beginning() -> Now {
    Now { at: Moment::START, wall: Wall::from_unix_millis(1_795_474_540_000) }
}

/// One without apps.
pub(crate) fn empty() -> Engine {
    let recipients = Recipients::default();
    Engine::new(Options {
        mail: Policy { mailing: true, mail_without_clock: false, recipients },
        workers: 36,
        seed: 1,
        boot_id: None,
        settle: Duration::from_secs(600),
        anchors: Vec::new(),
        reminders: true,
        quiet: QuietTimes::default(),
        zone: Zone::UTC,
    })
}

/// As its fields say.
pub(crate) fn registration(fields: &[(&str, String)]) -> Registration {
    let fields: Vec<(String, String)> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Registration::from_fields(&fields, Origin::Network, &Recipients::default()).unwrap()
}

/// One with so many apps, each at a port of one machine.
pub(crate) fn with_apps(apps: usize) -> Engine {
    let mut engine = empty();
    for app in 0..apps {
        let fields =
            [("appname", format!("app{app}")), ("url", format!("http://10.7.0.1:{}", app + 1))];
        engine.register(beginning(), registration(&fields)).unwrap();
    }
    engine
}

/// What happens to an engine from its beginning on.
pub(crate) struct Household {
    pub(crate) engine: Engine,
    pub(crate) now: Now,
    /// Checks that have begun: those of a round begin together.
    under_way: VecDeque<u64>,
}

impl Household {
    pub(crate) fn of(engine: Engine) -> Household {
        Household { engine, now: beginning(), under_way: VecDeque::new() }
    }

    /// Goes on until so many more checks have ended like this, and hands over the mails that were sent.
    pub(crate) fn live(&mut self, checks: u64, end: &CheckEnd) -> Vec<Mail> {
        let Household { engine, now, under_way } = self;
        let mut mails = Vec::new();
        let mut ended = 0;
        while ended < checks {
            match under_way.pop_front() {
                Some(check) => {
                    pass(now, LATENCY);
                    engine.handle_clock(*now, Duration::ZERO);
                    engine.handle_check(*now, check, end.clone(), Ran::until(now.at, LATENCY));
                    ended += 1;
                }
                None => {
                    let (next, _) = engine.next_deadline().unwrap();
                    pass(now, next.since(now.at));
                    engine.handle_clock(*now, Duration::ZERO);
                }
            }
            engine.handle_time(*now);
            drop(engine.take_records(*now));
            while let Some(action) = engine.poll_action() {
                match action {
                    Action::Probe(probe) => under_way.push_back(probe.id),
                    Action::Send(mail) => mails.push(mail),
                    _ => {}
                }
            }
        }
        mails
    }
}

fn pass(now: &mut Now, span: Duration) {
    now.at = now.at + span;
    now.wall = Wall::from_unix_millis(now.wall.as_unix_millis() + span.as_millis() as i64);
}

/// An app that is well.
pub(crate) fn well() -> CheckEnd {
    answered(Outcome::Pass, 200, "HTTP 200 OK")
}

/// An app that answers so.
pub(crate) fn answered(outcome: Outcome, status: u16, reason: &str) -> CheckEnd {
    CheckEnd::Verdict(Verdict {
        outcome,
        http_status: Some(status),
        reason: reason.to_owned(),
        refused: false,
        life: Life::Answer,
        whereabouts: None,
        certificate: None,
        body: None,
    })
}
