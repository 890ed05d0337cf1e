//! The log as the loop and the API know it, on a real disk.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::engine::check_log::Event;
use crate::engine::time::Wall;

fn line(app: &str, event: Event) -> Line {
    Line { time: Wall::from_unix_millis(1_795_474_540_000), appname: app.to_owned(), event }
}

fn hour(pass: u16) -> Event {
    Event::Hour { pass, warn: 0, fail: 0, min_ms: 1, mean_ms: 2, max_ms: 3 }
}

fn events(log: &CheckLog, appname: Option<&str>, limit: usize) -> Vec<String> {
    let query = Query { appname: appname.map(str::to_owned), limit };
    let mut text = String::new();
    log.reader().find(&query).unwrap().read_to_string(&mut text).unwrap();
    let events = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    events.map(|line| format!("{} {}", line["appname"], line["event"]).replace('"', "")).collect()
}

fn until(condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < end, "it did not come about");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

#[test]
fn what_is_written_is_read_at_once_and_by_the_next_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = CheckLog::start(Some(folder.path())).unwrap();
    assert!(events(&log, None, 9).is_empty());
    log.write(line("NAS", Event::Paused));
    log.write(line("Kodi", Event::Resumed));
    assert_eq!(events(&log, None, 9), ["NAS paused", "Kodi resumed"]);
    assert_eq!(events(&log, Some("NAS"), 9), ["NAS paused"]);
    log.write(line("NAS", hour(7)));
    drop(log);
    let log = CheckLog::start(Some(folder.path())).unwrap();
    assert_eq!(events(&log, Some("NAS"), 9), ["NAS paused", "NAS hour"]);
    assert_eq!(events(&log, None, 1), ["NAS hour"]);
}

#[test]
fn lines_reach_the_disk_though_nobody_looks() {
    let folder = tempfile::tempdir().unwrap();
    let newest = folder.path().join(NEWEST);
    let mut log = CheckLog::start(Some(folder.path())).unwrap();
    log.write(line("NAS", Event::Paused));
    until(|| size(&newest) > 0);
    let first = size(&newest);
    log.write(line("NAS", hour(7)));
    until(|| size(&newest) > first);
    assert_eq!(log.trouble(), None);
}

#[test]
fn without_a_folder_lines_stay_in_memory_within_bounds() {
    let mut log = CheckLog::start(None).unwrap();
    log.write(line("first", Event::Stopped));
    for n in 0..2_000 {
        log.write(line("NAS", hour(n)));
    }
    let kept = events(&log, None, 10_000);
    assert!((100..2_000).contains(&kept.len()), "{}", kept.len());
    assert_eq!(log.trouble(), None);
}

#[test]
fn a_disk_that_takes_nothing_is_trouble_until_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    fs::write(&state, "in the way").unwrap();
    let mut log = CheckLog::start(Some(&state)).unwrap();
    assert_eq!(log.trouble(), None);
    log.write(line("NAS", Event::Paused));
    assert_eq!(events(&log, None, 9), ["NAS paused"], "from memory");
    let why = log.trouble().map(str::to_owned).unwrap();
    assert!(why.contains("state/checks.log cannot be written: Not a directory"), "{why}");
    fs::remove_file(&state).unwrap();
    log.write(line("NAS", Event::Resumed));
    assert_eq!(events(&log, None, 9), ["NAS paused", "NAS resumed"], "from the disk");
    assert_eq!(log.trouble(), None);
    assert_eq!(fs::read_to_string(state.join(NEWEST)).unwrap().lines().count(), 2, "none twice");
}

#[test]
fn what_piles_up_before_the_thread_is_bounded() {
    let (orders, inbox) = channel();
    let (_tell, troubles) = channel();
    let transit = Arc::new(Transit::default());
    let mut log =
        CheckLog { orders, transit: Arc::clone(&transit), troubles, trouble: None, thread: None };
    let heavy = line(&"x".repeat(IN_TRANSIT_MAX / 4), Event::Paused);
    for _ in 0..5 {
        log.write(heavy.clone());
    }
    assert_eq!((inbox.try_iter().count(), transit.lost.load(Ordering::Relaxed)), (3, 2));
}
