//! Apps that may be off: their silence is no failure, and nobody is told of it.

use std::borrow::Cow;

use crate::story::{App, Checked, Ms, Span, Story};
use healthchecker::engine::verdict::answer::Outcome;

/// The story in which the silence of who may be off is no verdict, and each knows when it was off.
pub(super) fn heard(story: &Story) -> Cow<'_, Story> {
    let may_be_off = |app: &App| app.registrations.iter().any(|it| it.may_be_off);
    if !story.apps.iter().any(may_be_off) {
        return Cow::Borrowed(story);
    }
    let mut heard = story.clone();
    heard.apps.iter_mut().filter(|app| may_be_off(app)).for_each(hear);
    Cow::Owned(heard)
}

fn hear(app: &mut App) {
    let mut checks = std::mem::take(&mut app.checks);
    // So many silent checks in a row.
    let mut silent = 0;
    for check in checks.iter_mut().filter(|check| check.outcome.is_some()) {
        if app.is_no_failure(check) {
            check.outcome = None;
            silent += 1;
            let needed = app.registered_at(check.ended).map_or(u32::MAX, |it| it.unhealthy);
            if silent == needed {
                app.off.push(Span { from: check.ended, until: None });
            }
            continue;
        }
        silent = 0;
        if let Some(last) = app.off.last_mut().filter(|last| last.until.is_none()) {
            last.until = Some(check.ended);
        }
    }
    app.checks = checks;
}

impl App {
    fn is_no_failure(&self, check: &Checked) -> bool {
        check.dead && check.outcome == Some(Outcome::Fail) && self.may_be_off(check.ended)
    }

    /// Its owner had said so by then.
    pub(super) fn may_be_off(&self, at: Ms) -> bool {
        self.registered_at(at).is_some_and(|it| it.may_be_off)
    }

    /// It did not answer, and may have been off: that ends a row of passes.
    pub(super) fn is_quiet(&self, check: &Checked) -> bool {
        check.outcome.is_none() && check.dead && self.may_be_off(check.ended)
    }

    /// Whether it may have been off at some time between two.
    pub(super) fn is_quiet_between(&self, from: Ms, until: Ms) -> bool {
        let first = self.checks.partition_point(|check| check.ended < from);
        let mut within = self.checks[first..].iter().take_while(|check| check.ended <= until);
        within.any(|check| self.is_quiet(check))
    }

    /// When it was found to be off first, between two times.
    pub(super) fn off_between(&self, from: Ms, until: Ms) -> Option<Ms> {
        let found = self.off.iter().map(|off| off.from);
        found.into_iter().find(|at| (from..=until).contains(at))
    }
}
