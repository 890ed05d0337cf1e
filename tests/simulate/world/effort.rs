//! Where the time of a simulation goes: measured in one turn of many, for a clock costs more than most
//! of what it would measure.

use std::time::{Duration, Instant};

/// Every so many turns are measured.
const SAMPLED: u64 = 64;

/// What the time is spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Engine,
    Journal,
    House,
    Letters,
}

impl Part {
    pub(crate) const ALL: [Part; 4] = [Part::Engine, Part::Journal, Part::House, Part::Letters];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Part::Engine => "engine",
            Part::Journal => "journal",
            Part::House => "house",
            Part::Letters => "letters",
        }
    }
}

/// What a simulation has cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Effort {
    pub(crate) turns: u64,
    pub(crate) checks: u64,
    /// In all.
    pub(crate) took: Duration,
    pub(crate) processor: Duration,
    /// In the turns that were measured.
    spent: [Duration; 4],
    measured: bool,
    began: Option<(Instant, Duration)>,
}

impl Effort {
    /// The story begins.
    pub(super) fn begin() -> Effort {
        Effort { began: Some((Instant::now(), processor())), ..Effort::default() }
    }

    /// It is told, and judged.
    pub(crate) fn ends(&mut self) {
        if let Some((began, before)) = self.began.take() {
            self.took = began.elapsed();
            self.processor = processor().saturating_sub(before);
        }
    }

    /// A turn begins.
    pub(super) fn turn(&mut self) {
        self.turns += 1;
        self.measured = self.turns.is_multiple_of(SAMPLED);
    }

    /// Does something, and notes what it took.
    pub(super) fn spend<R>(&mut self, on: Part, work: impl FnOnce() -> R) -> R {
        if !self.measured {
            return work();
        }
        let began = Instant::now();
        let result = work();
        self.spent[on as usize] += began.elapsed();
        result
    }

    /// About what a part has cost in all.
    pub(crate) fn spent(&self, on: Part) -> Duration {
        self.spent[on as usize] * SAMPLED as u32
    }

    /// Both together.
    pub(crate) fn add(&mut self, other: &Effort) {
        self.turns += other.turns;
        self.checks += other.checks;
        self.took += other.took;
        self.processor += other.processor;
        for (sum, more) in self.spent.iter_mut().zip(other.spent) {
            *sum += more;
        }
    }
}

/// What this thread has had of the processor: its first number in ns (proc(5)).
fn processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns = text.split(' ').next().and_then(|ns| ns.parse().ok());
    Duration::from_nanos(ns.unwrap_or_default())
}
