//! How long a mail waits for its next try.

use std::time::Duration;

/// A row of waits, each twice the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Backoff {
    first: Duration,
    most: Duration,
}

/// After trouble that passes: soon, then doubling.
pub(in crate::engine) const SOON: Backoff = Backoff::new(5, 15 * 60);
/// After a limit on the rate, which a quick retry would only prolong.
pub(in crate::engine) const LATER: Backoff = Backoff::new(30 * 60, 2 * 3600);
/// After a refusal about us: only a person can mend what it is about, and many tries lock an account.
pub(in crate::engine) const SLOWLY: Backoff = Backoff::new(30 * 60, 6 * 3600);

impl Backoff {
    const fn new(first_secs: u64, most_secs: u64) -> Backoff {
        Backoff { first: Duration::from_secs(first_secs), most: Duration::from_secs(most_secs) }
    }

    /// The wait after so many failures in a row.
    pub(in crate::engine) fn after(self, failures: u32) -> Duration {
        let doubled = 2u32.saturating_pow(failures.saturating_sub(1));
        self.first.saturating_mul(doubled).min(self.most)
    }
}

/// Failures of one kind in a row: trouble of another kind starts at its own first wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Failures {
    backoff: Backoff,
    count: u32,
}

impl Failures {
    /// The failures after one more, which calls for `backoff`.
    pub(in crate::engine) fn and(before: Option<Failures>, backoff: Backoff) -> Failures {
        let before = before.filter(|it| it.backoff == backoff).map_or(0, |it| it.count);
        Failures { backoff, count: before.saturating_add(1) }
    }

    /// The wait that they call for.
    pub(in crate::engine) fn wait(self) -> Duration {
        self.backoff.after(self.count)
    }

    /// Whether fresh news is reason to try at once.
    pub(in crate::engine) fn allow_haste(self) -> bool {
        self.backoff == SOON
    }

    /// Whether another mail that was accepted shows that they are over. A limit on the rate of one
    /// mailbox is not.
    pub(in crate::engine) fn end_with_another(self) -> bool {
        self.backoff != LATER
    }
}
