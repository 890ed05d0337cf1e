//! People on record whom the owner no longer lets have mail.
//!
//! `allow_email` may be set, or narrowed, when apps have registered and mails wait. Registrations
//! stay as they are, so that nothing is lost when it is widened again; what was to be told is told
//! to those who are told instead, as far as they do not know it. A mail that nobody may have is kept
//! until somebody may.

use super::alert::Level;
use super::notice::{Change, Mail, Notice, State};
use super::recipients::is_same_mailbox;
use crate::engine::core::Engine;
use crate::engine::words::note::Note;

impl Engine {
    /// At the start, when apps and mails are known: has others get the mails whose recipients may
    /// have none. The ids of all that may be sent.
    pub(in crate::engine) fn bar(&mut self, ids: Vec<u64>) -> Vec<u64> {
        let mut sendable = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(to) = self.outbox.recipient(id).map(str::to_owned) else { continue };
            if self.options.recipients.may_be_told(&to) {
                sendable.push(id);
                continue;
            }
            let took_in = self.outbox.gather(id);
            self.took_in(id, took_in);
            let is_kept = self.options.recipients.by_default().is_empty();
            let passed_on = if is_kept { Vec::new() } else { self.pass_on(id) };
            if is_kept {
                self.outbox.bar(id);
            }
            let instead = passed_on.iter().filter_map(|id| self.outbox.recipient(*id));
            let instead = instead.map(str::to_owned).collect();
            self.log(Note::MailBarred { to, instead, is_kept });
            sendable.extend(passed_on);
        }
        sendable
    }

    /// Has those who are told by default get what they are to know of a barred mail, and do not. It
    /// is gone then. The ids of their mails.
    fn pass_on(&mut self, id: u64) -> Vec<u64> {
        let Some(mail) = self.outbox.mail(id).cloned() else { return Vec::new() };
        let mut passed_on = Vec::new();
        for to in self.options.recipients.by_default().to_vec() {
            let notices = self.news_for(&to, &mail);
            if notices.is_empty() {
                continue;
            }
            let Some(new) = self.outbox.pass_on(id, &to, notices) else { continue };
            self.changes.mail(new);
            self.note_told(new);
            passed_on.push(new);
        }
        self.outbox.drop_mail(id);
        self.changes.mail_done(id);
        self.update_alerts(&mail, |alert, _| alert.take_back(&mail.to));
        passed_on
    }

    /// What a mail that was meant for another tells somebody who is told instead.
    fn news_for(&self, to: &str, mail: &Mail) -> Vec<Notice> {
        let mut told = Vec::new();
        for notice in &mail.notices {
            let notice = match notice {
                Notice::Change(change) => {
                    let tells_end_of_nothing = change.to == State::Healthy
                        && !told.iter().any(|earlier| is_of(earlier, &change.app));
                    let is_for = !tells_end_of_nothing && self.is_news_for(to, change, mail);
                    is_for.then(|| notice.clone())
                }
                Notice::Watching { apps, at } => {
                    let apps: Vec<String> =
                        apps.iter().filter(|app| self.stands_in(to, app)).cloned().collect();
                    (!apps.is_empty()).then_some(Notice::Watching { apps, at: *at })
                }
                Notice::Test { .. } => Some(notice.clone()),
            };
            told.extend(notice);
        }
        told
    }

    fn is_news_for(&self, to: &str, change: &Change, mail: &Mail) -> bool {
        let app = self.names.get(&change.app).and_then(|id| self.apps.get(id));
        // What was written before an app was stopped still goes out.
        let Some(app) = app else { return true };
        let alert = app.alert.as_ref();
        let knows =
            alert.and_then(|alert| alert.told(to)).is_some_and(|told| told.written.is_some());
        let leaves_it_open = mail
            .conclusions()
            .find(|last| last.app == change.app)
            .is_some_and(|last| last.to != State::Healthy);
        let is_overtaken = leaves_it_open && alert.is_none_or(|alert| alert.over);
        !knows && !is_overtaken && self.is_told_of(to, &change.app)
    }

    /// Whether somebody is told of an app now.
    fn is_told_of(&self, to: &str, app: &str) -> bool {
        let app = self.names.get(app).and_then(|id| self.apps.get(id));
        app.is_some_and(|app| {
            let told = self.options.recipients.told(&app.registration.email);
            told.iter().any(|one| is_same_mailbox(one, to))
        })
    }

    /// Whether somebody is told of an app only because those whom it named may not be.
    fn stands_in(&self, to: &str, app: &str) -> bool {
        let known = self.names.get(app).and_then(|id| self.apps.get(id));
        let is_named = known.is_some_and(|app| {
            app.registration.email.iter().any(|named| is_same_mailbox(named, to))
        });
        !is_named && self.is_told_of(to, app)
    }

    /// Notes that the recipient of a mail was told what it tells.
    fn note_told(&mut self, id: u64) {
        let Some(mail) = self.outbox.mail(id).cloned() else { return };
        for change in mail.conclusions() {
            let Some(app) = self.names.get(&change.app).copied() else { continue };
            let Some(known) = self.apps.get_mut(&app) else { continue };
            if let (Some(level), Some(alert)) = (Level::of(change.to), &mut known.alert) {
                alert.tell(&mail.to, level, &known.registration.email);
                self.changes.app(app);
            }
        }
    }

    /// At the start: says who on record may have no mail.
    pub(in crate::engine) fn tell_who_is_barred(&mut self) {
        let recipients = &self.options.recipients;
        let named = self.apps.values().flat_map(|app| &app.registration.email);
        let mut barred: Vec<&str> =
            named.filter(|address| !recipients.may_be_told(address)).map(String::as_str).collect();
        barred.sort_unstable();
        let instead = recipients.by_default();
        let notes: Vec<Note> = barred
            .chunk_by(|a, b| a == b)
            .filter_map(|same| {
                Some(Note::Barred {
                    address: (*same.first()?).to_owned(),
                    apps: same.len(),
                    instead: instead.to_vec(),
                })
            })
            .collect();
        for note in notes {
            self.log(note);
        }
    }
}

fn is_of(notice: &Notice, app: &str) -> bool {
    matches!(notice, Notice::Change(change) if change.app == app)
}
