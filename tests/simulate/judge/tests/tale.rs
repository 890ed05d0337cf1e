//! Stories by hand: causes are put into a house, a perfect stub takes the engine's place, and tests
//! have it lie.

use std::time::Duration;

use healthchecker::engine::outbox::letter::write;
use healthchecker::engine::outbox::notice::{Change, Mail, Notice};
use healthchecker::engine::registry::history::RecentCheck;
use healthchecker::engine::state::State;
use healthchecker::engine::time::{Moment, Now, Stamp, Wall};
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
    pub(super) written: Ms,
    pub(super) worded: Ms,
    pub(super) accepted: Ms,
}

/// A story under way.
pub(super) struct Tale {
    pub(super) story: Story,
    pub(super) drafts: Vec<Draft>,
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
            unhealthy: 2,
            healthy: 3,
            people: vec![PersonId(0)],
        };
        let app = |(at, name): (usize, &&str)| App {
            name: (*name).to_owned(),
            host: HostId(at),
            registrations: vec![registered(name)],
            calls: vec![0],
            paused: vec![],
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
        Tale { story, drafts: Vec::new() }
    }

    /// A cause acts on these apps from one minute to another.
    pub(super) fn befalls(mut self, kind: CauseKind, apps: &[usize], from: Ms, until: Ms) -> Tale {
        let span = Span { from, until: Some(until) };
        let reach = apps.iter().map(|app| Reach { app: AppId(*app), span }).collect();
        self.story.causes.push(Cause { kind, reach, span });
        self
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
        self.drafts.sort_by_key(|draft| draft.accepted);
        self
    }

    fn live(&mut self, app: usize) {
        let (mut ill, mut well) = (0, 0);
        let mut passes = 10;
        let mut first = 0;
        let mut alarm: Option<Ms> = None;
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
            let ours = causes.iter().any(|cause| self.story.causes[cause.0].kind.is_ours());
            let outcome = if causes.is_empty() { Outcome::Pass } else { Outcome::Fail };
            passes = if causes.is_empty() { passes + 1 } else { 0 };
            if passes <= 10 {
                let outcome = (!ours).then_some(outcome);
                let check = Checked { begun, ended, outcome, refused: false, causes };
                self.story.apps[app].checks.push(check);
            }
            if ours {
                begun += INTERVAL;
                continue;
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
            if ill == 2 && alarm.is_none() {
                alarm = Some(ended);
                self.tell(app, (State::Healthy, State::Unhealthy), (first, ended), &recent);
            }
            if well == 3
                && let Some(raised) = alarm.take()
            {
                self.tell(app, (State::Unhealthy, State::Healthy), (raised, ended), &recent);
            }
            begun += INTERVAL;
        }
    }

    fn acting(&self, app: usize) -> Vec<(Span, CauseId)> {
        let causes = self.story.causes.iter().enumerate();
        let reaches = causes
            .flat_map(|(at, cause)| cause.reach.iter().map(move |reach| (reach, CauseId(at))));
        let own = reaches.filter(|(reach, _)| reach.app == AppId(app));
        own.map(|(reach, cause)| (reach.span, cause)).collect()
    }

    fn tell(
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
            reason: "connection refused".to_owned(),
            body: None,
            recent: recent.to_vec(),
        };
        for to in registered.people {
            let id = format!("m{}-{app}-{}", self.drafts.len(), to.0);
            let changes = vec![change.clone()];
            let accepted = at + 100;
            self.drafts.push(Draft { to, id, changes, written: at, worded: at, accepted });
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
            let notices = draft.changes.into_iter().map(Notice::Change).collect();
            let mail = mail(notices, stamp(draft.written));
            let now = stamp(draft.worded).at().unwrap();
            let words = write(&mail, now, Some("http://pi.example/"));
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
