//! The parameters of a call as they came, before they mean anything: names and texts.
//!
//! What is refused here: names that nobody knows, and one parameter given twice.

use std::fmt;

/// The most characters of a refused value that an error repeats.
const SHOWN_MAX: usize = 80;

/// What is wrong with a call's parameters, in a sentence for the person who made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The parameter at fault; `None` when it is the call as a whole.
    pub field: Option<String>,
    /// Names the parameter, its value and what would be right.
    pub message: String,
}

impl FieldError {
    /// An error of the parameter `field`.
    pub fn of(field: &str, message: String) -> FieldError {
        FieldError { field: Some(clipped(field)), message }
    }

    /// An error of the call as a whole.
    pub fn of_call(message: String) -> FieldError {
        FieldError { field: None, message }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FieldError {}

/// A value as an error may repeat it: quoted, bounded, control characters escaped.
pub fn shown(value: &str) -> String {
    format!("\"{}\"", clipped(value))
}

fn clipped(value: &str) -> String {
    let mut text: String = value.chars().take(SHOWN_MAX).flat_map(char::escape_debug).collect();
    if value.chars().nth(SHOWN_MAX).is_some() {
        text.push('…');
    }
    text
}

/// One parameter of a call: the name it is known by, and its other names.
pub(crate) struct Known {
    pub(crate) name: &'static str,
    pub(crate) aliases: &'static [&'static str],
    /// Several values, with commas between: a list in JSON.
    pub(crate) is_list: bool,
}

impl Known {
    pub(crate) const fn new(name: &'static str) -> Known {
        Known { name, aliases: &[], is_list: false }
    }

    fn answers_to(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

/// The parameters of a call, each known and given once at most.
pub(crate) struct Fields<'a> {
    given: Vec<(&'static str, &'a str)>,
}

impl<'a> Fields<'a> {
    /// Sorts what was given into what `call` takes.
    ///
    /// # Errors
    /// An unknown parameter, or one that is given twice (an alias counts as its parameter).
    pub(crate) fn read(
        call: &str,
        takes: &[&'static Known],
        pairs: &'a [(String, String)],
    ) -> Result<Fields<'a>, FieldError> {
        let mut given: Vec<(&'static str, &str)> = Vec::with_capacity(takes.len());
        for (name, value) in pairs {
            let Some(known) = takes.iter().find(|known| known.answers_to(name)) else {
                let names: Vec<&str> = takes.iter().map(|known| known.name).collect();
                let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                let message = format!("unknown parameter {}; {call} takes {names}", shown(name));
                return Err(FieldError::of(name, message));
            };
            if given.iter().any(|(earlier, _)| *earlier == known.name) {
                let message = format!("{} is given more than once; give it once", known.name);
                return Err(FieldError::of(known.name, message));
            }
            given.push((known.name, value));
        }
        Ok(Fields { given })
    }

    /// The value of `name`, if it was given, without blanks around it: what a shell, a form or a device
    /// adds at either end is never meant.
    ///
    /// # Errors
    /// The value is empty.
    pub(crate) fn optional(&self, name: &str) -> Result<Option<&'a str>, FieldError> {
        match self.raw(name).map(str::trim) {
            Some("") => Err(FieldError::of(
                name,
                format!("{name} is empty; leave it out or give it a value"),
            )),
            value => Ok(value),
        }
    }

    /// The value of `name`.
    ///
    /// # Errors
    /// It was not given, or is empty.
    pub(crate) fn required(&self, name: &str) -> Result<&'a str, FieldError> {
        self.optional(name)?
            .ok_or_else(|| FieldError::of(name, format!("{name} is missing; it is required")))
    }

    /// The value of `name` just as it came; it may be empty.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a str> {
        self.given.iter().find(|(given, _)| *given == name).map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_takes_nothing_says_so() {
        let pairs = [("x".to_owned(), "1".to_owned())];
        let Err(why) = Fields::read("health", &[], &pairs) else { panic!("x is taken") };
        assert_eq!(why.message, "unknown parameter \"x\"; health takes none");
    }

    #[test]
    fn a_shown_value_is_bounded_and_has_no_control_characters() {
        assert_eq!(shown("a\r\n\u{1b}"), "\"a\\r\\n\\u{1b}\"");
        let long = shown(&"x".repeat(10_000));
        assert!(long.chars().count() < 100 && long.ends_with("…\""));
    }
}
