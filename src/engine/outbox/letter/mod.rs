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

use crate::engine::outbox::notice::{Mail, RenderedMail};
use crate::engine::recipients::Recipient;
use crate::engine::time::{Moment, Zone};
use story::Story;

/// Writes the letter as it reads when sent at `now`, in the local time of `zone`. `status_url` is linked
/// at its end.
pub fn write(mail: &Mail, now: Moment, zone: &Zone, status_url: Option<&str>) -> RenderedMail {
    let mail = &nameless::told(mail);
    let Recipient::Mail(address) = &mail.to;
    let story = Story::of(mail, zone);
    let subject = subject::write(&story, now);
    let page = story.page(mail, now, status_url);
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
