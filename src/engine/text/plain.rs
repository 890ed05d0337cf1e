//! Text from outside, made safe to show to a person.

use std::borrow::Cow;

/// What stands at the end of a text that was cut.
const ELLIPSIS: char = '…';

/// `text` in one line of at most `most` characters: control characters and those that steer a
/// terminal or the direction of text become blanks, blanks in a row become one, the ends are trimmed.
pub fn one_line(text: &str, most: usize) -> String {
    let mut line = String::with_capacity(text.len().min(most));
    let mut length = 0;
    for word in text.split(|c: char| c.is_whitespace() || is_obeyed(c)) {
        if word.is_empty() {
            continue;
        }
        let blank = (length > 0).then_some(' ');
        for c in blank.into_iter().chain(word.chars()) {
            if length == most {
                line.pop();
                line.push(ELLIPSIS);
                return line;
            }
            line.push(c);
            length += 1;
        }
    }
    line
}

/// `text` as it is, but for hostile characters, which become blanks. Line breaks and tabs stay.
pub fn harmless(text: &str) -> String {
    let bad = |c: char| is_obeyed(c) && !matches!(c, '\n' | '\r' | '\t');
    text.replace(bad, " ")
}

/// `json` with every character that a terminal would obey written as an escape. In JSON such a
/// character can only be part of a text, but for blanks and line breaks between the parts.
pub fn harmless_json(json: &str) -> Cow<'_, str> {
    let bad = |c: char| is_obeyed(c) && !matches!(c, '\n' | '\r' | '\t');
    if !json.contains(bad) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 8);
    for c in json.chars() {
        if bad(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Whether a terminal, a mail program or a log reader does something for `c` other than to show it:
/// a control character, a line break that only some programs see, or an invisible mark that turns
/// the direction of text (the Trojan Source trick) or makes two names look alike.
pub fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_has_no_control_characters_and_single_blanks() {
        let text = "\u{1b}[31mdisk\r\n\tfull\u{202e} \u{9b}2J ";
        assert_eq!(one_line(text, 100), "[31mdisk full 2J");
    }

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        assert_eq!(one_line("Größe überschritten", 5), "Größ…");
        assert_eq!(one_line("Größe", 5), "Größe");
        assert_eq!(one_line("Größe  ", 5), "Größe");
    }

    #[test]
    fn json_says_the_same_and_steers_no_terminal() {
        let said = json!({"a\u{9b}2J": ["\u{202e}\u{7f}ü", "\u{1b}"]});
        let text = serde_json::to_string_pretty(&said).unwrap();
        let harmless = harmless_json(&text);
        assert!(!harmless.chars().any(|c| is_obeyed(c) && c != '\n'), "{harmless}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&harmless).unwrap(), said);
        assert!(matches!(harmless_json("{\n}"), Cow::Borrowed(_)));
    }

    #[test]
    fn letters_and_joined_pictures_are_shown() {
        for c in ['a', 'ü', ' ', '\u{200d}', '\u{ad}', '猫', '🏠', '\u{5d0}', '\u{627}'] {
            assert!(!is_obeyed(c), "{c:?}");
        }
        for c in ['\0', '\u{1b}', '\u{7f}', '\u{85}', '\u{9b}', '\u{2028}', '\u{202e}', '\u{2066}']
        {
            assert!(is_obeyed(c), "{c:?}");
        }
    }

    #[test]
    fn json_keeps_its_layout() {
        assert_eq!(harmless("{\n\t\"a\": \"\u{7f}\"\n}"), "{\n\t\"a\": \" \"\n}");
    }

    proptest! {
        #[test]
        fn any_json_says_the_same(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            let harmless = harmless_json(&json);
            prop_assert!(!harmless.chars().any(is_obeyed));
            prop_assert_eq!(serde_json::from_str::<String>(&harmless).unwrap(), text);
        }

        #[test]
        fn a_line_keeps_its_promise(text in any::<String>(), most in 1usize..40) {
            let line = one_line(&text, most);
            prop_assert!(line.chars().count() <= most);
            prop_assert!(!line.chars().any(is_obeyed));
            prop_assert!(!line.contains("  "));
        }
    }
}
