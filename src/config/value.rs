//! From what was given to what an option takes: one function for each kind of value.
//!
//! Every error reads on after the option's name ("port: 70000 is ...") and says what would be right.
//! A secret is never repeated.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::given::Given;
use super::quoted::quoted;
use super::settings::{Secret, Security};
use crate::engine::registration::host::is_host_name;
use crate::engine::registration::quiet_times::{NotQuietTimes, QuietTimes};
use crate::engine::text::span;

/// The longest text: room for an OAuth2 token (2 KiB) and for any address.
const MAX_TEXT: usize = 4096;

type Reading<T> = Result<T, String>;

/// Yes or no.
pub fn flag(given: &Given) -> Reading<bool> {
    let text = given.one()?;
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(format!("{} is neither True nor False", quoted(text))),
    }
}

/// A whole number, as Python writes them.
pub fn whole(given: &Given, range: RangeInclusive<u16>) -> Reading<u16> {
    let text = given.number()?;
    let (low, high) = (range.start(), range.end());
    let wanted = format!("a whole number from {low} to {high}");
    let number =
        python_integer(text.trim()).ok_or_else(|| format!("{} is not {wanted}", quoted(text)))?;
    u16::try_from(number)
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("{} is out of range, it takes {wanted}", text.trim()))
}

/// A span of time: a whole number and `s`, `m` or `h`; `range` is in seconds.
pub fn span(given: &Given, range: RangeInclusive<u64>) -> Reading<Duration> {
    let text = given.one()?.trim();
    let (low, high) = (whole_span(*range.start()), whole_span(*range.end()));
    let wanted = format!("a span of time from {low} to {high}, such as 90s, 10m or 1h");
    let seconds = span::seconds(text).ok_or_else(|| format!("{} is not {wanted}", quoted(text)))?;
    let in_range = range.contains(&seconds);
    in_range
        .then(|| Duration::from_secs(seconds))
        .ok_or_else(|| format!("{} is out of range, it takes {wanted}", quoted(text)))
}

/// A span as [`span()`] reads it: `10m`, `90s`.
pub fn shown_span(span: Duration) -> String {
    whole_span(span.as_secs())
}

fn whole_span(seconds: u64) -> String {
    match seconds {
        hours if hours > 0 && hours % 3600 == 0 => format!("{}h", hours / 3600),
        minutes if minutes > 0 && minutes % 60 == 0 => format!("{}m", minutes / 60),
        seconds => format!("{seconds}s"),
    }
}

/// A whole number, or nothing.
pub fn maybe_whole(given: &Given, range: RangeInclusive<u16>) -> Reading<Option<u16>> {
    if given.number()?.trim().is_empty() { Ok(None) } else { whole(given, range).map(Some) }
}

/// `9090`, `9_090`, `-1`, `0x2382`, `0o21602`, `0b1`; saturating, since no option goes so far.
fn python_integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .find_map(|(prefix, radix)| Some((radix, lower.strip_prefix(prefix)?)))
        .unwrap_or((10, lower.as_str()));
    let single_underscores = digits.split('_').all(|group| !group.is_empty());
    // Python refuses 0123: is it decimal or octal?
    let leading_zero =
        radix == 10 && digits.starts_with('0') && digits.contains(|c| c != '0' && c != '_');
    if !single_underscores || leading_zero {
        return None;
    }
    let magnitude = digits.replace('_', "").chars().try_fold(0_i64, |sum, c| {
        let digit = i64::from(c.to_digit(radix)?);
        Some(sum.saturating_mul(i64::from(radix)).saturating_add(digit))
    })?;
    Some(if negative { -magnitude } else { magnitude })
}

/// Any one line of text; an empty one is nothing.
pub fn text(given: &Given) -> Reading<Option<String>> {
    let text = given.one()?;
    one_line(text).map_err(|why| format!("{} {why}", quoted(text)))?;
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// A password as it is; an empty one is nothing.
pub fn secret(given: &Given) -> Reading<Option<Secret>> {
    let text = given.one()?;
    one_line(text).map_err(|why| format!("the secret {why}"))?;
    Ok(Some(text).filter(|text| !text.is_empty()).map(|text| Secret::new(text.to_owned())))
}

/// A token, without the spaces in which Google shows it; an empty one is nothing.
pub fn token(given: &Given) -> Reading<Option<Secret>> {
    let compact = given.one()?.split_whitespace().collect::<String>();
    secret(&Given::Text(compact))
}

fn one_line(text: &str) -> Result<(), String> {
    if text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        return Err(
            "contains a control character or a line break; it takes one line of text".to_owned()
        );
    }
    if text.len() > MAX_TEXT {
        return Err(format!("is longer than {MAX_TEXT} bytes"));
    }
    Ok(())
}

/// Text without white space around it; `None` if nothing is left.
fn trimmed(given: &Given) -> Reading<Option<&str>> {
    let text = given.one()?.trim();
    one_line(text).map_err(|why| format!("{} {why}", quoted(text)))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// An IP address to listen on.
pub fn ip(given: &Given) -> Reading<IpAddr> {
    let text = given.one()?;
    let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
    inner.parse().map_err(|_| {
        format!(
            "{} is not an IP address; it takes one of this machine's addresses, \
             0.0.0.0 for all of IPv4, or :: for both families",
            quoted(text)
        )
    })
}

/// One email address, or nothing.
pub fn address(given: &Given) -> Reading<Option<String>> {
    trimmed(given)?.map(one_address).transpose()
}

/// Email addresses: a list, or a text with commas between them.
pub fn addresses(given: &Given) -> Reading<Vec<String>> {
    distinct(given, one_address)
}

/// Several values of a kind: a list, or a text with commas between them; each once.
///
/// # Errors
/// Of the first item that `read` refuses.
pub fn distinct<T: PartialEq>(given: &Given, read: impl Fn(&str) -> Reading<T>) -> Reading<Vec<T>> {
    let items: Vec<&str> = match given {
        Given::Text(text) | Given::Word(text) => {
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
        }
        Given::List(items) => items.iter().map(|item| item.trim()).collect(),
    };
    let mut values = Vec::new();
    for item in items {
        let value = read(item)?;
        // Told twice is told once too often.
        if !values.contains(&value) {
            values.push(value);
        }
    }
    Ok(values)
}

/// Addresses with ports, `most` at most: a list, or a text with commas between them; `None`: none.
pub fn anchors(given: &Given, most: usize) -> Reading<Vec<SocketAddr>> {
    if given.one().is_ok_and(|text| text.trim() == "None") {
        return Ok(Vec::new());
    }
    let anchors = distinct(given, |text| {
        let address = text.parse::<SocketAddr>().ok().filter(|address| address.port() != 0);
        address.ok_or_else(|| {
            format!(
                "{} is not an address with a port such as '192.0.2.1:53' or '[2001:db8::1]:443'; \
                 a name could not be looked up without the internet",
                quoted(text)
            )
        })
    })?;
    if anchors.len() > most {
        return Err(format!("{} are too many, it takes {most}", anchors.len()));
    }
    Ok(anchors)
}

/// Times of the day or the week: a list, or a text with commas between them.
pub fn quiet_times(given: &Given) -> Reading<QuietTimes> {
    let texts = distinct(given, |text| Ok(text.to_owned()))?.join(",");
    texts.parse().map_err(|right: NotQuietTimes| format!("{} is not {right}", quoted(&texts)))
}

/// Whether mail can be sent to `text`.
///
/// A domain beyond ASCII is not even shown to lettre: the Unicode tables that it would need are left
/// out to keep the binary small, and `idna_adapter` 1.0.0, which stands in for them, panics on some
/// such domains in builds with debug assertions.
pub fn is_email_address(text: &str) -> bool {
    let ascii_domain = text.rsplit_once('@').is_some_and(|(_, domain)| domain.is_ascii());
    ascii_domain && text.parse::<lettre::Address>().is_ok()
}

fn one_address(text: &str) -> Reading<String> {
    one_line(text).map_err(|why| format!("{} {why}", quoted(text)))?;
    if is_email_address(text) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "{} is not an email address such as 'me@example.org'; a domain beyond ASCII is written in punycode",
        quoted(text)
    ))
}

/// Email addresses, or `*@` and a domain for all of its addresses: a list, or a text with commas.
pub fn address_patterns(given: &Given) -> Reading<Vec<String>> {
    distinct(given, |text| match text.strip_prefix("*@") {
        // Any name stands for all of them.
        Some(domain) => one_address(&format!("anybody@{domain}")).map(|_| text.to_owned()),
        None => one_address(text),
    })
    .map_err(|why| format!("{why}; '*@example.org' is every address there"))
}

/// An address for a browser, or nothing.
pub fn web_address(given: &Given) -> Reading<Option<String>> {
    let Some(text) = trimmed(given)? else {
        return Ok(None);
    };
    let Some(address) = read_web_address(text) else {
        return Err(format!(
            "{} is not an address such as 'http://pi.local:9090'; a name beyond ASCII is written in punycode",
            quoted(text)
        ));
    };
    if !address.username().is_empty() || address.password().is_some() {
        // Not repeated: it is a secret.
        return Err("must carry no user or password: it is shown in mails, and here".to_owned());
    }
    Ok(Some(text.to_owned()))
}

/// The host is kept from [`url`] unless it is plain ASCII, for the reason given at [`is_email_address`];
/// a `%` could hide other characters in it.
fn read_web_address(text: &str) -> Option<url::Url> {
    let lower = text.to_ascii_lowercase();
    let rest = lower.strip_prefix("http://").or_else(|| lower.strip_prefix("https://"))?;
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    // Without an authority, a browser's rules would take the first part of the path for one.
    let plain = !authority.is_empty() && authority.is_ascii() && !authority.contains('%');
    if !plain || text.contains(char::is_whitespace) {
        return None;
    }
    let url = url::Url::parse(text).ok()?;
    match url.host()? {
        url::Host::Domain(name) if !is_host_name(name.strip_suffix('.').unwrap_or(name)) => None,
        _ => Some(url),
    }
}

/// The name or address of a server, or nothing.
pub fn host(given: &Given) -> Reading<Option<String>> {
    let Some(text) = trimmed(given)? else {
        return Ok(None);
    };
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if is_host_name(text.strip_suffix('.').unwrap_or(text)) || inner.parse::<IpAddr>().is_ok() {
        return Ok(Some(inner.to_owned()));
    }
    Err(format!(
        "{} is not the name of a server such as 'mail.example.org'; \
         the port goes into smtp_port, a name beyond ASCII is written in punycode",
        quoted(text)
    ))
}

/// How the connection to the mail server is protected, or nothing.
pub fn security(given: &Given) -> Reading<Option<Security>> {
    let Some(text) = trimmed(given)? else {
        return Ok(None);
    };
    match text.to_ascii_lowercase().as_str() {
        "tls" => Ok(Some(Security::Tls)),
        "starttls" => Ok(Some(Security::Starttls)),
        "none" => Ok(Some(Security::None)),
        _ => Err(format!("{} is not one of 'tls', 'starttls', 'none'", quoted(text))),
    }
}

/// The name of a file, or nothing.
pub fn path(given: &Given) -> Reading<Option<PathBuf>> {
    Ok(text(given)?.map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn given(text: &str) -> Given {
        Given::Text(text.to_owned())
    }

    fn items(items: &[&str]) -> Given {
        Given::List(items.iter().map(|item| (*item).to_owned()).collect())
    }

    #[test]
    fn yes_and_no_in_the_words_that_people_use() {
        for yes in ["True", "true", " yes ", "ON", "1"] {
            assert_eq!(flag(&given(yes)), Ok(true));
        }
        for no in ["False", "no", "off", "0"] {
            assert_eq!(flag(&given(no)), Ok(false));
        }
        assert_eq!(flag(&given("Treu")), Err("'Treu' is neither True nor False".to_owned()));
        assert!(flag(&given("")).is_err());
        assert!(flag(&items(&["True"])).is_err());
    }

    #[test]
    fn whole_numbers_are_python_s_and_bounded() {
        for text in ["9090", "9_090", "0x2382", "0O21602", "+9090", " 9090 "] {
            assert_eq!(whole(&given(text), 1..=65535), Ok(9090), "{text}");
        }
        for text in ["", "1.5", "09", "9__0", "_9", "nine", "0x", "1e3", "--1"] {
            let error = whole(&given(text), 1..=9).expect_err(text);
            assert!(error.ends_with("is not a whole number from 1 to 9"), "{error}");
        }
        for text in ["0", "10", "-1", "70000", "99999999999999999999999"] {
            let error = whole(&given(text), 1..=9).expect_err(text);
            assert_eq!(
                error,
                format!("{text} is out of range, it takes a whole number from 1 to 9")
            );
        }
        assert_eq!(maybe_whole(&given(""), 1..=9), Ok(None));
        let glued = "9# a comment".to_owned();
        assert_eq!(whole(&Given::Word(glued.clone()), 1..=9), Ok(9));
        assert!(whole(&Given::Text(glued.clone()), 1..=9).is_err());
        assert_eq!(text(&Given::Word(glued.clone())), Ok(Some(glued)));
    }

    #[test]
    fn control_characters_are_refused_and_a_secret_is_not_repeated() {
        let error = text(&given("a\nb")).expect_err("a line break");
        assert!(error.starts_with("'a\\nb' contains a control character"), "{error}");
        let error = secret(&given("hunter2\u{0}")).expect_err("a control character");
        assert!(!error.contains("hunter2"), "{error}");
        assert!(secret(&given(&"x".repeat(MAX_TEXT + 1))).is_err());
        assert_eq!(secret(&given("")), Ok(None));
        assert_eq!(text(&given(" kept ")), Ok(Some(" kept ".to_owned())));
    }

    #[test]
    fn a_token_loses_its_spaces() {
        let token = token(&given("abcd efgh\u{a0}ijkl\nmnop\n")).expect("valid");
        assert_eq!(
            token.map(|token| token.reveal().to_owned()),
            Some("abcdefghijklmnop".to_owned())
        );
    }

    #[test]
    fn addresses_come_as_a_list_or_with_commas() {
        let both = vec!["a@b.c".to_owned(), "d@e.f".to_owned()];
        assert_eq!(addresses(&given("a@b.c,\n d@e.f, a@b.c,")), Ok(both.clone()));
        assert_eq!(addresses(&items(&["a@b.c", "d@e.f"])), Ok(both));
        assert_eq!(addresses(&given("")), Ok(vec![]));
        assert_eq!(
            addresses(&given("a@b.c, nobody")),
            Err("'nobody' is not an email address such as 'me@example.org'; \
                 a domain beyond ASCII is written in punycode"
                .to_owned())
        );
        assert!(address(&given("a@b.c\r\nBcc: d@e.f")).is_err());
        assert!(address(&given("Me <a@b.c>")).is_err());
    }

    #[test]
    fn a_star_stands_for_every_address_of_a_domain() {
        let both = vec!["*@example.org".to_owned(), "me@b.c".to_owned()];
        assert_eq!(address_patterns(&given("*@example.org, me@b.c")), Ok(both));
        for wrong in ["*", "*@", "*example.org", "a*@", "@b.c", "example.org", "*@kü.de", "**@b.c@"]
        {
            let why = address_patterns(&given(wrong)).expect_err(wrong);
            assert!(why.contains("'*@example.org' is every address"), "{why}");
        }
    }

    #[test]
    fn anchors_are_addresses_with_ports() {
        let both: Vec<SocketAddr> =
            ["192.0.2.1:53", "[2001:db8::1]:443"].map(|text| text.parse().expect(text)).into();
        assert_eq!(anchors(&given("192.0.2.1:53, [2001:db8::1]:443,"), 8), Ok(both.clone()));
        assert_eq!(anchors(&items(&["192.0.2.1:53", "[2001:db8::1]:443"]), 2), Ok(both));
        for none in ["None", " None ", ""] {
            assert_eq!(anchors(&given(none), 8), Ok(vec![]), "{none}");
        }
        assert_eq!(anchors(&items(&[]), 8), Ok(vec![]));
        for wrong in ["192.0.2.1", "192.0.2.1:0", "dns.example.org:53", "192.0.2.1:53 None"] {
            let why = anchors(&given(wrong), 8).expect_err(wrong);
            assert!(why.contains("is not an address with a port such as '192.0.2.1:53'"), "{why}");
        }
        let why = anchors(&given("192.0.2.1:1,192.0.2.1:2"), 1).expect_err("two");
        assert_eq!(why, "2 are too many, it takes 1");
    }

    #[test]
    fn servers_and_web_addresses() {
        assert_eq!(host(&given("mail.example.org")), Ok(Some("mail.example.org".to_owned())));
        assert_eq!(host(&given("[::1]")), Ok(Some("::1".to_owned())));
        assert_eq!(host(&given("mail_1.lan.")), Ok(Some("mail_1.lan.".to_owned())));
        for wrong in
            ["mail.example.org:25", "smtp://mail", "a b", "kü.de", "mail..example.org", "..."]
        {
            assert!(host(&given(wrong)).is_err(), "{wrong}");
        }
        assert!(web_address(&given("https://pi.local/hc")).is_ok());
        for wrong in
            ["pi.local", "ftp://pi", "http://", "http://a b", "javascript:alert(1)", "http://a..b"]
        {
            assert!(web_address(&given(wrong)).is_err(), "{wrong}");
        }
        for secret in ["http://me:s3cret@pi.local/", "https://s3cret@pi.local"] {
            let why = web_address(&given(secret)).expect_err(secret);
            assert!(why.contains("no user or password") && !why.contains("s3cret"), "{why}");
        }
        assert_eq!(ip(&given("::")), Ok(IpAddr::from([0_u16; 8])));
        assert!(ip(&given("localhost")).is_err());
        assert_eq!(security(&given("StartTLS")), Ok(Some(Security::Starttls)));
        assert!(security(&given("ssl")).is_err());
    }

    /// `idna_adapter` 1.0.0 has `debug_assert!(!c.is_ascii_uppercase())` in its stand-in for Unicode.
    #[test]
    fn a_domain_beyond_ascii_is_refused_and_does_not_panic() {
        for domain in ["KÜ.de", "A猫.jp", "eA\u{301}", "%41é.de", "%41%C3%A9.de"] {
            assert!(web_address(&given(&format!("http://{domain}/"))).is_err(), "{domain}");
            assert!(web_address(&given(&format!("http:\\\\{domain}/"))).is_err(), "{domain}");
            assert!(!is_email_address(&format!("x@{domain}")), "{domain}");
        }
        assert!(web_address(&given("http://pi.local/küche%41")).is_ok());
        assert!(is_email_address("küche@example.org"));
    }

    proptest! {
        #[test]
        fn no_web_address_makes_it_panic(text in "https?:[/\\\\]{0,3}[AaéÜ%41.:@/?#\\\\]{0,12}") {
            let _ = web_address(&given(&text));
        }

        #[test]
        fn no_email_address_makes_it_panic(text in "[Aaé\u{301}@.\"]{0,3}@[AaéÜ\u{301}.\\[\\]:xn-]{0,12}") {
            let _ = address(&given(&text));
        }

        #[test]
        fn nothing_makes_them_panic(text in any::<String>()) {
            let given = given(&text);
            let _ = (flag(&given), whole(&given, 0..=9), ip(&given), addresses(&given), host(&given));
            let _ = (web_address(&given), security(&given), token(&given), path(&given));
        }
    }
}
