//! The world itself, around houses written by hand.

use std::collections::VecDeque;
use std::time::Duration;

use healthchecker::engine::surroundings::look::{Place, Sight};

use super::*;
use crate::deed::{Enough, MailMood, Question, Reply, Says};
use crate::house::Truth;
use crate::story::{AppId, Cause, CauseId, CauseKind, HostId, Reach};

const SECOND: Ms = 1_000;
const MINUTE: Ms = 60 * SECOND;
const OWNER: &str = "owner@home.example";

/// A house with one app, which is asked every 30 s and answers so.
struct ByHand {
    people: Vec<String>,
    apps: Vec<(String, HostId)>,
    deeds: VecDeque<(Ms, Deed)>,
    /// It hangs from and up to.
    hangs: (Ms, Ms),
    cut_off: (Ms, Ms),
    panics: bool,
}

fn registers(url: &str) -> Deed {
    let fields = [("appname", "NAS"), ("url", url), ("healthy", "2")];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Deed::Register { app: AppId(0), fields: fields.into() }
}

impl ByHand {
    fn new(deeds: &[(Ms, Deed)]) -> ByHand {
        let mut all = vec![(SECOND, registers("http://192.168.7.2:80"))];
        all.extend_from_slice(deeds);
        all.sort_by_key(|(at, _)| *at);
        ByHand {
            people: vec![OWNER.to_owned()],
            apps: vec![("NAS".to_owned(), HostId(0))],
            deeds: all.into(),
            hangs: (Ms::MAX, Ms::MAX),
            cut_off: (Ms::MAX, Ms::MAX),
            panics: false,
        }
    }

    fn hangs(mut self, from: Ms, until: Ms) -> ByHand {
        self.hangs = (from, until);
        self
    }

    fn live(self, length: Ms) -> Lived {
        live(7, length, self)
    }
}

impl Household for ByHand {
    fn reminds(&self) -> bool {
        true
    }

    fn quiet(&self) -> &str {
        ""
    }

    fn reads(&self, _: Ms, _: &str) -> Option<Enough> {
        None
    }

    fn began(&self) -> i64 {
        1_795_996_800_000
    }

    fn people(&self) -> &[String] {
        &self.people
    }

    fn apps(&self) -> &[(String, HostId)] {
        &self.apps
    }

    fn next(&self) -> Option<Ms> {
        self.deeds.front().map(|(at, _)| *at)
    }

    fn pop(&mut self) -> Option<(Ms, Deed)> {
        self.deeds.pop_front()
    }

    fn answer(&mut self, question: Question<'_>) -> Reply {
        assert!(!self.panics, "a fault of the house");
        let hangs = (self.hangs.0..self.hangs.1).contains(&question.at);
        let causes = if hangs { vec![CauseId(0)] } else { Vec::new() };
        let after = (!hangs).then_some(Duration::from_millis(20));
        Reply { after, says: Says::Pass, causes, certificate: None }
    }

    fn is_cut_off(&self, at: Ms) -> bool {
        (self.cut_off.0..self.cut_off.1).contains(&at)
    }

    fn is_without_carrier(&self, at: Ms) -> bool {
        self.is_cut_off(at)
    }

    /// There is no router, and the app takes connections.
    fn look(&mut self, at: Ms, place: &Place) -> Option<(Ms, Sight)> {
        match place {
            _ if self.is_cut_off(at) => None,
            Place::Gateways => Some((1, Sight::Undecided)),
            Place::Port { .. } | Place::Echo { .. } => Some((2, Sight::Answers)),
        }
    }

    fn mail_is_cut_off(&self, at: Ms) -> bool {
        self.is_cut_off(at)
    }

    fn truth(self) -> Truth {
        let span = Span { from: self.hangs.0, until: Some(self.hangs.1) };
        let reach = vec![Reach { app: AppId(0), span }];
        let hang = Cause { kind: CauseKind::Hang, reach, span };
        let causes = if span.from < Ms::MAX { vec![hang] } else { Vec::new() };
        let (mail_away, router_away, line_away) = (Vec::new(), Vec::new(), Vec::new());
        let reminds = true;
        let (people, apps) = (self.people, self.apps);
        Truth { people, apps, causes, mail_away, router_away, line_away, reminds, quiet: "" }
    }
}

fn subjects(lived: &Lived) -> Vec<&str> {
    lived.story.letters.iter().map(|letter| letter.subject.as_str()).collect()
}

/// Those that tell that the app is ill.
fn alarms(lived: &Lived) -> usize {
    let tells = |subject: &&&str| subject.contains("UNHEALTHY") || subject.contains("not NAS");
    subjects(lived).iter().filter(tells).count()
}

fn assert_kept(lived: &Lived) {
    assert!(lived.findings.is_empty(), "{:#?}", lived.findings);
}

#[test]
fn a_plain_story_is_written_down_as_it_was() {
    let lived = ByHand::new(&[]).hangs(10 * MINUTE, 15 * MINUTE).live(30 * MINUTE);
    assert_kept(&lived);
    let [watching, ill, well] = lived.story.letters.as_slice() else {
        panic!("{:?}", subjects(&lived));
    };
    assert!(watching.text.contains("NAS") && watching.accepted < 2 * MINUTE);
    assert!(ill.subject.contains("UNHEALTHY") && well.subject.contains("HEALTHY again"));
    assert!(well.references.iter().eq([&ill.message_id]));
    assert!(ill.written <= ill.worded && ill.worded < ill.accepted);
    let [app] = lived.story.apps.as_slice() else { panic!() };
    let failed = app.checks.iter().filter(|check| !check.causes.is_empty());
    let failed: Vec<Ms> = failed.map(|check| check.begun).collect();
    assert_eq!(failed.len(), 10);
    assert!(failed.iter().all(|begun| (10 * MINUTE..15 * MINUTE).contains(begun)));
    let second = app.checks.iter().find(|check| check.begun == failed[1]).unwrap();
    assert_eq!(
        second.ended + 2,
        ill.written,
        "told when others were looked at after the second failure"
    );
    let states: Vec<&str> = app.states.iter().map(|(_, state)| state.word()).collect();
    assert_eq!(states, ["UNKNOWN", "HEALTHY", "UNHEALTHY", "HEALTHY"]);
    assert_eq!((app.calls.len(), app.registrations.len()), (1, 1));
    assert_eq!(lived.story.runs, [Span { from: 0, until: None }]);
}

#[test]
fn the_same_story_comes_out_twice() {
    let deeds = [(12 * MINUTE, Deed::Ours(Fate::Killed { away: Duration::from_secs(9) }))];
    let story = || {
        let lived = ByHand::new(&deeds).hangs(10 * MINUTE, 15 * MINUTE).live(30 * MINUTE);
        format!("{:?}", lived.story)
    };
    assert_eq!(story(), story());
}

#[test]
fn whenever_the_power_goes_the_alarm_comes_and_nothing_promised_is_lost() {
    // Around the second failure, its record, the mail, its 250 and the note of that. After a boot it has
    // its ten minutes to come back first.
    let begin = 10 * MINUTE;
    for (at, cut) in (0..70)
        .flat_map(|n| [(begin + n * SECOND / 2, false), (begin + 41 * SECOND + n * 60, true)])
    {
        let away = Duration::from_secs(20);
        let fate = match cut {
            true => Fate::PowerCut { away, clock_off_ms: 0 },
            false => Fate::Killed { away },
        };
        let lived =
            ByHand::new(&[(at, Deed::Ours(fate))]).hangs(begin, 25 * MINUTE).live(40 * MINUTE);
        assert_kept(&lived);
        assert!((1..=2).contains(&alarms(&lived)), "{at}: {:?}", subjects(&lived));
        let [_, second] = lived.story.runs.as_slice() else { panic!("{:?}", lived.story.runs) };
        assert_eq!(second.from, at + 20 * SECOND);
        let ours = |cause: &&Cause| cause.kind == CauseKind::OurAbsence;
        let absence = lived.story.causes.iter().find(ours).unwrap();
        assert_eq!(absence.span, Span { from: at, until: Some(at + 20 * SECOND) });
    }
}

#[test]
fn who_gets_no_answer_registers_again() {
    let fate = Fate::PowerCut { away: Duration::from_secs(5), clock_off_ms: 0 };
    for after in 0..60 {
        let lived = ByHand::new(&[(SECOND + after, Deed::Ours(fate))]).live(10 * MINUTE);
        assert_kept(&lived);
        let app = &lived.story.apps[0];
        assert!(app.registrations.iter().any(|it| it.span.until.is_none()), "{after}");
        assert_eq!(subjects(&lived).len(), 1, "it is watched, and that was told once");
    }
    let mut house = ByHand::new(&[]);
    house.cut_off = (0, 5 * MINUTE);
    let lived = house.live(10 * MINUTE);
    let first = lived.story.apps[0].calls[0];
    assert!((5 * MINUTE..5 * MINUTE + 10 * SECOND).contains(&first), "{first}");
}

#[test]
fn a_250_that_is_lost_brings_the_same_mail_twice_and_that_is_no_fault() {
    let deeds = [
        (9 * MINUTE, Deed::Mail(MailMood::Loses250)),
        (12 * MINUTE, Deed::Mail(MailMood::Accepts)),
    ];
    let lived = ByHand::new(&deeds).hangs(10 * MINUTE, 20 * MINUTE).live(30 * MINUTE);
    assert_kept(&lived);
    let ids: Vec<&str> = lived
        .story
        .letters
        .iter()
        .filter(|letter| letter.subject.contains("UNHEALTHY"))
        .map(|letter| letter.message_id.as_str())
        .collect();
    assert!(ids.len() > 1 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert!(!lived.story.tries.is_empty());
}

#[test]
fn who_sleeps_or_stands_still_blames_nobody() {
    let away = Duration::from_secs(100);
    for fate in [Fate::Suspended { away }, Fate::StandsStill { away }] {
        for at in (0..30).map(|n| 10 * MINUTE + n * SECOND) {
            let lived = ByHand::new(&[(at, Deed::Ours(fate))]).live(20 * MINUTE);
            assert_kept(&lived);
            assert_eq!(alarms(&lived), 0, "{fate:?} at {at}: {:?}", subjects(&lived));
            assert_eq!(lived.story.runs.len(), 1);
        }
    }
}

#[test]
fn an_orderly_stop_waits_for_the_mail_under_way() {
    let fate = Fate::Restarted { away: Duration::from_secs(1) };
    for n in 0..40 {
        let at = 10 * MINUTE + 35 * SECOND + n * 100;
        let house = ByHand::new(&[(at, Deed::Ours(fate))]).hangs(10 * MINUTE, 20 * MINUTE);
        let lived = house.live(30 * MINUTE);
        assert_kept(&lived);
        assert_eq!(alarms(&lived), 1, "{n}: {:?}", subjects(&lived));
    }
}

#[test]
fn a_clock_that_is_off_is_written_down() {
    let deeds = [(MINUTE, Deed::ClockOff(-5_000)), (2 * MINUTE, Deed::ClockOff(0))];
    let lived = ByHand::new(&deeds).live(10 * MINUTE);
    assert_kept(&lived);
    let off: Vec<(Ms, i64)> =
        lived.story.clock.iter().map(|it| (it.from, it.shows - it.right)).collect();
    assert_eq!(off, [(0, 0), (MINUTE, -5_000), (2 * MINUTE, 0)]);
}

#[test]
fn a_panic_is_a_finding_and_not_the_end_of_the_night() {
    let mut house = ByHand::new(&[]);
    house.panics = true;
    let lived = house.live(10 * MINUTE);
    let [finding] = lived.findings.as_slice() else { panic!("{:?}", lived.findings) };
    assert_eq!(finding.kind, "a panic");
    assert!(finding.around.iter().any(|line| line.contains("registers")), "{finding:?}");
}
