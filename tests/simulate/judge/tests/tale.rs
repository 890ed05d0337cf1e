//! Stories by hand: causes are put into a house, a perfect stub takes the engine's place, and tests
//! have it lie.

use std::time::Duration;

use healthchecker::engine::outbox::letter::write;
use healthchecker::engine::outbox::mail::Mail;
use healthchecker::engine::outbox::notice::{AllBack, Change, NotBack, Notice, Report};
use healthchecker::engine::registry::history::RecentCheck;
use healthchecker::engine::state::State;
use healthchecker::engine::surroundings::settling::Aftermath;
use healthchecker::engine::time::{Moment, Now, Stamp, Wall, Zone};
use healthchecker::engine::verdict::answer::Outcome;

use super::super::{Fault, Judgement, judge};
use crate::story::{
    App, AppId, Cause, CauseId, CauseKind, Checked, ClockSet, HostId, Letter, Ms, PersonId, Reach,
    Registered, Span, Story,
};

/// 2026-11-23 22:55:40 UTC.
pub(super) const T0: i64 = 1_795_474_540_000;
/// Every app is asked every 30 s, waited for 5 s, UNHEALTHY after 2, HEALTHY after 3.
const INTERVAL: Ms = 30_000;
pub(super) const SECOND: Ms = 1_000;
pub(super) const MINUTE: Ms = 60_000;

/// A letter before it is put into words.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) to: PersonId,
    pub(super) id: String,
    pub(super) changes: Vec<Change>,
    /// A report, or its end.
    pub(super) report: Option<Notice>,
    pub(super) written: Ms,
    pub(super) worded: Ms,
    pub(super) accepted: Ms,
}

/// A story under way.
pub(super) struct Tale {
    pub(super) story: Story,
    pub(super) drafts: Vec<Draft>,
    /// Who fails does not answer.
    pub(super) silent: bool,
    /// Each app has its time to come back, from and up to.
    pub(super) settles: Option<(Ms, Ms)>,
    /// Who did not, and when they were well.
    pub(super) missing: Vec<(usize, Option<Ms>)>,
}

pub(super) fn stamp(at: Ms) -> Stamp {
    let wall = Wall::from_unix_millis(T0 + at.cast_signed());
    Stamp::noted(Now { at: Moment::START + Duration::from_millis(at), wall })
}

/// A mail of the real outbox. By way of JSON: what else a mail may have does not matter here.
pub(in crate::judge) fn mail(notices: Vec<Notice>, written: Stamp) -> Mail {
    let empty = serde_json::json!({
        "id": 1,
        "to": "owner@example.org",
        "message_id": "m1",
        "references": [],
        "notices": [],
        "written": "2026-11-23T22:55:40Z",
    });
    let empty: Mail = serde_json::from_value(empty).unwrap();
    Mail { notices, written, ..empty }
}

impl Tale {
    /// Two hours of these apps; one person is told of all.
    pub(super) fn of(names: &[&str]) -> Tale {
        let length = 120 * MINUTE;
        let registered = |name: &str| Registered {
            span: Span { from: 0, until: None },
            url: format!("http://{name}/health"),
            interval: INTERVAL,
            timeout: 5 * SECOND,
            grace: None,
            unhealthy: 2,
            healthy: 3,
            may_be_off: false,
            parents: vec![],
            quiet: None,
            people: vec![PersonId(0)],
        };
        let app = |(at, name): (usize, &&str)| App {
            name: (*name).to_owned(),
            host: HostId(at),
            registrations: vec![registered(name)],
            calls: vec![0],
            paused: vec![],
            hushed: vec![],
            off: vec![],
            heard: vec![],
            unheard: vec![],
            checks: vec![],
            states: vec![(0, State::Unknown), (90 * SECOND, State::Healthy)],
        };
        let story = Story {
            seed: 7,
            length,
            apps: names.iter().enumerate().map(app).collect(),
            people: vec!["owner@example.org".into(), "guest@example.org".into()],
            clock: vec![ClockSet { from: 0, shows: T0, right: T0 }],
            runs: vec![Span { from: 0, until: None }],
            ..Story::default()
        };
        let (drafts, missing) = (Vec::new(), Vec::new());
        Tale { story, drafts, silent: false, settles: None, missing }
    }

    /// A cause acts on these apps from one minute to another.
    pub(super) fn befalls(mut self, kind: CauseKind, apps: &[usize], from: Ms, until: Ms) -> Tale {
        let span = Span { from, until: Some(until) };
        let reach = apps.iter().map(|app| Reach { app: AppId(*app), span }).collect();
        match kind {
            CauseKind::Router => self.story.router_away.push(span),
            CauseKind::Internet => self.story.line_away.push(span),
            _ => {}
        }
        self.story.causes.push(Cause { kind, reach, span });
        self
    }

    /// What is in a list by now is told in one letter, when the last of it is written.
    pub(super) fn in_one_letter(&mut self) {
        let Some(last) = self.drafts.last().cloned() else { return };
        let changes = self.drafts.iter().flat_map(|it| it.changes.clone()).collect();
        let (id, report) = ("all".to_owned(), None);
        self.drafts = vec![Draft { id, report, changes, ..last }];
    }

    /// The story as given, before the stub begins.
    pub(super) fn with(mut self, change: impl FnOnce(&mut Story)) -> Tale {
        change(&mut self.story);
        self
    }

    /// The stub asks, counts and writes as it should.
    pub(super) fn lived(mut self) -> Tale {
        for app in 0..self.story.apps.len() {
            self.live(app);
        }
        self.report();
        self.drafts.sort_by_key(|draft| draft.accepted);
        self
    }

    fn live(&mut self, app: usize) {
        let (mut ill, mut well) = (0, 0);
        let mut passes = 10;
        let mut first = 0;
        let mut alarm: Option<Ms> = None;
        let (mut awaited, mut reported) = (self.settles.is_some(), None);
        let mut void = 0;
        let mut recent: Vec<RecentCheck> = Vec::new();
        let acting = self.acting(app);
        let mut begun = SECOND + 100 * app as Ms;
        while begun < self.story.length {
            let ended = begun + 5;
            let acting = acting.iter().filter(|(span, _)| span.holds(begun));
            let causes: Vec<CauseId> = acting.map(|(_, cause)| *cause).collect();
            let is_absent = !self.story.runs.iter().any(|run| run.holds(begun));
            let is_paused = self.story.apps[app].paused.iter().any(|it| it.holds(begun));
            let is_stopped = self.story.apps[app].registered_at(begun).is_none();
            if is_absent || is_paused || is_stopped {
                begun += INTERVAL;
                continue;
            }
            let kinds = causes.iter().map(|cause| self.story.causes[cause.0].kind);
            let is_cut_off = kinds.clone().any(|kind| kind == CauseKind::OurLink);
            let ours = kinds.clone().any(CauseKind::is_ours);
            let outcome = if causes.is_empty() { Outcome::Pass } else { Outcome::Fail };
            passes = if causes.is_empty() { passes + 1 } else { 0 };
            if passes <= 10 {
                let outcome = (!ours || is_cut_off).then_some(outcome);
                let (refused, silent, dead) = (false, self.silent, self.silent);
                let check = Checked { begun, ended, outcome, refused, silent, dead, causes };
                self.story.apps[app].checks.push(check);
            }
            if ours {
                begun += INTERVAL;
                continue;
            }
            if let Some((from, until)) = self.settles.filter(|_| awaited)
                && begun >= from
            {
                awaited = ended < until && outcome != Outcome::Pass;
                if awaited {
                    void += 1;
                    begun += INTERVAL;
                    continue;
                }
                if outcome != Outcome::Pass && void >= 2 {
                    reported = Some(self.missing.len());
                    self.missing.push((app, None));
                    self.story.apps[app].states.push((until, State::Unhealthy));
                }
            }
            recent.push(RecentCheck { time: stamp(ended), outcome, latency_ms: 5 });
            recent.drain(..recent.len().saturating_sub(8));
            if outcome == Outcome::Pass {
                (ill, well) = (0, well + 1);
            } else {
                if ill == 0 {
                    first = ended;
                }
                (ill, well) = (ill + 1, 0);
            }
            if ill == 2 && alarm.is_none() && reported.is_none() {
                alarm = Some(ended);
                self.tell(app, (State::Healthy, State::Unhealthy), (first, ended), &recent);
            }
            if well == 3
                && let Some(missing) = reported.take()
            {
                self.missing[missing].1 = Some(ended);
                self.story.apps[app].states.push((ended, State::Healthy));
            }
            if well == 3
                && let Some(raised) = alarm.take()
            {
                self.tell(app, (State::Unhealthy, State::Healthy), (raised, ended), &recent);
            }
            begun += INTERVAL;
        }
    }

    /// The power came back: who is not, and later that all are.
    fn report(&mut self) {
        let Some((from, until)) = self.settles.filter(|_| !self.missing.is_empty()) else { return };
        let names: Vec<String> =
            self.missing.iter().map(|(app, _)| self.story.apps[*app].name.clone()).collect();
        let all = self.story.apps.len();
        let not_back =
            |app: &String| NotBack { app: app.clone(), reason: "no route to host".to_owned() };
        let report = Report {
            incident: None,
            after: Aftermath::Power,
            at: stamp(from),
            last_record: self.story.absences.first().map(|away| stamp(away.span.from - SECOND)),
            router: None,
            well: all - names.len(),
            of: all,
            missing: names.iter().map(not_back).collect(),
            unhealthy_before: vec![],
            paused: vec![],
        };
        self.draft("report", Notice::Report(Box::new(report)), until);
        let all: Option<Vec<Ms>> = self.missing.iter().map(|(_, at)| *at).collect();
        let Some(at) = all.and_then(|all| all.into_iter().max()) else { return };
        let (since, lasted_ms) = (stamp(until), at - until);
        let (at_stamp, lasted_at_least) = (stamp(at), false);
        let back = AllBack { apps: names, since, at: at_stamp, lasted_ms, lasted_at_least };
        self.draft("end", Notice::AllBack(back), at);
    }

    fn draft(&mut self, id: &str, notice: Notice, at: Ms) {
        let (to, id, report) = (PersonId(0), id.to_owned(), Some(notice));
        let (changes, accepted) = (vec![], at + 100);
        self.drafts.push(Draft { to, id, changes, report, written: at, worded: at, accepted });
    }

    fn acting(&self, app: usize) -> Vec<(Span, CauseId)> {
        let causes = self.story.causes.iter().enumerate();
        let reaches = causes
            .flat_map(|(at, cause)| cause.reach.iter().map(move |reach| (reach, CauseId(at))));
        let own = reaches.filter(|(reach, _)| reach.app == AppId(app));
        own.map(|(reach, cause)| (reach.span, cause)).collect()
    }

    pub(super) fn tell(
        &mut self,
        app: usize,
        (from, to): (State, State),
        (since, at): (Ms, Ms),
        recent: &[RecentCheck],
    ) {
        let it = &mut self.story.apps[app];
        it.states.push((at, to));
        let registered = it.registered_at(at).unwrap().clone();
        let change = Change {
            app: it.name.clone(),
            url: registered.url.clone(),
            from,
            to,
            at: stamp(at),
            since: stamp(since),
            lasted_ms: at - since,
            lasted_at_least: false,
            keeps_failing: false,
            reason: "connection refused".to_owned(),
            body: None,
            recent: recent.to_vec(),
        };
        for to in registered.people {
            let id = format!("m{}-{app}-{}", self.drafts.len(), to.0);
            let changes = vec![change.clone()];
            let accepted = at + 100;
            let report = None;
            self.drafts.push(Draft { to, id, changes, report, written: at, worded: at, accepted });
        }
    }

    /// The stub does something else.
    pub(super) fn but(mut self, lie: impl FnOnce(&mut Vec<Draft>)) -> Tale {
        lie(&mut self.drafts);
        self
    }

    /// Puts the drafts into words; `change` has a hand in each letter.
    pub(super) fn worded(mut self, mut change: impl FnMut(usize, &mut Letter)) -> Tale {
        self.drafts.sort_by_key(|draft| draft.accepted);
        for (place, draft) in self.drafts.drain(..).enumerate() {
            let changes = draft.changes.into_iter().map(Notice::Change);
            let notices = draft.report.into_iter().chain(changes).collect();
            let mail = mail(notices, stamp(draft.written));
            let now = stamp(draft.worded).at().unwrap();
            let words = write(&mail, now, &Zone::UTC, Some("http://pi.example/"));
            let mut letter = Letter {
                to: draft.to,
                message_id: draft.id,
                references: vec![],
                subject: words.subject,
                text: words.text,
                written: draft.written,
                worded: draft.worded,
                accepted: draft.accepted,
            };
            change(place, &mut letter);
            self.story.letters.push(letter);
        }
        self
    }

    pub(super) fn judged(self) -> Judgement {
        let tale = self.worded(|_, _| {});
        judge(&tale.story, 3)
    }

    /// What is found, each once, in the order of [`Fault`].
    pub(super) fn faults(self) -> Vec<Fault> {
        let mut faults: Vec<Fault> = self.judged().findings.iter().map(|it| it.fault).collect();
        faults.sort_unstable();
        faults.dedup();
        faults
    }
}
