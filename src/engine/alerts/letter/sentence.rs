//! The sentences that subject and body share.

use std::time::Duration;

use crate::engine::alerts::notice::{Change, State};
use crate::engine::words::plain::one_line;
use crate::engine::words::span;

/// Characters of a name: the state behind it must stay in sight.
const MAX_NAME: usize = 60;

/// An app's name, fit to be shown.
pub(super) fn name(app: &str) -> String {
    one_line(app, MAX_NAME)
}

/// `NAS is UNHEALTHY`, `NAS is HEALTHY again after 12 min`.
pub(super) fn state(change: &Change) -> String {
    let name = name(&change.app);
    match change.to {
        State::Healthy => {
            let span = span::in_words(Duration::from_millis(change.lasted_ms));
            format!("{name} is HEALTHY again after {span}")
        }
        other => format!("{name} is {}", other.word()),
    }
}

/// Names in a row, as many as fit into `max` characters: `Kodi, NAS and 3 more`.
pub(super) fn names(apps: &[&str], max: usize) -> String {
    let names: Vec<String> = apps.iter().map(|app| name(app)).collect();
    fit(&names, max)
}

/// Items in a row, as many as fit into `max` characters, and how many more there are.
pub(super) fn fit(items: &[String], max: usize) -> String {
    let mut row = String::new();
    let mut shorter = None;
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            row.push_str(", ");
        }
        row.push_str(item);
        if row.chars().count() > max {
            return shorter.unwrap_or_else(|| one_line(&row, max));
        }
        let more = format!("{row} and {} more", items.len() - at - 1);
        if more.chars().count() <= max {
            shorter = Some(more);
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_names_as_fit() {
        let apps = ["Kodi", "NAS", "Heating"];
        assert_eq!(names(&apps, 40), "Kodi, NAS, Heating");
        assert_eq!(names(&apps, 17), "Kodi and 2 more");
        assert_eq!(names(&apps, 5), "Kodi…");
        assert_eq!(names(&[&"x".repeat(128)], 90), format!("{}…", "x".repeat(59)));
    }
}
