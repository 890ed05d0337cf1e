//! Reads what an app says when it registers.

use super::address::DEFAULT_PATH;
use super::fields::{FieldError, Fields, shown};
use super::spec::{Field, Takes, flag, whole};
use super::table::{FIELDS, field};
use super::{Kind, Origin, Registration, app_name, email};
use crate::engine::recipients::Recipients;

impl Registration {
    /// Reads the parameters of a `monitor` call that came from `origin`. `recipients` are who is
    /// told when the call names nobody, and whom it may name.
    ///
    /// # Errors
    /// The first parameter that is unknown, given twice, missing, empty or out of range.
    pub fn from_fields(
        fields: &[(String, String)],
        origin: Origin,
        recipients: &Recipients,
    ) -> Result<Registration, FieldError> {
        let fields = Fields::read("monitor", &FIELDS.each_ref().map(|field| &field.known), fields)?;
        let name = app_name(&fields)?;
        let kind = Kind::read(&fields)?;
        FIELDS.iter().try_for_each(|field| field.check_kind(kind, &fields))?;
        let path = fields.optional("path")?.unwrap_or(DEFAULT_PATH);
        let mut registration = match kind {
            Kind::Beat => Registration::beat(name, origin),
            Kind::Http | Kind::Tcp | Kind::Ping => {
                Registration::plain(name, fields.required("url")?, path, origin)?
            }
        };
        for field in FIELDS.iter().filter(|field| field.is_of(kind)) {
            set(&mut registration, field, &fields, recipients)?;
        }
        registration.set_default_email(recipients.by_default());
        Ok(registration)
    }

    /// Everything that is wrong with the parameters of a `monitor` call, for a person who has all of them
    /// in sight: the first is the error of [`Registration::from_fields`], none is none.
    pub fn mistakes(
        fields: &[(String, String)],
        origin: Origin,
        recipients: &Recipients,
    ) -> Vec<FieldError> {
        let mut fields = fields.to_vec();
        let mut mistakes: Vec<FieldError> = Vec::new();
        while let Err(mistake) = Registration::from_fields(&fields, origin, recipients) {
            let is_new = mistakes.iter().all(|earlier| earlier.field != mistake.field);
            let name = mistake.field.clone().filter(|_| is_new);
            if is_new {
                mistakes.push(mistake);
            }
            // One that cannot be set right keeps the others from sight.
            let Some(name) = name else { break };
            set_right(&mut fields, &name);
        }
        mistakes
    }
}

/// Takes a parameter out that is wrong, or puts one in its place that nobody can object to where there must be one.
fn set_right(fields: &mut Vec<(String, String)>, name: &str) {
    let stands_in = match field(name).map(|field| &field.takes) {
        Some(Takes::Name) => Some("x"),
        Some(Takes::Url) => {
            let text =
                |of: &str| fields.iter().find(|(its, _)| its == of).map(|(_, text)| text.trim());
            match text("kind").and_then(Kind::named).or_else(|| Kind::of_url(text(name)?)) {
                Some(Kind::Beat) => None,
                Some(Kind::Tcp) => Some("tcp://x:1"),
                Some(Kind::Ping) => Some("ping://x"),
                Some(Kind::Http) | None => Some("http://x"),
            }
        }
        _ => None,
    };
    let aliases = field(name).map_or(&[][..], |field| field.known.aliases);
    fields.retain(|(its, _)| its != name && !aliases.contains(&its.as_str()));
    fields.extend(stands_in.map(|text| (name.to_owned(), text.to_owned())));
}

/// Sets one field; left out, it stays as it is.
fn set(
    registration: &mut Registration,
    field: &Field,
    fields: &Fields<'_>,
    recipients: &Recipients,
) -> Result<(), FieldError> {
    let name = field.name();
    match &field.takes {
        // They made the registration.
        Takes::Name | Takes::Url | Takes::Path | Takes::Kind => {}
        Takes::People => {
            registration.email = email::read(fields.raw(name).unwrap_or_default(), recipients)?;
            registration.email_is_default = registration.email.is_empty();
        }
        Takes::Several { set, .. } => {
            if let Some(text) = fields.raw(name) {
                set(registration, text)?;
            }
        }
        Takes::Whole { unit, valid, beats, set } => {
            let is_beat = registration.target.kind() == Kind::Beat;
            let valid = if is_beat { beats } else { valid };
            if let Some(text) = fields.optional(name)? {
                set(registration, whole(name, text, unit, valid)?);
            }
        }
        Takes::Lasting { unit, valid, set, .. } => {
            if let Some(text) = fields.raw(name).map(str::trim) {
                let is_empty = text.is_empty();
                let number = (!is_empty).then(|| whole(name, text, unit, valid)).transpose()?;
                set(registration, number);
            }
        }
        Takes::Flag { set, default } => {
            if let Some(text) = fields.raw(name) {
                let is_empty = text.trim().is_empty();
                set(registration, if is_empty { *default } else { flag(name, text)? });
            }
        }
        Takes::Secret { set, .. } => {
            if let Some(text) = fields.raw(name) {
                set(registration, text).map_err(|right| FieldError::of(name, right))?;
            }
        }
        Takes::Text { set, lasting, .. } => {
            let lasting = fields.raw(name).map(str::trim).filter(|_| lasting.is_some());
            if let Some(text) = lasting.map_or_else(|| fields.optional(name), |it| Ok(Some(it)))? {
                set(registration, text).map_err(|right| {
                    FieldError::of(name, format!("{name} must be {right}, not {}", shown(text)))
                })?;
            }
        }
    }
    Ok(())
}
