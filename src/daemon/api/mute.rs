//! The call that mutes: with the link of a mail, which is leave enough for what it is about, or as any other change.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::access::Effect;
use super::command::Command;
use super::parameters::{self, Pair};
use super::problem::Problem;
use super::route::{Asked, Errand, Rules, Show, span_of};
use crate::daemon::clock::wall_now;
use crate::daemon::mute_key::{MuteLink, Unfit};
use crate::engine::incidents::mutes::{HowLong, What};
use crate::engine::recipients::Recipient;
use crate::engine::registration::app_name;
use crate::engine::registration::fields::{FieldError, Fields, Known};

const CHANGE: &[&Known] = &[&Known::new("appname"), &Known::new("for"), &Known::new("to")];
const LINK: &[&Known] = &[
    &Known::new("incident"),
    &Known::new("to"),
    &Known::new("until"),
    &Known::new("sig"),
    &Known::new("for"),
];
/// The shortest and the longest, in seconds: what comes sooner is not read, and later is forgotten.
const MUTE: RangeInclusive<u64> = 60..=30 * 24 * 3600;

/// Finds the errand.
///
/// # Errors
/// What the client is answered instead.
pub(super) fn route(
    asked: &Asked<'_>,
    query: Option<&str>,
    rules: &Rules,
) -> Result<Errand, Problem> {
    let pairs = parameters::read(query, asked.content_type, asked.body);
    let shows = asked.method != "POST";
    let effect = if shows { Effect::Reads } else { Effect::Changes };
    // Whoever has a link needs no token. But a link in a foreign page must do nothing by itself.
    if let Some(pairs) = pairs.as_ref().ok().filter(|pairs| is_signed(pairs)) {
        rules.access.admit_holder(effect, asked.method, &asked.credentials)?;
        return by_link(pairs, shows, rules);
    }
    rules.access.admit(Effect::Changes, asked.method, &asked.credentials)?;
    let pairs = pairs?;
    if shows {
        let why = "sig is missing; open the link of a mail as it is, or POST appname and for";
        return Err(FieldError::of("sig", why.to_owned()).into());
    }
    let fields = Fields::read("mute", CHANGE, &pairs)?;
    let name = app_name(&fields)?;
    let to = fields.optional("to")?.map(Recipient::mail);
    Ok(Errand::Do(Command::Mute(What::App(name, to), how_long(&fields)?)))
}

fn is_signed(pairs: &[Pair]) -> bool {
    pairs.iter().any(|(name, _)| name == "sig")
}

fn by_link(pairs: &[Pair], shows: bool, rules: &Rules) -> Result<Errand, Problem> {
    let fields = Fields::read("mute", LINK, pairs)?;
    let given = |name: &str| fields.required(name).map(str::to_owned);
    let link = MuteLink {
        incident: given("incident")?,
        to: given("to")?,
        until: given("until")?,
        sig: given("sig")?,
    };
    rules.mute_key.open(&link, wall_now()).map_err(unfit)?;
    if shows {
        return Ok(Errand::Show(Show::Mute(link)));
    }
    let what = What::Mail(link.incident, Recipient::mail(&link.to));
    Ok(Errand::Do(Command::Mute(what, how_long(&fields)?)))
}

fn how_long(fields: &Fields<'_>) -> Result<HowLong, FieldError> {
    Ok(match fields.required("for")? {
        "0" => HowLong::Not,
        "recovery" => HowLong::Recovery,
        text => HowLong::Span(Duration::from_secs(span_of(
            text,
            &MUTE,
            "1h, 8h or any time from 1m to 30d, recovery (until it is over) or 0 (no longer)",
        )?)),
    })
}

fn unfit(why: Unfit) -> Problem {
    let (field, sentence) = match why {
        Unfit::Forged => (
            "sig",
            "this link is none of ours, or not whole: its signature is wrong. Open the link of the mail as it is",
        ),
        Unfit::Old => {
            ("until", "this link is too old: it was good for 30 days. A newer mail has another")
        }
    };
    let problem = Problem::new(403, sentence.to_owned());
    Problem { field: Some(field.to_owned()), ..problem }
}
