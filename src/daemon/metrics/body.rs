//! The text as it is sent: written a part at a time, for that of ten thousand apps has 20 MB.

use std::io::{self, Cursor, Read};

use super::Metrics;
use super::apps::OF_APPS;

/// Apps whose samples of one family are written at once: some 40 KiB where there are most.
const APPS_IN_A_PART: usize = 64;

/// The whole text.
pub(in crate::daemon) struct Body {
    metrics: Metrics,
    len: usize,
    part: Cursor<String>,
    next: usize,
}

impl Body {
    /// What `metrics` say.
    pub(in crate::daemon) fn new(metrics: Metrics) -> Body {
        // Written twice, since the smallest clients want to know the length before.
        let len = (0..).map_while(|part| metrics.part(part)).map(|part| part.len()).sum();
        Body { metrics, len, part: Cursor::default(), next: 0 }
    }

    /// In bytes.
    pub(in crate::daemon) fn len(&self) -> usize {
        self.len
    }
}

impl Metrics {
    /// The part of this number; `None` after the last.
    fn part(&self, number: usize) -> Option<String> {
        let Some(number) = number.checked_sub(1) else { return Some(self.of_daemon()) };
        let portions = self.apps.len().div_ceil(APPS_IN_A_PART).max(1);
        let family = OF_APPS.get(number / portions)?;
        let portion = number % portions;
        let head = if portion == 0 { family.head() } else { String::new() };
        let apps = self.apps.chunks(APPS_IN_A_PART).nth(portion).unwrap_or_default();
        Some(head + &family.samples(apps))
    }
}

impl Read for Body {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.part.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            let Some(part) = self.metrics.part(self.next) else { return Ok(0) };
            self.part = Cursor::new(part);
            self.next += 1;
        }
    }
}
