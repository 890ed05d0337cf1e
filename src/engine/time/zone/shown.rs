//! When the clocks show a time of a day. They may show it twice, or never.

use super::Zone;
use crate::engine::time::Wall;

/// Clocks are set no more often than once within two days. In seconds.
const DAY: i64 = 24 * 3600;

impl Zone {
    /// When the clocks first show a local time, given in seconds since 1970-01-01 00:00, no earlier than
    /// `from`; `None`: they show it no more, or pass over it.
    pub fn shows(&self, local: i64, from: Wall) -> Option<Wall> {
        let at = self.offsets(local).map(|ahead| local - ahead);
        let shown =
            at.into_iter().filter(|at| at + self.ahead(*at) == local).map(Wall::from_unix_seconds);
        shown.filter(|at| *at >= from).min()
    }

    /// When they first show or pass it, no earlier than `from`.
    pub fn passes(&self, local: i64, from: Wall) -> Wall {
        if let Some(shown) = self.shows(local, from) {
            return shown;
        }
        let [before, after] = self.offsets(local);
        // They are set between these two, and pass over it then.
        let (mut early, mut late) = (local - before.max(after), local - before.min(after));
        while late - early > 1 {
            let middle = early + (late - early) / 2;
            if self.ahead(middle) == after { late = middle } else { early = middle }
        }
        Wall::from_unix_seconds(late).max(from)
    }

    /// How many seconds they are ahead of UTC before and after that.
    fn offsets(&self, local: i64) -> [i64; 2] {
        [local.saturating_sub(DAY), local.saturating_add(DAY)].map(|at| self.ahead(at))
    }

    fn ahead(&self, seconds: i64) -> i64 {
        i64::from(self.seconds_ahead(Wall::from_unix_seconds(seconds)))
    }
}
