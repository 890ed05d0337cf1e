//! Local time in every zone of the world, beside what Python's zoneinfo makes of the same files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::collections::HashMap;
use std::fs;
use std::process::Command;

use healthchecker::engine::time::{Wall, Zone};

/// Says the offset, in seconds, of each zone at moments from 1890 to 2100: one each two months or so, and
/// the last before and the first after each change that is found between two of them.
const SCRIPT: &str = r#"
import random, zoneinfo
from datetime import datetime, timedelta, timezone
from pathlib import Path
zoneinfo.reset_tzpath(to=["/usr/share/zoneinfo"])
chance = random.Random(18)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

def ahead(zone, second):
    return int((EPOCH + timedelta(seconds=second)).astimezone(zone).utcoffset().total_seconds())

def turn(zone, early, late):
    while late - early > 1:
        middle = (early + late) // 2
        early, late = (early, middle) if ahead(zone, middle) != ahead(zone, early) else (middle, late)
    return late

# Many have several names.
files = {Path("/usr/share/zoneinfo", name).read_bytes(): name for name in sorted(zoneinfo.available_timezones())}
for name in files.values():
    zone = zoneinfo.ZoneInfo(name)
    moments, before = [-2_500_000_000], ahead(zone, -2_500_000_000)
    while moments[-1] < 4_100_000_000:
        last = moments[-1]
        next = last + chance.randrange(4_000_000, 8_000_000)
        after = ahead(zone, next)
        if before != after:
            at = turn(zone, last, next)
            moments += [at - 1, at]
        moments.append(next)
        before = after
    print(name, *(f"{moment}:{ahead(zone, moment)}" for moment in moments))
"#;

/// No file has a change after this, in 2087: seconds.
const AFTER_ALL_CHANGES: i64 = 3_705_000_000;

/// `name second:offset second:offset ...`
fn told_by_python() -> Option<String> {
    let python = Command::new("python3").args(["-c", SCRIPT]).output().ok()?;
    assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stderr));
    Some(String::from_utf8(python.stdout).unwrap())
}

fn file(name: &str) -> Vec<u8> {
    fs::read(format!("/usr/share/zoneinfo/{name}")).unwrap()
}

/// The rule for the time after all that the file tells.
fn rule(file: &[u8]) -> &str {
    let text = file.strip_suffix(b"\n").expect("a footer");
    let begin = text.iter().rposition(|byte| *byte == b'\n').expect("a footer") + 1;
    std::str::from_utf8(&text[begin..]).expect("a rule")
}

#[test]
fn every_zone_is_as_python_has_it() {
    let Some(told) = told_by_python().filter(|told| !told.is_empty()) else {
        println!("skipped: no python3 with zoneinfo, or no tzdata");
        return;
    };
    let mut seen: HashMap<i32, u32> = HashMap::new();
    for line in told.lines() {
        let (name, moments) = line.split_once(' ').unwrap();
        let file = file(name);
        let zone = Zone::from_tzif(&file).unwrap_or_else(|why| panic!("{name}: {why}"));
        let by_rule = Zone::from_posix(rule(&file)).unwrap_or_else(|| panic!("{name}"));
        for moment in moments.split(' ') {
            let (second, offset) = moment.split_once(':').unwrap();
            let second: i64 = second.parse().unwrap();
            let wall = Wall::from_unix_millis(second * 1000);
            let offset: i32 = offset.parse().unwrap();
            assert_eq!(zone.seconds_ahead(wall), offset, "{name} at {second}");
            // Morocco and Gaza follow the moon until 2087; all others tell no change after 2037.
            if second > AFTER_ALL_CHANGES {
                assert_eq!(by_rule.seconds_ahead(wall), offset, "{name} by rule at {second}");
            }
            *seen.entry(offset).or_insert(0) += 1;
        }
    }
    assert!(told.lines().count() > 300 && seen.len() > 100, "{} zones", told.lines().count());
}
