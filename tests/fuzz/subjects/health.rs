//! What an app answers.

use healthchecker::engine::verdict::answer::Verdict;
use healthchecker::engine::verdict::{Answer, BODY_MAX, REASON_MAX, judge};

/// The first two bytes choose status and cut, the rest is the body. The words of the verdict are
/// bounded and plain, and it is the same whenever it is given.
pub fn run(bytes: &[u8]) {
    let [status, how, body @ ..] = bytes else { return };
    let status = 100 + u16::from(*status) * 2;
    let verdict = || judge(Ok(Answer { status, expected: how & 1 == 1, body, cut: how & 2 == 2 }));
    let Verdict { reason, body: kept, .. } = verdict();
    assert!(reason.chars().count() <= REASON_MAX && !reason.is_empty());
    assert!(!reason.chars().any(char::is_control), "{reason:?}");
    assert!(kept.is_none_or(|kept| kept.len() <= BODY_MAX));
    assert_eq!(verdict(), verdict());
}
