//! The mail addresses that a registration names.

use std::str::FromStr;

use super::fields::{FieldError, shown};
use crate::engine::recipients::{Recipient, Recipients};
use crate::engine::text::plain::is_obeyed;

/// The most people told about one app: each is a mail of its own.
pub const EMAILS_MAX: usize = 16;
/// The longest mail address (RFC 5321, section 4.5.3.1.3, without the angle brackets).
pub const EMAIL_MAX: usize = 254;

/// Reads who is to be told: addresses with commas between, each person once. None is none.
///
/// # Errors
/// One is no mail address, or may get no mail from here; or they are too many.
pub(super) fn read(text: &str, recipients: &Recipients) -> Result<Vec<String>, FieldError> {
    let mut people: Vec<Recipient> = Vec::new();
    for one in text.split(',').map(str::trim).filter(|one| !one.is_empty()) {
        if !is_mail_address(one) {
            let message = format!(
                "email {} is no mail address; several are separated by commas, such as \
                 a@example.org,b@example.org",
                shown(one)
            );
            return Err(FieldError::of("email", message));
        }
        let person = Recipient::mail(one);
        if !recipients.may_be_told(&person) {
            let message = format!(
                "email {} may get no mail from here: the option allow_email does not name it; \
                 name another, or none for the owner's default",
                shown(one)
            );
            return Err(FieldError::of("email", message));
        }
        if !people.contains(&person) {
            people.push(person);
        }
    }
    if people.len() > EMAILS_MAX {
        let message =
            format!("email has {} addresses; at most {EMAILS_MAX} are allowed", people.len());
        return Err(FieldError::of("email", message));
    }
    Ok(people.into_iter().map(|Recipient::Mail(address)| address).collect())
}

fn is_mail_address(text: &str) -> bool {
    // Beyond ASCII the domain is written in punycode; the local part may be anything printable.
    text.rsplit_once('@').is_some_and(|(_, domain)| domain.is_ascii())
        && text.len() <= EMAIL_MAX
        && !text.chars().any(is_obeyed)
        && lettre::Address::from_str(text).is_ok()
}
