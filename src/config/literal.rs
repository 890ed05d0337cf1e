//! Python literals, as Configobj's unrepr mode writes them and as people type them.
//!
//! Read: texts in single, double or triple quotes with all of Python's escapes, the prefixes `r`
//! and `u`, texts side by side, lists and tuples of them, a `#` comment behind. Whatever is not in
//! quotes or brackets (`True`, `9090`, `mail.example.org`) is handed on as it is written: what it
//! means depends on the option. One leniency: elements of a list may go without quotes too.
//!
//! No error repeats the text: it may be a password.

/// What a value says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// `None`: the option is left at its default.
    None,
    /// One text in quotes.
    Text(String),
    /// A number or a word without quotes.
    Word(String),
    /// A list or a tuple.
    List(Vec<String>),
}

/// Reads the value of one logical line.
///
/// # Errors
/// A sentence that says what is wrong with it and what would be right.
pub fn read(source: &str) -> Result<Literal, String> {
    let mut reader = Reader { rest: source };
    reader.skip_blanks();
    match reader.peek() {
        None => Ok(Literal::Word(String::new())),
        Some('{') => Err("a dictionary is not the value of any option".to_owned()),
        Some('[' | '(') => {
            let sequence = reader.sequence()?;
            reader.end()?;
            Ok(sequence)
        }
        Some(_) if reader.at_text()? => {
            let first = reader.text()?;
            if reader.eat(",") {
                return reader.bare_tuple(first);
            }
            reader.end()?;
            Ok(Literal::Text(first))
        }
        Some(_) => Ok(word(reader.bare_word())),
    }
}

/// Python's own words end where they end, even when a comment is right behind them.
fn word(text: &str) -> Literal {
    match text.split('#').next().unwrap_or_default() {
        "None" => Literal::None,
        own @ ("True" | "False") => Literal::Word(own.to_owned()),
        _ => Literal::Word(text.to_owned()),
    }
}

/// The prefix of a text in quotes (`r`, `b`, mostly nothing) and the rest from the quote on; `None`
/// if no such text begins here: in `it's` the quote is a letter.
pub fn text_prefix(source: &str) -> Option<(&str, &str)> {
    let rest = source.trim_start_matches(|c: char| "bBfFrRtTuU".contains(c));
    let letters = source.strip_suffix(rest)?;
    (letters.len() <= 2 && rest.starts_with(['\'', '"'])).then_some((letters, rest))
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next();
        self.rest = chars.as_str();
        c
    }

    fn eat(&mut self, what: &str) -> bool {
        match self.rest.strip_prefix(what) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes characters as long as they please.
    fn take_while(&mut self, mut pleases: impl FnMut(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !pleases(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// Skips white space and comments.
    fn skip_blanks(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            if self.peek() != Some('#') {
                return;
            }
            self.take_while(|c| c != '\n');
        }
    }

    fn end(&mut self) -> Result<(), String> {
        self.skip_blanks();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err("something follows the value; a comment begins with #, \
                            and a quote inside a text is written \\' or \\\""
                .to_owned()),
        }
    }

    /// A word without quotes: all of the line, but for a comment behind white space.
    fn bare_word(&mut self) -> &'a str {
        let mut after_blank = false;
        self.take_while(|c| {
            let goes_on = !(after_blank && c == '#');
            after_blank = c.is_whitespace();
            goes_on
        })
        .trim_end()
    }

    /// The rest of `'a', 'b'`, which Python reads as a tuple.
    fn bare_tuple(&mut self, first: String) -> Result<Literal, String> {
        let mut items = vec![first];
        loop {
            self.skip_blanks();
            if self.peek().is_none() {
                return Ok(Literal::List(items));
            }
            items.push(self.item()?);
            self.skip_blanks();
            if !self.eat(",") {
                self.end()?;
                return Ok(Literal::List(items));
            }
        }
    }

    /// A list, a tuple, or one item in parentheses.
    fn sequence(&mut self) -> Result<Literal, String> {
        let is_list = self.next() == Some('[');
        let close = if is_list { "]" } else { ")" };
        let mut items = Vec::new();
        let mut commas = false;
        loop {
            self.skip_blanks();
            if self.eat(close) {
                break;
            }
            items.push(self.item()?);
            self.skip_blanks();
            if self.eat(close) {
                break;
            }
            if !self.eat(",") {
                return Err(format!("a list ends with {close} and has commas between its items"));
            }
            commas = true;
        }
        match items.pop() {
            Some(only) if !is_list && !commas => Ok(Literal::Text(only)),
            last => {
                items.extend(last);
                Ok(Literal::List(items))
            }
        }
    }

    /// An item of a list: a text, or a word without quotes.
    fn item(&mut self) -> Result<String, String> {
        match self.peek() {
            Some('[' | '(' | '{') => Err("a list inside a list is too much".to_owned()),
            Some(_) if self.at_text()? => self.text(),
            _ => {
                let word = self.take_while(|c| !c.is_whitespace() && !",])#'\"".contains(c));
                if word.is_empty() {
                    return Err(
                        "a list ends with its bracket and has items between its commas".to_owned()
                    );
                }
                Ok(word.to_owned())
            }
        }
    }

    /// Whether a text in quotes begins here.
    fn at_text(&self) -> Result<bool, String> {
        match text_prefix(self.rest) {
            None => Ok(false),
            Some(("" | "r" | "R" | "u" | "U", _)) => Ok(true),
            Some((letters, _)) => Err(format!(
                "the prefix {letters} before a quote is not for an option's text; leave it out"
            )),
        }
    }

    /// A text in quotes, and those right beside it, which Python joins.
    fn text(&mut self) -> Result<String, String> {
        let mut text = String::new();
        while self.at_text()? {
            self.one_text(&mut text)?;
            self.skip_blanks();
        }
        Ok(text)
    }

    fn one_text(&mut self, out: &mut String) -> Result<(), String> {
        let (letters, rest) = text_prefix(self.rest).unwrap_or(("", self.rest));
        self.rest = rest;
        let raw = letters.eq_ignore_ascii_case("r");
        let close = ["'''", "\"\"\"", "'", "\""]
            .into_iter()
            .find(|quotes| self.eat(quotes))
            .unwrap_or_default();
        while !self.eat(close) {
            match self.next() {
                Some('\n') if close.len() == 1 => return Err(not_closed(close)),
                Some('\\') if raw => {
                    out.push('\\');
                    out.extend(self.next());
                }
                Some('\\') => self.escape(out)?,
                Some(c) => out.push(c),
                None => return Err(not_closed(close)),
            }
        }
        Ok(())
    }

    /// What follows a backslash (Python's reference, 2.4.1.1).
    fn escape(&mut self, out: &mut String) -> Result<(), String> {
        let plain = match self.next() {
            Some('\n') | None => return Ok(()),
            Some(c @ ('\\' | '\'' | '"')) => c,
            Some('a') => '\u{7}',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('v') => '\u{b}',
            Some('x') => self.code_point('x', 2)?,
            Some('u') => self.code_point('u', 4)?,
            Some('U') => self.code_point('U', 8)?,
            Some('N') => {
                return Err("\\N{...} is not read here; write the character itself, \
                            or its number as \\u...."
                    .to_owned());
            }
            Some(c @ '0'..='7') => self.octal(c),
            Some(other) => {
                // As in Python: an escape that means nothing is kept as it stands.
                out.push('\\');
                other
            }
        };
        out.push(plain);
        Ok(())
    }

    fn code_point(&mut self, kind: char, digits: usize) -> Result<char, String> {
        let mut left = digits;
        let hex = self.take_while(|c| {
            let takes = left > 0 && c.is_ascii_hexdigit();
            left -= usize::from(takes);
            takes
        });
        let code = u32::from_str_radix(hex, 16).ok().filter(|_| hex.len() == digits);
        code.and_then(char::from_u32).ok_or_else(|| {
            format!("\\{kind} is followed by {digits} hexadecimal digits that name a character")
        })
    }

    /// Up to three octal digits, of which the first is taken already; at most `\777`.
    fn octal(&mut self, first: char) -> char {
        let mut code = first.to_digit(8).unwrap_or(0);
        for _ in 0..2 {
            let Some(digit) = self.peek().and_then(|c| c.to_digit(8)) else {
                break;
            };
            self.next();
            code = code * 8 + digit;
        }
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}

fn not_closed(quotes: &str) -> String {
    match quotes.len() {
        1 => format!(
            "the text that begins with {quotes} does not end on this line; \
                      close it with {quotes}, or use three of them for several lines"
        ),
        _ => format!("the text that begins with {quotes} never ends; close it with {quotes}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    use crate::config::quoted::{quoted, quoted_list};

    fn text(source: &str) -> String {
        match read(source) {
            Ok(Literal::Text(text) | Literal::Word(text)) => text,
            other => panic!("{source}: {other:?}"),
        }
    }

    fn list(source: &str) -> Vec<String> {
        match read(source) {
            Ok(Literal::List(items)) => items,
            other => panic!("{source}: {other:?}"),
        }
    }

    #[test]
    fn words_without_quotes_are_taken_as_written() {
        assert_eq!(text("9090"), "9090");
        assert_eq!(text("True"), "True");
        assert_eq!(text(" mail.example.org  # the relay"), "mail.example.org");
        assert_eq!(text("abcd efgh ijkl mnop"), "abcd efgh ijkl mnop");
        assert_eq!(text("ab#cd;ef:gh=ij"), "ab#cd;ef:gh=ij");
        assert_eq!(text("it's"), "it's");
        assert_eq!(text("a@b.c, d@e.f"), "a@b.c, d@e.f");
        assert_eq!(text("::"), "::");
        assert_eq!(text(""), "");
        assert_eq!(text("# nothing"), "");
        assert_eq!(text("True# glued"), "True");
        assert_eq!(text("True#glued"), "True");
        assert_eq!(read("None"), Ok(Literal::None));
        assert_eq!(read("None# glued"), Ok(Literal::None));
        assert_eq!(read("'9'"), Ok(Literal::Text("9".to_owned())));
        assert_eq!(read("9"), Ok(Literal::Word("9".to_owned())));
    }

    #[test]
    fn quotes_escapes_and_prefixes_mean_what_python_means() {
        assert_eq!(text("'a#b;c=d'  # comment"), "a#b;c=d");
        assert_eq!(text(r#""it's""#), "it's");
        assert_eq!(text(r"'\x41\u00e9\U0001f600\101\0'"), "Aé😀A\0");
        assert_eq!(text(r"'\a\b\f\n\r\t\v\\\'\d'"), "\u{7}\u{8}\u{c}\n\r\t\u{b}\\'\\d");
        assert_eq!(text(r"r'C:\new\'s'"), r"C:\new\'s");
        assert_eq!(text("u'x' U\"y\""), "xy");
        assert_eq!(text("'''a\nb''c\\\nd'''"), "a\nb''cd");
        assert_eq!(text("('only')"), "only");
        assert_eq!(text("('one '\n 'two')"), "one two");
    }

    #[test]
    fn lists_and_tuples() {
        assert_eq!(list("['a@b.c', 'd@e.f',]"), ["a@b.c", "d@e.f"]);
        assert_eq!(list("[a@b.c, # the owner\n d@e.f]"), ["a@b.c", "d@e.f"]);
        assert_eq!(list("('a',)"), ["a"]);
        assert_eq!(list("'a', 'b' # two"), ["a", "b"]);
        assert_eq!(list("'a',"), ["a"]);
        assert_eq!(list("[]"), Vec::<String>::new());
        assert_eq!(list("()"), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_a_literal_is_refused_without_repeating_it() {
        for source in [
            "'secret",
            "\"secret\\\"",
            "'''secret",
            "'secret' secret",
            "['secret'",
            "['secret' 'x' y]",
            "[['secret']]",
            "{'secret': 1}",
            "b'secret'",
            "f'secret'",
            "rb'secret'",
            "[,]",
            "['secret',,]",
            r"'secret\x4'",
            r"'secret\ud800'",
            r"'secret\U00110000'",
            r"'secret\N{BULLET}'",
            "'secret\n'",
            "('secret']",
        ] {
            let error = read(source).expect_err(source);
            assert!(!error.contains("secret"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn what_python_would_write_is_read_back(original in any::<String>()) {
            prop_assert_eq!(text(&quoted(&original)), original);
        }

        #[test]
        fn lists_are_read_back(items in proptest::collection::vec(any::<String>(), 0..5)) {
            prop_assert_eq!(list(&quoted_list(&items)), items);
        }

        #[test]
        fn nothing_makes_the_reader_panic(source in "[\\[\\](){},'\"rub# \\\\xuUN0-9a-f\n]*") {
            let _ = read(&source);
        }
    }
}
