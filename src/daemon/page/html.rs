//! Markup in which nothing from outside can become markup.

use std::fmt::{self, Display, Write};

/// A piece of HTML under construction: markup can only be written down in the source, and whatever
/// is put into it is escaped, in text and in quoted attributes alike.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Adds markup. `&'static str` is the promise that it is ours.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Html {
        self.0.push_str(markup);
        self
    }

    /// Adds text, escaped.
    pub(super) fn put(&mut self, text: impl Display) -> &mut Html {
        self.put_any(&text)
    }

    /// The same, whose code is there once.
    fn put_any(&mut self, text: &dyn Display) -> &mut Html {
        // Writing to a string cannot fail.
        let _ = write!(Escaped(&mut self.0), "{text}");
        self
    }

    /// Adds a value for the query of an address.
    pub(super) fn query(&mut self, value: &str) -> &mut Html {
        for part in form_urlencoded::byte_serialize(value.as_bytes()) {
            self.put(part);
        }
        self
    }

    /// Adds another piece.
    pub(super) fn add(&mut self, piece: &Html) -> &mut Html {
        self.0.push_str(&piece.0);
        self
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // No character reference may name these, and no page may hold them (HTML, 13.2.3.5).
                '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => {
                    self.0.push('\u{fffd}');
                }
                other => self.0.push(other),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn put(text: &str) -> String {
        let mut html = Html::default();
        html.put(text);
        html.into_string()
    }

    #[test]
    fn markup_becomes_text() {
        assert_eq!(
            put("<a href=\"x\" id='y'>&amp;\0"),
            "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;\u{fffd}"
        );
        assert_eq!(put("Küche \u{1f373}"), "Küche \u{1f373}");
        let mut html = Html::default();
        html.raw("<a href=\"/x?appname=").query("a b&c=\"ü'").raw("\">");
        assert_eq!(html.into_string(), "<a href=\"/x?appname=a+b%26c%3D%22%C3%BC%27\">");
    }

    proptest! {
        #[test]
        fn nothing_leaves_its_place(text in any::<String>()) {
            prop_assert!(!put(&text).contains(['<', '>', '"', '\'', '\0']));
        }
    }
}
