//! Apps that are silent together, in subject and body.

use super::words::{Known, Named, Row, Told, span, time};

/// `6 apps are UNHEALTHY: NAS and 5 on 192.168.1.20`: an outage in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::judge) struct OutageLine {
    /// So many are UNHEALTHY,
    pub(in crate::judge) unhealthy: u64,
    /// and so many more do not answer.
    pub(in crate::judge) silent: u64,
    /// Others were told before.
    pub(in crate::judge) more: bool,
    /// Some that are UNHEALTHY; all of them where no host is named.
    pub(in crate::judge) named: Row,
    pub(in crate::judge) host: Option<String>,
}

/// An outage in full.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::judge) struct Outage {
    /// What its headline says of how many there are,
    pub(in crate::judge) apps: u64,
    /// and within how many seconds they fell silent, at most.
    pub(in crate::judge) within: u64,
    pub(in crate::judge) more: bool,
    /// The one host of all of them.
    pub(in crate::judge) host: Option<String>,
    pub(in crate::judge) silent: Vec<Silent>,
}

/// An app that does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::judge) struct Silent {
    pub(in crate::judge) named: Named,
    pub(in crate::judge) unhealthy: bool,
    pub(in crate::judge) since: Told,
    /// In whose list it stands.
    pub(in crate::judge) host: Option<String>,
}

impl OutageLine {
    /// Whether it says the same as an outage in full.
    pub(in crate::judge) fn is_of(&self, outage: &Outage) -> bool {
        let unhealthy = outage.silent.iter().filter(|it| it.unhealthy);
        let silent = outage.silent.len() - unhealthy.clone().count();
        (self.more, &self.host) == (outage.more, &outage.host)
            && (self.unhealthy, self.silent) == (unhealthy.clone().count() as u64, silent as u64)
            && self.named.is_of(unhealthy.map(|it| &it.named))
    }

    /// Whether those whom it names are there.
    pub(super) fn is_known(&self) -> bool {
        self.named.names.first().is_some_and(|named| named.app.is_some())
    }
}

/// An outage in a line, and what follows.
pub(super) fn line<'t>(
    text: &'t str,
    known: &Known,
    is_other: impl Fn(&str) -> bool,
) -> Option<(OutageLine, &'t str)> {
    several(text, known, is_other).or_else(|| single(text, known))
}

/// `6 apps are UNHEALTHY: ...`, `3 more apps are UNHEALTHY: ...`.
fn several<'t>(
    text: &'t str,
    known: &Known,
    is_other: impl Fn(&str) -> bool,
) -> Option<(OutageLine, &'t str)> {
    let (count, rest) = text.split_once(" apps are UNHEALTHY: ")?;
    let (count, more) = count.strip_suffix(" more").map_or((count, false), |count| (count, true));
    let unhealthy: u64 = count.parse().ok()?;
    if let Some((named, host, rest)) = on_one_host(rest, known, unhealthy) {
        let (silent, rest) = silent_too(rest);
        let named = Row { names: vec![named], more: unhealthy - 1, cut: false };
        let host = Some(host);
        return Some((OutageLine { unhealthy, silent, more, named, host }, rest));
    }
    let ends = |rest: &str| silent_too(&format!(", {rest}")).0 > 0 || is_other(rest);
    let (named, rest) = match rest.strip_prefix(", ") {
        // Nobody of them is UNHEALTHY yet.
        Some(_) => (Row::default(), rest),
        None => known.row_before(rest, ends),
    };
    let (silent, rest) = silent_too(rest);
    Some((OutageLine { unhealthy, silent, more, named, host: None }, rest))
}

/// `NAS and 5 on 192.168.1.20`.
fn on_one_host<'t>(
    text: &'t str,
    known: &Known,
    unhealthy: u64,
) -> Option<(Named, String, &'t str)> {
    let mark = format!(" and {} on ", unhealthy.checked_sub(1)?);
    let named = known.named_before(text, &mark);
    let rest = text.strip_prefix(named.text.as_str())?.strip_prefix(mark.as_str())?;
    let (host, rest) = host(rest);
    Some((named, host, rest))
}

/// A host has no space in it, but for the one that stands for any.
fn host(text: &str) -> (String, &str) {
    const ANY: &str = "one host";
    let end = match text.starts_with(ANY) {
        true => ANY.len(),
        false => text.find([' ', ',']).unwrap_or(text.len()),
    };
    (text[..end].to_owned(), &text[end..])
}

/// `NAS on 192.168.1.20 is UNHEALTHY, too, 4 more do not answer`: something of that, so that it is no change
/// of one app.
fn single<'t>(text: &'t str, known: &Known) -> Option<(OutageLine, &'t str)> {
    const IS: &str = " is UNHEALTHY";
    for (place, (at, _)) in text.match_indices(IS).enumerate() {
        let (head, rest) = (&text[..at], &text[at + IS.len()..]);
        let (more, rest) = rest.strip_prefix(", too").map_or((false, rest), |rest| (true, rest));
        let (silent, rest) = silent_too(rest);
        let alone = known.named_before(head, " on ");
        let host = head.strip_prefix(alone.text.as_str()).and_then(|it| it.strip_prefix(" on "));
        if !more && silent == 0 && host.is_none() {
            if alone.app.is_some() {
                return None;
            }
            continue;
        }
        // A name may hold these words; one that nobody has does not reach beyond the first of them.
        if alone.app.is_none() && place > 0 {
            continue;
        }
        let host = host.map(str::to_owned);
        let named = Row { names: vec![alone], more: 0, cut: false };
        return Some((OutageLine { unhealthy: 1, silent, more, named, host }, rest));
    }
    None
}

/// `, 4 more do not answer`: how many, and what follows.
fn silent_too(text: &str) -> (u64, &str) {
    if let Some(rest) = text.strip_prefix(", 1 more does not answer") {
        return (1, rest);
    }
    let counted = || {
        let (count, rest) = text.strip_prefix(", ")?.split_once(" more do not answer")?;
        Some((count.parse().ok()?, rest))
    };
    counted().unwrap_or((0, text))
}

/// `Look at the switch or the power of 192.168.1.20: 6 apps on it went silent within 40 s`.
pub(super) fn headline(text: &str) -> Option<Outage> {
    let rest = text.strip_prefix("Look at ")?;
    let (what, rest) = rest.split_once(": ")?;
    let (host, rest) = match what {
        "the switch, the access point or the power" | "the line to the internet" => (None, rest),
        "what they have in common" => (None, rest.strip_prefix("their machines are on, but ")?),
        _ => match what.strip_prefix("the switch or the power of ") {
            Some(host) => (Some(host), rest),
            None => (Some(what), rest.strip_prefix("it is on, but ").unwrap_or(rest)),
        },
    };
    let (count, rest) = rest.split_once(' ')?;
    let rest = rest.strip_prefix("apps ").or(rest.strip_prefix("app "))?;
    let place = if host.is_some() { "on it" } else { "on different hosts" };
    let rest = rest.strip_prefix(place)?.strip_prefix(" went silent")?;
    let (more, rest) = rest.strip_prefix(", too").map_or((false, rest), |rest| (true, rest));
    let rest = rest.strip_prefix(',').unwrap_or(rest);
    let within = match rest.strip_prefix(" within ") {
        // It is one.
        None if rest.is_empty() => 0,
        None => return None,
        Some(rest) => match span(rest)? {
            (within, "") => within.secs,
            _ => return None,
        },
    };
    let (host, silent) = (host.map(str::to_owned), Vec::new());
    Some(Outage { apps: count.parse().ok()?, within, more, host, silent })
}

/// Whose list it is: `On 192.168.1.20:`, `Silent:`, `Elsewhere:`.
pub(super) fn list_of(title: &str) -> Option<Option<String>> {
    if matches!(title, "Silent:" | "Elsewhere:") {
        return Some(None);
    }
    Some(Some(title.strip_prefix("On ")?.strip_suffix(':')?.to_owned()))
}

/// `- NAS is UNHEALTHY since ... (no route to host)`, `- Kodi was asked once since ...`.
pub(super) fn silent(point: &str, host: Option<&str>, known: &Known) -> Option<Silent> {
    let text = point.strip_prefix("- ")?;
    [" is UNHEALTHY since ", " was asked "].into_iter().find_map(|verb| {
        let named = known.named_before(text, verb);
        let rest = text.strip_prefix(named.text.as_str())?.strip_prefix(verb)?;
        let unhealthy = verb.contains("UNHEALTHY");
        let rest = match unhealthy {
            true => rest,
            false => rest.split_once("since ").filter(|(times, _)| is_count(times))?.1,
        };
        let (since, rest) = time(rest)?;
        let is_reason = rest.is_empty() || (rest.starts_with(" (") && rest.ends_with(')'));
        let host = host.map(str::to_owned);
        is_reason.then_some(Silent { named, unhealthy, since, host })
    })
}

/// `once `, `2 times `.
fn is_count(text: &str) -> bool {
    let counted = |text: &str| text.strip_suffix(" times ")?.parse::<u64>().ok();
    text == "once " || counted(text).is_some()
}
