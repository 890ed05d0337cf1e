//! "Did you mean": the nearest known name to one that was mistyped.

/// The candidate that `name` was most likely meant to be, if any is near.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase().replace('-', "_");
    candidates
        .into_iter()
        .map(|candidate| (distance(&name, &candidate.replace('-', "_")), candidate))
        .filter(|(steps, candidate)| *steps <= tolerance(candidate))
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, candidate)| candidate)
}

/// `; did you mean X?`, or nothing.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map_or_else(String::new, |near| format!("; did you mean {near}?"))
}

/// One slip in three letters: more is another word.
fn tolerance(candidate: &str) -> usize {
    (candidate.chars().count() / 3).max(1)
}

/// Letters to add, drop, change or swap with their neighbour (optimal string alignment).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    let mut last = None;
    for (i, a) in from.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let at =
                |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let mut best =
                (at(&row, j) + usize::from(a != *b)).min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let swapped = j > 0 && last == Some(*b) && to.get(j - 1) == Some(&a);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
        last = Some(a);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = ["port", "smtp_port", "smtp_host", "gmail_token", "test-mail"];

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        assert_eq!(nearest("prot", NAMES), Some("port"));
        assert_eq!(nearest("pxxt", NAMES), None, "two changes in four letters");
        assert_eq!(nearest("pot", NAMES), Some("port"));
        assert_eq!(nearest("Port", NAMES), Some("port"));
        assert_eq!(nearest("smtp-prt", NAMES), Some("smtp_port"));
        assert_eq!(nearest("gmailtokn", NAMES), Some("gmail_token"));
        assert_eq!(nearest("testmail", NAMES), Some("test-mail"));
        assert_eq!(nearest("colour", NAMES), None);
        assert_eq!(did_you_mean("pot", NAMES), "; did you mean port?");
    }

    #[test]
    fn the_distance_counts_letters() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("same", "same"), 0);
        assert_eq!(distance("prot", "port"), 1);
        assert_eq!(distance("abc", ""), 3);
    }
}
