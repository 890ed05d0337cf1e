//! The words that apps use for how they are. Who uses which, and where that is written, stands in
//! `docs/verdicts.md`; a test holds the two together.

use crate::engine::verdict::answer::Outcome;

/// Each word in lower case, with `_` between its parts.
const WORDS: [(Outcome, &[&str]); 3] = [
    (Outcome::Pass, &["pass", "ok", "up", "healthy", "passing", "green"]),
    (Outcome::Warn, &["warn", "warning", "degraded", "partially_available"]),
    (
        Outcome::Fail,
        &[
            "fail",
            "error",
            "down",
            "failed",
            "unhealthy",
            "critical",
            "out_of_service",
            "unavailable",
            "shutting_down",
            "not_serving",
            "red",
        ],
    ),
];

/// What a status word means, in any case; `None` for one that nobody defined. `-` and blanks stand
/// for `_`.
pub(super) fn meaning(word: &str) -> Option<Outcome> {
    let same = |known: &str| {
        let plain = |c: u8| if matches!(c, b'-' | b' ') { b'_' } else { c.to_ascii_lowercase() };
        word.trim().bytes().map(plain).eq(known.bytes())
    };
    WORDS
        .iter()
        .find(|(_, words)| words.iter().any(|known| same(known)))
        .map(|(outcome, _)| *outcome)
}

/// What a body means that is one bare word: ASP.NET's health checks answer so unless they are told
/// otherwise, with 200 for `Degraded`. Written as it writes them, so that no other page is meant.
pub(super) fn meaning_of_bare(body: &str) -> Option<Outcome> {
    match body.trim() {
        "Degraded" => Some(Outcome::Warn),
        "Unhealthy" => Some(Outcome::Fail),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = include_str!("../../../../docs/verdicts.md");

    /// The words of the document's table, and what it says that they mean.
    fn documented() -> Vec<(String, Option<Outcome>)> {
        let rows = DOCUMENT.lines().filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split('|');
            let words = cells.next()?.replace('`', "");
            let meant = match cells.next()?.trim() {
                "pass" => Some(Outcome::Pass),
                "warn" => Some(Outcome::Warn),
                "fail" => Some(Outcome::Fail),
                "says nothing" => None,
                other => panic!("what is {other}?"),
            };
            Some((words, meant))
        });
        rows.flat_map(|(words, meant)| {
            words.split(',').map(move |word| (word.trim().to_owned(), meant)).collect::<Vec<_>>()
        })
        .collect()
    }

    #[test]
    fn the_document_and_the_table_say_the_same() {
        let documented = documented();
        for (word, meant) in &documented {
            assert_eq!(meaning(word), *meant, "{word}");
        }
        for word in WORDS.iter().flat_map(|(_, words)| *words) {
            let is_it = |(said, _): &(String, _)| said.to_lowercase().replace(' ', "_") == *word;
            assert!(documented.iter().any(is_it), "{word} is not documented");
        }
    }

    #[test]
    fn words_are_known_in_any_case_and_spelling() {
        for word in ["OUT_OF_SERVICE", "out-of-service", " Out of service\n"] {
            assert_eq!(meaning(word), Some(Outcome::Fail), "{word:?}");
        }
        for word in ["", "_", "outofservice", "not", "fail!", "warnings"] {
            assert_eq!(meaning(word), None, "{word:?}");
        }
    }
}
