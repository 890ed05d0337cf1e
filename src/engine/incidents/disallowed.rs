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
use crate::engine::outbox::mail::Mail;
use crate::engine::outbox::notice::{Notice, Outage};
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

#[cfg(test)]
mod tests {
    use super::super::tests::{GUEST_TOO, House, in_short, outbox};
    use super::*;
    use crate::engine::outbox::Message;
    use crate::engine::outbox::delivery::Delivery;
    use crate::engine::tests::after;

    /// The mails that wait are those of a start, at which mail goes where `now` lets it.
    fn disallowed(house: &mut House, now: Outbox) -> Disallowed {
        let mails: Vec<Mail> = house.outbox.mails().cloned().collect();
        let ids = mails.iter().map(|mail| mail.id).collect();
        house.outbox = now;
        house.outbox.restore(after(house.second), Vec::new(), Vec::new(), mails);
        house.incidents.disallow(ids, &house.registry, &mut house.outbox)
    }

    #[test]
    fn a_mail_that_its_reader_may_not_have_goes_to_those_who_are_told_instead() {
        let (mut house, nas) = House::with_nas(&[("email", "guest@b.c")]);
        house.checks(nas, "fff");
        let Disallowed { sendable, notes } =
            disallowed(&mut house, outbox(&["owner@example.org"], &["owner@example.org"]));
        assert_eq!((sendable.len(), notes.len()), (1, 1));
        let mail = house.outbox.mail(sendable[0]).unwrap();
        assert_eq!(
            (&mail.to, &mail.meant_for[..]),
            (&Recipient::mail("owner@example.org"), &[Recipient::mail("guest@b.c")][..])
        );
        assert_eq!(house.outbox.waiting(), 1, "the other is gone");
        let alert = house.incidents.alert(nas).unwrap();
        assert!(
            alert.told(&Recipient::mail("guest@b.c")).is_none(),
            "who read of nothing is owed nothing"
        );
        assert_eq!(
            alert.told(&Recipient::mail("owner@example.org")).unwrap().written,
            Some(Level::Unhealthy)
        );
        assert!(house.checks(nas, "f").is_empty(), "the owner is not told twice");
    }

    #[test]
    fn a_mail_that_nobody_may_have_is_kept_and_one_that_may_go_goes() {
        let (mut house, nas) = House::with_nas(&[("email", GUEST_TOO)]);
        house.checks(nas, "ff");
        let Disallowed { sendable, notes } =
            disallowed(&mut house, outbox(&[], &["owner@example.org"]));
        assert_eq!((sendable.len(), notes.len(), house.outbox.waiting()), (1, 1, 2));
        assert_eq!(
            house.outbox.mail(sendable[0]).unwrap().to,
            Recipient::mail("owner@example.org")
        );
        assert!(house.incidents.alert(nas).unwrap().told(&Recipient::mail("guest@b.c")).is_some());
    }

    /// At a start, mail goes to the owner alone, who is told instead of others: what each mail tells.
    fn for_the_owner_alone(house: &mut House) -> Vec<String> {
        let owner = ["owner@example.org"];
        let Disallowed { sendable, .. } = disallowed(house, outbox(&owner, &owner));
        let mails = sendable.iter().map(|id| house.outbox.mail(*id).unwrap().clone());
        let message = |to: &Recipient, notice: &Notice| Message {
            to: to.clone(),
            notice: notice.clone(),
            thread: Vec::new(),
        };
        mails
            .flat_map(|it| {
                it.notices.iter().map(|tells| in_short(&message(&it.to, tells))).collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn who_knows_already_what_another_may_not_read_is_not_told_again() {
        let (mut house, nas) = House::with_nas(&[("email", GUEST_TOO)]);
        house.checks(nas, "fff");
        house.mail_server(&Delivery::Accepted);
        house.checks(nas, "pp");
        assert_eq!(for_the_owner_alone(&mut house), ["NAS HEALTHY"], "the owner's own mail");
    }

    #[test]
    fn the_end_of_what_nobody_else_was_told_is_told_to_nobody_else() {
        let (mut house, nas) = House::with_nas(&[("email", "guest@b.c")]);
        let kodi = house.register("Kodi", &[("email", "guest@b.c")]);
        house.checks(kodi, "ppfff");
        house.mail_server(&Delivery::Accepted);
        house.checks(nas, "fff");
        house.checks(kodi, "pp");
        assert_eq!(for_the_owner_alone(&mut house), ["NAS UNHEALTHY"]);
    }

    #[test]
    fn the_word_that_an_app_is_watched_goes_to_who_stands_in_and_has_none_of_their_own() {
        let (mut house, nas) = House::with_nas(&[("email", GUEST_TOO)]);
        let kodi = house.register("Kodi", &[("email", "guest@b.c")]);
        for id in [nas, kodi] {
            house.incidents.handle_first_pass(after(0), id);
        }
        let House { registry, incidents, outbox, .. } = &mut house;
        for message in incidents.welcome(after(10), registry, outbox) {
            outbox.handle_message(after(10), message);
        }
        assert_eq!(for_the_owner_alone(&mut house), ["watching Kodi", "watching NAS"]);
    }

    #[test]
    fn who_may_have_no_mail_is_named_once_with_all_their_apps() {
        let mut house = House::new();
        for (name, email) in
            [("a", "x@b.c"), ("b", "y@b.c"), ("c", "X@b.c"), ("d", "owner@example.org")]
        {
            house.register(name, &[("email", email)]);
        }
        let notes = who_is_disallowed(&house.registry, &outbox(&[], &["owner@example.org"]));
        let said = |note: &LogEvent| match note {
            LogEvent::Disallowed { person, apps, .. } => format!("{person} {apps}"),
            other => format!("{other:?}"),
        };
        assert_eq!(notes.iter().map(said).collect::<Vec<_>>(), ["x@b.c 2", "y@b.c 1"]);
    }
}
