//! Whether the name service answers at all, as far as our own questions show.

use std::time::{Duration, Instant};

use crate::engine::text::span::in_words;

/// So long nobody must have answered before it is said.
const SAID_AFTER: Duration = Duration::from_secs(120);

/// When nobody has asked for so long, nothing is known of it. (Every app is asked within 5 minutes.)
const KNOWN_FOR: Duration = Duration::from_secs(15 * 60);

/// What is known of it.
#[derive(Debug, Default)]
pub(super) struct Service(Option<Silence>);

/// Nobody has answered.
#[derive(Debug)]
struct Silence {
    since: Instant,
    /// When somebody asked in vain last.
    last: Instant,
    /// For this name.
    name: String,
    is_logged: bool,
}

impl Service {
    /// It has answered, be it that there is no such name.
    pub(super) fn answers(&mut self) {
        if self.0.take().is_some_and(|silence| silence.is_logged) {
            log::info!("a name server answers again");
        }
    }

    /// It has not, for a name that was found before.
    pub(super) fn is_silent(&mut self, name: &str, now: Instant) {
        let fresh = || Silence { since: now, last: now, name: name.to_owned(), is_logged: false };
        let silence = self.0.get_or_insert_with(fresh);
        silence.last = now;
        let is_logged = silence.is_logged;
        if let Some(trouble) = self.trouble(now).filter(|_| !is_logged) {
            log::warn!("{trouble}");
            self.0.iter_mut().for_each(|silence| silence.is_logged = true);
        }
    }

    /// Whether nobody answers, in a sentence.
    pub(super) fn trouble(&self, now: Instant) -> Option<String> {
        let Silence { since, last, name, .. } = self.0.as_ref()?;
        let span = now.saturating_duration_since(*since);
        let is_known = now.saturating_duration_since(*last) < KNOWN_FOR;
        (span >= SAID_AFTER && is_known).then(|| {
            let span = in_words(span);
            format!(
                "no name server has answered for {span} (asked for {name}, which was found before): names keep their \
                 last good addresses for now"
            )
        })
    }
}
