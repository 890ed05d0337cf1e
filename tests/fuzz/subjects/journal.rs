//! The journal, as a failing disk may have left it.

use healthchecker::daemon::journal::scan;
use healthchecker::engine::core::{Engine, Options};
use healthchecker::engine::outbox::Policy;
use healthchecker::engine::recipients::Recipients;
use healthchecker::engine::record::Record;
use healthchecker::engine::time::{Moment, Now, Wall};

/// As it is, and once more with every checksum made right, to come to what lies behind them.
pub fn run(bytes: &[u8]) {
    open(bytes);
    open(&signed(bytes));
}

/// Every byte is accounted for, and whatever is good brings up a household that goes on.
fn open(bytes: &[u8]) {
    let Ok(scan) = scan::<Record>(bytes) else { return };
    assert_eq!(scan.good.len(), scan.batches.len());
    let good: usize = scan.good.iter().map(|line| line.len()).sum();
    assert!(good + scan.torn + scan.damaged.bytes + scan.unknown.bytes <= bytes.len());
    let mut now = Now { at: Moment::START, wall: Wall::from_unix_millis(1_800_000_000_000) };
    let mut engine = Engine::new(Options {
        mail: Policy {
            mailing: true,
            mail_without_clock: false,
            recipients: Recipients::default(),
        },
        workers: 4,
        seed: 1,
        boot_id: None,
        settle: std::time::Duration::from_secs(600),
        anchors: Vec::new(),
        reminders: true,
        quiet: healthchecker::engine::registration::QuietTimes::default(),
        zone: healthchecker::engine::time::Zone::UTC,
    });
    engine.restore(now, scan.batches.into_iter().flatten().collect());
    for _ in 0..20 {
        now.at = engine.next_deadline().map_or(now.at, |(at, _)| at).max(now.at);
        engine.handle_time(now);
        while engine.poll_action().is_some() {}
    }
    let _ = engine.take_records(now);
}

/// Every line after the first with the checksum that its batch should have (`docs/journal.md`).
fn signed(bytes: &[u8]) -> Vec<u8> {
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let mut signed = lines.next().unwrap_or_default().to_vec();
    for line in lines {
        let batch = line.get(9..).unwrap_or_default();
        let checksum = crc32(batch.strip_suffix(b"\n").unwrap_or(batch));
        signed.extend_from_slice(format!("{checksum:08x} ").as_bytes());
        signed.extend_from_slice(batch);
    }
    signed
}

/// The CRC-32 of zlib, gzip and PNG.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}
