//! One app, and what each of its people is told of it: that it is unwell, and that it is over.

use super::alert::{Alert, Level, Tie};
use super::{Incidents, Known, change, flapping};
use crate::engine::outbox::notice::{Change, Notice};
use crate::engine::outbox::{Message, Outbox};
use crate::engine::recipients::Recipient;
use crate::engine::registry::{App, AppId};
use crate::engine::state::Transition;
use crate::engine::time::{Now, Stamp};

impl Incidents {
    /// Tells those of the trouble to whom it is news, or has them wait for who else is silent.
    pub(super) fn alarm(
        &mut self,
        now: Now,
        (id, app): (AppId, &App),
        transition: Option<Transition>,
        level: Level,
        known: Known<'_>,
    ) -> Vec<Message> {
        let Some(alert) = self.alerts.get(&id) else { return Vec::new() };
        let named = known.outbox.told(app.registration.recipients());
        let is_news = |to: &&Recipient| alert.is_news(to, level) && !self.is_muted(id, to, known);
        let people: Vec<Recipient> = named.iter().filter(is_news).cloned().collect();
        if people.is_empty() || !is_worth_telling(app, level, alert.is_told_as(level)) {
            return Vec::new();
        }
        if known.is_hushed(id) {
            self.keep_quiet((id, app), level);
            return Vec::new();
        }
        let with_others = app.is_silent() || self.takes_children_along(app, known.registry);
        if level == Level::Unhealthy && with_others && !alert.is_told_as(level) {
            self.collect(now, (id, app), &people, known);
            return Vec::new();
        }
        self.tell_change((id, app), &people, (level, transition), None, known)
    }

    /// An app is in a crash loop, for this `reason`: tells who knows nothing of it, whatever passes in between. It is
    /// UNHEALTHY, perhaps, and passes too often to be found so anew, or waits for others, who do not start.
    pub fn handle_crash_loop(
        &mut self,
        now: Now,
        id: AppId,
        transition: Option<Transition>,
        reason: &str,
        known: Known<'_>,
    ) -> Vec<Message> {
        let Some(app) = known.registry.get(id) else { return Vec::new() };
        let Some(level) = Level::of(app.state()) else { return Vec::new() };
        if known.is_hushed(id) {
            return Vec::new();
        }
        if self.alerts.get(&id).is_none() {
            self.alerts.insert(id, Alert::new(Stamp::noted(now)));
        }
        let Some(alert) = self.alerts.get(&id) else { return Vec::new() };
        let named = known.outbox.told(app.registration.recipients());
        // That it is worse than they know has to be found by its checks.
        let is_news = |to: &Recipient| !alert.is_told_to(to) && !self.is_muted(id, to, known);
        let people: Vec<Recipient> = named.into_iter().filter(is_news).collect();
        self.tell_change((id, app), &people, (level, transition), Some(reason), known)
    }

    /// Tells these people of the trouble of one app, for a `reason` that its last check does not tell.
    fn tell_change(
        &mut self,
        (id, app): (AppId, &App),
        people: &[Recipient],
        (level, transition): (Level, Option<Transition>),
        reason: Option<&str>,
        known: Known<'_>,
    ) -> Vec<Message> {
        let Some(alert) = self.alerts.get(&id).filter(|_| !people.is_empty()) else {
            return Vec::new();
        };
        let named = known.outbox.told(app.registration.recipients());
        let alone = !alert.is_told();
        self.alerts.edit(&id, |alert| alert.begin_anew(app.monitor.since));
        let Some(alert) = self.alerts.get(&id) else { return Vec::new() };
        let keeps_failing = alert.keeps_failing || (alone && flapping::keeps_failing(alert, app));
        let mut change = change::trouble(app, alert, transition);
        change.reason = reason.map_or(change.reason, str::to_owned);
        // To whom it is only worse than they knew, that it is so is the news.
        let all_know = people.iter().all(|to| alert.is_told_to(to));
        let notice = Notice::Change(Change { keeps_failing: keeps_failing && !all_know, ..change });
        let messages = self.messages((id, app), people, &notice, known.outbox);
        self.alerts.edit(&id, |alert| {
            if alone {
                alert.tie = Tie::Alone;
            }
            alert.silent &= !alone;
            alert.begin_spell(keeps_failing, 0);
            people.iter().for_each(|to| alert.tell(to, level, &named));
        });
        messages
    }

    /// Tells everyone who was told of the trouble that it is over; of trouble before it, too, of which the end
    /// was owed still when it came. Who may have no mail now is told
    /// when they may, and who will never have read of it has nothing to be told.
    pub(super) fn recovered(
        &mut self,
        (id, app): (AppId, &App),
        transition: Option<Transition>,
        outbox: &Outbox,
    ) -> Vec<Message> {
        let Some(alert) = self.alerts.get(&id) else { return Vec::new() };
        let name = app.registration.name.as_str();
        let notice = Notice::Change(change::end(app, alert, transition));
        let (mut owed, mut spared) = (Vec::new(), Vec::new());
        for (to, told) in alert.everybody() {
            let may = outbox.recipients().may_be_told(to);
            let is_on_its_way = outbox.telling(to, name).next().is_some();
            if told.written.is_none() && is_on_its_way {
                // The end itself, or what was told before it failed again: that is waited for.
                continue;
            }
            if told.arrived.is_none() && !is_on_its_way {
                spared.push(to.clone());
            } else if may || outbox.has_one_for(to) {
                owed.push(to.clone());
            }
        }
        let messages = self.messages((id, app), &owed, &notice, outbox);
        self.alerts.edit(&id, |alert| {
            spared.iter().for_each(|to| alert.spare(to));
            let since = change::well_since(app, alert);
            owed.iter().for_each(|to| alert.tell_end(to, since));
        });
        self.close_if_done(id);
        messages
    }

    /// One message for each of these people.
    pub(super) fn messages(
        &self,
        (id, app): (AppId, &App),
        people: &[Recipient],
        notice: &Notice,
        outbox: &Outbox,
    ) -> Vec<Message> {
        let message = |to: &Recipient| Message {
            to: to.clone(),
            notice: notice.clone(),
            thread: self.thread(id, &app.registration.name, to, outbox),
        };
        people.iter().map(message).collect()
    }

    /// The message ids of the mails that a mail to a person about an app answers: those that arrived,
    /// then those that are still to arrive. Empty when it begins a story.
    pub(super) fn thread(
        &self,
        id: AppId,
        app: &str,
        to: &Recipient,
        outbox: &Outbox,
    ) -> Vec<String> {
        let told = self.alerts.get(&id).and_then(|alert| alert.told(to));
        let Some(told) = told.filter(|told| told.written.is_some()) else { return Vec::new() };
        let pending = outbox.telling(to, app).map(|mail| &mail.message_id);
        let pending = pending.filter(|message_id| !told.thread.contains(message_id));
        told.thread.iter().chain(pending).cloned().collect()
    }
}

/// Whether people are to hear of it by now.
///
/// DEGRADED is shown from two checks on that did not pass, and told from as many on as make an app UNHEALTHY.
/// What has passed since it was found UNHEALTHY, before anybody was told, has to be found so anew.
fn is_worth_telling(app: &App, level: Level, is_told: bool) -> bool {
    let (streaks, needed) = (app.monitor.streaks, u32::from(app.registration.unhealthy));
    match level {
        Level::Degraded => streaks.not_passed >= needed,
        Level::Unhealthy => is_told || streaks.failed >= needed,
    }
}
