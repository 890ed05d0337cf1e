//! What is asked of the program: `NAME=VALUE` from the environment or as arguments.

use std::path::PathBuf;

use crate::house::rates::Rates;
use crate::house::{House, Size};
use crate::story::Ms;
use crate::world::{Lived, live};

const MINUTES_A_DAY: u32 = 24 * 60;
/// Ten years: the engine keeps 90 days.
const MOST_DAYS: u32 = 3_650;
const MOST_APPS: usize = 200;
const MOST_SEEDS: u64 = 1_000_000;

const HELP: &str = "\
a simulated household, and a score of the mistakes; NAME=VALUE as arguments or in the environment:
  SEED=1       the first seed
  SEEDS=1      how many seeds, on all cores
  DAYS=30      how long each story is: a quarter of an hour is 0.01
  APPS=20      how many apps there are: 1 to 200
  RATES=       how often what befalls them, beside the baseline: power=40,crash=0,all=2; RATES=help for all
  TELL=1       so many mistakes of each kind are told: of one seed with the minutes around them, of many in a line
  STRICT=1     ends with 1 if a promise was broken, or the judge found a mistake
  SHRINK=1     looks for the smallest story of the seed in which a promise is still broken, where there is one seed
  JSON=FILE    writes the score there, too
  LETTERS=FILE writes there what the mail server took, where there is one seed
  FRESH=1      forgets what earlier runs of SEEDS have left below target/simulate/seeds";

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Order {
    pub(crate) seed: u64,
    pub(crate) seeds: u64,
    pub(crate) kind: Kind,
    pub(crate) tell: usize,
    pub(crate) strict: bool,
    pub(crate) shrink: bool,
    pub(crate) json: Option<PathBuf>,
    pub(crate) letters: Option<PathBuf>,
    pub(crate) fresh: bool,
}

/// All that a story depends on, but for its seed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kind {
    pub(crate) minutes: u32,
    pub(crate) apps: usize,
    pub(crate) rates: Rates,
}

impl Kind {
    pub(crate) fn length(&self) -> Ms {
        Ms::from(self.minutes) * 60_000
    }

    /// The story of a seed.
    pub(crate) fn live(&self, seed: u64) -> Lived {
        let size = Size { days: self.minutes.div_ceil(MINUTES_A_DAY), apps: self.apps };
        live(seed, self.length(), House::new(seed, size, &self.rates))
    }

    /// As it is written on a command line.
    pub(crate) fn words(&self) -> String {
        // Five places tell one minute from the next.
        let days = format!("{:.5}", f64::from(self.minutes) / f64::from(MINUTES_A_DAY));
        let days = days.trim_end_matches('0').trim_end_matches('.');
        let mut words = format!("DAYS={days} APPS={}", self.apps);
        let rates = self.rates.to_string();
        if !rates.is_empty() {
            words += &format!(" RATES={rates}");
        }
        words
    }
}

impl Order {
    /// Reads what is asked. Arguments come before the environment.
    ///
    /// # Errors
    /// A name or value that cannot be, with what would be right; or the help that was asked for.
    pub(crate) fn read(
        arguments: &[String],
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Order, String> {
        let names = [
            "SEED", "SEEDS", "DAYS", "APPS", "RATES", "TELL", "STRICT", "SHRINK", "JSON",
            "LETTERS", "FRESH",
        ];
        // Cargo adds this one.
        for argument in arguments.iter().filter(|argument| *argument != "--bench") {
            match argument.split_once('=') {
                Some((name, _)) if names.contains(&name) => {}
                Some((name, _)) => return Err(format!("there is no {name} here\n\n{HELP}")),
                None => return Err(HELP.to_owned()),
            }
        }
        let value = |name: &str| {
            let given = arguments
                .iter()
                .rev()
                .find_map(|argument| argument.split_once('=').filter(|(given, _)| *given == name));
            let given = given.map(|(_, value)| value.to_owned());
            given.or_else(|| environment(name)).filter(|value| !value.is_empty())
        };
        let number = |name: &str, usual: u64, range: std::ops::RangeInclusive<u64>| {
            let Some(text) = value(name) else { return Ok(usual) };
            text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
                format!(
                    "{name}: a whole number from {} to {}, not {text:?}",
                    range.start(),
                    range.end()
                )
            })
        };
        let flag = |name: &str| number(name, 0, 0..=1).map(|number| number == 1);
        let seeds = number("SEEDS", 1, 1..=MOST_SEEDS)?;
        let shrink = flag("SHRINK")?;
        if shrink && seeds > 1 {
            return Err(format!("SHRINK=1: of one SEED, not of SEEDS={seeds}"));
        }
        let letters = value("LETTERS").map(PathBuf::from);
        if letters.is_some() && seeds > 1 {
            return Err(format!("LETTERS=FILE: of one SEED, not of SEEDS={seeds}"));
        }
        Ok(Order {
            seed: number("SEED", 1, 0..=u64::MAX)?,
            seeds,
            kind: Kind {
                minutes: minutes(&value("DAYS").unwrap_or_else(|| "30".to_owned()))?,
                apps: number("APPS", 20, 1..=MOST_APPS as u64)? as usize,
                rates: Rates::parse(&value("RATES").unwrap_or_default()).map_err(|why| {
                    if why.starts_with('|') { why } else { format!("RATES: {why}") }
                })?,
            },
            tell: number("TELL", 1, 0..=1_000)? as usize,
            strict: flag("STRICT")?,
            shrink,
            json: value("JSON").map(PathBuf::from),
            letters,
            fresh: flag("FRESH")?,
        })
    }

    /// The seeds, in order.
    pub(crate) fn all_seeds(&self) -> impl Iterator<Item = u64> {
        let first = self.seed;
        (0..self.seeds).map(move |more| first.wrapping_add(more))
    }
}

/// Days, in whole minutes.
fn minutes(days: &str) -> Result<u32, String> {
    let range = 1.0..=f64::from(MOST_DAYS * MINUTES_A_DAY);
    let minutes = days.parse().map(|days: f64| (days * f64::from(MINUTES_A_DAY)).round());
    match minutes {
        Ok(minutes) if range.contains(&minutes) => Ok(minutes as u32),
        _ => Err(format!("DAYS: a number from 0.001 to {MOST_DAYS}, not {days:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Order, String> {
        let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
        Order::read(&arguments, |name| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn an_order_is_read_from_arguments_and_the_environment() {
        let order = read(&["DAYS=2", "--bench", "RATES=power=9"], &[("DAYS", "7"), ("APPS", "3")]);
        let order = order.unwrap();
        assert_eq!(order.kind.words(), "DAYS=2 APPS=3 RATES=power=9");
        assert_eq!((order.seed, order.seeds, order.strict), (1, 1, false));
        let again: Vec<String> = order.kind.words().split(' ').map(str::to_owned).collect();
        assert_eq!(Order::read(&again, |_| None).unwrap().kind, order.kind);
        let short = read(&["DAYS=0.0625", "SEED=5", "SEEDS=3", "STRICT=1"], &[]).unwrap();
        assert_eq!(short.kind.length(), 90 * 60_000);
        for minutes in 1..3_000 {
            let kind = Kind { minutes, ..short.kind.clone() };
            let words: Vec<String> = kind.words().split(' ').map(str::to_owned).collect();
            assert_eq!(Order::read(&words, |_| None).unwrap().kind, kind);
        }
        assert_eq!(short.all_seeds().collect::<Vec<_>>(), [5, 6, 7]);
        assert_eq!(read(&["APPS="], &[]), read(&[], &[]), "make hands on what is empty");
    }

    #[test]
    fn one_story_is_shrunk_and_not_many() {
        let why = read(&["SHRINK=1", "SEEDS=2"], &[]).unwrap_err();
        assert_eq!(why, "SHRINK=1: of one SEED, not of SEEDS=2");
        let why = read(&["LETTERS=x", "SEEDS=2"], &[]).unwrap_err();
        assert_eq!(why, "LETTERS=FILE: of one SEED, not of SEEDS=2");
        assert!(read(&["SHRINK=1", "SEED=2"], &[]).unwrap().shrink);
        assert!(!read(&["SHRINK=0", "SEEDS=2"], &[]).unwrap().shrink);
    }

    #[test]
    fn what_cannot_be_is_told_with_what_would_be_right() {
        for (argument, right) in [
            ("APPS=0", "APPS: a whole number from 1 to 200"),
            ("DAYS=0", "DAYS: a number from 0.001 to 3650"),
            ("DAYS=NaN", "DAYS: a number from 0.001 to 3650"),
            ("SEED=-1", "SEED: a whole number from 0"),
            ("STRICT=yes", "STRICT: a whole number from 0 to 1"),
            ("RATES=rain=1", "RATES: there is no rate"),
            ("RATES=help", "| rate |"),
            ("HOURS=3", "there is no HOURS here"),
            ("SEEDZ=3", "SEEDS=1 "),
            ("help", "SEEDS=1"),
        ] {
            let why = read(&[argument], &[]).unwrap_err();
            assert!(why.contains(right), "{argument}: {why}");
        }
    }
}
