//! Texts and bytes from outside, made fit for a terminal and for the log.

use crate::engine::text::plain::is_obeyed;

/// `text` as a Python literal: what could be written in the configuration file to get it.
///
/// Characters that a terminal would obey are escaped, so that nothing read from outside can forge
/// a line or move the cursor.
pub fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if is_obeyed(c) => out.push_str(&escaped(c)),
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// A name, a path or a word as it is, in quotes only if a terminal would obey something in it.
pub fn shown(text: &str) -> String {
    if text.chars().any(is_obeyed) { quoted(text) } else { text.to_owned() }
}

/// Several texts as a Python list.
pub fn quoted_list(texts: &[String]) -> String {
    let items: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", items.join(", "))
}

/// `c` as a Python escape.
pub fn escaped(c: char) -> String {
    match u32::from(c) {
        code @ 0..=0xff => format!("\\x{code:02x}"),
        code @ 0x100..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shown_as_python_would_write_it() {
        assert_eq!(quoted("plain"), "'plain'");
        assert_eq!(quoted("it's"), "\"it's\"");
        assert_eq!(quoted("it's \"both\""), "'it\\'s \"both\"'");
        assert_eq!(quoted("a\\b\nc\r\t\u{1b}[2J"), "'a\\\\b\\nc\\r\\t\\x1b[2J'");
        assert_eq!(quoted("Küche \u{202e}"), "'Küche \\u202e'");
        assert_eq!(shown("./my config"), "./my config");
        assert_eq!(shown("a\u{7}"), "'a\\x07'");
        assert_eq!(quoted_list(&["a".into(), "b".into()]), "['a', 'b']");
    }
}
