//! The traffic between the surroundings and the other machines: what shows whether it is us, and what
//! comes of it; and what our own clocks and sleeps mean for all of them.

use std::time::Duration;

use super::core::{Action, Engine};
use super::incidents::blind_messages;
use super::log_event::LogEvent;
use super::recipients::Recipient;
use super::scheduler::STOOD_STILL;
use super::sorted::SortedSet;
use super::surroundings::ASKED_EVERY;
use super::surroundings::away::Part;
use super::surroundings::look::LookReport;
use super::surroundings::run::Interruption;
use super::surroundings::settling::{Ended, Missing};
use super::surroundings::signs::News;
use super::surroundings::silences::Silence;
use super::time::{Now, Step};

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
    pub(super) fn look_around(&mut self, now: Now) {
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
                let interruption = match part {
                    Part::Link | Part::Network => Interruption::Network,
                    Part::Router => Interruption::Router,
                    Part::Internet => Interruption::Internet,
                };
                let Some(apps) = apps else {
                    self.outbox.handle_sight(now);
                    self.handle_absence(now, interruption, after);
                    if self.surroundings.settling().is_none() {
                        // It was too short for that, as far as is known.
                        self.chronicle.handle_nothing_to_settle(now);
                    }
                    return;
                };
                let Engine { surroundings, registry, .. } = self;
                if surroundings.handle_return(now, interruption, after, (&apps, registry)) {
                    self.begin_settling(now);
                }
            }
        }
    }

    /// Something may have been away for long: people are told, but who is `spared`, who had a report of it.
    pub(super) fn tell_what_was_away(&mut self, now: Now, spared: &SortedSet<Recipient>) {
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

/// Clocks that jump, and times in which we or the machine did nothing.
impl Engine {
    /// The clocks were read: to be called before anything else is done with the time. The machine
    /// `slept` so long since the last call, a time that the monotonic clock does not count. When it did,
    /// or the wall clock was set, every time that is remembered is put right, and every wait that is meant
    /// in real time. What is due by now is
    /// for [`Engine::handle_time`].
    pub fn handle_clock(&mut self, now: Now, slept: Duration) {
        let Some(step) = self.timeline.observe(now, slept) else { return };
        if !slept.is_zero() {
            self.log(LogEvent::Slept { span: slept });
        }
        if step.clock_was_set() {
            self.log(LogEvent::ClockSet { to: now.wall });
        }
        self.put_right(now, step);
        self.handle_absence(now, Interruption::Sleep, slept);
    }

    /// The system knew, before `now` was read, that a time server has set the wall clock: it is believed.
    /// See [`Engine::asks_for_time_server`].
    pub fn handle_synchronised(&mut self, now: Now) {
        let was_ahead = self.timeline.is_before_the_record();
        let step = self.timeline.settle(now);
        if self.timeline.is_synchronised() {
            self.surroundings.handle_synchronised();
        }
        let Some(step) = step else { return };
        if was_ahead {
            self.log(LogEvent::ClockWasAhead);
        }
        self.put_right(now, step);
    }

    fn put_right(&mut self, now: Now, step: Step) {
        // Of the start, which come out in the first turn.
        for action in &mut self.actions {
            if let Action::Send(mail) = action {
                mail.for_each_stamp(|stamp| self.timeline.step(now, step, stamp));
            }
        }
        self.outbox.handle_step(&self.timeline, now, step);
        self.surroundings.for_each_stamp(|stamp| self.timeline.step(now, step, stamp));
        self.chronicle.handle_step(&self.timeline, now, step);
        self.incidents.handle_step(&self.timeline, now, step);
        self.registry.handle_step(&self.timeline, now, step);
        self.follow_quiet(now);
        self.beats.handle_step(step);
    }

    /// Nothing of ours ran for `span` until now, though it was to: we were stopped or starved, or the
    /// machine slept. To be called before what has come meanwhile is handled.
    ///
    /// For `certainly` so long of it: the rest is a jump of the wall clock, which somebody may have set.
    pub fn handle_standstill(&mut self, now: Now, span: Duration, certainly: Duration) {
        self.scheduler.handle_standstill(span);
        if span > STOOD_STILL {
            self.surroundings.handle_standstill();
        }
        self.handle_absence(now, Interruption::Standstill, certainly);
    }
}
