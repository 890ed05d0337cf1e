//! Text from outside, made safe to show to a person.

/// What stands at the end of a text that was cut.
const ELLIPSIS: char = '…';

/// `text` in one line of at most `most` characters: control characters and those that steer a
/// terminal or the direction of text become blanks, blanks in a row become one, the ends are trimmed.
pub fn one_line(text: &str, most: usize) -> String {
    let mut line = String::with_capacity(text.len().min(most));
    let mut length = 0;
    for word in text.split(|c: char| c.is_whitespace() || is_hostile(c)) {
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
    let bad = |c: char| is_hostile(c) && !matches!(c, '\n' | '\r' | '\t');
    text.replace(bad, " ")
}

/// A control character, an invisible mark that turns the direction of text (the Trojan Source
/// trick), or a line break that only some programs see.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
    fn json_keeps_its_layout() {
        assert_eq!(harmless("{\n\t\"a\": \"\u{7f}\"\n}"), "{\n\t\"a\": \" \"\n}");
    }

    proptest! {
        #[test]
        fn a_line_keeps_its_promise(text in any::<String>(), most in 1usize..40) {
            let line = one_line(&text, most);
            prop_assert!(line.chars().count() <= most);
            prop_assert!(!line.chars().any(is_hostile));
            prop_assert!(!line.contains("  "));
        }
    }
}
