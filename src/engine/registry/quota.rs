//! What all registrations take together: however many may register, memory and journal hold it.

use std::collections::HashMap;

use crate::engine::recipients::Recipient;
use crate::engine::registration::{QuietTimes, Registration};

/// The most different people told by all apps: a household has a dozen, and each may have a mail
/// waiting.
pub const PEOPLE_MAX: usize = 1000;
/// The most bytes of all registrations. Ten thousand of ordinary length take a third at the
/// most; the journal has room for more than twice as much, and so for what is noted of each app.
pub const BYTES_MAX: usize = 16 * 1024 * 1024;

/// Why there is no room for a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// [`PEOPLE_MAX`].
    People,
    /// [`BYTES_MAX`].
    Bytes,
}

/// The sum of all registrations.
#[derive(Debug, Default)]
pub(in crate::engine) struct Quota {
    /// By how many apps each person is named.
    people: HashMap<Recipient, u32>,
    bytes: usize,
}

impl Quota {
    /// Counts a registration.
    pub(in crate::engine) fn add(&mut self, registration: &Registration) {
        self.bytes += bytes(registration);
        for person in people(registration) {
            *self.people.entry(person).or_default() += 1;
        }
    }

    /// Counts one that was added no longer.
    pub(in crate::engine) fn remove(&mut self, registration: &Registration) {
        self.bytes = self.bytes.saturating_sub(bytes(registration));
        for person in people(registration) {
            let Some(named_by) = self.people.get_mut(&person) else { continue };
            *named_by = named_by.saturating_sub(1);
            if *named_by == 0 {
                self.people.remove(&person);
            }
        }
    }

    /// Whether there is room for another registration, or for one that takes the place of `old`.
    /// `waiting` is how many mails wait: whom they are for counts, though no app may name them now.
    ///
    /// # Errors
    /// What there is too much of.
    pub(in crate::engine) fn room_for(
        &self,
        new: &Registration,
        old: Option<&Registration>,
        waiting: usize,
    ) -> Result<(), Full> {
        let strangers = people(new).filter(|person| !self.people.contains_key(person)).count();
        let stay = self.people.len() - old.map_or(0, |old| self.leave_with(old, new));
        if strangers > 0 && stay.max(waiting) + strangers > PEOPLE_MAX {
            return Err(Full::People);
        }
        let more = bytes(new).saturating_sub(old.map_or(0, bytes));
        if more > 0 && self.bytes + more > BYTES_MAX { Err(Full::Bytes) } else { Ok(()) }
    }

    /// How many people nobody names any more once `new` takes the place of `old`.
    fn leave_with(&self, old: &Registration, new: &Registration) -> usize {
        let only_by_old = |person: &Recipient| self.people.get(person) == Some(&1);
        let stays = |person: &Recipient| people(new).any(|named| named == *person);
        people(old).filter(|person| only_by_old(person) && !stays(person)).count()
    }
}

/// Whom an app has named itself: those of the owner are no strangers.
fn people(registration: &Registration) -> impl Iterator<Item = Recipient> {
    registration.recipients().filter(|_| !registration.email_is_default)
}

fn bytes(registration: &Registration) -> usize {
    let Registration { name, target, email, .. } = registration;
    let parents: usize = registration.parents().iter().map(String::len).sum();
    let quiet = registration.quiet.as_ref().map_or(0, QuietTimes::size);
    let named = email.iter().filter(|_| !registration.email_is_default);
    let people: usize = named.map(String::len).sum();
    size_of::<Registration>() + name.len() + target.text_len() + people + parents + quiet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::recipients::Recipients;
    use crate::engine::registration::Origin;

    fn app(number: usize, email: &str) -> Registration {
        let fields = [
            ("appname", format!("app{number}")),
            ("url", "http://nas".to_owned()),
            ("email", email.to_owned()),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        let owner = Recipients::new(vec!["owner@b.c".to_owned()], &[]);
        Registration::from_fields(&fields, Origin::Network, &owner).unwrap()
    }

    #[test]
    fn there_is_room_for_so_many_people_and_whoever_is_known_has_it() {
        let mut quota = Quota::default();
        for n in 0..PEOPLE_MAX {
            let one = app(n, &format!("{n}@b.c"));
            assert_eq!(quota.room_for(&one, None, 0), Ok(()));
            quota.add(&one);
        }
        assert_eq!(quota.room_for(&app(0, "new@b.c"), None, 0), Err(Full::People));
        for known in ["7@b.c", ""] {
            assert_eq!(quota.room_for(&app(0, known), None, 0), Ok(()), "{known}");
        }
        quota.remove(&app(3, "3@b.c"));
        assert_eq!(quota.room_for(&app(0, "new@b.c"), None, 0), Ok(()));
        assert_eq!(quota.room_for(&app(0, "new@b.c"), None, PEOPLE_MAX), Err(Full::People));
    }

    #[test]
    fn where_all_places_are_taken_one_address_can_still_be_corrected() {
        let mut quota = Quota::default();
        for n in 0..PEOPLE_MAX {
            quota.add(&app(n, &format!("{n}@b.c")));
        }
        let (old, shared) = (app(0, "0@b.c"), app(PEOPLE_MAX, "1@b.c"));
        assert_eq!(quota.room_for(&app(0, "right@b.c"), Some(&old), 0), Ok(()));
        assert_eq!(quota.room_for(&app(0, "right@b.c,0@b.c"), Some(&old), 0), Err(Full::People));
        assert_eq!(quota.room_for(&app(0, "0@B.C"), Some(&old), 0), Ok(()), "it is known");
        quota.add(&shared);
        let both = quota.room_for(&app(PEOPLE_MAX, "right@b.c"), Some(&shared), 0);
        assert_eq!(both, Err(Full::People), "another app names the old one still");
        let waiting = quota.room_for(&app(0, "right@b.c"), Some(&old), PEOPLE_MAX);
        assert_eq!(waiting, Err(Full::People), "so many mails wait already");
    }

    #[test]
    fn ten_thousand_ordinary_apps_fit_three_times() {
        let one = app(1, "somebody.with.a.name@example.org");
        assert!(bytes(&one) * 10_000 * 3 < BYTES_MAX, "{}", bytes(&one));
    }

    #[test]
    fn each_letter_counts_of_what_an_app_says() {
        let said = |name: &str, url: &str, email: &str| {
            let fields = [("appname", name), ("url", url), ("email", email)];
            let fields = fields.map(|(field, value)| (field.to_owned(), value.to_owned()));
            let owner = Recipients::new(vec!["owner@b.c".to_owned()], &[]);
            bytes(&Registration::from_fields(&fields, Origin::Network, &owner).unwrap())
        };
        let short = said("a", "http://nas", "a@b.c");
        assert!(short > size_of::<Registration>());
        assert_eq!(said("abc", "http://nas", "a@b.c"), short + 2);
        let longer = said("a", "http://nas.home", "a@b.c");
        assert_eq!(longer, short + 2 * 5, "what is shown, and what is asked");
        assert_eq!(said("a", "http://nas", "abc@b.c"), short + 2);
        assert_eq!(said("a", "http://nas", "a@b.c,d@e.f"), short + 5);
        assert_eq!(said("a", "http://nas", ""), short - 5, "the owner's address is there anyway");
    }

    #[test]
    fn there_is_room_for_so_many_bytes_and_a_shorter_one_always_fits() {
        let one = app(1, "");
        let mut quota = Quota { bytes: BYTES_MAX - bytes(&one), ..Quota::default() };
        assert_eq!(quota.room_for(&one, None, 0), Ok(()));
        quota.add(&one);
        assert_eq!(quota.room_for(&one, None, 0), Err(Full::Bytes));
        assert_eq!(quota.room_for(&one, Some(&one), 0), Ok(()));
        quota.remove(&one);
        assert_eq!(quota.bytes, BYTES_MAX - bytes(&one));
    }
}
