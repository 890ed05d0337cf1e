//! The log on standard error: one line for one event, whatever is in it.
//!
//! Nothing waits for it. Standard error may be a terminal that was stopped with Ctrl-S, a pipe that
//! nobody reads, a full disk: `queue` holds so much and no more, a thread writes, and what found no
//! room is counted and said. What comes from outside cannot forge a line, since every character that
//! a terminal or a log reader would obey is escaped.
//!
//! Levels: a change of state and the start are `info`, each check is `debug`, inner steps are
//! `trace`; what the owner must see to is `warn` or `error`.

mod line;
mod queue;

use std::fmt::{self, Write as _};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use log::{LevelFilter, Log, Metadata, Record};

use crate::config::quoted::escaped;
use crate::config::settings::Settings;
use crate::engine::text::plain::is_obeyed;

use line::{Style, line};
use queue::Queue;

/// The longest message: an app's whole health JSON is cut elsewhere, this bounds what is not.
const MAX_MESSAGE: usize = 8 * 1024;
/// How long the last lines may take at the end: a reader that reads needs milliseconds.
const LAST_LINES_WITHIN: Duration = Duration::from_secs(1);

/// Our own modules; everything else is a library.
const OWN_TARGET: &str = env!("CARGO_CRATE_NAME");

/// Starts the log. Keep what is returned until the end: dropped, it waits a moment for the last lines.
///
/// # Errors
/// If this process has a logger already, or no thread can be started to write.
pub fn start(settings: &Settings) -> io::Result<LastLines> {
    let levels = Levels::of(settings.verbose, settings.debug);
    let style = Style::of_stderr(settings.zone.clone());
    let queue = Arc::new(Queue::default());
    queue::start(Arc::clone(&queue), style.clone(), io::stderr())?;
    log::set_boxed_logger(Box::new(Logger { levels, style, queue: Arc::clone(&queue) }))
        .map_err(io::Error::other)?;
    log::set_max_level(levels.own);
    std::panic::set_hook(Box::new(|panic| log::error!("this is a bug: {panic}")));
    Ok(LastLines(queue))
}

/// Dropped at the end of the program, it waits until the last lines are written, though not for long.
#[must_use]
pub struct LastLines(Arc<Queue>);

impl Drop for LastLines {
    fn drop(&mut self) {
        self.0.drain(LAST_LINES_WITHIN);
    }
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Levels {
    /// By us.
    own: LevelFilter,
    /// By libraries, which have a lot to say about nothing.
    libraries: LevelFilter,
}

impl Levels {
    fn of(verbose: bool, debug: bool) -> Levels {
        match (debug, verbose) {
            (true, _) => Levels { own: LevelFilter::Trace, libraries: LevelFilter::Debug },
            (false, true) => Levels { own: LevelFilter::Debug, libraries: LevelFilter::Off },
            (false, false) => Levels { own: LevelFilter::Info, libraries: LevelFilter::Off },
        }
    }

    fn allow(self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= if is_own(metadata) { self.own } else { self.libraries }
    }
}

fn is_own(metadata: &Metadata<'_>) -> bool {
    let inner = metadata.target().strip_prefix(OWN_TARGET);
    inner.is_some_and(|inner| inner.is_empty() || inner.starts_with("::"))
}

/// Cleans a message, sets it as a line and hands it over.
struct Logger {
    levels: Levels,
    style: Style,
    queue: Arc<Queue>,
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.levels.allow(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut clean = Clean { text: String::new() };
        if !is_own(record.metadata()) {
            let _ = write!(clean, "{}: ", record.target());
        }
        // The only error is that the message is long enough.
        let _ = clean.write_fmt(*record.args());
        self.queue.push(&line(&self.style, record.level(), &clean.text));
    }

    fn flush(&self) {
        self.queue.drain(LAST_LINES_WITHIN);
    }
}

/// Collects a message: bounded, every character that would be obeyed escaped.
struct Clean {
    text: String,
}

impl fmt::Write for Clean {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        for c in part.chars() {
            if self.text.len() >= MAX_MESSAGE {
                self.text.push('…');
                return Err(fmt::Error);
            }
            match c {
                '\n' => self.text.push_str("\\n"),
                '\t' => self.text.push(' '),
                c if is_obeyed(c) => self.text.push_str(&escaped(c)),
                c => self.text.push(c),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use log::Level;

    use super::*;

    /// A logger that nobody writes for, and what it is given to write.
    fn logger(style: Style) -> (Logger, Arc<Queue>) {
        let queue = Arc::new(Queue::default());
        (Logger { levels: Levels::of(false, true), style, queue: Arc::clone(&queue) }, queue)
    }

    fn say(logger: &dyn Log, level: Level, target: &str, text: fmt::Arguments<'_>) {
        logger.log(&Record::builder().level(level).target(target).args(text).build());
    }

    fn written(style: Style, level: Level, text: &str) -> String {
        let (logger, queue) = logger(style);
        say(&logger, level, "healthchecker::daemon", format_args!("{text}"));
        String::from_utf8(queue.take().lines).expect("UTF-8")
    }

    #[test]
    fn nothing_from_outside_can_forge_a_line() {
        let line =
            written(Style::Journal, Level::Info, "name\n<3>forged\r\u{1b}[2J\u{202e}\u{85}\tend");
        assert_eq!(line, "<6>name\\n<3>forged\\x0d\\x1b[2J\\u202e\\x85 end\n");
    }

    #[test]
    fn a_message_is_bounded() {
        let line = written(Style::Journal, Level::Info, &"é".repeat(MAX_MESSAGE));
        assert!(line.len() <= MAX_MESSAGE + "<6>é…\n".len() && line.ends_with("…\n"));
    }

    #[test]
    fn libraries_are_silent_until_debug() {
        let allowed = |levels: Levels, level, target| {
            levels.allow(&Metadata::builder().level(level).target(target).build())
        };
        let (plain, verbose, debug) =
            (Levels::of(false, false), Levels::of(true, false), Levels::of(true, true));
        assert!(
            allowed(plain, Level::Info, "healthchecker")
                && !allowed(plain, Level::Debug, "healthchecker")
        );
        assert!(allowed(verbose, Level::Debug, "healthchecker::engine"));
        assert!(allowed(debug, Level::Trace, "healthchecker::engine"));
        for target in ["mdns_sd", "healthcheckers", "rustls::client"] {
            assert!(!allowed(verbose, Level::Error, target), "{target}");
            assert!(
                allowed(debug, Level::Debug, target) && !allowed(debug, Level::Trace, target),
                "{target}"
            );
        }
    }

    #[test]
    fn a_library_is_named() {
        let (logger, queue) = logger(Style::Journal);
        say(&logger, Level::Warn, "mdns_sd", format_args!("no multicast"));
        assert_eq!(queue.take().lines, b"<4>mdns_sd: no multicast\n");
    }

    #[test]
    fn a_panic_in_a_message_does_no_harm() {
        struct Bomb;
        impl fmt::Display for Bomb {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("while it is formatted")
            }
        }
        let (logger, queue) = logger(Style::Journal);
        let bomb = std::panic::AssertUnwindSafe(|| {
            say(&logger, Level::Info, "healthchecker", format_args!("{Bomb}"))
        });
        assert!(std::panic::catch_unwind(bomb).is_err());
        say(&logger, Level::Info, "healthchecker", format_args!("still here"));
        assert_eq!(queue.take().lines, b"<6>still here\n");
    }
}
