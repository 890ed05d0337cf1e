//! What an app answers.

use healthchecker::engine::verdict::answer::Verdict;
use healthchecker::engine::verdict::{Answer, BODY_MAX, REASON_MAX, judge};
use serde_json::value::RawValue;

/// The first two bytes choose the status and what is said of the body, the rest is the body. The words of the verdict are
/// bounded and plain, and it is the same whenever it is given.
pub fn run(bytes: &[u8]) {
    let [status, how, body @ ..] = bytes else { return };
    let status = 100 + u16::from(*status) * 2;
    let answer = Answer {
        status,
        expected: how & 1 == 1,
        content_type: if how & 4 == 4 { "application/json" } else { "" },
        content_encoding: if how & 8 == 8 { "deflate" } else { "" },
        body,
        cut: how & 2 == 2,
        contains: (how & 16 == 16).then_some("ok"),
    };
    let verdict = || judge(Ok(answer));
    let Verdict { reason, body: kept, .. } = verdict();
    assert!(reason.chars().count() <= REASON_MAX && !reason.is_empty());
    assert!(!reason.chars().any(char::is_control), "{reason:?}");
    let is_json = |kept: &str| serde_json::from_str::<&RawValue>(kept).is_ok();
    assert!(kept.is_none_or(|kept| kept.len() <= BODY_MAX && is_json(&kept)));
    assert_eq!(verdict(), verdict());
}
