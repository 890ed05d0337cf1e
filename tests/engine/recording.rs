//! What two versions of the engine do in the same household, for comparison: see `make recording`.
//!
//! Seeded households with every trouble that there is here are lived through, and all that the engine
//! puts out is written down: checks, log lines, letters, the health check log, the journal. A change
//! that is to change nothing leaves the file as it was, byte for byte.

use std::fmt::Write;
use std::time::Duration;

use super::world::{Answer, Mood, World};
use healthchecker::engine::outbox::letter::write;
use healthchecker::engine::recipients::{Recipient, Recipients};
use healthchecker::engine::time::{Wall, Zone};

const HOUSEHOLDS: u64 = 20;
const EVENTS: usize = 400;
const APPS: u64 = 7;

/// Numbers that look like chance, the same on every machine (splitmix64).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

fn answer(chance: &mut Chance) -> Answer {
    let slow = chance.below(7_000);
    chance.of(&[
        Answer::Pass,
        Answer::Pass,
        Answer::Pass,
        Answer::Warn,
        Answer::Fail,
        Answer::Refused,
        Answer::Hang,
        Answer::Slow(slow),
        Answer::Between(0, 2_000),
        Answer::NoVerdict,
        Answer::Overslept(slow),
    ])
}

fn mood(chance: &mut Chance) -> Mood {
    match chance.below(8) {
        0 => Mood::Away,
        1 => Mood::RefusesLogin,
        2 => Mood::Rejects(Recipient::mail("guest@example.org")),
        3 => Mood::Filters("app3"),
        4 => Mood::Loses250,
        _ => Mood::Accepts,
    }
}

fn register(world: &mut World, chance: &mut Chance, app: &str) {
    let interval = chance.of(&["5", "10", "30", "300"]);
    let email =
        chance.of(&["owner@example.org", "guest@example.org", "a@b.c,Owner@example.org", ""]);
    let path = chance.of(&["/health", "/health", "/health", "/other"]);
    let unhealthy = chance.of(&["2", "3", "10"]);
    let parameters = [
        ("interval", interval),
        ("email", email),
        ("path", path),
        ("unhealthy", unhealthy),
        ("healthy", "3"),
    ];
    let parameters: Vec<_> =
        parameters.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    // Who may not be told is refused at the door, which is no part of the engine.
    let may = |one: &str| one.is_empty() || world.recipients.may_be_told(&Recipient::mail(one));
    if email.split(',').all(may) {
        world.register(app, &parameters);
    }
}

/// One thing of all that there is here.
pub(super) fn happen(world: &mut World, chance: &mut Chance) {
    let app = format!("app{}", chance.below(APPS));
    let known = world.engine.view().info(world.now, &app).is_ok();
    let wall = world.now.wall.as_unix_millis();
    match chance.below(40) {
        0..=4 => register(world, chance, &app),
        5 if known => world.pause(&app),
        6 | 7 if known => world.resume(&app),
        8 if known => world.stop(&app),
        9..=17 => {
            let answer = answer(chance);
            world.answers(&app, answer);
        }
        18..=20 => world.mood = mood(chance),
        21 => world.restart(),
        22 => {
            world.mailing = chance.below(4) > 0;
            let allowed = chance.of(&["", "owner@example.org", "*@example.org"]);
            let allowed: Vec<String> =
                Some(allowed.to_owned()).filter(|one| !one.is_empty()).into_iter().collect();
            let default = if chance.below(2) == 0 { vec!["d@e.f".to_owned()] } else { Vec::new() };
            world.recipients = Recipients::new(default, &allowed);
            world.restart();
        }
        23 => {
            let by = chance.of(&[-3_600_000_i64, 3_600_000, 86_400_000, 5_000]);
            world.set_clock(Wall::from_unix_millis(wall + by));
        }
        24 => world.restart_at(Wall::from_unix_millis(wall - 1_200_000)),
        25 => {
            let span = Duration::from_secs(3);
            world.engine.handle_standstill(world.now, span, span);
        }
        26 if known => {
            let _ = world.engine.check(world.now, &app);
            world.act();
        }
        27 => {
            let _ = world.engine.seen("guest@example.org");
            world.act();
        }
        28 => world.rewrite_journal(),
        29 => world.orderly_stop(),
        30 => world.seconds(7_200),
        31 => {
            let away = chance.of(&[5, 60, 3_600]);
            world.power_cut(Duration::from_secs(away));
        }
        32 => {
            let span = chance.of(&[5, 60, 3_600]);
            world.sleep(Duration::from_secs(span));
        }
        33 | 34 => world.cut_off = chance.below(3) == 0,
        _ => {
            let seconds = 1 + chance.below(120);
            world.seconds(seconds);
        }
    }
}

fn live(seed: u64, out: &mut String) {
    let mut chance = Chance(seed);
    let mut world = World::with_workers(chance.of(&[2, 4, 36]));
    for _ in 0..EVENTS {
        happen(&mut world, &mut chance);
    }
    world.seconds(86_400);
    writeln!(out, "household {seed}").unwrap();
    for (at, app) in &world.checks {
        writeln!(out, "check {at} {app}").unwrap();
    }
    for note in &world.notes {
        writeln!(out, "log {note}").unwrap();
    }
    for (at, mail) in &world.inbox {
        let letter = write(mail, world.now.at, &Zone::UTC, None);
        writeln!(out, "mail {at} {letter:?}").unwrap();
    }
    for line in &world.check_log {
        writeln!(out, "line {}", serde_json::to_string(line).unwrap()).unwrap();
    }
    for turn in &world.journal {
        writeln!(out, "journal {turn}").unwrap();
    }
    let health = world.engine.view().health(world.now, world.now.at, Vec::new());
    writeln!(out, "health {}", serde_json::to_string(&health).unwrap()).unwrap();
}

#[test]
#[ignore = "writes a file to compare with that of another version: see make recording"]
fn everything_that_seeded_households_bring_is_written_down() {
    let path = std::env::var_os("RECORDING").expect("RECORDING names the file to write");
    let mut out = String::new();
    (0..HOUSEHOLDS).for_each(|seed| live(seed, &mut out));
    std::fs::write(path, out).unwrap();
}
