//! One seed, or many on all cores: what is done is kept below `target/simulate/seeds`, so that a night
//! that was broken off goes on where it was.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde::{Deserialize, Serialize};

use super::{Kind, Order, Score, judge, say, told};
use crate::judge::Finding;
use crate::story::Story;
use crate::world::{Effort, clock};

/// Where it is kept.
pub(super) const FOLDER: &str = "target/simulate/seeds";
/// So many seeds are kept in a file.
const BATCH: u64 = 10;
/// So many broken promises of a batch are told at length.
const TOLD: usize = 5;
/// So many mistakes of a seed are kept in a line each.
const LINES: usize = 500;

/// What came of some seeds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) score: Score,
    /// Mistakes, told at length: of one seed alone.
    pub(super) told: Vec<String>,
    pub(super) mistakes: u64,
    /// Each mistake in a line, by its kind.
    pub(super) lines: Vec<(String, String)>,
    pub(super) promises_broken: u64,
    /// The first of them, told at length.
    pub(super) broken: Vec<String>,
    /// All letters as they were accepted, of one seed alone.
    #[serde(skip)]
    pub(super) letters: String,
}

/// What a batch has brought, and cost.
type Done = io::Result<(Outcome, Effort)>;

/// One seed.
pub(super) fn one(kind: &Kind, seed: u64, (tell, letters): (usize, bool)) -> (Outcome, Effort) {
    let mut lived = kind.live(seed);
    let mut outcome = Outcome {
        promises_broken: (lived.findings.len() + lived.more_findings) as u64,
        broken: lived.findings.iter().map(|finding| told(seed, kind, finding)).collect(),
        ..Outcome::default()
    };
    let story = &lived.story;
    if letters {
        outcome.letters = self::letters(story);
    }
    match catch_unwind(AssertUnwindSafe(|| judge(story, tell))) {
        Ok(judgement) => {
            outcome.score = judgement.score;
            outcome.mistakes = judgement.findings.len() as u64;
            let line = |it: &Finding| {
                let kind = it.fault.words();
                (kind.to_owned(), format!("SEED={seed} {}: {kind}: {}", clock(it.from), it.what))
            };
            outcome.lines = judgement.findings.iter().take(LINES).map(line).collect();
            outcome.told = judgement.told;
        }
        Err(_) => {
            outcome.promises_broken += 1;
            outcome.broken.push(format!("seed {seed}: the judge panicked: {}\n", kind.words()));
        }
    }
    lived.effort.ends();
    (outcome, lived.effort)
}

/// What the mail server took, in order.
fn letters(story: &Story) -> String {
    let mut text = String::new();
    for letter in &story.letters {
        let to = &story.people[letter.to.0];
        let (at, words) = (clock(letter.accepted), &letter.text);
        let _ = writeln!(text, "{at}  {to}  {}\n\n{words}\n", letter.subject);
    }
    text
}

/// Many seeds.
///
/// # Errors
/// What is done cannot be kept.
pub(super) fn many(order: &Order) -> Done {
    let folder = Path::new(FOLDER).join(key(&order.kind)?);
    if order.fresh && folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let seeds: Vec<u64> = order.all_seeds().collect();
    let batches: Vec<&[u64]> = seeds.chunks(BATCH as usize).collect();
    let next = AtomicU64::new(0);
    let done: Mutex<Vec<Option<Done>>> = Mutex::new(batches.iter().map(|_| None).collect());
    let work = || loop {
        let place = next.fetch_add(1, Ordering::Relaxed) as usize;
        let Some(batch) = batches.get(place) else { return };
        let came = batch_of(&folder, &order.kind, batch);
        if let Ok(mut done) = done.lock() {
            done[place] = Some(came);
            let all = done.iter().flatten().count();
            say(&format!("{all} of {} batches\n", batches.len()));
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        (0..cores.min(batches.len())).for_each(|_| drop(scope.spawn(work)));
    });
    let mut all = (Outcome::default(), Effort::default());
    let done = done.into_inner().unwrap_or_default();
    for came in done.into_iter().flatten() {
        let (outcome, effort) = came?;
        all.0.add(outcome);
        all.1.add(&effort);
    }
    Ok(all)
}

/// A name for all that the outcome of a seed depends on: this program, and what is asked of it.
fn key(kind: &Kind) -> io::Result<String> {
    let mut hasher = DefaultHasher::new();
    fs::read(std::env::current_exe()?)?.hash(&mut hasher);
    kind.words().hash(&mut hasher);
    Ok(format!("{:016x}", hasher.finish()))
}

fn batch_of(folder: &Path, kind: &Kind, seeds: &[u64]) -> Done {
    let first = seeds.first().copied().unwrap_or_default();
    let file = folder.join(format!("{first}-{}.json", seeds.len()));
    if let Some(outcome) = earlier(&file) {
        return Ok((outcome, Effort::default()));
    }
    let mut all = (Outcome::default(), Effort::default());
    for seed in seeds {
        let (outcome, effort) = one(kind, *seed, (0, false));
        all.0.add(outcome);
        all.1.add(&effort);
    }
    keep(&file, &all.0)?;
    Ok(all)
}

/// What an earlier run has left; half a file counts for nothing.
fn earlier(file: &Path) -> Option<Outcome> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

fn keep(file: &Path, outcome: &Outcome) -> io::Result<()> {
    let new = PathBuf::from(format!("{}.new", file.display()));
    fs::write(&new, serde_json::to_vec(outcome)?)?;
    fs::rename(new, file)
}

impl Outcome {
    fn add(&mut self, other: Outcome) {
        self.score.add(&other.score);
        self.told.extend(other.told);
        self.mistakes += other.mistakes;
        self.lines.extend(other.lines);
        self.promises_broken += other.promises_broken;
        let room = TOLD.saturating_sub(self.broken.len());
        self.broken.extend(other.broken.into_iter().take(room));
    }
}

impl Outcome {
    /// The first mistakes of each kind, in a line each.
    pub(super) fn first_lines(&self, each: usize) -> Vec<&str> {
        let mut of_kind: BTreeMap<&str, usize> = BTreeMap::new();
        let first = self.lines.iter().filter(|(kind, _)| {
            let seen = of_kind.entry(kind).or_default();
            *seen += 1;
            *seen <= each
        });
        first.map(|(_, line)| line.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_mistakes_the_first_of_each_kind_are_told_with_their_seeds() {
        let line = |kind: &str, seed: u32| (kind.to_owned(), format!("SEED={seed} {kind}"));
        let lines = vec![line("late", 1), line("late", 2), line("missed", 3), line("late", 4)];
        let outcome = Outcome { lines, ..Outcome::default() };
        assert_eq!(outcome.first_lines(2), ["SEED=1 late", "SEED=2 late", "SEED=3 missed"]);
        assert!(outcome.first_lines(0).is_empty());
    }

    fn order(arguments: &[&str]) -> Order {
        let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
        Order::read(&arguments, |_| None).unwrap()
    }

    #[test]
    fn a_batch_is_kept_and_read_again_and_half_of_one_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let order = order(&["DAYS=0.02", "APPS=2"]);
        let (first, effort) = batch_of(folder.path(), &order.kind, &[3, 4]).unwrap();
        assert!(effort.checks > 0 && first.score.seeds == 2);
        let (again, effort) = batch_of(folder.path(), &order.kind, &[3, 4]).unwrap();
        assert_eq!((again.score.clone(), effort.checks), (first.score.clone(), 0));
        let file = folder.path().join("3-2.json");
        let half = fs::read(&file).unwrap();
        fs::write(&file, &half[..half.len() / 2]).unwrap();
        let (anew, effort) = batch_of(folder.path(), &order.kind, &[3, 4]).unwrap();
        assert!(effort.checks > 0);
        assert_eq!(anew.score, first.score);
    }
}
