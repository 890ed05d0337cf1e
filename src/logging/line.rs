//! One line of the log: what stands before a message.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, PoisonError};

use log::{Level, LevelFilter, Log, Record};
use simplelog::{Config, ConfigBuilder, LevelPadding, WriteLogger};

use crate::daemon::clock;
use crate::engine::time::Zone;

/// What stands before a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// The local time and the level.
    Plain(Zone),
    /// The priority as systemd reads it (sd-daemon(3)); the journal has a clock of its own.
    Journal,
}

impl Style {
    /// The one that fits standard error.
    pub(super) fn of_stderr(zone: Zone) -> Style {
        if stderr_is_the_journal() { Style::Journal } else { Style::Plain(zone) }
    }

    /// Up to where simplelog takes over. It could write the time, too, but panics beyond year 9999.
    fn start(&self, level: Level) -> String {
        match self {
            Style::Plain(zone) => format!("{} ", clock::wall_now().for_the_log(zone)),
            Style::Journal => priority(level).to_owned(),
        }
    }

    fn config(&self) -> Config {
        let mut config = ConfigBuilder::new();
        config
            .set_time_level(LevelFilter::Off)
            .set_thread_level(LevelFilter::Off)
            .set_target_level(LevelFilter::Off)
            .set_location_level(LevelFilter::Off)
            .set_level_padding(LevelPadding::Right);
        if *self == Style::Journal {
            config.set_max_level(LevelFilter::Off);
        }
        config.build()
    }
}

/// Whether standard error is the journal itself, and not a file or a terminal of a process below
/// one whose standard error is (systemd.exec(5), `JOURNAL_STREAM`).
fn stderr_is_the_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else {
        return false;
    };
    let Ok(descriptor) = io::stderr().as_fd().try_clone_to_owned() else {
        return false;
    };
    std::fs::File::from(descriptor)
        .metadata()
        .is_ok_and(|metadata| stream == format!("{}:{}", metadata.dev(), metadata.ino()))
}

fn priority(level: Level) -> &'static str {
    match level {
        Level::Error => "<3>",
        Level::Warn => "<4>",
        Level::Info => "<6>",
        Level::Debug | Level::Trace => "<7>",
    }
}

/// The line, with its line feed. `text` is clean.
///
/// simplelog writes under a lock of its own. Each line has one, so no thread waits for another's.
pub(super) fn line(style: &Style, level: Level, text: &str) -> Vec<u8> {
    let paper = Paper(Arc::new(Mutex::new(style.start(level).into_bytes())));
    let writer = WriteLogger::new(LevelFilter::Trace, style.config(), paper.clone());
    writer.log(&Record::builder().level(level).args(format_args!("{text}")).build());
    std::mem::take(&mut *paper.0.lock().unwrap_or_else(PoisonError::into_inner))
}

/// What simplelog writes on.
#[derive(Clone)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(style: Style, level: Level, text: &str) -> String {
        String::from_utf8(line(&style, level, text)).unwrap()
    }

    #[test]
    fn a_line_has_the_time_and_the_level() {
        let line = text(Style::Plain(Zone::UTC), Level::Warn, "disk full");
        assert_eq!(line.len(), "2026-11-23T22:55:40.250Z [WARN ] disk full\n".len(), "{line}");
        assert!(line.starts_with("20") && line.ends_with("Z [WARN ] disk full\n"), "{line}");
        let zone = Zone::from_posix("IST-5:30").unwrap();
        let line = text(Style::Plain(zone), Level::Info, "started");
        assert!(line.ends_with("+05:30 [INFO ] started\n"), "{line}");
    }

    #[test]
    fn the_journal_gets_the_priority_and_no_time() {
        assert_eq!(text(Style::Journal, Level::Info, "started"), "<6>started\n");
        assert_eq!(text(Style::Journal, Level::Error, "oh"), "<3>oh\n");
    }
}
