//! Markup in which nothing from outside can become markup.

use std::fmt::{self, Display, Write};

/// All pages lie below it, but for two.
const ROOT: &str = "/healthchecker/";

/// The way to [`ROOT`] from far below. Nothing is served from there but that there is nothing.
const FAR: &str = "../../../../../../../../healthchecker/";

/// The way from a page to where the others are. No address on a page begins with the daemon's own root: a proxy may
/// have that below a path of its own (`/health-checker/`), of which nobody need tell us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Base(&'static str);

impl Base {
    /// That of the page at `path`.
    pub fn of(path: &str) -> Base {
        match path.strip_prefix(ROOT) {
            Some(page) if !page.contains('/') => Base(""),
            _ => {
                let ups = path.matches('/').count().saturating_sub(1);
                let skipped = (FAR.matches("../").count().saturating_sub(ups)) * "../".len();
                Base(FAR.get(skipped..).unwrap_or(FAR))
            }
        }
    }
}

/// A piece of HTML under construction: markup can only be written down in the source, and whatever
/// is put into it is escaped, in text and in quoted attributes alike.
#[derive(Debug, Default)]
pub(super) struct Html {
    text: String,
    base: Base,
}

impl Html {
    /// A piece of a page that is not where the others are.
    pub(super) fn at(base: Base) -> Html {
        Html { text: String::new(), base }
    }

    /// Adds markup. `&'static str` is the promise that it is ours.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Html {
        self.text.push_str(markup);
        self
    }

    /// Adds the address of another page, as it is from `/healthchecker/`.
    pub(super) fn to(&mut self, page: &'static str) -> &mut Html {
        self.raw(self.base.0).raw(page)
    }

    /// Adds text, escaped.
    pub(super) fn put(&mut self, text: impl Display) -> &mut Html {
        self.put_any(&text)
    }

    /// The same, whose code is there once.
    fn put_any(&mut self, text: &dyn Display) -> &mut Html {
        // Writing to a string cannot fail.
        let _ = write!(Escaped(&mut self.text), "{text}");
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
        self.text.push_str(&piece.text);
        self
    }

    pub(super) fn into_string(self) -> String {
        self.text
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

    #[test]
    fn other_pages_are_found_from_wherever_one_is() {
        for (path, way) in [
            ("/healthchecker/info", ""),
            ("/healthchecker/", ""),
            ("/healthchecker", "healthchecker/"),
            ("/", "healthchecker/"),
            ("/nowhere/at/all", "../../healthchecker/"),
            ("/healthchecker/info/", "../../healthchecker/"),
            ("/1/2/3/4/5/6/7/8/9/10/11", FAR),
            ("*", "healthchecker/"),
        ] {
            let mut html = Html::at(Base::of(path));
            html.to("info");
            assert_eq!(html.into_string(), format!("{way}info"), "{path}");
        }
    }

    proptest! {
        #[test]
        fn nothing_leaves_its_place(text in any::<String>()) {
            prop_assert!(!put(&text).contains(['<', '>', '"', '\'', '\0']));
        }
    }
}
