//! Quick checks that wait for their turn: one warm thread makes them one after the other.
//!
//! To wake a thread costs more than a quick check does: it finds cold caches, and the loop is woken for
//! each report. Those that are due together go in a run, and only when one takes unexpectedly long does another
//! thread go on with what is left.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Probe;
use crate::engine::time::Moment;

/// When no check of the run has ended for so many times as long as one takes as a rule, another thread helps: the run
/// has met one that takes longer. While it gets on it is not helped: on a slow machine, whose one core is busy with it,
/// more threads would take memory and no less time.
const TIMES_AS_LONG: u32 = 2;
/// It is not looked at more often.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The checks that wait, shared by the loop and the threads that make them.
#[derive(Debug, Default)]
pub(super) struct Run(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Each with when it was to begin, the oldest in front.
    waiting: VecDeque<(Moment, Probe)>,
    /// How many threads make them,
    threads: usize,
    /// and how many of them have ended since the start.
    ended: u64,
}

impl Run {
    /// No code of others runs under the lock, so nothing is left half done by a panic.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks are to begin. Whether a thread is at it already, which makes these, too.
    pub(super) fn push(&self, now: Moment, probes: impl Iterator<Item = Probe>) -> bool {
        let mut state = self.lock();
        state.waiting.extend(probes.map(|probe| (now, probe)));
        state.threads > 0
    }

    /// Another thread is about to make those that wait; the first one for it.
    pub(super) fn join(&self) -> Option<Probe> {
        let mut state = self.lock();
        let (_, probe) = state.waiting.pop_front()?;
        state.threads += 1;
        Some(probe)
    }

    /// The next one for a thread that has joined, and has made one. `None`: there is none, and it is not of the run any
    /// more.
    pub(super) fn next(&self) -> Option<Probe> {
        let mut state = self.lock();
        state.ended += 1;
        let next = state.waiting.pop_front();
        state.threads -= usize::from(next.is_none());
        next.map(|(_, probe)| probe)
    }

    /// A thread that has joined is not of the run after all: this one waits again.
    pub(super) fn leave(&self, now: Moment, probe: Probe) {
        let mut state = self.lock();
        state.waiting.push_front((now, probe));
        state.threads -= 1;
    }

    /// How many have ended since the start.
    pub(super) fn ended(&self) -> u64 {
        self.lock().ended
    }

    /// For how long none of them may end before another thread helps.
    pub(super) fn patience(&self) -> Duration {
        let usual = self.lock().waiting.iter().filter_map(|(_, probe)| probe.quick).max();
        usual.map_or(LOOK_EVERY, |usual| LOOK_EVERY.max(usual * TIMES_AS_LONG))
    }

    /// Since when the oldest one waits.
    pub(super) fn oldest(&self) -> Option<Moment> {
        self.lock().waiting.front().map(|(since, _)| *since)
    }

    /// Takes back all that wait: nobody makes them.
    pub(super) fn withdraw(&self) -> Vec<Probe> {
        self.lock().waiting.drain(..).map(|(_, probe)| probe).collect()
    }
}
