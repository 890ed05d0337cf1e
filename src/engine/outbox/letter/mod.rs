//! Facts in, words out: a [`Mail`] of the outbox becomes a [`RenderedMail`] for a person.
//!
//! The words are found at each attempt to send, so that a mail that waited can say so. Nothing from
//! outside reaches subject or body as it came: see [`plain`](crate::engine::text::plain).

mod blind;
mod html;
mod nameless;
mod outage;
mod page;
mod plain;
mod report;
mod said;
mod sentence;
mod story;
mod subject;

use crate::engine::outbox::mail::Mail;
use crate::engine::recipients::Recipient;
use crate::engine::time::{Moment, Zone};
use story::Story;

/// Where a letter leads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Links<'a> {
    /// The page of all apps.
    pub status: Option<&'a str>,
    /// Where its reader mutes what it tells.
    pub mute: Option<&'a str>,
}

/// To the page of all apps alone.
impl<'a> From<Option<&'a str>> for Links<'a> {
    fn from(status: Option<&'a str>) -> Links<'a> {
        Links { status, mute: None }
    }
}

/// A mail in words, ready for the mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedMail {
    /// The recipient's address.
    pub to: String,
    /// The subject: one line, no control characters.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// See [`Mail::message_id`].
    pub message_id: String,
    /// See [`Mail::references`].
    pub references: Vec<String>,
}

/// Writes the letter as it reads when sent at `now`, in the local time of `zone`. The `links` are
/// at its end.
pub fn write<'a>(
    mail: &Mail,
    now: Moment,
    zone: &Zone,
    links: impl Into<Links<'a>>,
) -> RenderedMail {
    let mail = &nameless::told(mail);
    let Recipient::Mail(address) = &mail.to;
    let story = Story::of(mail, zone);
    let subject = subject::write(&story, now);
    let page = story.page(mail, now, links.into());
    RenderedMail {
        to: address.clone(),
        text: plain::render(&page),
        html: html::render(&page, &subject),
        subject,
        message_id: mail.message_id.clone(),
        references: mail.references.clone(),
    }
}

#[cfg(test)]
mod tests;
