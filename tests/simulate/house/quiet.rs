//! When people do not want to be told: quiet times, `pause` with `for` before a start, and mails of which their
//! readers have heard enough.

use std::time::Duration;

use super::apps::App;
use super::calendar::Calendar;
use super::rates::{Rate, Rates};
use crate::chance::{Chance, DAY, HOUR, MINUTE, SECOND, mix};
use crate::deed::{Enough, EnoughOf};
use crate::story::Ms;

/// Nights, weekends, the hours of a backup; some of them where the clocks go forth and back.
const TIMES: [&str; 8] = [
    "23:00-07:00",
    "Mo-Fr 22:30-06:30, Sa Su 23:30-09:00",
    "02:30-04:00",
    "Sa Su 00:00-09:00",
    "01:30-02:30",
    "Su 02:00-03:00, 12:30-13:30",
    "22:00-02:30",
    "Mo-Fr 09:00-17:00",
];
/// Whatever holds for the others.
const NEVER: &str = "never";

/// The quiet times of all apps of a house.
pub(super) fn of_house(seed: u64, rates: &Rates) -> &'static str {
    let chance = &mut Chance::of(seed, "quiet", 0);
    if chance.happens(rates.of(Rate::Quiet)) { TIMES[chance.index(TIMES.len())] } else { "" }
}

/// Those of single apps.
pub(super) fn of_apps(seed: u64, rates: &Rates, apps: &mut [App]) {
    for (number, app) in apps.iter_mut().enumerate() {
        let chance = &mut Chance::of(seed, "quiet app", number);
        if chance.happens(rates.of(Rate::QuietApp)) {
            let is_never = chance.happens(0.25);
            app.quiet = Some(if is_never { NEVER } else { TIMES[chance.index(TIMES.len())] });
        }
    }
}

/// Before a host starts anew somebody says so: how long before, and for how long.
pub(super) fn announced(chance: &mut Chance, share: f64) -> Option<(Ms, Duration)> {
    let (before, lasts) = (chance.between(2..=60) * SECOND, chance.between(1..=30) * MINUTE);
    chance.happens(share).then_some((before, Duration::from_millis(lasts)))
}

/// Who reads mails of trouble.
#[derive(Debug)]
pub(super) struct Readers {
    seed: u64,
    calendar: Calendar,
    /// Of the mails, those of which they have heard enough.
    share: f64,
}

impl Readers {
    pub(super) fn of(seed: u64, rates: &Rates, calendar: &Calendar) -> Readers {
        Readers { seed, calendar: calendar.clone(), share: rates.of(Rate::Mute) }
    }

    /// What the reader of a mail does that arrives then: the same whatever else happens.
    pub(super) fn read(&self, at: Ms, message_id: &str) -> Option<Enough> {
        let number = message_id.bytes().fold(at, |sum, byte| mix(sum ^ u64::from(byte)));
        let chance = &mut Chance::of(self.seed ^ number, "mute", 0);
        if !chance.happens(self.share) {
            return None;
        }
        let read = self.calendar.helped(at, chance.lasting(10 * SECOND..=2 * HOUR));
        let lasts = match chance.share() {
            share if share < 0.4 => Some(HOUR),
            share if share < 0.7 => Some(8 * HOUR),
            share if share < 0.8 => Some(chance.lasting(MINUTE..=3 * DAY)),
            _ => None,
        };
        let of = match chance.share() {
            share if share < 0.6 => EnoughOf::Mail,
            share if share < 0.85 => EnoughOf::App,
            _ => EnoughOf::AppForAll,
        };
        let again = read + chance.lasting(MINUTE..=DAY);
        let again = chance.happens(0.15).then_some(again);
        Some(Enough { at: read, lasts: lasts.map(Duration::from_millis), of, again })
    }
}
