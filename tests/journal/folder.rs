//! The real disk: modes, locks, two daemons, a folder that goes away.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use healthchecker::daemon::journal::{
    ClaimError, Folder, JOURNAL, Journal, NEW, OpenError, Opened, SyncReport, Urgency,
};
use healthchecker::engine::time::Moment;

type Words = Journal<String>;

fn open(path: &Path) -> (Words, Opened<String>, Receiver<SyncReport>) {
    let (tell, reports) = mpsc::channel();
    let tell = move |report| tell.send(report).unwrap_or_default();
    let (mut journal, opened) = Journal::open(Folder::claim(path).unwrap(), tell).unwrap();
    assert_eq!(report(&mut journal, &reports).snapshot, Some(Ok(())));
    (journal, opened, reports)
}

fn report(journal: &mut Words, reports: &Receiver<SyncReport>) -> SyncReport {
    let report = reports.recv_timeout(Duration::from_secs(20)).unwrap();
    journal.handle_report(&report, Moment::START);
    report
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn append(journal: &mut Words, reports: &Receiver<SyncReport>, word: &str) -> SyncReport {
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
    assert_eq!(
        text,
        concat!(
            "healthchecker journal 1 5e50a4e5\n",
            "0d4cbb29 []\n",
            "0d4cbb29 []\n",
            "ca35c400 [\"one\"]\n",
            "fd83ff50 [\"two\"]\n",
        )
    );
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

/// Words that a journal of before the marks holds.
const OLD: &str = "healthchecker journal 1 5e50a4e5\nca35c400 [\"one\"]\nfd83ff50 [\"two\"]\n";

#[test]
fn a_journal_that_is_a_link_is_replaced_where_it_lies() {
    let home = tempfile::tempdir().unwrap();
    let [state, disk, far] = ["state", "disk", "far"].map(|name| home.path().join(name));
    for path in [&state, &disk, &far] {
        fs::create_dir(path).unwrap();
    }
    // Through another link, relative and absolute, under another name.
    symlink("../disk/link", state.join(JOURNAL)).unwrap();
    symlink(far.join("words"), disk.join("link")).unwrap();
    fs::write(far.join("words"), OLD).unwrap();
    let (mut journal, opened, reports) = open(&state);
    assert_eq!(opened.batches, [["one"], ["two"]]);
    append(&mut journal, &reports, "three");
    journal.write_snapshot([["all".to_owned()]]);
    report(&mut journal, &reports);
    append(&mut journal, &reports, "four");
    drop(journal);
    assert!(state.join(JOURNAL).is_symlink() && disk.join("link").is_symlink());
    assert_eq!(fs::read_dir(&state).unwrap().count(), 1);
    let [linked, real] =
        [state.join(JOURNAL), far.join("words")].map(|path| fs::read(path).unwrap());
    assert_eq!(linked, real);
    assert_eq!(open(&state).1.batches, [["all"], ["four"]]);

    fs::write(far.join("words"), "rubbish\n").unwrap();
    let opened = open(&state).1;
    assert!(opened.lost && opened.warnings[0].contains("damaged"), "{:?}", opened.warnings);
    assert_eq!(fs::read(far.join("words.damaged-1")).unwrap(), b"rubbish\n");
}

#[test]
fn a_link_to_a_disk_that_is_not_there_is_no_empty_journal() {
    let home = tempfile::tempdir().unwrap();
    let [state, disk] = ["state", "disk"].map(|name| home.path().join(name));
    fs::create_dir(&state).unwrap();
    symlink(disk.join("words"), state.join(JOURNAL)).unwrap();
    let refused = || {
        let opened = Words::open(Folder::claim(&state).unwrap(), |_| {});
        let Err(why @ OpenError::Unreadable { .. }) = opened.map(|_| ()) else {
            panic!("it is open")
        };
        assert!(why.to_string().contains("is the disk mounted?"), "{why}");
    };
    refused();
    // The folder of a disk is there before the disk.
    fs::create_dir(&disk).unwrap();
    refused();
    assert_eq!(fs::read_dir(&disk).unwrap().count(), 0);
    fs::write(disk.join("words"), OLD).unwrap();
    assert_eq!(open(&state).1.batches, [["one"], ["two"]]);
    // Whoever wants to begin with nothing takes the link away.
    fs::remove_file(state.join(JOURNAL)).unwrap();
    assert_eq!(open(&state).1.batches.len(), 0);
}

#[test]
fn a_snapshot_that_lost_its_end_is_damage_and_an_append_that_did_is_not() {
    for (lines, cut, torn) in [
        ("fd83ff50 [\"two\"]\n0d4c", true, 4),
        ("fd83ff50 [\"two\"]\n", true, 0),
        ("0d4cbb29 []\nfd83", false, 4),
    ] {
        let home = tempfile::tempdir().unwrap();
        let bytes =
            format!("healthchecker journal 1 5e50a4e5\n0d4cbb29 []\nca35c400 [\"one\"]\n{lines}");
        fs::write(home.path().join(JOURNAL), &bytes).unwrap();
        let opened = open(home.path()).1;
        assert_eq!(opened.lost, cut, "{lines:?}");
        assert_eq!(home.path().join("journal.damaged-1").exists(), cut);
        let told = opened.warnings.concat();
        assert!(told.contains(if cut { "damaged" } else { "torn" }), "{told}");
        assert!(torn == 0 || told.contains("4 bytes"), "{told}");
        assert_eq!(opened.batches[0], ["one"]);
        assert!(open(home.path()).1.warnings.is_empty());
    }
    // A journal of before the marks cannot tell: as ever, its torn end was nobody's.
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join(JOURNAL), &OLD[..OLD.len() - 3]).unwrap();
    assert!(!open(home.path()).1.lost);
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
    let stats = journal.stats();
    assert!((1..10).contains(&(stats.syncs - before)), "{stats:?}");
    assert_eq!(stats.size, fs::metadata(home.path().join("journal")).unwrap().len());
    assert!(stats.written >= stats.size && stats.sync_time >= stats.last_sync, "{stats:?}");
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
