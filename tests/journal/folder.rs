//! The real disk: modes, locks, two daemons, a folder that goes away.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use healthchecker::daemon::journal::{
    ClaimError, Folder, JOURNAL, Journal, NEW, OpenError, Opened, Report, Urgency,
};
use healthchecker::engine::time::Moment;

type Words = Journal<String>;

fn open(path: &Path) -> (Words, Opened<String>, Receiver<Report>) {
    let (tell, reports) = mpsc::channel();
    let tell = move |report| tell.send(report).unwrap_or_default();
    let (mut journal, opened) = Journal::open(Folder::claim(path).unwrap(), tell).unwrap();
    assert_eq!(report(&mut journal, &reports).snapshot, Some(Ok(())));
    (journal, opened, reports)
}

fn report(journal: &mut Words, reports: &Receiver<Report>) -> Report {
    let report = reports.recv_timeout(Duration::from_secs(20)).unwrap();
    journal.handle_report(&report, Moment::START);
    report
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn append(journal: &mut Words, reports: &Receiver<Report>, word: &str) -> Report {
    journal.append(&[word.to_owned()], Urgency::Now);
    report(journal, reports)
}

#[test]
fn what_is_appended_is_found_by_the_next_daemon() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a/b");
    let (mut journal, opened, reports) = open(&path);
    assert_eq!((opened.batches.len(), opened.warnings.len()), (0, 0));
    let first = append(&mut journal, &reports, "one");
    assert_eq!(first.outcome, Ok(()));
    assert_eq!((first.stats.syncs, first.stats.written), (3, first.stats.size));
    journal.append(&["two".to_owned()], Urgency::Soon);
    drop(journal);
    assert_eq!((mode(&path), mode(&path.join(JOURNAL))), (0o700, 0o600));
    let text = fs::read_to_string(path.join(JOURNAL)).unwrap();
    assert_eq!(text, "healthchecker journal 1 5e50a4e5\nca35c400 [\"one\"]\nfd83ff50 [\"two\"]\n");
    assert_eq!(open(&path).1.batches, [["one"], ["two"]]);
}

#[test]
fn a_snapshot_takes_the_place_of_the_file_with_what_came_after_it() {
    let home = tempfile::tempdir().unwrap();
    let (mut journal, _, reports) = open(home.path());
    append(&mut journal, &reports, "one");
    let mark = journal.write_snapshot([["all".to_owned()]]);
    let done = report(&mut journal, &reports);
    assert_eq!((done.mark, done.snapshot), (mark, Some(Ok(()))));
    append(&mut journal, &reports, "two");
    drop(journal);
    assert!(!home.path().join(NEW).exists());
    assert_eq!(open(home.path()).1.batches, [["all"], ["two"]]);
}

#[test]
fn a_folder_that_exists_is_used_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    drop(open(home.path()));
    assert_eq!(mode(home.path()), 0o755);
}

#[test]
fn a_second_daemon_is_told_who_has_the_folder() {
    let home = tempfile::tempdir().unwrap();
    let first = Folder::claim(home.path()).unwrap();
    let second = Folder::claim(home.path()).unwrap_err();
    assert!(matches!(second, ClaimError::Taken { .. }));
    if fs::exists("/proc/locks").unwrap() {
        let pid = format!("(process {})", std::process::id());
        assert!(second.to_string().contains(&pid), "{second}");
    }
    drop(first);
    Folder::claim(home.path()).unwrap();
}

#[test]
fn a_newer_format_is_refused_and_not_touched() {
    let home = tempfile::tempdir().unwrap();
    let newer = "healthchecker journal 2 c759f55f\nwhatever that is\n";
    fs::write(home.path().join(JOURNAL), newer).unwrap();
    let folder = Folder::claim(home.path()).unwrap();
    let refused = Journal::<String>::open(folder, |_| ()).unwrap_err();
    assert!(matches!(refused, OpenError::Newer { version: 2, .. }), "{refused}");
    assert_eq!(fs::read_to_string(home.path().join(JOURNAL)).unwrap(), newer);
}

#[test]
fn what_is_no_file_is_refused() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(JOURNAL)).unwrap();
    let folder = Folder::claim(home.path()).unwrap();
    let refused = Journal::<String>::open(folder, |_| ()).unwrap_err();
    assert!(refused.to_string().contains("not a file"), "{refused}");
}

#[test]
fn a_record_of_another_version_is_told_and_kept_aside() {
    let home = tempfile::tempdir().unwrap();
    let (mut journal, _, reports) = open(home.path());
    append(&mut journal, &reports, "word");
    drop(journal);
    let before = fs::read(home.path().join(JOURNAL)).unwrap();
    let folder = Folder::claim(home.path()).unwrap();
    let (_, opened) = Journal::<u8>::open(folder, |_| ()).unwrap();
    assert!(opened.warnings[0].contains("1 lines that this version does not know"));
    assert_eq!((opened.batches.len(), opened.lost), (0, false));
    assert_eq!(fs::read(home.path().join("journal.damaged-1")).unwrap(), before);
}

#[test]
fn a_folder_that_went_away_is_made_again_and_locked_again() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state");
    let (mut journal, _, reports) = open(&path);
    append(&mut journal, &reports, "one");
    fs::rename(&path, home.path().join("moved")).unwrap();
    assert!(append(&mut journal, &reports, "two").outcome.is_err());
    assert!(journal.wants_snapshot(Moment::START));
    journal.write_snapshot([["one".to_owned(), "two".to_owned()]]);
    assert_eq!(report(&mut journal, &reports).outcome, Ok(()));
    assert!(matches!(Folder::claim(&path), Err(ClaimError::Taken { .. })));
    assert_eq!(append(&mut journal, &reports, "three").outcome, Ok(()));
    drop(journal);
    assert_eq!(mode(&path), 0o700);
    assert_eq!(open(&path).1.batches, [vec!["one", "two"], vec!["three"]]);
}

#[test]
fn five_hundred_at_once_share_their_syncs() {
    let home = tempfile::tempdir().unwrap();
    let (mut journal, _, reports) = open(home.path());
    let before = journal.stats().syncs;
    for number in 0..500 {
        journal.append(&[number.to_string()], Urgency::Soon);
    }
    let last = journal.append(&["now".to_owned()], Urgency::Now);
    while report(&mut journal, &reports).mark < last {}
    // One, unless this machine stood still for a second.
    assert!(journal.stats().syncs - before < 10, "{:?}", journal.stats());
}

#[test]
fn an_empty_batch_is_reported_and_costs_nothing() {
    let home = tempfile::tempdir().unwrap();
    let (mut journal, _, reports) = open(home.path());
    let one = append(&mut journal, &reports, "one");
    let mark = journal.append(&[], Urgency::Now);
    let empty = report(&mut journal, &reports);
    assert_eq!((empty.mark, empty.outcome, empty.stats), (mark, Ok(()), one.stats));
}
