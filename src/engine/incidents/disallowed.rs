//! People on record whom the owner no longer lets have mail.
//!
//! `allow_email` may be set, or narrowed, when apps have registered and mails wait. Registrations
//! stay as they are, so that nothing is lost when it is widened again; what was to be told is told
//! to those who are told instead, as far as they do not know it. A mail that nobody may have is kept
//! until somebody may.

use super::Incidents;
use super::alert::Level;
use crate::engine::log_event::LogEvent;
use crate::engine::outbox::Outbox;
use crate::engine::outbox::notice::{Mail, Notice, Outage};
use crate::engine::recipients::Recipient;
use crate::engine::registry::Registry;
use crate::engine::state::State;

/// What came of looking for mails whose recipients may have none.
#[derive(Debug, Default)]
pub struct Disallowed {
    /// The mails that may be sent.
    pub sendable: Vec<u64>,
    /// What is to be said of the others.
    pub notes: Vec<LogEvent>,
}

impl Incidents {
    /// At the start, when apps and mails are known: has others get the mails whose recipients may
    /// have none.
    pub fn disallow(
        &mut self,
        ids: Vec<u64>,
        registry: &Registry,
        outbox: &mut Outbox,
    ) -> Disallowed {
        let mut disallowed = Disallowed::default();
        for id in ids {
            let Some(to) = outbox.mail(id).map(|mail| mail.to.clone()) else { continue };
            if outbox.recipients().may_be_told(&to) {
                disallowed.sendable.push(id);
                continue;
            }
            outbox.gather(id);
            let is_kept = outbox.recipients().by_default().is_empty();
            let passed_on = if is_kept { Vec::new() } else { self.pass_on(id, registry, outbox) };
            if is_kept {
                outbox.disallow(id);
            }
            let instead = passed_on.iter().filter_map(|id| outbox.mail(*id));
            let instead = instead.map(|mail| mail.to.clone()).collect();
            disallowed.notes.push(LogEvent::MailDisallowed { to, instead, is_kept });
            disallowed.sendable.extend(passed_on);
        }
        disallowed
    }

    /// Has those who are told by default get what they are to know of a disallowed mail, and do not. It
    /// is gone then. The ids of their mails.
    fn pass_on(&mut self, id: u64, registry: &Registry, outbox: &mut Outbox) -> Vec<u64> {
        let Some(mail) = outbox.mail(id).cloned() else { return Vec::new() };
        let mut passed_on = Vec::new();
        for to in outbox.recipients().by_default().to_vec() {
            let notices = self.news_for(&to, &mail, registry, outbox);
            if notices.is_empty() {
                continue;
            }
            let Some(new) = outbox.pass_on(id, &to, notices) else { continue };
            if let Some(mail) = outbox.mail(new) {
                self.note_told(mail, registry);
            }
            passed_on.push(new);
        }
        outbox.drop_mail(id);
        self.update(&mail, registry, &mut |alert, _| alert.take_back(&mail.to));
        passed_on
    }

    /// What a mail that was meant for another tells somebody who is told instead.
    fn news_for(
        &self,
        to: &Recipient,
        mail: &Mail,
        registry: &Registry,
        outbox: &Outbox,
    ) -> Vec<Notice> {
        let mut told: Vec<Notice> = Vec::new();
        for notice in &mail.notices {
            let is_for = |app: &str, state: State| {
                let is_of = |earlier: &Notice| earlier.told().any(|(told, _)| told == app);
                let tells_end_of_nothing = state == State::Healthy && !told.iter().any(is_of);
                !tells_end_of_nothing && self.is_news_for(to, app, mail, registry, outbox)
            };
            let notice = match notice {
                Notice::Change(change) => is_for(&change.app, change.to).then(|| notice.clone()),
                Notice::Report(report) => {
                    let mut report = report.clone();
                    report.missing.retain(|missing| is_for(&missing.app, State::Unhealthy));
                    (!report.missing.is_empty()).then_some(Notice::Report(report))
                }
                Notice::Outage(outage) => {
                    let mut outage = outage.clone();
                    let worst = |outage: &Outage| outage.apps().next().map(|it| it.app.clone());
                    let before = worst(&outage);
                    for group in &mut outage.groups {
                        group.apps.retain(|silent| is_for(&silent.app, State::Unhealthy));
                    }
                    outage.groups.retain(|group| !group.apps.is_empty());
                    if worst(&outage) != before {
                        outage.recent = Vec::new();
                    }
                    // Those that were not asked often enough are told when they were.
                    let is_worth_it = outage.apps().any(|silent| silent.unhealthy);
                    is_worth_it.then_some(Notice::Outage(outage))
                }
                Notice::AllBack(back) => {
                    let mut back = back.clone();
                    back.apps.retain(|app| is_for(app, State::Healthy));
                    (!back.apps.is_empty()).then_some(Notice::AllBack(back))
                }
                Notice::Watching { apps, at } => {
                    let stands_in = |app: &&String| stands_in(to, app, registry, outbox);
                    let apps: Vec<String> = apps.iter().filter(stands_in).cloned().collect();
                    (!apps.is_empty()).then_some(Notice::Watching { apps, at: *at })
                }
                Notice::Blind(_) | Notice::Test { .. } => Some(notice.clone()),
            };
            told.extend(notice);
        }
        told
    }

    fn is_news_for(
        &self,
        to: &Recipient,
        app: &str,
        mail: &Mail,
        registry: &Registry,
        outbox: &Outbox,
    ) -> bool {
        // What was written before an app was stopped still goes out.
        let Some(id) = registry.id_of(app) else { return true };
        let alert = self.alerts.get(&id);
        let knows =
            alert.and_then(|alert| alert.told(to)).is_some_and(|told| told.written.is_some());
        let leaves_it_open = mail
            .conclusions()
            .find(|(told, _)| *told == app)
            .is_some_and(|(_, state)| state != State::Healthy);
        let is_overtaken = leaves_it_open && alert.is_none_or(|alert| alert.over);
        !knows && !is_overtaken && is_told_of(to, app, registry, outbox)
    }

    /// Notes that the recipient of a mail was told what it tells.
    fn note_told(&mut self, mail: &Mail, registry: &Registry) {
        for (app, state) in mail.conclusions() {
            let Some(id) = registry.id_of(app) else { continue };
            let Some(app) = registry.get(id) else { continue };
            if let Some(level) = Level::of(state) {
                let named: Vec<Recipient> = app.registration.recipients().collect();
                self.alerts.edit(&id, |alert| alert.tell(&mail.to, level, &named));
            }
        }
    }
}

/// Whether somebody is told of an app now.
fn is_told_of(to: &Recipient, app: &str, registry: &Registry, outbox: &Outbox) -> bool {
    registry
        .named(app)
        .is_some_and(|app| outbox.recipients().told(app.registration.recipients()).contains(to))
}

/// Whether somebody is told of an app only because those whom it named may not be.
fn stands_in(to: &Recipient, app: &str, registry: &Registry, outbox: &Outbox) -> bool {
    let is_named = registry
        .named(app)
        .is_some_and(|app| app.registration.recipients().any(|named| named == *to));
    !is_named && is_told_of(to, app, registry, outbox)
}

/// At the start: says who on record may have no mail.
pub fn who_is_disallowed(registry: &Registry, outbox: &Outbox) -> Vec<LogEvent> {
    let recipients = outbox.recipients();
    let named = registry.by_name().flat_map(|(_, app)| app.registration.recipients());
    let mut disallowed: Vec<Recipient> = named.filter(|one| !recipients.may_be_told(one)).collect();
    disallowed.sort();
    let instead = recipients.by_default();
    let note = |same: &[Recipient]| {
        let person = same.first()?.clone();
        Some(LogEvent::Disallowed { person, apps: same.len(), instead: instead.to_vec() })
    };
    disallowed.chunk_by(|a, b| a == b).filter_map(note).collect()
}
