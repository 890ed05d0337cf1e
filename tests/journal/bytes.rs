//! A recorded journal, cut and changed at every byte.

use std::collections::BTreeSet;
use std::sync::mpsc;

use healthchecker::daemon::journal::{JOURNAL, Journal, Opened, SyncReport, Urgency};

use super::faulty::Faulty;
use super::keeper::{Keeper, Record, number_of};

/// A file of some KiB, with a snapshot in it and batches of all sizes after it.
fn recorded() -> Vec<u8> {
    let mut keeper = Keeper::new(1);
    (0..12).for_each(|number| keeper.append(1 + number % 3, Urgency::Now));
    keeper.snapshot();
    (0..12).for_each(|number| keeper.append(1 + number % 4, Urgency::Now));
    keeper.disk.get(JOURNAL).unwrap()
}

/// A start that finds these bytes.
fn open(bytes: &[u8]) -> (Faulty, Opened<Record>) {
    let disk = Faulty::new(1);
    disk.put(JOURNAL, bytes);
    let opened = start(&disk);
    (disk, opened)
}

fn start(disk: &Faulty) -> Opened<Record> {
    let (tell, reports) = mpsc::channel();
    let (_, opened) =
        Journal::open(disk.clone(), move |report| tell.send(report).unwrap()).unwrap();
    let first: SyncReport = reports.recv().unwrap();
    assert_eq!((first.outcome, first.snapshot), (Ok(()), Some(Ok(()))));
    opened
}

fn numbers(opened: &Opened<Record>) -> Vec<u64> {
    opened.batches.iter().map(|batch| number_of(batch)).collect()
}

/// The lines of the file, with where each begins.
fn lines(bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let mut begin = 0;
    let line = |line: &'_ [u8]| {
        begin += line.len();
        begin - line.len()
    };
    let begins: Vec<usize> = bytes.split_inclusive(|byte| *byte == b'\n').map(line).collect();
    begins.into_iter().zip(bytes.split_inclusive(|byte| *byte == b'\n')).collect()
}

/// A line that marks where the snapshot begins or ends.
fn is_mark(line: &[u8]) -> bool {
    line.ends_with(b" []\n")
}

/// Which batch each line is, if any.
fn numbers_of(lines: &[(usize, &[u8])]) -> Vec<Option<u64>> {
    let mut numbers = 0..;
    let number = |(begin, line): &(usize, &[u8])| {
        (*begin > 0 && !is_mark(line)).then(|| numbers.next().unwrap())
    };
    lines.iter().map(number).collect()
}

/// The next start finds the same, and nothing to complain of.
fn is_whole_afterwards(disk: &Faulty, opened: &Opened<Record>) {
    let (_, again) = open(&disk.get(JOURNAL).unwrap());
    assert_eq!(again.batches, opened.batches);
    assert_eq!(again.warnings, Vec::<String>::new());
}

#[test]
fn the_recorded_file_is_of_a_fair_size() {
    assert!((2_000..6_000).contains(&recorded().len()), "{}", recorded().len());
}

#[test]
fn a_cut_at_any_byte_leaves_the_batches_before_it() {
    let bytes = recorded();
    let lines = lines(&bytes);
    let numbered = numbers_of(&lines);
    for cut in 0..=bytes.len() {
        let (disk, opened) = open(&bytes[..cut]);
        let whole = lines.iter().filter(|(begin, line)| begin + line.len() <= cut).count();
        assert!(
            numbers(&opened).into_iter().eq(numbered[..whole].iter().copied().flatten()),
            "cut {cut}"
        );
        let marks = lines[..whole].iter().filter(|(_, line)| is_mark(line)).count();
        let lost = whole == 0 || marks == 1;
        let at_an_end = lines.iter().any(|(begin, line)| begin + line.len() == cut);
        let expected = match lost {
            true => Some("damaged"),
            _ if at_an_end => None,
            _ => Some("torn"),
        };
        match expected {
            Some(word) => assert!(opened.warnings[0].contains(word), "{:?}", opened.warnings),
            None => assert!(opened.warnings.is_empty()),
        }
        assert_eq!(opened.lost, lost);
        is_whole_afterwards(&disk, &opened);
    }
}

#[test]
fn a_change_of_any_byte_costs_its_line_and_keeps_the_old_file() {
    let bytes = recorded();
    let lines = lines(&bytes);
    let numbered = numbers_of(&lines);
    let all: BTreeSet<u64> = numbered.iter().copied().flatten().collect();
    for at in 0..bytes.len() {
        for mask in [0x01, bytes[at], bytes[at] ^ b'\n'].into_iter().filter(|m| *m != 0) {
            let mut changed = bytes.clone();
            changed[at] ^= mask;
            let (disk, opened) = open(&changed);
            let line = lines.iter().rposition(|(begin, _)| *begin <= at).unwrap();
            // Without its line feed, a line takes the next one with it.
            let joined = usize::from(bytes[at] == b'\n');
            let hit = (line..=line + joined).filter_map(|line| *numbered.get(line)?);
            let hit: BTreeSet<u64> = hit.collect();
            let found: BTreeSet<u64> = numbers(&opened).into_iter().collect();
            assert_eq!(found, &all - &hit, "byte {at}, mask {mask}");
            let torn = at + 1 == bytes.len();
            let word = if torn { "torn" } else { "damaged" };
            assert!(opened.warnings[0].contains(word), "{at} {mask}: {:?}", opened.warnings);
            assert_eq!(opened.lost, !torn);
            let kept = disk.get("journal.damaged-1");
            assert!(torn || kept.as_ref() == Some(&changed), "byte {at}, mask {mask}");
            if mask == 1 {
                is_whole_afterwards(&disk, &opened);
            }
        }
    }
}

#[test]
fn files_of_many_kinds_of_rubbish_are_kept_and_no_batch_is_invented() {
    let bytes = recorded();
    let rubbish: [&[u8]; 6] =
        [b"", b"\n\n\n", &[0; 5000], &[0xff; 300], b"{\"not\": \"ours\"}\n", &bytes[1..20]];
    for rubbish in rubbish {
        let (disk, opened) = open(rubbish);
        assert_eq!((opened.batches.len(), opened.lost), (0, true));
        assert!(opened.warnings[0].contains("damaged"));
        assert_eq!(disk.get("journal.damaged-1").unwrap(), rubbish);
        is_whole_afterwards(&disk, &opened);
    }
}

#[test]
fn an_earlier_damaged_file_is_never_overwritten() {
    let disk = Faulty::new(1);
    disk.put("journal.damaged-1", b"earlier");
    disk.put(JOURNAL, b"");
    start(&disk);
    assert_eq!(disk.get("journal.damaged-2").unwrap(), b"");
    assert_eq!(disk.get("journal.damaged-1").unwrap(), b"earlier");
}

#[test]
fn half_a_compaction_is_swept_away() {
    let disk = Faulty::new(1);
    let bytes = recorded();
    disk.put(JOURNAL, &bytes);
    disk.put("journal.new", &bytes[..100]);
    assert_eq!(numbers(&start(&disk)).len(), 24);
    assert_eq!(disk.names(), [JOURNAL]);
}
