//! Apps register when they start. One that does so again and again, and fails in between, crashes and starts again.

use std::time::Duration;

use crate::engine::time::Moment;

/// So many starts
const STARTS: usize = 3;
/// within this time are a crash loop, if it was not well between any two.
const WITHIN: Duration = Duration::from_secs(600);

/// The last starts of an app, as far as it registers then.
#[derive(Clone, Debug, Default)]
pub struct Starts {
    /// When: of those with no failed check between them the last, oldest first.
    at: Vec<Moment>,
    /// A check has failed since the last one, whether it counted or not.
    has_failed: bool,
}

impl Starts {
    /// A check has failed, or was refused.
    pub(super) fn handle_failure(&mut self) {
        self.has_failed = true;
    }

    /// It has registered. Whether that is a crash loop.
    pub(super) fn handle_registration(&mut self, at: Moment) -> bool {
        if !std::mem::take(&mut self.has_failed) {
            self.at.pop();
        }
        self.at.retain(|earlier| at.since(*earlier) <= WITHIN);
        self.at.push(at);
        let surplus = self.at.len().saturating_sub(STARTS);
        self.at.drain(..surplus);
        self.at.len() >= STARTS
    }

    /// Whether that is a crash loop which goes on.
    pub(super) fn is_loop(&self, at: Moment) -> bool {
        let recent = self.at.iter().filter(|start| at.since(**start) <= WITHIN);
        recent.count() >= STARTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `r` a registration, `f` a failed check, a minute apart; how many of the registrations are a loop.
    fn loops(story: &str, minute: u64) -> usize {
        let (mut starts, mut at, mut loops) = (Starts::default(), Moment::START, 0);
        for happens in story.chars() {
            at = at + Duration::from_secs(minute);
            match happens {
                'r' => loops += usize::from(starts.handle_registration(at)),
                'f' => starts.handle_failure(),
                _ => {}
            }
        }
        loops
    }

    #[test]
    fn three_starts_within_ten_minutes_that_were_not_well_between_are_a_loop() {
        for (story, expected) in [
            ("rfrfr", 1),
            ("rfrfrfr", 2),
            ("rrfrrffrr", 2),
            ("rfrr.....", 0),
            ("r.r.r.r.r", 0),
            ("rf.rf.....r", 1),
            ("rf.rf......r", 0),
        ] {
            assert_eq!(loops(story, 60), expected, "{story}");
        }
        assert_eq!(loops("rfrfr", 151), 0);
    }
}
