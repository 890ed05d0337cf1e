//! Apps that are silent together, in subject and body.

use super::words::{self, Known, Named, Row, span, time};

/// `6 apps are UNHEALTHY: NAS and 5 on 192.168.1.20`: an outage in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::judge) struct OutageLine {
    /// So many are UNHEALTHY,
    pub(in crate::judge) unhealthy: u64,
    /// and so many more do not answer.
    pub(in crate::judge) silent: u64,
    pub(in crate::judge) how: Told,
    /// Some that are UNHEALTHY; all of them where no place is named.
    pub(in crate::judge) named: Row,
    pub(in crate::judge) place: Place,
}

/// How far it is news.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::judge) enum Told {
    #[default]
    First,
    /// Others were told before.
    More,
    /// All of them were: it is a reminder.
    Still,
}

/// What all of them have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::judge) enum Place {
    #[default]
    None,
    Host(String),
    /// An app that they are behind; it may be one of them.
    Behind(Named),
}

/// An outage in full.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::judge) struct Outage {
    /// What its headline says of how many there are, but for the one that they are behind,
    pub(in crate::judge) apps: u64,
    /// and within how many seconds they fell silent, at most. A reminder does not say.
    pub(in crate::judge) within: Option<u64>,
    pub(in crate::judge) how: Told,
    pub(in crate::judge) place: Place,
    /// It says that it was no better shortly before.
    pub(in crate::judge) keeps_failing: bool,
    pub(in crate::judge) silent: Vec<Silent>,
}

/// An app that does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::judge) struct Silent {
    pub(in crate::judge) named: Named,
    pub(in crate::judge) unhealthy: bool,
    pub(in crate::judge) since: words::Told,
    /// Whose list it stands in.
    pub(in crate::judge) place: Place,
}

impl OutageLine {
    /// Whether it says the same as an outage in full.
    pub(in crate::judge) fn is_of(&self, outage: &Outage) -> bool {
        let unhealthy = outage.silent.iter().filter(|it| it.unhealthy);
        let silent = outage.silent.len() - unhealthy.clone().count();
        // Where what they are behind is the only one that is UNHEALTHY, it needs no other place. A reminder names
        // no place where there is one app.
        let is_alone = |named: &Named| self.unhealthy == 1 && self.named.names.contains(named);
        let same_place = match &outage.place {
            Place::Behind(parent) if is_alone(parent) => true,
            place => self.place == *place || (outage.how == Told::Still && outage.apps == 1),
        };
        self.how == outage.how
            && same_place
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
    several(text, known, is_other).or_else(|| still(text, known)).or_else(|| single(text, known))
}

/// `6 apps are UNHEALTHY: ...`, `3 more apps are UNHEALTHY: ...`, `6 apps are still UNHEALTHY: ...`.
fn several<'t>(
    text: &'t str,
    known: &Known,
    is_other: impl Fn(&str) -> bool,
) -> Option<(OutageLine, &'t str)> {
    let (count, how, rest) = counted(text)?;
    let unhealthy: u64 = count.parse().ok()?;
    if let Some((named, place, rest)) = in_one_place(rest, known, unhealthy) {
        let (silent, rest) = silent_too(rest);
        let named = Row { names: vec![named], more: unhealthy - 1, cut: false };
        return Some((OutageLine { unhealthy, silent, how, named, place }, rest));
    }
    let ends = |rest: &str| silent_too(&format!(", {rest}")).0 > 0 || is_other(rest);
    let (named, rest) = match rest.strip_prefix(", ") {
        // Nobody of them is UNHEALTHY yet.
        Some(_) => (Row::default(), rest),
        None => known.row_before(rest, ends),
    };
    let (silent, rest) = silent_too(rest);
    Some((OutageLine { unhealthy, silent, how, named, place: Place::None }, rest))
}

/// How many, how far that is news, and who.
fn counted(text: &str) -> Option<(&str, Told, &str)> {
    let (count, rest) = text.split_once(' ')?;
    [
        ("apps are UNHEALTHY: ", Told::First),
        ("more apps are UNHEALTHY: ", Told::More),
        ("apps are still UNHEALTHY: ", Told::Still),
    ]
    .into_iter()
    .find_map(|(words, how)| Some((count, how, rest.strip_prefix(words)?)))
}

/// `NAS and 5 on 192.168.1.20`, `NAS and 5 behind Switch`, `Switch and 5 behind it`.
fn in_one_place<'t>(
    text: &'t str,
    known: &Known,
    unhealthy: u64,
) -> Option<(Named, Place, &'t str)> {
    let others = unhealthy.checked_sub(1)?;
    [" on ", " behind "].into_iter().find_map(|at| {
        let mark = format!(" and {others}{at}");
        let named = known.named_before(text, &mark);
        let rest = text.strip_prefix(named.text.as_str())?.strip_prefix(mark.as_str())?;
        let (place, rest) = place(at, rest, &named, known);
        Some((named, place, rest))
    })
}

/// What follows `on` or `behind`.
fn place<'t>(at: &str, text: &'t str, first: &Named, known: &Known) -> (Place, &'t str) {
    if at == " on " {
        let (host, rest) = host(text);
        return (Place::Host(host), rest);
    }
    let ends = |rest: &str| rest.is_empty() || rest.starts_with([',', ' ']);
    if let Some(rest) = text.strip_prefix("it").filter(|rest| ends(rest)) {
        return (Place::Behind(first.clone()), rest);
    }
    let (parent, rest) = known.name_before(text);
    (Place::Behind(parent), rest)
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

/// `NAS is still UNHEALTHY`.
fn still<'t>(text: &'t str, known: &Known) -> Option<(OutageLine, &'t str)> {
    const STILL: &str = " is still UNHEALTHY";
    let named = known.named_before(text, STILL);
    let rest = text.strip_prefix(named.text.as_str())?.strip_prefix(STILL)?;
    let named = Row { names: vec![named], more: 0, cut: false };
    let (unhealthy, silent, how) = (1, 0, Told::Still);
    Some((OutageLine { unhealthy, silent, how, named, place: Place::None }, rest))
}

/// `NAS on 192.168.1.20 is UNHEALTHY, too, 4 more do not answer`: something of that, so that it is no change
/// of one app.
fn single<'t>(text: &'t str, known: &Known) -> Option<(OutageLine, &'t str)> {
    const IS: &str = " is UNHEALTHY";
    for (number, (at, _)) in text.match_indices(IS).enumerate() {
        let (head, rest) = (&text[..at], &text[at + IS.len()..]);
        let (how, rest) = match rest.strip_prefix(", too") {
            Some(rest) => (Told::More, rest),
            None => (Told::First, rest),
        };
        let (silent, rest) = silent_too(rest);
        let (alone, place) = placed(head, known);
        if how == Told::First && silent == 0 && place == Place::None {
            if alone.app.is_some() {
                return None;
            }
            continue;
        }
        if matches!(&place, Place::Behind(parent) if parent.app.is_none()) {
            // The parent's name may hold these words.
            continue;
        }
        // A name may hold these words; one that nobody has does not reach beyond the first of them.
        if alone.app.is_none() && number > 0 {
            continue;
        }
        let named = Row { names: vec![alone], more: 0, cut: false };
        return Some((OutageLine { unhealthy: 1, silent, how, named, place }, rest));
    }
    None
}

/// `NAS on 192.168.1.20`, `NAS behind Switch`, or a name alone.
fn placed(text: &str, known: &Known) -> (Named, Place) {
    let found = [" on ", " behind "].into_iter().find_map(|at| {
        let named = known.named_before(text, at);
        let rest = text.strip_prefix(named.text.as_str())?.strip_prefix(at)?;
        let (place, rest) = place(at, rest, &named, known);
        rest.is_empty().then_some((named, place))
    });
    found.unwrap_or_else(|| (known.named_before(text, "\n"), Place::None))
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
pub(super) fn headline(text: &str, known: &Known) -> Option<Outage> {
    again(text, known).or_else(|| look_at(text, known))
}

fn look_at(text: &str, known: &Known) -> Option<Outage> {
    let rest = text.strip_prefix("Look at ")?;
    let (what, rest) = rest.split_once(": ")?;
    let hosts = "on different hosts";
    let host = |text: &str| Place::Host(text.to_owned());
    let on_hosts =
        ["the switch, the access point or the power", "the line to the internet"].contains(&what);
    let (place, at, rest) = if on_hosts || what.ends_with(" first") {
        (Place::None, hosts, rest)
    } else if what == "what they have in common" {
        (Place::None, hosts, rest.strip_prefix("their machines are on, but ")?)
    } else if let Some(name) = what.strip_prefix("the switch or the power of ") {
        (host(name), "on it", rest)
    } else if let Some(rest) = rest.strip_prefix("it is UNHEALTHY, and ") {
        (Place::Behind(known.named(what)), "behind it", rest)
    } else {
        (host(what), "on it", rest.strip_prefix("it is on, but ").unwrap_or(rest))
    };
    let (apps, rest) = apps(rest)?;
    let rest = rest.strip_prefix(at)?.strip_prefix(" went silent")?;
    let (how, rest) = match rest.strip_prefix(", too") {
        Some(rest) => (Told::More, rest),
        None => (Told::First, rest),
    };
    let rest = rest.strip_prefix(',').unwrap_or(rest);
    let within = match rest.strip_prefix(" within ") {
        // It is one.
        None if rest.is_empty() => None,
        None => return None,
        Some(rest) => Some(span(rest)?).filter(|(_, rest)| rest.is_empty()),
    };
    let within = within.map(|(within, _)| within.secs);
    Some(Outage { apps, within, how, place, ..Outage::default() })
}

/// `Look at NAS: it is still UNHEALTHY`, `Look at Switch first: 6 apps are still UNHEALTHY`.
fn again(text: &str, known: &Known) -> Option<Outage> {
    let found = |apps: u64, place: Place| {
        Some(Outage { apps, how: Told::Still, place, ..Outage::default() })
    };
    if let Some((apps, rest)) = apps(text) {
        return found(apps, Place::None).filter(|_| rest == "need you: they are still UNHEALTHY");
    }
    let (what, rest) = text.strip_prefix("Look at ")?.split_once(": ")?;
    if rest == "it is still UNHEALTHY" {
        return found(1, Place::None);
    }
    let (apps, rest) = apps(rest)?;
    match (what.strip_suffix(" first"), rest) {
        (Some(parent), "are still UNHEALTHY") => found(apps, Place::Behind(known.named(parent))),
        (None, "on it are still UNHEALTHY") => found(apps, Place::Host(what.to_owned())),
        _ => None,
    }
}

/// `6 apps `, `1 app `, and what follows.
fn apps(text: &str) -> Option<(u64, &str)> {
    let (count, rest) = text.split_once(' ')?;
    let rest = rest.strip_prefix("apps ").or(rest.strip_prefix("app "))?;
    Some((count.parse().ok()?, rest))
}

/// Whose list it is: `On 192.168.1.20:`, `Behind Switch:`, `Switch, and behind it:`, `Silent:`.
pub(super) fn list_of(title: &str, known: &Known) -> Option<Place> {
    if matches!(title, "Silent:" | "Elsewhere:" | "Still UNHEALTHY:") {
        return Some(Place::None);
    }
    let title = title.strip_suffix(':')?;
    if let Some(host) = title.strip_prefix("On ") {
        return Some(Place::Host(host.to_owned()));
    }
    let parent = title.strip_prefix("Behind ").or(title.strip_suffix(", and behind it"))?;
    Some(Place::Behind(known.named(parent)))
}

/// `- NAS is UNHEALTHY since ... (no route to host)`, `- Kodi was asked once since ...`.
pub(super) fn silent(point: &str, place: &Place, known: &Known) -> Option<Silent> {
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
        is_reason.then_some(Silent { named, unhealthy, since, place: place.clone() })
    })
}

/// `once `, `2 times `.
fn is_count(text: &str) -> bool {
    let counted = |text: &str| text.strip_suffix(" times ")?.parse::<u64>().ok();
    text == "once " || counted(text).is_some()
}
