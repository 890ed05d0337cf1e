//! People on record whom the owner no longer lets have mail.
//!
//! `allow_email` may be set, or narrowed, when apps have registered and mails wait. Registrations
//! stay as they are, so that nothing is lost when it is widened again; what was to be told is told
//! to those who may know. A mail that nobody may have is kept until somebody may.

use crate::engine::core::Engine;
use crate::engine::words::note::Note;

impl Engine {
    /// At the start: has others get the mails whose recipients may have none. The ids of all that
    /// may be sent.
    pub(in crate::engine) fn bar(&mut self, ids: Vec<u64>) -> Vec<u64> {
        let mut sendable = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(to) = self.outbox.recipient(id).map(str::to_owned) else { continue };
            if self.options.recipients.may_be_told(&to) {
                sendable.push(id);
                continue;
            }
            let instead = self.options.recipients.by_default().to_vec();
            let readdressed = self.outbox.readdress(id, &instead);
            if !readdressed.is_empty() {
                self.changes.mail_done(id);
            }
            for id in &readdressed {
                self.changes.mail(*id);
            }
            sendable.extend(readdressed);
            self.log(Note::MailBarred { to, instead });
        }
        sendable
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
