//! The parameters of a registration.

use healthchecker::daemon::api::read_parameters;
use healthchecker::engine::recipients::Recipients;
use healthchecker::engine::registration::{EMAILS_MAX, NAME_MAX, Origin, Registration};

const TYPES: [Option<&str>; 4] = [
    None,
    Some("application/x-www-form-urlencoded"),
    Some("application/json; charset=utf-8"),
    Some("multipart/form-data"),
];

/// The first byte chooses the content type, what follows to the first zero is the query, the rest the
/// body. What is accepted is in range.
pub fn run(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let content_type = TYPES[usize::from(*first) % TYPES.len()];
    let (query, body) = super::text(rest);
    let Ok(pairs) = read_parameters(Some(&query), content_type, body) else { return };
    let Ok(app) = Registration::from_fields(&pairs, Origin::Network, &Recipients::default()) else {
        return;
    };
    assert!((1..=NAME_MAX).contains(&app.name.chars().count()));
    assert!(!app.name.chars().any(char::is_control));
    assert!((2..=60).contains(&app.timeout.as_secs()));
    assert!((5..=300).contains(&app.interval.as_secs()));
    assert!((2..=10).contains(&app.unhealthy) && (2..=10).contains(&app.healthy));
    assert!(app.email.len() <= EMAILS_MAX);
    assert!(!app.target.address().chars().any(|c| c.is_control() || c == ' '));
}
