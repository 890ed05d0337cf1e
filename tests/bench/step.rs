//! What a check costs the engine, from its deadline to its record: in virtual time, with nothing around it.

use std::collections::VecDeque;
use std::time::Duration;

use healthchecker::engine::core::{Action, Engine, Options};
use healthchecker::engine::outbox::Policy;
use healthchecker::engine::recipients::Recipients;
use healthchecker::engine::registration::{Origin, Registration};
use healthchecker::engine::time::{Moment, Now, Wall};

use super::day::well;
use super::figures::Usage;

/// What an app takes to answer.
const LATENCY: Duration = Duration::from_millis(5);

/// Microseconds of the processor for each of `checks` checks of so many apps that are well.
pub(crate) fn microseconds(apps: usize, checks: u64) -> f64 {
    let mut now = Now { at: Moment::START, wall: Wall::from_unix_millis(1_795_474_540_000) };
    let mail =
        Policy { mailing: true, mail_without_clock: false, recipients: Recipients::default() };
    let mut engine = Engine::new(Options {
        mail,
        workers: 32,
        seed: 1,
        boot_id: None,
        settle: Duration::from_secs(600),
        anchors: Vec::new(),
        reminders: true,
        quiet: healthchecker::engine::registration::QuietTimes::default(),
        zone: healthchecker::engine::time::Zone::UTC,
    });
    for app in 0..apps {
        let fields =
            [("appname", format!("app{app}")), ("url", format!("http://10.7.0.1:{}", app + 1))];
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        let registration =
            Registration::from_fields(&fields, Origin::Network, &Recipients::default()).unwrap();
        engine.register(now, registration).unwrap();
    }
    // The first ones are told of, and find their places.
    live(&mut engine, &mut now, apps as u64 * 20);
    let before = Usage::of(std::process::id()).cpu;
    live(&mut engine, &mut now, checks);
    (Usage::of(std::process::id()).cpu - before).as_secs_f64() * 1e6 / checks as f64
}

fn live(engine: &mut Engine, now: &mut Now, checks: u64) {
    let mut under_way = VecDeque::new();
    let mut ended = 0;
    while ended < checks {
        match under_way.pop_front() {
            Some(check) => {
                pass(now, LATENCY);
                engine.handle_clock(*now, Duration::ZERO);
                engine.handle_check(*now, check, well(), LATENCY);
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
            if let Action::Probe(probe) = action {
                under_way.push_back(probe.id);
            }
        }
    }
}

fn pass(now: &mut Now, span: Duration) {
    now.at = now.at + span;
    now.wall = Wall::from_unix_millis(now.wall.as_unix_millis() + span.as_millis() as i64);
}
