//! How many instructions it takes to check, to register, to mail and to show: callgrind counts them, and so no noise
//! hides that something got slower. More than was noted, by a fiftieth, fails; `make instructions` notes them anew.
//!
//! Counted in the build that tests run. Each compiler makes other instructions: what one has counted says nothing of another.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

#[path = "bench/board.rs"]
mod board;
#[path = "bench/engine.rs"]
mod engine;

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use engine::Household;
use healthchecker::daemon::api::read_parameters;
use healthchecker::daemon::mailer::{address, compose};
use healthchecker::engine::outbox::letter;
use healthchecker::engine::recipients::Recipients;
use healthchecker::engine::registration::{Origin, Registration};
use healthchecker::engine::time::Zone;
use healthchecker::engine::verdict::answer::Outcome;

const NOTED: &str = "tests/instructions.txt";
/// What is a regression, and no chance: where hashing or the system's library takes another way.
const MORE_BY: f64 = 0.02;
/// Says to the same program that it is counted, and what.
const COUNTED: &str = "COUNTED_INSTRUCTIONS";

/// What is done so many times while it is counted.
type Work = Box<dyn FnMut()>;
/// Its name, how often it is done, and what prepares it.
type Kind = (&'static str, u32, fn() -> Work);

const KINDS: [Kind; 4] = [
    ("check", 200, checks),
    ("registration", 20, registrations),
    ("mail", 20, mails),
    ("page", 2, pages),
];

/// A check in the engine, of twenty apps that are well: from its deadline to its record.
fn checks() -> Work {
    let mut household = Household::of(engine::with_apps(20));
    household.live(400, &engine::well());
    Box::new(move || drop(household.live(1, &engine::well())))
}

/// A registration, from the form to its line in the journal.
fn registrations() -> Work {
    let mut engine = engine::empty();
    let mut number = 0;
    Box::new(move || {
        number += 1;
        let form = format!(
            "appname=NAS+{number}&url=http%3A%2F%2F192.168.1.20%3A{number}&email=me%40example.org&interval=60"
        );
        let fields =
            read_parameters(None, Some("application/x-www-form-urlencoded"), form.as_bytes());
        let registration =
            Registration::from_fields(&fields.unwrap(), Origin::Network, &Recipients::default());
        engine.register(engine::beginning(), registration.unwrap()).unwrap();
        serde_json::to_string(&engine.take_records(engine::beginning())).unwrap();
    })
}

/// A mail that an app is UNHEALTHY, from the facts to what travels.
fn mails() -> Work {
    let mut household = Household::of(engine::empty());
    let fields = [
        ("appname", "NAS".to_owned()),
        ("url", "http://192.168.1.20:8080".to_owned()),
        ("email", "me@example.org".to_owned()),
    ];
    household.engine.register(household.now, engine::registration(&fields)).unwrap();
    let fails = engine::answered(Outcome::Fail, 500, "HTTP 500 Internal Server Error");
    let mail = household.live(10, &fails).remove(0);
    let (from, to) = (address("us@example.org").unwrap(), address("me@example.org").unwrap());
    Box::new(move || {
        let letter =
            letter::write(&mail, household.now.at, &Zone::UTC, Some("http://192.168.1.2:8080/"));
        assert!(letter.subject.contains("NAS is UNHEALTHY"), "{}", letter.subject);
        compose(&letter, &from, &to, Some(SystemTime::UNIX_EPOCH));
    })
}

/// The page of twenty apps that have been watched for 90 days.
fn pages() -> Work {
    let engine = board::with_a_past(20);
    assert!(board::html(&engine, &mut |look| look()).contains("99.9"), "they have a past");
    Box::new(move || drop(board::html(&engine, &mut |look| look())))
}

/// The only function whose instructions count, with those of what it calls.
#[inline(never)]
fn counted_from_here_on(work: &mut Work, times: u32) {
    for _ in 0..times {
        work();
    }
}

/// The same program under callgrind: instructions each time, or that there is no callgrind.
fn count(name: &str, times: u32) -> Option<u64> {
    let counts = tempfile::NamedTempFile::new().unwrap();
    let done = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg("--toggle-collect=*counted_from_here_on*")
        .arg(format!("--callgrind-out-file={}", counts.path().display()))
        .arg(env::current_exe().unwrap())
        .args(["--exact", "counted", "--ignored", "--test-threads=1"])
        .env(COUNTED, name)
        .output()
        .ok()?;
    assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
    let counts = fs::read_to_string(counts.path()).unwrap();
    let all = counts.lines().find_map(|line| line.strip_prefix("summary: ")).unwrap();
    Some(all.trim().parse::<u64>().unwrap() / u64::from(times))
}

#[test]
#[ignore = "it is run by the other, and counted"]
fn counted() {
    let name = env::var(COUNTED).unwrap_or_default();
    for (_, times, prepare) in KINDS.into_iter().filter(|(kind, ..)| *kind == name) {
        let mut work = prepare();
        counted_from_here_on(&mut work, times);
    }
}

/// The compiler that this was made with is the one that `cargo` finds here.
fn compiler() -> String {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc).arg("--version").output().unwrap().stdout;
    String::from_utf8(version).unwrap().trim().to_owned()
}

#[test]
fn nothing_takes_more_instructions_than_was_noted() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(NOTED);
    let noted = fs::read_to_string(&file).unwrap();
    let compiler = compiler();
    let is_told = env::var_os("NOTE_INSTRUCTIONS").is_some();
    if !is_told && noted.lines().next() != Some(compiler.as_str()) {
        println!("{NOTED} is of another compiler than {compiler}: nothing to compare");
        return;
    }
    let mut counts = format!("{compiler}\n");
    let mut grown = Vec::new();
    for (name, times, _) in KINDS {
        let Some(count) = count(name, times) else {
            println!("no valgrind, no counts");
            return;
        };
        let before = noted.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        println!("{name}: {count} instructions, noted {before:?}");
        writeln!(counts, "{name} {count}").unwrap();
        if before.is_none_or(|before: u64| count as f64 > before as f64 * (1.0 + MORE_BY)) {
            grown.push(format!("{name}: {count}, noted {before:?}"));
        }
    }
    if is_told {
        fs::write(file, counts).unwrap();
    } else {
        assert!(
            grown.is_empty(),
            "{grown:#?}: if that is worth it, `make instructions` notes the new counts, and its commit says why"
        );
    }
}
