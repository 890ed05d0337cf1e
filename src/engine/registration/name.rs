//! The names of apps: what a call may give, and which name it becomes.
//!
//! Two names that look alike are two apps whose alarms nobody can tell apart. So blanks at the ends are
//! dropped, blanks between words are one, a letter and its mark are one, and what cannot be seen is refused.
//! Names on record from before these rules stay as they are: who gives one exactly means it
//! ([`crate::engine::core::Engine::on_record`]).

use super::composed::compose;
use super::fields::{FieldError, shown};
use crate::engine::text::plain::is_obeyed;

/// The longest name of an app, in characters: a subject line still holds it.
pub const NAME_MAX: usize = 128;

/// Reads a name as it came in a call.
///
/// # Errors
/// It is too long, or blank, or has control characters.
pub(super) fn read(given: &str) -> Result<String, FieldError> {
    let name = given.trim();
    let length = name.chars().count();
    if length > NAME_MAX {
        let shown = shown(name);
        return refused(&format!("has {length} characters; 1 to {NAME_MAX} are allowed: {shown}"));
    }
    if name.chars().any(is_obeyed) {
        return refused(&format!("must have no control characters, not {}", shown(name)));
    }
    if name.is_empty() {
        return refused("must have more than spaces");
    }
    // A line end was never part of a name, blanks were.
    let as_it_came = !given.chars().any(is_obeyed) && given.chars().count() <= NAME_MAX;
    Ok(if as_it_came { given } else { name }.to_owned())
}

/// The name under which a new app goes on record: single blanks between words, letters with their marks
/// as one character, all of it to be seen.
///
/// # Errors
/// It has a character that cannot be seen; the sentence says which and where.
pub fn tidy(name: &str) -> Result<String, FieldError> {
    let words: Vec<&str> = name.split_whitespace().collect();
    let name = compose(&words.join(" "));
    let chars: Vec<char> = name.chars().collect();
    let at = |index: Option<usize>| index.and_then(|index| chars.get(index)).copied();
    let invisible = chars
        .iter()
        .enumerate()
        .find(|(index, c)| is_invisible(**c, at(index.checked_sub(1)), at(index.checked_add(1))));
    match invisible {
        None => Ok(name),
        Some((index, c)) => refused(&format!(
            "must have no character that cannot be seen, not U+{:04X}, number {} in {}",
            u32::from(*c),
            index + 1,
            shown(&name)
        )),
    }
}

fn refused<T>(why: &str) -> Result<T, FieldError> {
    Err(FieldError::of("appname", format!("appname {why}")))
}

/// Whether `c` leaves no mark on the screen between these two (Unicode: `Default_Ignorable_Code_Point`,
/// and letters that look like a blank). What joins is let be where something joins.
fn is_invisible(c: char, before: Option<char>, after: Option<char>) -> bool {
    let joins = |c: Option<char>| c.is_some_and(has_joined_forms);
    match c {
        // Zero width non-joiner and joiner: Persian and Indian words, families of pictures.
        '\u{200c}' | '\u{200d}' => !(joins(before) && joins(after)),
        // As text or as a picture; `1\u{fe0f}\u{20e3}` is a key.
        '\u{fe0e}' | '\u{fe0f}' => !(before.is_some_and(is_picture) || after == Some('\u{20e3}')),
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}'
        | '\u{3164}' | '\u{ffa0}' | '\u{16fe4}' => true,
        '\u{180b}'..='\u{180f}'
        | '\u{fe00}'..='\u{fe0d}'
        | '\u{fff0}'..='\u{fff8}'
        | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        _ => is_obeyed(c),
    }
}

fn has_joined_forms(c: char) -> bool {
    // From Arabic to Myanmar, Khmer and Mongolian, and what came later; marks as a picture.
    matches!(c, '\u{600}'..='\u{109f}' | '\u{1780}'..='\u{18af}' | '\u{a800}'..='\u{abff}' | '\u{fe0f}' | '\u{11000}'..='\u{11fff}')
        || is_picture(c)
}

fn is_picture(c: char) -> bool {
    matches!(c, '\u{a9}' | '\u{ae}' | '\u{203c}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}')
        && c != '\u{2800}'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_the_same_whatever_blanks_come_with_it() {
        for given in [
            "NAS 1",
            " NAS 1",
            "NAS 1 ",
            "NAS  1",
            "\tNAS 1\r\n",
            "NAS\u{a0}1",
            "\u{3000}NAS\u{2003}1",
        ] {
            assert_eq!(tidy(&read(given).unwrap()).unwrap(), "NAS 1", "{given:?}");
        }
        assert_eq!(read(" NAS").unwrap(), " NAS", "it may be on record");
        assert_eq!(read(" NAS\n").unwrap(), "NAS");
        let longest = "x".repeat(NAME_MAX);
        assert_eq!(read(&format!("{longest} ")).unwrap(), longest);
    }

    #[test]
    fn a_name_is_the_same_however_its_letters_are_written() {
        assert_eq!(tidy("Ku\u{308}che").as_deref(), Ok("K\u{fc}che"));
    }

    #[test]
    fn what_cannot_be_seen_is_refused_and_named() {
        for c in [
            '\u{ad}',
            '\u{34f}',
            '\u{1160}',
            '\u{180e}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{2060}',
            '\u{2800}',
            '\u{3164}',
            '\u{fe00}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e0100}',
        ] {
            for name in
                [format!("NA{c}S"), format!("NAS{c}"), format!("{c}NAS"), format!("猫{c}猫")]
            {
                let why = tidy(&name).unwrap_err();
                assert!(why.message.contains(&format!("U+{:04X}", u32::from(c))), "{why}");
                assert_eq!(why.field.as_deref(), Some("appname"));
                assert!(!why.message.chars().any(is_obeyed));
            }
        }
        let why = tidy("NA\u{ad}S").unwrap_err().message;
        assert_eq!(
            why,
            "appname must have no character that cannot be seen, not U+00AD, number 3 in \"NA\\u{ad}S\""
        );
    }

    #[test]
    fn letters_and_pictures_of_all_the_world_are_seen() {
        for name in [
            "Küche",
            "E\u{329}gbe\u{329}",
            "猫",
            "мы",
            "שלום",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "🏠",
            "❤\u{fe0f}",
            "☎\u{fe0e}",
            "1\u{fe0f}\u{20e3}",
            "👨\u{200d}👩\u{200d}👧",
            "🏳\u{fe0f}\u{200d}🌈",
            "👍🏽",
            "🇩🇪",
            "©\u{fe0f}",
        ] {
            assert_eq!(tidy(name).as_deref(), Ok(name));
        }
    }

    proptest! {
        #[test]
        fn a_tidy_name_stays_as_it_is(name in any::<String>()) {
            if let Ok(name) = read(&name).and_then(|name| tidy(&name)) {
                prop_assert_eq!(tidy(&name), Ok(name.clone()));
                prop_assert_eq!(read(&name), Ok(name));
            }
        }
    }
}
