//! How often each thing befalls a household: one table, which `RATES=` changes and the documents show.

use std::fmt;

/// What a rate counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    PerAppAndYear,
    PerHostAndYear,
    PerHouseAndYear,
    /// 0 to 1: of the hosts, houses or happenings that could be so, so many are.
    Share,
}

impl Unit {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Unit::PerAppAndYear => "a year, per app",
            Unit::PerHostAndYear => "a year, per host",
            Unit::PerHouseAndYear => "a year, per house",
            Unit::Share => "share",
        }
    }
}

/// Where a rate is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Known(&'static str),
    Guess,
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) usual: f64,
    pub(crate) unit: Unit,
    pub(crate) what: &'static str,
    pub(crate) source: Source,
}

macro_rules! rates {
    ($($id:ident $name:literal $usual:literal $unit:ident $source:expr, $what:literal;)*) => {
        /// What can befall a household.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Rate { $($id),* }

        /// Every rate, in the order of [`Rate`].
        pub(crate) static TABLE: &[Row] = &[$(Row {
            name: $name,
            usual: $usual,
            unit: Unit::$unit,
            what: $what,
            source: $source,
        }),*];
    };
}

const CUTS: &str = "1.4 of over 5 min a year in the USA in 2017, 1.0 without major events (EIA-861); \
    shorter ones are a guess";
const CLOCK: &str =
    "a Raspberry Pi Zero has no clock battery; fake-hwclock(8) saves the time hourly";
const SUMMER: &str = "directive 2000/84/EC: the last Sundays of March and October, 01:00 UTC";

rates! {
    Crash "crash" 4.0 PerAppAndYear Source::Guess,
        "an app ends: back by itself in 5 s to 1 min, or after a person came";
    Hang "hang" 2.0 PerAppAndYear Source::Guess, "it takes connections and never answers";
    Slow "slow" 2.0 PerAppAndYear Source::Guess, "it needs half its time-out to three of them";
    Fail "fail" 2.0 PerAppAndYear Source::Guess, "it answers `fail`";
    Warn "warn" 3.0 PerAppAndYear Source::Guess, "it answers `warn`";
    Flap "flap" 0.5 PerAppAndYear Source::Guess, "well and ill by turns, for hours";
    CrashLoop "crash_loop" 0.3 PerAppAndYear Source::Guess,
        "it starts, registers, dies, again and again";
    Deploy "deploy" 12.0 PerAppAndYear Source::Guess,
        "a new version: down for 5 to 90 s, registered again; one in ten five times in a row";
    Loss "loss" 1.0 PerHostAndYear Source::Guess, "every third check is lost, for hours";
    HostHang "host_hang" 1.0 PerHostAndYear Source::Guess, "a host answers nothing";
    HostReboot "host_reboot" 6.0 PerHostAndYear Source::Guess, "a host starts anew";
    SpinUp "spin_up" 500.0 PerHostAndYear Source::Guess,
        "disks spin up, of hosts that have some: no answer until they turn, after 4 to 15 s";
    NightlyOff "nightly_off" 0.2 Share Source::Guess, "of the single devices, those that are off every night";
    LeftHouse "left_house" 150.0 PerHostAndYear Source::Guess, "a laptop or phone is taken away";
    Moved "moved" 0.5 PerHostAndYear Source::Guess, "a host gets another address";
    Switch "switch" 2.0 PerHouseAndYear Source::Guess, "a switch goes on which we do not hang, for each";
    AccessPoint "access_point" 4.0 PerHouseAndYear Source::Guess, "the same of an access point, for each";
    Router "router" 4.0 PerHouseAndYear Source::Guess, "the router hangs or starts anew";
    RouterNightly "router_nightly" 0.15 Share Source::Guess, "of the houses, those whose router starts anew at 04:00";
    Internet "internet" 10.0 PerHouseAndYear Source::Guess, "the line goes";
    Reconnect "reconnect" 0.2 Share Source::Guess, "of the houses, those whose line is made anew between 04:00 and 05:00";
    NameService "name_service" 2.0 PerHouseAndYear Source::Guess, "names are not found";
    Renumbered "renumbered" 0.5 PerHouseAndYear Source::Guess, "every address is given out anew";
    OurLink "our_link" 10.0 PerHouseAndYear Source::Guess, "our cable, switch or access point; five times that on Wi-Fi";
    Power "power" 4.0 PerHouseAndYear Source::Known(CUTS), "the power goes, for a second to hours";
    PowerTwice "power_twice" 0.2 Share Source::Guess, "of the power cuts, those that come twice in a row";
    BrownOut "brown_out" 2.0 PerHouseAndYear Source::Guess, "too little power for some";
    NotBack "not_back" 0.03 Share Source::Guess,
        "of the apps after a power cut or a start of their host, those that need a person; one in ten of these is lost for good";
    Ups "ups" 0.2 Share Source::Guess, "of the houses, those with a UPS for our machine";
    Killed "killed" 4.0 PerHouseAndYear Source::Guess, "the daemon is killed; one in five twice in a row";
    Upgraded "upgraded" 6.0 PerHouseAndYear Source::Guess, "it is stopped in order and started again";
    Rebooted "rebooted" 6.0 PerHouseAndYear Source::Guess, "our machine starts anew, in order";
    Suspended "suspended" 2.0 PerHouseAndYear Source::Guess, "our machine sleeps";
    StandsStill "stands_still" 30.0 PerHouseAndYear Source::Guess, "the daemon stands still for 5 s to 3 min";
    ClockUnset "clock_unset" 0.8 Share Source::Known(CLOCK), "of our machines, those that have no clock of their own after a cut";
    ClockJump "clock_jump" 3.0 PerHouseAndYear Source::Guess, "somebody sets the clock wrong, for a while";
    ClockHour "clock_hour" 0.2 Share Source::Known(SUMMER),
        "of the houses, those whose clock is an hour off when summer time begins or ends, for a while";
    MailAway "mail_away" 12.0 PerHouseAndYear Source::Guess, "the mail server is not there";
    MailGreylists "mail_greylists" 2.0 PerHouseAndYear Source::Guess, "it greylists: 5 min, as Postgrey does, for days";
    MailSlow "mail_slow" 4.0 PerHouseAndYear Source::Guess, "it needs 2 to 60 s for each mail";
    MailLoses "mail_loses" 2.0 PerHouseAndYear Source::Guess, "it takes mails, and its 250 is lost";
    MailRefuses "mail_refuses" 1.0 PerHouseAndYear Source::Guess, "it refuses everything";
    DiskFull "disk_full" 0.5 PerHouseAndYear Source::Guess, "our disk is full";
    DiskFails "disk_fails" 0.5 PerHouseAndYear Source::Guess, "some of its calls fail";
    Pause "pause" 2.0 PerAppAndYear Source::Guess, "a person pauses an app, for minutes to days";
    Stop "stop" 0.2 PerAppAndYear Source::Guess, "a person takes it out; most come back";
    Change "change" 1.0 PerAppAndYear Source::Guess, "a person registers it with other settings";
    Reports "reports" 0.15 Share Source::Guess,
        "of what runs on a server besides its first app, and of the single devices, those that report by themselves";
    ReportTwice "report_twice" 0.02 Share Source::Guess, "of the reports, those that are made twice";
    ReportMissing "report_missing" 2.0 PerAppAndYear Source::Guess,
        "what is to be done, and reported, is not: once to three times in a row";
    ReportLate "report_late" 4.0 PerAppAndYear Source::Guess, "it is done later, by up to twice the time between two";
    Tls "tls" 0.15 Share Source::Guess, "of what runs on a server or out there, those that speak TLS";
    NotRenewed "not_renewed" 0.15 Share Source::Guess,
        "of the certificates, those that somebody has to renew, 13 days before their end to 2 days after";
    Port "port" 0.05 Share Source::Guess, "of the apps, those of which only the port is asked";
    Echo "echo" 0.05 Share Source::Guess, "of the first apps of hosts, those of which only an echo is asked";
    Quiet "quiet" 0.3 Share Source::Guess, "of the houses, those with quiet times";
    QuietApp "quiet_app" 0.08 Share Source::Guess, "of the apps, those with quiet times of their own, or never any";
    Announced "announced" 0.4 Share Source::Guess,
        "of the starts of a host, those before which its apps say `pause` with `for`";
    Mute "mute" 0.1 Share Source::Guess,
        "of the mails of trouble, those whose reader has heard enough: by its link, or by a call";
}

/// More often than twice a minute nothing happens: a year of it has to fit into memory.
const MOST: f64 = 1e6;

/// How often each thing happens.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rates(Vec<f64>);

impl Rates {
    /// What the score is measured at.
    pub(crate) fn baseline() -> Rates {
        Rates(TABLE.iter().map(|row| row.usual).collect())
    }

    pub(crate) fn of(&self, rate: Rate) -> f64 {
        self.0[rate as usize]
    }

    pub(crate) fn set(&mut self, rate: Rate, value: f64) {
        self.0[rate as usize] = value;
    }

    /// Every rate that is not a share, so many times as often: what is rare occurs in a short story, too. 0 times
    /// is never, of the shares, too.
    pub(crate) fn times(mut self, factor: f64) -> Rates {
        for (rate, row) in self.0.iter_mut().zip(TABLE) {
            if row.unit != Unit::Share || factor == 0.0 {
                *rate = (*rate * factor).min(MOST);
            }
        }
        self
    }

    /// What is not switched off, by its place in [`TABLE`]: for who looks for the one that matters.
    pub(crate) fn on(&self) -> Vec<usize> {
        (0..self.0.len()).filter(|place| self.0[*place] > 0.0).collect()
    }

    /// The same without the one that has this place.
    pub(crate) fn without(&self, place: usize) -> Rates {
        let mut rates = self.clone();
        rates.0[place] = 0.0;
        rates
    }

    /// `power=4,crash=0`, beside the baseline; `all=10` is ten times of each that is not a share, of
    /// what was said before; after `all=0` nothing happens but what is said then.
    ///
    /// # Errors
    /// A name that is not there, or a value that cannot be; the sentence says what would be right.
    /// `help`: the table.
    pub(crate) fn parse(text: &str) -> Result<Rates, String> {
        if text == "help" {
            return Err(table());
        }
        let mut rates = Rates::baseline();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) =
                part.split_once('=').ok_or_else(|| format!("{part:?} is not NAME=NUMBER"))?;
            let (name, value) = (name.trim(), value.trim());
            let number = value.parse().ok().filter(|number| (0.0..=MOST).contains(number));
            let number: f64 = number
                .ok_or_else(|| format!("{name}: a number from 0 to 1000000, not {value:?}"))?;
            if name == "all" {
                rates = rates.times(number);
                continue;
            }
            let place = TABLE.iter().position(|row| row.name == name).ok_or_else(|| {
                let names: Vec<&str> = TABLE.iter().map(|row| row.name).collect();
                format!("there is no rate {name:?}: all, {}", names.join(", "))
            })?;
            if TABLE[place].unit == Unit::Share && number > 1.0 {
                return Err(format!("{name} is a share: a number from 0 to 1, not {value:?}"));
            }
            rates.0[place] = number;
        }
        Ok(rates)
    }
}

/// What differs from the baseline, as [`Rates::parse`] reads it.
impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = TABLE.iter().zip(&self.0).filter(|(row, rate)| row.usual != **rate);
        let parts: Vec<String> = rows.map(|(row, rate)| format!("{}={rate}", row.name)).collect();
        f.write_str(&parts.join(","))
    }
}

/// The table, as the documents have it.
fn table() -> String {
    let mut lines = vec![
        "| rate | usual | unit | what happens | from |".to_owned(),
        "| --- | --- | --- | --- | --- |".to_owned(),
    ];
    lines.extend(TABLE.iter().map(|row| {
        let source = match row.source {
            Source::Known(source) => source,
            Source::Guess => "a guess",
        };
        let unit = row.unit.words();
        format!("| `{}` | {} | {unit} | {} | {source} |", row.name, row.usual, row.what)
    }));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_they_are_written() {
        assert_eq!(Rates::parse(""), Ok(Rates::baseline()));
        let rates = Rates::parse(" power=40, crash=0,ups=1").unwrap();
        assert_eq!(rates.of(Rate::Power), 40.0);
        assert_eq!(rates.of(Rate::Crash), 0.0);
        assert_eq!(rates.of(Rate::Hang), 2.0);
        assert_eq!(rates.to_string(), "crash=0,power=40,ups=1");
        assert_eq!(Rates::parse(&rates.to_string()), Ok(rates.clone()));
        let more = Rates::parse("all=10,power=3").unwrap();
        assert_eq!([Rate::Crash, Rate::Power, Rate::Ups].map(|it| more.of(it)), [40.0, 3.0, 0.2]);
        assert_eq!(Rates::parse(&more.to_string()), Ok(more));
        assert!(Rates::parse("all=0").unwrap().on().is_empty());
        let alone = Rates::parse("all=0,nightly_off=1").unwrap();
        assert_eq!((alone.on().len(), alone.of(Rate::NightlyOff)), (1, 1.0));
    }

    #[test]
    fn a_rate_that_cannot_be_is_told_with_what_would_be_right() {
        for (text, part) in [
            ("pwer=4", "there is no rate \"pwer\": all, crash, hang"),
            ("power", "not NAME=NUMBER"),
            ("power=-1", "from 0 to 1000000"),
            ("power=NaN", "from 0 to 1000000"),
            ("ups=2", "from 0 to 1"),
        ] {
            let said = Rates::parse(text).unwrap_err();
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn one_after_the_other_is_switched_off() {
        let mut rates = Rates::baseline();
        assert_eq!(rates.on().len(), TABLE.len());
        rates.set(Rate::Crash, 0.0);
        for place in rates.on() {
            let fewer = rates.without(place);
            assert!(fewer.on().len() + 1 == rates.on().len() && !fewer.on().contains(&place));
        }
    }

    #[test]
    fn the_documents_have_the_table() {
        let document = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/simulation.md");
        let document = std::fs::read_to_string(document).unwrap();
        let table = table();
        assert!(document.contains(&table), "docs/simulation.md needs:\n{table}");
    }

    #[test]
    fn every_rate_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<&str> = TABLE.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), TABLE.len());
    }
}
