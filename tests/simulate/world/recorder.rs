//! Writes the story down while it happens: what the daemon was asked for, saw, showed and sent.

use std::collections::HashMap;

use healthchecker::daemon::api::{Became, Command};
use healthchecker::engine::incidents::mutes::{HowLong, What};
use healthchecker::engine::outbox::letter::RenderedMail;
use healthchecker::engine::registration::Registration;
use healthchecker::engine::state::State;
use healthchecker::engine::verdict::answer::Outcome;

use crate::house::Truth;
use crate::quick::QuickMap;
use crate::story::{
    Absence, App, AppId, Away, Cause, CauseId, CauseKind, Checked, ClockSet, HostId, Lasts, Letter,
    Ms, Mute, Muted, PersonId, Reach, Registered, Span, Story, Try, Unheard,
};

/// So many checks that pass are written down after one that did not, and after each beginning.
const PASSES_AFTER: u8 = 10;
/// The daemon's own absences have numbers from here on, until the end of the story.
const ABSENCES: usize = 1 << 40;

/// What is known of the story so far.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    apps: Vec<Recorded>,
    ids: QuickMap<AppId>,
    runs: Vec<Span>,
    clock: Vec<ClockSet>,
    absences: Vec<Absence>,
    /// When we were away or cut off last.
    apart: Ms,
    letters: Vec<(String, Letter)>,
    mutes: Vec<(Option<String>, Mute)>,
    /// Those who report by themselves.
    reporters: Vec<(String, AppId)>,
    tries: Vec<(String, Ms, Ms)>,
}

#[derive(Debug, Default)]
struct Recorded {
    name: String,
    host: usize,
    registrations: Vec<(Span, Registration)>,
    calls: Vec<Ms>,
    paused: Vec<Span>,
    hushed: Vec<Span>,
    heard: Vec<Ms>,
    unheard: Vec<Unheard>,
    checks: Vec<Checked>,
    states: Vec<(Ms, State)>,
    /// So many checks that pass are still to be written down.
    passes: u8,
    /// When the last one ended that passed.
    passed: Ms,
}

fn ends(spans: &mut [Span], at: Ms) {
    if let Some(last) = spans.last_mut().filter(|last| last.until.is_none()) {
        last.until = Some(at);
    }
}

fn from(at: Ms) -> Span {
    Span { from: at, until: None }
}

impl Recorder {
    /// The story of these apps.
    pub(super) fn of(apps: &[(String, HostId)]) -> Recorder {
        let ids = (0..).zip(apps).map(|(place, (name, _))| (name.clone(), AppId(place)));
        let recorded = |(name, host): &(String, HostId)| Recorded {
            name: name.clone(),
            host: host.0,
            ..Recorded::default()
        };
        Recorder {
            ids: ids.collect(),
            apps: apps.iter().map(recorded).collect(),
            ..Recorder::default()
        }
    }

    /// Which app has this name.
    pub(super) fn id_of(&self, name: &str) -> Option<AppId> {
        self.ids.get(name).copied()
    }

    pub(super) fn name_of(&self, app: AppId) -> &str {
        self.apps.get(app.0).map_or("", |app| &app.name)
    }

    /// The app is watched so from now on; `None`: no longer.
    pub(super) fn watched(&mut self, at: Ms, id: AppId, now: Option<&Registration>) {
        let Some(app) = self.apps.get_mut(id.0) else { return };
        let last = app.registrations.last_mut().filter(|(span, _)| span.until.is_none());
        if last.as_ref().map(|(_, registration)| registration) == now {
            return;
        }
        let before = last.map(|(span, before)| {
            span.until = Some(at);
            before.target.address().to_owned()
        });
        if let Some(registration) = now {
            let is_known = || self.reporters.iter().any(|(_, known)| *known == id);
            if registration.beats().is_some() && !is_known() {
                self.reporters.push((app.name.clone(), id));
            }
            if before.as_deref() != Some(registration.target.address()) {
                app.passes = PASSES_AFTER;
            }
            app.registrations.push((from(at), registration.clone()));
        }
    }

    pub(super) fn paused(&mut self, at: Ms, id: AppId, paused: bool) {
        let Some(app) = self.apps.get_mut(id.0) else { return };
        let was = app.paused.last().is_some_and(|last| last.until.is_none());
        match (was, paused) {
            (false, true) => app.paused.push(from(at)),
            (true, false) => {
                ends(&mut app.paused, at);
                app.passes = PASSES_AFTER;
            }
            _ => {}
        }
    }

    /// Somebody does not want to hear for a while, or wants to hear again; what became of it.
    pub(super) fn asked(&mut self, at: Ms, command: &Command, became: Became) {
        match command {
            Command::Mute(what, how_long) => self.muted(at, false, what, *how_long),
            Command::Quiet(app, lasts) if became == Became::Quiet => {
                self.no_longer_hushed(at, app);
                let until = Some(at + lasts.as_millis() as Ms);
                if let Some(app) = self.app_called(app) {
                    app.hushed.push(Span { from: at, until });
                }
            }
            Command::Resume(app) | Command::Stop(app) => self.no_longer_hushed(at, app),
            _ => {}
        }
    }

    /// There was nothing that it could mean.
    pub(super) fn refused(&mut self, at: Ms, command: &Command) {
        if let Command::Mute(what, how_long) = command {
            self.muted(at, true, what, *how_long);
        }
    }

    fn muted(&mut self, at: Ms, refused: bool, what: &What, how_long: HowLong) {
        let (of, person) = match what {
            What::Mail(message_id, to) => (Muted::Mail(message_id.clone()), Some(to)),
            What::App(app, to) => match self.id_of(app) {
                Some(id) => (Muted::App(id), to.as_ref()),
                None => return,
            },
        };
        let lasts = match how_long {
            HowLong::Span(span) => Lasts::For(span.as_millis() as Ms),
            HowLong::Recovery => Lasts::UntilWell,
            HowLong::Not => Lasts::Not,
        };
        let person = person.map(ToString::to_string);
        self.mutes.push((person, Mute { at, refused, of, to: None, lasts }));
    }

    fn no_longer_hushed(&mut self, at: Ms, app: &str) {
        let last = self.app_called(app).and_then(|app| app.hushed.last_mut());
        if let Some(last) = last.filter(|it| it.until > Some(at)) {
            last.until = Some(at);
        }
    }

    fn app_called(&mut self, name: &str) -> Option<&mut Recorded> {
        let id = self.id_of(name)?;
        self.apps.get_mut(id.0)
    }

    /// A `monitor` call is accepted.
    pub(super) fn called(&mut self, at: Ms, id: AppId) {
        self.apps.get_mut(id.0).into_iter().for_each(|app| app.calls.push(at));
    }

    pub(super) fn shows(&mut self, at: Ms, id: AppId, state: State) {
        let Some(app) = self.apps.get_mut(id.0) else { return };
        if app.states.last().is_none_or(|(_, last)| *last != state) {
            app.states.push((at, state));
        }
    }

    pub(super) fn checked(&mut self, id: AppId, check: Checked) {
        let Some(app) = self.apps.get_mut(id.0) else { return };
        if check.outcome != Some(Outcome::Pass) {
            app.passes = PASSES_AFTER;
            app.checks.push(check);
            return;
        }
        let is_first = app.passed <= self.apart;
        app.passed = check.ended;
        if app.passes > 0 || is_first {
            app.passes = app.passes.saturating_sub(1);
            app.checks.push(check);
        }
    }

    /// Which of those who report by themselves has this name.
    pub(super) fn reporter(&self, name: &str) -> Option<AppId> {
        self.reporters.iter().find(|(known, _)| known == name).map(|(_, id)| *id)
    }

    /// An app reports, and is heard.
    pub(super) fn heard(&mut self, at: Ms, id: AppId) {
        self.apps.get_mut(id.0).into_iter().for_each(|app| app.heard.push(at));
    }

    /// It was to report, and is not heard.
    pub(super) fn unheard(&mut self, at: Ms, id: AppId, causes: &[CauseId]) {
        let Some(app) = self.apps.get_mut(id.0) else { return };
        let last = app.unheard.last().filter(|last| Some(&last.at) > app.heard.last());
        if last.is_none_or(|last| last.causes != causes) {
            app.unheard.push(Unheard { at, causes: causes.to_vec() });
        }
    }

    /// It is found that it did not report in time.
    pub(super) fn late(&mut self, at: Ms, id: AppId, outcome: Outcome) {
        let Some(app) = self.apps.get(id.0) else { return };
        let since = app.heard.last().copied().unwrap_or_default();
        let missed = app.unheard.iter().rev().take_while(|it| it.at > since);
        let mut causes: Vec<CauseId> = missed.flat_map(|it| it.causes.clone()).collect();
        causes.sort_unstable();
        causes.dedup();
        let (silent, dead) = (true, true);
        self.checked(id, Checked { silent, dead, causes, ..Checked::at(at, outcome) });
    }

    /// The last time that the daemon was not there.
    pub(super) fn absence(&self) -> CauseId {
        CauseId(ABSENCES + self.absences.len().saturating_sub(1))
    }

    pub(super) fn run_begins(&mut self, at: Ms) {
        self.runs.push(from(at));
    }

    pub(super) fn run_ends(&mut self, at: Ms) {
        ends(&mut self.runs, at);
    }

    pub(super) fn clock_shows(&mut self, clock: ClockSet) {
        self.clock.push(clock);
    }

    /// A check ended while we were cut off.
    pub(super) fn cut_off(&mut self, at: Ms) {
        self.apart = at;
    }

    /// The daemon is not there for so long: the cause of whatever it misses.
    pub(super) fn absent(&mut self, how: Away, span: Span) -> CauseId {
        self.apart = span.until.unwrap_or(span.from);
        self.absences.push(Absence { how, span });
        CauseId(ABSENCES + self.absences.len() - 1)
    }

    /// The mail server has a letter.
    pub(super) fn letter(&mut self, letter: &RenderedMail, written: Ms, worded: Ms, accepted: Ms) {
        let told = Letter {
            to: PersonId(0),
            message_id: letter.message_id.clone(),
            references: letter.references.clone(),
            subject: letter.subject.clone(),
            text: letter.text.clone(),
            written,
            worded,
            accepted,
        };
        self.letters.push((letter.to.clone(), told));
    }

    /// A mail was tried in vain, or nobody learned that it was not.
    pub(super) fn tried(&mut self, begun: Ms, at: Ms, to: &str) {
        self.tries.push((to.to_owned(), begun, at));
    }

    /// The whole story, and those to whom a letter went though nobody has that address.
    pub(super) fn story(self, seed: u64, length: Ms, truth: Truth) -> (Story, Vec<String>) {
        let people: HashMap<String, PersonId> = (0..)
            .zip(&truth.people)
            .map(|(place, address)| (address.to_lowercase(), PersonId(place)))
            .collect();
        let person = |address: &str| people.get(&address.to_lowercase()).copied();
        let everybody: Vec<AppId> = (0..truth.apps.len()).map(AppId).collect();
        let absences = self.absences.iter().map(|Absence { span, .. }| Cause {
            kind: CauseKind::OurAbsence,
            reach: everybody.iter().map(|app| Reach { app: *app, span: *span }).collect(),
            span: *span,
        });
        let (causes, places) = in_order(truth.causes, absences.collect());
        let id = |name: &str| self.ids.get(name).copied();
        let apps = self.apps.into_iter().map(|app| app.told((person, id), &places));
        let apps: Vec<App> = apps.collect();
        let mut strangers = Vec::new();
        let mut letters = Vec::new();
        for (address, letter) in self.letters {
            match person(&address) {
                Some(to) => letters.push(Letter { to, ..letter }),
                None => strangers.push(address),
            }
        }
        let tries = self
            .tries
            .iter()
            .filter_map(|(to, begun, at)| Some(Try { to: person(to)?, begun: *begun, at: *at }));
        let tries = tries.collect();
        let mutes = self.mutes.into_iter().map(|(to, mute)| {
            let to = to.and_then(|address| person(&address));
            Mute { to, ..mute }
        });
        let mutes = mutes.collect();
        let story = Story {
            seed,
            length,
            apps,
            people: truth.people,
            causes,
            mail_away: truth.mail_away,
            router_away: truth.router_away,
            line_away: truth.line_away,
            reminds: truth.reminds,
            quiet: truth.quiet.to_owned(),
            mutes,
            clock: self.clock,
            runs: self.runs,
            absences: self.absences,
            letters,
            tries,
        };
        (story, strangers)
    }
}

/// The causes of the house and our own in the order in which they began, and the new place of each.
fn in_order(house: Vec<Cause>, ours: Vec<Cause>) -> (Vec<Cause>, HashMap<CauseId, CauseId>) {
    let house = house.into_iter().enumerate();
    let ours = ours.into_iter().enumerate().map(|(place, cause)| (ABSENCES + place, cause));
    let mut all: Vec<(usize, Cause)> = house.chain(ours).collect();
    all.sort_by_key(|(place, cause)| (cause.span.from, *place));
    let places = (0..).zip(&all).map(|(new, (old, _))| (CauseId(*old), CauseId(new))).collect();
    (all.into_iter().map(|(_, cause)| cause).collect(), places)
}

impl Recorded {
    fn told(
        self,
        (person, app): (impl Fn(&str) -> Option<PersonId>, impl Fn(&str) -> Option<AppId>),
        places: &HashMap<CauseId, CauseId>,
    ) -> App {
        let place = |cause: &CauseId| places.get(cause).copied();
        let registered = |(span, registration): &(Span, Registration)| Registered {
            span: *span,
            url: registration.target.address().to_owned(),
            interval: registration.interval.as_millis() as Ms,
            timeout: match registration.beats() {
                Some(_) => 0,
                None => registration.timeout.as_millis() as Ms,
            },
            grace: registration.beats().map(|rhythm| rhythm.grace.as_millis() as Ms),
            unhealthy: registration.unhealthy.into(),
            healthy: registration.healthy.into(),
            may_be_off: registration.may_be_off(),
            parents: registration.parents().iter().filter_map(|it| app(it)).collect(),
            quiet: registration.quiet.as_ref().map(ToString::to_string),
            people: registration.email.iter().filter_map(|address| person(address)).collect(),
        };
        let placed = |causes: &[CauseId]| causes.iter().filter_map(place).collect::<Vec<_>>();
        let checked = |check: Checked| Checked { causes: placed(&check.causes), ..check };
        let unheard = |it: Unheard| Unheard { causes: placed(&it.causes), ..it };
        App {
            name: self.name,
            host: HostId(self.host),
            registrations: self.registrations.iter().map(registered).collect(),
            calls: self.calls,
            paused: self.paused,
            hushed: self.hushed,
            off: Vec::new(),
            heard: self.heard,
            unheard: self.unheard.into_iter().map(unheard).collect(),
            checks: self.checks.into_iter().map(checked).collect(),
            states: self.states,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(begun: Ms, outcome: Outcome, causes: &[usize]) -> Checked {
        let causes = causes.iter().copied().map(CauseId).collect();
        let (ended, outcome) = (begun + 5, Some(outcome));
        Checked { begun, ended, outcome, refused: false, silent: false, dead: false, causes }
    }

    fn registration(email: &str) -> Registration {
        use healthchecker::engine::recipients::Recipients;
        use healthchecker::engine::registration::Origin;
        let fields = [("appname", "NAS"), ("url", "http://192.168.7.2:80"), ("email", email)];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Registration::from_fields(&fields, Origin::Network, &Recipients::default()).unwrap()
    }

    fn truth() -> Truth {
        Truth {
            people: vec!["Ann@home.example".to_owned()],
            apps: vec![("NAS".to_owned(), HostId(3))],
            causes: Vec::new(),
            mail_away: Vec::new(),
            router_away: Vec::new(),
            line_away: Vec::new(),
            reminds: false,
            quiet: "",
        }
    }

    #[test]
    fn of_checks_that_pass_ten_after_each_failure_are_kept() {
        let mut recorder = Recorder::of(&truth().apps);
        recorder.watched(0, AppId(0), Some(&registration("ann@home.example")));
        for at in 0..50 {
            let outcome = if at == 20 || at == 25 { Outcome::Fail } else { Outcome::Pass };
            recorder.checked(AppId(0), check(at * 1000, outcome, &[]));
        }
        let (story, _) = recorder.story(1, 50_000, truth());
        let kept: Vec<Ms> = story.apps[0].checks.iter().map(|check| check.begun / 1000).collect();
        assert_eq!(kept, (0..10).chain(20..=35).collect::<Vec<Ms>>());
        assert_eq!(story.apps[0].registrations[0].people, [PersonId(0)]);
        assert_eq!(story.apps[0].host, HostId(3));
    }

    #[test]
    fn our_absences_stand_among_the_causes_in_order() {
        let mut recorder = Recorder::of(&truth().apps);
        recorder.watched(0, AppId(0), Some(&registration("")));
        let away = Span { from: 500, until: Some(900) };
        let absence = recorder.absent(Away::StoodStill, away);
        recorder.checked(AppId(0), check(600, Outcome::Fail, &[1, absence.0]));
        let cause = |from| Cause {
            kind: CauseKind::Crash,
            reach: Vec::new(),
            span: Span { from, until: None },
        };
        let truth = Truth { causes: vec![cause(100), cause(700)], ..truth() };
        let (story, _) = recorder.story(1, 1000, truth);
        assert_eq!(
            story.causes.iter().map(|cause| cause.span.from).collect::<Vec<_>>(),
            [100, 500, 700]
        );
        assert_eq!(story.causes[1].reach, [Reach { app: AppId(0), span: away }]);
        assert_eq!(story.apps[0].checks[0].causes, [CauseId(2), CauseId(1)]);
    }

    #[test]
    fn a_change_of_settings_ends_one_registration_and_begins_the_next() {
        let mut recorder = Recorder::of(&truth().apps);
        let (first, second) = (registration(""), registration("ann@home.example"));
        recorder.watched(1, AppId(0), Some(&first));
        recorder.watched(2, AppId(0), Some(&first));
        recorder.watched(3, AppId(0), Some(&second));
        recorder.paused(4, AppId(0), true);
        recorder.paused(5, AppId(0), true);
        recorder.watched(6, AppId(0), None);
        let (story, _) = recorder.story(1, 10, truth());
        let spans = story.apps[0].registrations.iter().map(|it| (it.span.from, it.span.until));
        assert_eq!(spans.collect::<Vec<_>>(), [(1, Some(3)), (3, Some(6))]);
        assert_eq!(story.apps[0].paused, [Span { from: 4, until: None }]);
    }
}
