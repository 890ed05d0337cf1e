//! The traffic between the machines: what one says becomes a call on the next here, in sight, and nowhere
//! else but where somebody [asks](super::commands) for something.
//!
//! A verdict passes from the scheduler through the app's state to the incident that it belongs to,
//! and from there, as a message to each person, into the outbox.
//!
//! A machine that must know something of another is handed it to look at. Only the incidents change
//! another's things, in two places: that a welcome was told (`incidents::Wait::Welcome`), and, at the start, the
//! mails of people who may have none now ([`Engine::restore`]).

use std::time::Duration;

use super::check_log::{Event, Line};
use super::core::{Action, Engine, Wait};
use super::incidents::alert::Alert;
use super::incidents::{self, Incidents, Known, blind_messages};
use super::log_event::LogEvent;
use super::outbox::delivery::Delivery;
use super::outbox::{Concluded, Message, Output};
use super::query::off_or_away;
use super::recipients::Recipient;
use super::registry::quiet::Clock;
use super::registry::{App, AppId, Welcome};
use super::scheduler::{Begin, Ended as CheckEnded, Ran, Wait as Schedule};
use super::sorted::SortedSet;
use super::state::{State, Transition};
use super::surroundings::look::LookReport;
use super::surroundings::run::Interruption;
use super::surroundings::settling::{Ended, Missing};
use super::surroundings::signs::News;
use super::surroundings::silences::Silence;
use super::surroundings::{ASKED_EVERY, Worth};
use super::time::Now;
use super::verdict::answer::{CheckEnd, Life, Verdict};
use super::verdict::probe::{Probe, ProbeKind};
use super::verdict::{ending, slower};

/// Timers that fire in one turn, before the sockets are looked at again.
const TIMERS_A_TURN: usize = 64;

/// Events: what came of the actions, and the passing of time.
impl Engine {
    /// Fires timers that are due, a bounded number; [`Engine::next_deadline`] tells of the rest.
    pub fn handle_time(&mut self, now: Now) {
        // It only notes when the turn began, by which it knows how long checks have waited.
        self.scheduler.handle_time(now);
        for _ in 0..TIMERS_A_TURN {
            match self.next_deadline().filter(|(at, _)| *at <= now.at) {
                Some((_, wait)) => self.handle_deadline(now, wait),
                None => break,
            }
        }
    }

    fn handle_deadline(&mut self, now: Now, wait: Wait) {
        match wait {
            Wait::Scheduler(Schedule::Check) => self.scheduler.handle_check_deadline(now),
            Wait::Scheduler(Schedule::Shortage) => {
                if self.scheduler.handle_shortage_deadline(now) {
                    self.log(LogEvent::ThreadsEnough);
                }
            }
            Wait::Beat => self.handle_late(now),
            Wait::Surroundings => {
                self.end_settling(now);
                self.look_around(now);
                self.tell_what_was_away(now, &SortedSet::default());
            }
            Wait::Incidents(incidents::Wait::Welcome) => {
                let Engine { incidents, registry, outbox, .. } = self;
                let messages = incidents.welcome(now, registry, outbox);
                self.post(now, messages);
            }
            Wait::Incidents(wait) => {
                let (incidents, known) = self.incidents();
                let messages = incidents.handle_deadline(now, wait, known);
                self.post(now, messages);
            }
            Wait::Outbox(wait) => {
                self.outbox.handle_deadline(now, wait);
                self.drain_outbox();
            }
            Wait::Quiet => self.follow_quiet(now, None),
            Wait::Hour => self.registry.handle_deadline(now),
        }
    }

    /// A check has ended.
    pub fn handle_check(&mut self, now: Now, check: u64, end: CheckEnd, ran: Ran) {
        match self.scheduler.handle_end(now, check, end, ran) {
            Some(CheckEnded::Verdict { app, mut verdict, stood_still }) => {
                if let Some(certificate) = verdict.certificate.take() {
                    let is_believed = !self.timeline.is_in_doubt() && !now.wall.is_plainly_wrong();
                    let wall = is_believed.then_some(now.wall);
                    let outcome = verdict.outcome;
                    let ends = self.registry.handle_certificate(app, *certificate, outcome, wall);
                    if let Some(ends) = ends {
                        verdict = ending(verdict, &ends.for_people(&self.zone));
                    }
                }
                let of = self.registry.get(app).filter(|_| !stood_still);
                let slow = of.and_then(|app| app.registration.target.slow());
                let verdict = slower(verdict, ran.latency, slow);
                self.handle_verdict(now, app, verdict, ran)
            }
            Some(CheckEnded::Undecided { app, reason }) => {
                let app = self.registry.get(app).map(|app| app.registration.name.clone());
                self.log(LogEvent::Undecided { app: app.unwrap_or_default(), reason });
            }
            None => {}
        }
    }

    /// A verdict on an app: what it shows of our surroundings goes first. One that may be our own fault
    /// waits. (What an answer means was judged before, on the check's thread: `verdict::judge`.)
    fn handle_verdict(&mut self, now: Now, id: AppId, verdict: Verdict, ran: Ran) {
        let Some(app) = self.registry.get(id) else { return };
        if verdict.life == Life::CutOff || !self.surroundings.is_calm() {
            let outage = self.surroundings.outage(now);
            outage.into_iter().for_each(|since| self.chronicle.handle_outage(since));
            self.surroundings.handle_sign(now, (id, app), &verdict);
            self.look_around(now);
        }
        let Some(app) = self.registry.get(id) else { return };
        let Ran { began, latency } = ran;
        match self.surroundings.handle_verdict(now, (id, app), &verdict, began) {
            Worth::Waits => {
                self.surroundings.wait(now, (id, app), verdict, latency);
                let app = app.registration.name.clone();
                self.log(LogEvent::LooksAround { app });
                self.look_around(now);
            }
            worth => self.conclude(now, now, id, (verdict, worth), latency),
        }
    }

    /// Passes a verdict on that fell at `fell`: to the app, to both logs, to the alert, to people.
    pub(super) fn conclude(
        &mut self,
        now: Now,
        fell: Now,
        id: AppId,
        (verdict, worth): (Verdict, Worth),
        latency: Duration,
    ) {
        let outcome = verdict.outcome;
        if worth == Worth::Back {
            self.registry.forgive(id);
        }
        let void = worth == Worth::Void;
        // Not `now.wall`: a Pi's clock may begin before the newest day on record, and days go on.
        let day = self.timeline.wall(now);
        let effect = self.registry.observe(fell, id, day, (verdict, void), latency);
        let (Some(effect), Some(app)) = (effect, self.registry.get(id)) else { return };
        self.chronicle.handle_verdict(now, (id, app), worth, self.surroundings.settling());
        let counts = effect.counts;
        let line = app.last.as_ref().filter(|_| effect.news).map(|last| last.event(counts));
        let (app, reason) = (app.registration.name.clone(), app.reason().to_owned());
        let told = effect.transition.map(|transition| (transition, reason.clone()));
        self.log(LogEvent::Checked { app, outcome, reason, latency, counts });
        if let Some(event) = line {
            self.check_log(fell, id, event);
        }
        // It is told with others, at the deadline `incidents::Wait::Welcome`.
        if effect.first_pass {
            self.registry.set_welcome(id, Welcome::Gathered);
            self.incidents.handle_first_pass(now, id);
        }
        if let Some((transition, reason)) = told {
            let reason = match transition.to {
                State::Unknown => off_or_away(&reason),
                _ => reason,
            };
            self.handle_transition(fell, id, transition, reason);
        }
        // At each verdict that counts, not only at a change: see the incidents. The transition went
        // first, for it opens the alert that this one looks at.
        if counts {
            let transition = effect.transition;
            let (incidents, known) = self.incidents();
            let messages = incidents.handle_verdict(now, id, transition, outcome, known);
            let asked = incidents.take_asked();
            self.post(now, messages);
            asked.into_iter().for_each(|id| self.scheduler.ask_now(now, id));
        } else if effect.transition.is_some() {
            // It may be off, and is.
            let (incidents, known) = self.incidents();
            let messages = incidents.handle_rest(now, id, known);
            self.post(now, messages);
        }
        self.end_settling(now);
    }

    /// A report may be late.
    fn handle_late(&mut self, now: Now) {
        let since = self.surroundings.undisturbed_since();
        if let Some(late) = self.beats.poll_late(now, since) {
            self.conclude(now, now, late.app, (late.verdict(), Worth::Counts), Duration::ZERO);
        }
    }

    /// What was counted towards an app's state is forgotten.
    pub(super) fn forget(&mut self, now: Now, id: AppId, why: &str) {
        if let Some(transition) = self.registry.forget(now, id) {
            self.handle_transition(now, id, transition, why.to_owned());
        }
    }

    /// A change of state opens an alert, or notes that it is over. Nobody is told here.
    pub(super) fn handle_transition(
        &mut self,
        now: Now,
        id: AppId,
        transition: Transition,
        reason: String,
    ) {
        let Transition { from, to } = transition;
        self.check_log(now, id, Event::State { from, to, reason: reason.clone() });
        self.incidents.handle_transition(now, id, to, &self.registry);
        let Some(app) = self.registry.get(id) else { return };
        let app = app.registration.name.clone();
        self.chronicle.handle_transition(now, &app, to, &reason);
        self.list_untold(id, to);
        self.log(LogEvent::StateChanged { app, from, to, reason });
    }

    /// A quiet time may have begun or ended, `of` one app or of any.
    pub(super) fn follow_quiet(&mut self, now: Now, of: Option<AppId>) {
        let wall = (!now.wall.is_plainly_wrong()).then(|| self.timeline.wall(now));
        let hushes = self.outbox.lacks_clock(now);
        let clock = Clock { now, wall, hushes, zone: &self.zone };
        let ended = self.registry.handle_quiet(of, clock);
        self.outbox.handle_quiet(now, &self.registry);
        // No check need show it: it may pass in between.
        for id in ended.iter().copied() {
            if self.registry.is_in_crash_loop(now, id) && !self.surroundings.awaits(id) {
                self.tell_crash_loop(now, id, None);
            }
        }
        if !ended.is_empty() {
            let (incidents, known) = self.incidents();
            let messages = incidents.handle_quiet_end(now, &ended, known);
            let asked = incidents.take_asked();
            self.post(now, messages);
            asked.into_iter().for_each(|id| self.scheduler.ask_now(now, id));
        }
    }

    /// The mailer has tried a mail.
    pub fn handle_delivery(&mut self, now: Now, id: u64, delivery: Delivery) {
        match self.outbox.handle_delivery(now, id, delivery) {
            Some(Concluded::Accepted(mail)) => {
                mail.incidents().for_each(|it| self.chronicle.tell(now, it, &mail.to));
                let told = mail.notices.iter().flat_map(|notice| notice.troubles());
                told.for_each(|app| self.chronicle.tell_of(now, app, &mail.to));
                self.incidents.handle_arrival(&mail, &self.registry);
            }
            Some(Concluded::Refused(mail)) => self.incidents.handle_refusal(&mail, &self.registry),
            None => {}
        }
        self.drain_outbox();
    }

    /// The mail server was asked whether it would take our mails.
    pub fn handle_rehearsal(&mut self, now: Now, outcome: Delivery) {
        self.outbox.handle_rehearsal(now, outcome);
        self.drain_outbox();
    }

    /// The daemon is about to stop: what the hour has brought so far is summed up. (What stops an app
    /// is [`Engine::stop`].)
    pub fn handle_stop(&mut self, now: Now) {
        self.registry.sum_up_all(now);
        self.surroundings.handle_stop();
    }
}

/// What is around us: what shows whether it is us, and what comes of it.
impl Engine {
    /// What was seen in a look around.
    pub fn handle_look(&mut self, now: Now, report: &LookReport) {
        self.surroundings.handle_look(now, report);
        self.look_around(now);
    }

    /// Whether it is of use to know that another machine lives: somebody is silent, or something is away.
    pub fn awaits_life(&self) -> bool {
        !self.surroundings.is_calm()
    }

    /// Another machine has shown that it lives: it has reached us, or taken a mail.
    pub fn handle_life(&mut self, now: Now) {
        if !self.surroundings.is_calm() {
            self.surroundings.handle_life(now);
            self.look_around(now);
        }
    }

    /// Something was shown, or time has passed: what waits for it goes on, and the next look begins if it
    /// is due.
    fn look_around(&mut self, now: Now) {
        while let Some((silence, worth)) = self.surroundings.poll_decided(now, &self.registry) {
            let fell = silence.ended(now.at);
            let Silence { app, verdict, latency, .. } = silence;
            self.conclude(now, fell, app, (verdict, worth), latency);
        }
        while let Some(news) = self.surroundings.poll_news() {
            self.handle_news(now, news);
        }
        let look = self.surroundings.poll_look(now, &self.registry);
        self.actions.extend(look.map(Action::Look));
    }

    /// Something between us and others is away, or back: then who may have been silent for want of it has
    /// its time to come back.
    fn handle_news(&mut self, now: Now, news: News) {
        match news {
            News::Away(part) => self.log(LogEvent::Away { what: part.words() }),
            News::Back { part, after, apps } => {
                self.log(LogEvent::Back { what: part.is_back(), after });
                if apps.is_none() {
                    self.outbox.handle_sight(now);
                }
                let Engine { surroundings, registry, .. } = self;
                if surroundings.handle_return(now, part, after, (apps.as_deref(), registry)) {
                    self.begin_settling(now);
                }
                if apps.is_none() && self.surroundings.settling().is_none() {
                    // It was too short for that, as far as is known.
                    self.chronicle.handle_nothing_to_settle(now);
                }
            }
        }
    }

    /// Something may have been away for long: people are told, but who is `spared`, who had a report of it.
    fn tell_what_was_away(&mut self, now: Now, spared: &SortedSet<Recipient>) {
        if let Some(ended) = self.surroundings.poll_router_away(now, &self.registry) {
            self.report(now, &ended);
        }
        let Some(untold) = self.surroundings.poll_blindness(now) else { return };
        let Engine { surroundings, registry, incidents, outbox, .. } = self;
        let messages = blind_messages(&untold, (incidents, registry), surroundings, outbox, spared);
        self.post(now, messages);
    }

    /// Something came between us and the apps: they have their time to come back.
    pub(super) fn settle(&mut self, now: Now, interruption: Interruption) {
        self.surroundings.begin(now, interruption, &self.registry);
        self.begin_settling(now);
    }

    /// We were away for so long, within one boot.
    pub(super) fn handle_absence(&mut self, now: Now, interruption: Interruption, span: Duration) {
        if self.surroundings.handle_absence(now, interruption, span, &self.registry) {
            self.begin_settling(now);
        }
    }

    fn begin_settling(&mut self, now: Now) {
        self.scheduler.set_haste(now, Some(ASKED_EVERY));
        let awaited = self.surroundings.settling().map_or(0, |it| it.awaited().count());
        if awaited > 0 {
            self.log(LogEvent::SettlingBegan { apps: awaited });
        }
        self.surroundings.settling().into_iter().for_each(|it| self.chronicle.handle_settling(it));
        self.end_settling(now);
    }

    /// If everybody is back, or the time is up: who is missing is UNHEALTHY, and people get one report.
    pub(super) fn end_settling(&mut self, now: Now) {
        let Some(ended) = self.surroundings.poll_ended(now) else { return };
        self.scheduler.set_haste(now, None);
        let (back, missing) = (ended.back.len(), ended.missing.len());
        if back + missing > 0 {
            self.log(LogEvent::SettlingEnded { back, missing });
        }
        let told = self.report(now, &ended);
        self.tell_what_was_away(now, &told);
    }

    /// Who is missing had its time: it is UNHEALTHY, and people get one report. Who got one.
    fn report(&mut self, now: Now, ended: &Ended) -> SortedSet<Recipient> {
        let incident = self.chronicle.handle_settled(now, ended, &self.registry);
        for Missing { id, failures, since } in &ended.missing {
            let transition = self.registry.give_up(now, *id, *failures, *since);
            let reason = self.registry.get(*id).map(|app| app.reason().to_owned());
            if let Some(transition) = transition {
                self.handle_transition(now, *id, transition, reason.unwrap_or_default());
            }
        }
        let (incidents, known) = self.incidents();
        let messages = incidents.handle_settled(now, ended, incident, known);
        let told = messages.iter().map(|message| message.to.clone()).collect();
        self.post(now, messages);
        told
    }
}

/// What is done in the end.
impl Engine {
    /// The next thing to be done, if any. An [`Action::Probe`] that is handed out has begun: its thread
    /// is taken until [`Engine::handle_check`].
    pub fn poll_action(&mut self) -> Option<Action> {
        // Sums and checks are not queued: ten thousand sums are megabytes, and which check comes next
        // is decided when one can begin.
        self.actions
            .pop_front()
            .or_else(|| self.registry.poll_sum().map(Action::CheckLog))
            .or_else(|| self.poll_probe().map(Action::Probe))
    }

    /// All that a check's thread learns of an app. What it has to know besides is added here.
    fn poll_probe(&mut self) -> Option<Probe> {
        let Begin { app, check, short_timeout, quick, shortage } = self.scheduler.poll_begin()?;
        if let Some(waited) = shortage {
            let workers = self.scheduler.load().workers;
            self.log(LogEvent::TooFewThreads { waited, workers });
        }
        let registration = &self.registry.get(app)?.registration;
        Some(Probe {
            id: check,
            kind: ProbeKind::of(&registration.target)?,
            timeout: registration.timeout,
            short_timeout,
            quick,
            origin: registration.origin,
            // Whose answer shows that our network is back, and whose does not.
            locate: !self.surroundings.is_calm(),
        })
    }

    /// The incidents, and what they look at.
    pub(super) fn incidents(&mut self) -> (&mut Incidents, Known<'_>) {
        let Engine { incidents, registry, surroundings, outbox, .. } = self;
        (incidents, Known { registry, surroundings, outbox })
    }

    /// Messages from the incidents go into the outbox.
    pub(super) fn post(&mut self, now: Now, messages: Vec<Message>) {
        if !messages.is_empty() {
            self.incidents.handle_told(now);
            self.list_troubles(&messages);
        }
        messages.into_iter().for_each(|message| self.outbox.handle_message(now, message));
        self.drain_outbox();
    }

    /// What people are told of stands in the list of incidents.
    fn list_troubles(&mut self, messages: &[Message]) {
        let mut names: Vec<&str> =
            messages.iter().flat_map(|message| message.notice.troubles()).collect();
        names.sort_unstable();
        names.dedup();
        let Engine { registry, incidents, chronicle, .. } = self;
        let ids = names.iter().filter_map(|name| registry.id_of(name));
        let family: Vec<&str> = ids.flat_map(|id| incidents.family(id, registry)).collect();
        let apps: Vec<&App> = names.iter().filter_map(|name| registry.named(name)).collect();
        chronicle.handle_trouble(&apps, &family);
    }

    /// An app has changed: it stands there, too, if nobody is to be told of it, or if it was told with others
    /// before it was unwell.
    fn list_untold(&mut self, id: AppId, to: State) {
        let Engine { registry, incidents, chronicle, outbox, .. } = self;
        let Some(app) = registry.get(id) else { return };
        if outbox.told(app.registration.recipients()).is_empty() && to == State::Unhealthy {
            chronicle.handle_trouble(&[app], &[]);
        }
        if incidents.alert(id).is_some_and(Alert::is_told) {
            chronicle.handle_suspect(app, &incidents.family(id, registry));
        }
    }

    /// What the outbox wants done becomes an action: after each call that may have made it want
    /// something.
    pub(super) fn drain_outbox(&mut self) {
        while let Some(output) = self.outbox.poll_output() {
            self.actions.push_back(match output {
                Output::Send(mail) => Action::Send(mail),
                Output::Rehearse(to) => Action::Rehearse(to),
                Output::Log(note) => Action::Log(note),
            });
        }
    }

    pub(super) fn check_log(&mut self, now: Now, id: AppId, event: Event) {
        let Some(app) = self.registry.get(id) else { return };
        let appname = app.registration.name.clone();
        self.actions.push_back(Action::CheckLog(Line { time: now.wall, appname, event }));
    }

    pub(super) fn log(&mut self, note: LogEvent) {
        self.actions.push_back(Action::Log(note));
    }
}
