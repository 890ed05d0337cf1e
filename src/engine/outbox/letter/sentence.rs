//! The sentences that subject and body share.

use crate::engine::outbox::notice::Change;
use crate::engine::state::State;
use crate::engine::text::plain::one_line;

/// Characters of a name: the state behind it must stay in sight.
const MAX_NAME: usize = 60;

/// An app's name, fit to be shown, and to stand in a subject: a mail program decodes what begins
/// with `=?` there (RFC 2047), into any character and any other app's name.
pub(super) fn name(app: &str) -> String {
    one_line(&app.replace("=?", "= ?"), MAX_NAME)
}

/// `NAS is UNHEALTHY`, `NAS keeps failing`, `NAS is HEALTHY again after 12 min`.
pub(super) fn state(change: &Change) -> String {
    let name = name(&change.app);
    match change.to {
        State::Healthy => {
            format!("{name} is HEALTHY again after {}", change.lasted().in_words())
        }
        _ if change.keeps_failing => format!("{name} keeps failing"),
        other => format!("{name} is {}", other.word()),
    }
}

/// Names in a row, as many as fit into `max` characters: `Kodi, NAS and 3 more`. There are
/// `left_out` more than those that are given.
pub(super) fn names(apps: &[&str], left_out: usize, max: usize) -> String {
    let names: Vec<String> = apps.iter().map(|app| name(app)).collect();
    fit(&names, left_out, max)
}

/// Items in a row, as many as fit into `max` characters, and how many more there are.
pub(super) fn fit(items: &[String], left_out: usize, max: usize) -> String {
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
        let more = format!("{row} and {} more", items.len() - at - 1 + left_out);
        if more.chars().count() <= max {
            shorter = Some(more);
        }
    }
    shorter.filter(|_| left_out > 0).unwrap_or(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_names_as_fit() {
        let apps = ["Kodi", "NAS", "Heating"];
        assert_eq!(names(&apps, 0, 40), "Kodi, NAS, Heating");
        assert_eq!(names(&apps, 0, 17), "Kodi and 2 more");
        assert_eq!(names(&apps, 0, 5), "Kodi…");
        assert_eq!(names(&apps, 2000, 40), "Kodi, NAS, Heating and 2000 more");
        assert_eq!(names(&apps, 2000, 20), "Kodi and 2002 more");
        assert_eq!(names(&[&"x".repeat(128)], 0, 90), format!("{}…", "x".repeat(59)));
    }

    #[test]
    fn a_name_holds_nothing_that_a_mail_program_decodes() {
        for (app, shown) in [
            ("=?utf-8?b?4oCuZXZpbA==?=", "= ?utf-8?b?4oCuZXZpbA== ?="),
            ("=?=?utf-8?q?x?=?=", "= ?= ?utf-8?q?x?= ?="),
            ("2+2=4? yes", "2+2=4? yes"),
        ] {
            assert_eq!(name(app), shown);
            assert!(!shown.contains("=?"));
        }
    }
}
