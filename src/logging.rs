//! The log on standard error: one line for one event, whatever is in it.
//!
//! Standard error may be a full disk or a closed pipe: a line that cannot be written is dropped,
//! and nothing panics. What comes from outside cannot forge a line, since every character that a
//! terminal or a log reader would obey is escaped.
//!
//! Levels: a change of state and the start are `info`, each check is `debug`, inner steps are
//! `trace`; what the owner must see to is `warn` or `error`.

use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use log::{LevelFilter, Log, Metadata, Record, SetLoggerError};
use simplelog::{Config, ConfigBuilder, LevelPadding, WriteLogger, format_description};

use crate::config::quoted::escaped;
use crate::config::settings::Settings;
use crate::engine::words::plain::is_obeyed;

/// The longest message: an app's whole health JSON is cut elsewhere, this bounds what is not.
const MAX_MESSAGE: usize = 8 * 1024;

/// Our own modules; everything else is a library.
const OWN_TARGET: &str = env!("CARGO_CRATE_NAME");

/// Starts the log.
///
/// # Errors
/// If this process has a logger already.
pub fn start(settings: &Settings) -> Result<(), SetLoggerError> {
    let levels = Levels::of(settings.verbose, settings.debug);
    let style = if stderr_is_the_journal() { Style::Journal } else { Style::Plain };
    log::set_boxed_logger(Box::new(Logger::new(levels, style, io::stderr())))?;
    log::set_max_level(levels.own);
    std::panic::set_hook(Box::new(|panic| log::error!("this is a bug: {panic}")));
    Ok(())
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

/// What stands before a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// The time in UTC and the level.
    Plain,
    /// The priority as systemd reads it (sd-daemon(3)); the journal has a clock of its own.
    Journal,
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

/// Cleans a message before simplelog writes it.
///
/// simplelog formats a message while it holds a lock, and a panic there would poison the lock and
/// with it every later message. So it only ever gets finished text.
struct Logger<W: Write + Send + 'static> {
    levels: Levels,
    style: Style,
    inner: Box<WriteLogger<WholeLines<W>>>,
}

impl<W: Write + Send + 'static> Logger<W> {
    fn new(levels: Levels, style: Style, to: W) -> Logger<W> {
        let lines = WholeLines { line: Vec::new(), to };
        Logger { levels, style, inner: WriteLogger::new(LevelFilter::Trace, format(style), lines) }
    }
}

impl<W: Write + Send + 'static> Log for Logger<W> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.levels.allow(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut clean = Clean { text: String::new() };
        if self.style == Style::Journal {
            clean.text.push_str(priority(record.level()));
        }
        if !is_own(record.metadata()) {
            let _ = write!(clean, "{}: ", record.target());
        }
        // The only error is that the message is long enough.
        let _ = clean.write_fmt(*record.args());
        let text = format_args!("{}", clean.text);
        self.inner.log(&Record::builder().level(record.level()).args(text).build());
    }

    fn flush(&self) {
        self.inner.flush();
    }
}

fn format(style: Style) -> Config {
    let mut format = ConfigBuilder::new();
    format
        .set_thread_level(LevelFilter::Off)
        .set_target_level(LevelFilter::Off)
        .set_location_level(LevelFilter::Off)
        .set_level_padding(LevelPadding::Right)
        .set_time_format_custom(format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        ));
    if style == Style::Journal {
        format.set_time_level(LevelFilter::Off).set_max_level(LevelFilter::Off);
    }
    format.build()
}

fn priority(level: log::Level) -> &'static str {
    match level {
        log::Level::Error => "<3>",
        log::Level::Warn => "<4>",
        log::Level::Info => "<6>",
        log::Level::Debug | log::Level::Trace => "<7>",
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

/// Writes whole lines in one piece each, and never fails.
struct WholeLines<W> {
    line: Vec<u8>,
    to: W,
}

impl<W: Write> Write for WholeLines<W> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(part);
        if part.ends_with(b"\n") {
            let _ = self.to.write_all(&self.line);
            self.line.clear();
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.to.flush();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use log::Level;

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, part: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("a lock").extend_from_slice(part);
            Ok(part.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct FullDisk;

    impl Write for FullDisk {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    fn say(logger: &dyn Log, level: Level, target: &str, text: fmt::Arguments<'_>) {
        logger.log(&Record::builder().level(level).target(target).args(text).build());
    }

    fn written(style: Style, level: Level, text: &str) -> String {
        let paper = Paper::default();
        let logger = Logger::new(Levels::of(false, true), style, paper.clone());
        say(&logger, level, "healthchecker::daemon", format_args!("{text}"));
        let bytes = paper.0.lock().expect("a lock").clone();
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn a_line_has_the_time_and_the_level() {
        let line = written(Style::Plain, Level::Warn, "disk full");
        assert_eq!(line.len(), "2026-11-23T22:55:40.250Z [WARN ] disk full\n".len(), "{line}");
        assert!(line.starts_with("20") && line.ends_with("Z [WARN ] disk full\n"), "{line}");
    }

    #[test]
    fn the_journal_gets_the_priority_and_no_time() {
        assert_eq!(written(Style::Journal, Level::Info, "started"), "<6>started\n");
        assert_eq!(written(Style::Journal, Level::Error, "oh"), "<3>oh\n");
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
        assert!(line.len() <= MAX_MESSAGE + "é…\n".len() && line.ends_with("…\n"));
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
        let paper = Paper::default();
        let logger = Logger::new(Levels::of(false, true), Style::Journal, paper.clone());
        say(&logger, Level::Warn, "mdns_sd", format_args!("no multicast"));
        assert_eq!(*paper.0.lock().expect("a lock"), b"<4>mdns_sd: no multicast\n");
    }

    #[test]
    fn a_full_disk_and_a_panic_in_a_message_do_no_harm() {
        let logger = Logger::new(Levels::of(false, false), Style::Plain, FullDisk);
        say(&logger, Level::Info, "healthchecker", format_args!("lost"));
        logger.flush();

        struct Bomb;
        impl fmt::Display for Bomb {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("while it is formatted")
            }
        }
        let paper = Paper::default();
        let logger = Logger::new(Levels::of(false, false), Style::Journal, paper.clone());
        let bomb = std::panic::AssertUnwindSafe(|| {
            say(&logger, Level::Info, "healthchecker", format_args!("{Bomb}"))
        });
        assert!(std::panic::catch_unwind(bomb).is_err());
        say(&logger, Level::Info, "healthchecker", format_args!("still here"));
        assert_eq!(*paper.0.lock().expect("a lock"), b"<6>still here\n");
    }
}
