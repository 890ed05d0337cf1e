//! Replays the corpus of the fuzz targets, and bounded mutations of it from a fixed seed: a short form
//! of `make fuzz` that needs no tool.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod subjects;

use std::panic::catch_unwind;
use std::path::Path;

/// Inputs made of each corpus: seconds of a build that is not optimised.
const MUTATIONS: usize = 5_000;
const MUTATED_MAX: usize = 40_000;

/// What turns up at the borders of numbers, lines and grammars.
const INTERESTING: [&[u8]; 16] = [
    b"\0",
    b"\r\n",
    b"\n",
    b"\r\n\r\n",
    b"\xff",
    b"\xc3\x28",
    "\u{202e}".as_bytes(),
    b"99999999999999999999",
    b"-1",
    b"%00",
    b"\"",
    b"'''",
    b"[[[[",
    b"{\"status\":",
    b": ",
    b"=",
];

/// A linear congruential generator (Knuth's MMIX): the same inputs on every machine.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..start + self.below((length - start).min(64) + 1)
    }
}

fn corpus(subject: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(subject);
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no seeds in {}", folder.display());
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

fn mutate(chance: &mut Chance, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[chance.below(seeds.len())].clone();
    for _ in 0..=chance.below(6) {
        let at = chance.range(bytes.len());
        match chance.below(6) {
            0 if !bytes.is_empty() => {
                let index = chance.below(bytes.len());
                bytes[index] ^= 1 << chance.below(8);
            }
            1 => drop(bytes.drain(at)),
            2 => bytes.truncate(at.start),
            3 => {
                let again = bytes[at.clone()].repeat(1 + chance.below(40));
                bytes.splice(at.start..at.start, again);
            }
            4 => {
                let other = &seeds[chance.below(seeds.len())];
                let part = other[chance.range(other.len())].to_vec();
                bytes.splice(at, part);
            }
            _ => {
                let word = INTERESTING[chance.below(INTERESTING.len())];
                bytes.splice(at, word.iter().copied());
            }
        }
    }
    bytes.truncate(MUTATED_MAX);
    bytes
}

fn replay(subject: &str, run: fn(&[u8])) {
    let seeds = corpus(subject);
    let try_on = |bytes: &[u8]| {
        if catch_unwind(|| run(bytes)).is_err() {
            panic!("{subject} fails on {:?}", String::from_utf8_lossy(bytes));
        }
    };
    seeds.iter().for_each(|seed| try_on(seed));
    let mut chance = Chance(0x6865_616c_7468);
    for _ in 0..MUTATIONS {
        try_on(&mutate(&mut chance, &seeds));
    }
}

#[test]
fn requests() {
    replay("request", subjects::request::run);
}

#[test]
fn parameters() {
    replay("parameters", subjects::parameters::run);
}

#[test]
fn health() {
    replay("health", subjects::health::run);
}

#[test]
fn answer_heads() {
    replay("answer_head", subjects::answer_head::run);
}

#[test]
fn configuration() {
    replay("configuration", subjects::configuration::run);
}

#[test]
fn echo() {
    replay("echo", subjects::echo::run);
}

#[test]
fn journal() {
    replay("journal", subjects::journal::run);
}

#[test]
fn mail() {
    replay("mail", subjects::mail::run);
}

#[test]
fn mdns() {
    replay("mdns", subjects::mdns::run);
}
