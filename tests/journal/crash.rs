//! Single faults, one at every place where one can happen.

use healthchecker::daemon::journal::{JOURNAL, Urgency};

use super::keeper::Keeper;

/// More calls than anything here makes.
const CALLS: usize = 40;

#[test]
fn power_may_go_at_any_call_of_a_compaction() {
    for (calls, seed) in (0..CALLS).flat_map(|calls| (0..20).map(move |seed| (calls, seed))) {
        let mut keeper = Keeper::new(seed);
        (1..4).for_each(|of| keeper.append(of, Urgency::Now));
        keeper.disk.cut_power_after(calls);
        keeper.snapshot();
        keeper.append(1, Urgency::Now);
        keeper.power_cut();
        keeper.start();
    }
}

#[test]
fn power_may_go_at_any_call_of_a_recovery() {
    for (calls, seed) in (0..CALLS).flat_map(|calls| (0..20).map(move |seed| (calls, seed))) {
        let mut keeper = Keeper::new(seed);
        (1..4).for_each(|of| keeper.append(of, Urgency::Now));
        keeper.stop();
        let mut bytes = keeper.disk.get(JOURNAL).unwrap();
        bytes.splice(0..0, *b"something else\n");
        keeper.disk.put(JOURNAL, &bytes);
        keeper.disk.cut_power_after(calls);
        keeper.start();
        keeper.power_cut();
        keeper.start();
        assert_eq!(keeper.disk.names(), ["journal", "journal.damaged-1"]);
        assert_eq!(keeper.disk.get("journal.damaged-1").unwrap(), bytes);
    }
}

#[test]
fn a_full_disk_is_said_to_be_full_and_room_ends_the_trouble() {
    let mut keeper = Keeper::new(1);
    keeper.append(1, Urgency::Now);
    keeper.turn();
    keeper.disk.set_room(Some(30));
    keeper.append(1, Urgency::Now);
    assert!(keeper.trouble().unwrap().full);
    let text = keeper.trouble().unwrap().text;
    assert!(text.starts_with("could not append to /state/journal: "), "{text}");
    keeper.turn();
    assert!(keeper.trouble().unwrap().full);
    keeper.turn();
    keeper.disk.set_room(None);
    keeper.append(1, Urgency::Now);
    assert!(keeper.trouble().is_some(), "never again in the old file");
    keeper.wait(1);
    keeper.turn();
    assert_eq!(keeper.trouble(), None);
    assert_eq!(keeper.acknowledged.len(), 3);
    keeper.power_cut();
    assert_eq!(keeper.start().warnings, Vec::<String>::new());
}

#[test]
fn a_start_on_a_disk_that_cannot_be_written_knows_everything_and_recovers() {
    let mut keeper = Keeper::new(1);
    (0..3).for_each(|_| keeper.append(2, Urgency::Now));
    keeper.stop();
    keeper.disk.set_faults(100);
    let opened = keeper.start();
    assert_eq!(opened.batches.len(), 3);
    assert_eq!((opened.warnings.len(), opened.lost), (0, false));
    assert!(keeper.trouble().is_some());
    keeper.append(1, Urgency::Now);
    assert!(keeper.trouble().is_some());
    keeper.disk.set_faults(0);
    keeper.wait(1);
    keeper.turn();
    assert_eq!(keeper.trouble(), None);
    assert_eq!(keeper.acknowledged.len(), 4);
}

#[test]
fn a_journal_that_was_taken_away_is_written_again() {
    let mut keeper = Keeper::new(1);
    keeper.append(1, Urgency::Now);
    keeper.turn();
    keeper.disk.steal(JOURNAL);
    keeper.append(1, Urgency::Now);
    assert!(keeper.trouble().unwrap().text.contains("removed or replaced by someone else"));
    keeper.turn();
    assert_eq!(keeper.trouble(), None);
    keeper.power_cut();
    assert_eq!(keeper.start().batches.len(), 2);
}

#[test]
fn a_file_put_in_the_journals_place_is_kept() {
    let mut keeper = Keeper::new(1);
    keeper.append(1, Urgency::Now);
    keeper.turn();
    keeper.disk.put(JOURNAL, b"an old backup");
    keeper.append(1, Urgency::Now);
    keeper.turn();
    assert_eq!(keeper.trouble(), None);
    assert_eq!(keeper.disk.get("journal.damaged-1").unwrap(), b"an old backup");
}
