//! The apps without which another cannot be reached: a switch, the machine that it runs on.

use super::fields::{FieldError, shown};
use super::name;

/// The most of one app: each is looked at whenever it is silent.
pub const PARENTS_MAX: usize = 16;

/// Ends a name of a list in JSON: there a name may have a comma in it, and never a line end.
pub(crate) const LIST_END: char = '\n';

/// Reads the names: with commas between, or as JSON had them, each once. None is none.
///
/// # Errors
/// One can be no name, or they are too many.
pub(super) fn read(text: &str) -> Result<Vec<String>, FieldError> {
    let between = if text.contains(LIST_END) { LIST_END } else { ',' };
    let mut parents: Vec<String> = Vec::new();
    for one in text.split(between).map(str::trim).filter(|one| !one.is_empty()) {
        let name = name::read(one).map_err(|_| {
            let message = format!(
                "parent {} is no name of an app; several are separated by commas",
                shown(one)
            );
            FieldError::of("parent", message)
        })?;
        if !parents.contains(&name) {
            parents.push(name);
        }
    }
    if parents.len() > PARENTS_MAX {
        let message =
            format!("parent has {} names; at most {PARENTS_MAX} are allowed", parents.len());
        return Err(FieldError::of("parent", message));
    }
    Ok(parents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_commas_between_or_come_as_a_list() {
        for (text, names) in [
            ("", &[][..]),
            ("\n", &[]),
            (" NAS , Switch 1,NAS,", &["NAS", "Switch 1"]),
            ("Switch\n", &["Switch"]),
            ("Switch, upstairs\n", &["Switch, upstairs"]),
            ("Switch, upstairs\nNAS\n", &["Switch, upstairs", "NAS"]),
        ] {
            assert_eq!(read(text).unwrap(), names, "{text:?}");
        }
        let many = (0..=PARENTS_MAX).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        for wrong in ["a\u{1}b", &"x".repeat(129), &many] {
            let why = read(wrong).unwrap_err();
            assert_eq!(why.field.as_deref(), Some("parent"), "{why}");
        }
    }
}
