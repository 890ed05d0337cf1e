//! Who is told, and whom the owner lets be told.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Somebody who is told something, by the way in which it reaches them.
///
/// Two are equal if what goes to both reaches the same person; each keeps the spelling in which it was
/// named. On disk and on the wire it is plain text.
#[derive(Clone, Debug)]
pub enum Recipient {
    /// By mail to this address. Capitals do not matter: no mail server of today tells them apart.
    Mail(String),
}

impl Recipient {
    /// Who has this mail address.
    pub fn mail(address: impl Into<String>) -> Recipient {
        Recipient::Mail(address.into())
    }

    /// What all spellings have in common.
    fn key(&self) -> impl Iterator<Item = u8> + '_ {
        let Recipient::Mail(address) = self;
        address.bytes().map(|byte| byte.to_ascii_lowercase())
    }
}

impl PartialEq for Recipient {
    fn eq(&self, other: &Recipient) -> bool {
        self.key().eq(other.key())
    }
}

impl Eq for Recipient {}

impl Ord for Recipient {
    fn cmp(&self, other: &Recipient) -> Ordering {
        self.key().cmp(other.key())
    }
}

impl PartialOrd for Recipient {
    fn partial_cmp(&self, other: &Recipient) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Recipient {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().for_each(|byte| state.write_u8(byte));
        // No byte of UTF-8: what follows is told apart.
        state.write_u8(0xff);
    }
}

/// As it was named.
impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Recipient::Mail(address) = self;
        f.write_str(address)
    }
}

impl Serialize for Recipient {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Recipient::Mail(address) = self;
        to.serialize_str(address)
    }
}

impl<'de> Deserialize<'de> for Recipient {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Recipient, D::Error> {
        String::deserialize(from).map(Recipient::Mail)
    }
}

/// Several, as a sentence lists them.
pub(in crate::engine) fn listed(people: &[Recipient]) -> String {
    let people: Vec<String> = people.iter().map(Recipient::to_string).collect();
    people.join(", ")
}

/// Who is told about apps that name nobody, and who may be told at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipients {
    default: Vec<Recipient>,
    /// In small letters; empty: everybody.
    allowed: Vec<String>,
}

/// Stands before the `@` of all addresses of a domain.
const ANYBODY: &str = "*@";

/// Each person once, spelled as at first.
fn each_once(people: impl IntoIterator<Item = Recipient>) -> Vec<Recipient> {
    let mut once: Vec<Recipient> = Vec::new();
    for person in people {
        if !once.contains(&person) {
            once.push(person);
        }
    }
    once
}

impl Recipients {
    /// `default` is told about apps that name nobody. Each of `allowed` is an address, or `*@` and
    /// a domain; with none of them, everybody may be told. Who is told by default always may:
    /// the owner has named them.
    pub fn new(default: Vec<String>, allowed: &[String]) -> Recipients {
        Recipients {
            default: each_once(default.into_iter().map(Recipient::Mail)),
            allowed: allowed.iter().map(|one| one.to_ascii_lowercase()).collect(),
        }
    }

    /// Who is told about apps that name nobody.
    pub fn by_default(&self) -> &[Recipient] {
        &self.default
    }

    /// Whether this person may be told.
    pub fn may_be_told(&self, person: &Recipient) -> bool {
        self.allowed.is_empty() || self.default.contains(person) || self.allows(person)
    }

    fn allows(&self, Recipient::Mail(address): &Recipient) -> bool {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.allowed.iter().any(|one| match one.strip_prefix(ANYBODY) {
            Some(allowed) => allowed.eq_ignore_ascii_case(domain),
            None => one.eq_ignore_ascii_case(address),
        })
    }

    /// Who is told in place of those that were to be: the ones who may be. If none of them may, it
    /// is who is told by default, so that the news is not lost.
    pub fn told(&self, wanted: impl IntoIterator<Item = Recipient>) -> Vec<Recipient> {
        let mut disallowed = false;
        let told = each_once(wanted.into_iter().filter(|person| {
            let may = self.may_be_told(person);
            disallowed |= !may;
            may
        }));
        if told.is_empty() && disallowed { self.default.clone() } else { told }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn owned(list: &[&str]) -> Vec<String> {
        list.iter().map(|one| (*one).to_owned()).collect()
    }

    fn people(list: &[&str]) -> Vec<Recipient> {
        list.iter().map(|one| Recipient::mail(*one)).collect()
    }

    fn spelled(people: &[Recipient]) -> Vec<String> {
        people.iter().map(Recipient::to_string).collect()
    }

    #[test]
    fn an_address_a_domain_and_the_default_may_be_told() {
        let home = Recipients::new(
            owned(&["Owner@gmail.com"]),
            &owned(&["guest@example.net", "*@Example.org"]),
        );
        for address in [
            "guest@example.net",
            "GUEST@EXAMPLE.NET",
            "x@example.org",
            "a@b@example.ORG",
            "owner@gmail.com",
        ] {
            assert!(home.may_be_told(&Recipient::mail(address)), "{address}");
        }
        for address in [
            "x@example.net",
            "x@sub.example.org",
            "x@notexample.org",
            "x@example.org.evil.example",
            "example.org",
            "x@gmail.com",
            "*@evil.example",
            "",
        ] {
            assert!(!home.may_be_told(&Recipient::mail(address)), "{address}");
        }
    }

    #[test]
    fn without_a_limit_everybody_may_be_told() {
        let open = Recipients::new(Vec::new(), &[]);
        assert!(open.may_be_told(&Recipient::mail("anybody@anywhere.example")));
        assert_eq!(open.told([]), []);
        assert_eq!(listed(&["a@b.c", "d@e.f"].map(Recipient::mail)), "a@b.c, d@e.f");
    }

    #[test]
    fn news_goes_to_the_default_only_where_nobody_else_may_have_it() {
        let home = Recipients::new(owned(&["me@home.example"]), &owned(&["*@example.org"]));
        for (wanted, told) in [
            (&["a@example.org", "b@evil.example"][..], &["a@example.org"][..]),
            (&["b@evil.example", "c@evil.example"], &["me@home.example"]),
            (&["me@home.example"], &["me@home.example"]),
            (&[], &[]),
        ] {
            assert_eq!(home.told(people(wanted)), people(told));
        }
    }

    #[test]
    fn one_person_is_told_once_however_the_address_is_written() {
        let twice = ["Owner@Example.org", "owner@example.org"];
        let home = Recipients::new(owned(&twice), &[]);
        assert_eq!(spelled(home.by_default()), ["Owner@Example.org"]);
        assert_eq!(spelled(&home.told(people(&twice))), ["Owner@Example.org"]);
    }

    #[test]
    fn on_disk_it_is_its_address_as_it_was_named() {
        let owner = Recipient::mail("Owner@Example.org");
        let text = serde_json::to_string(&owner).unwrap();
        assert_eq!(text, "\"Owner@Example.org\"");
        let restored: Recipient = serde_json::from_str(&text).unwrap();
        assert_eq!(restored.to_string(), "Owner@Example.org");
    }

    proptest! {
        /// Maps, sets and lists agree on who is one person.
        #[test]
        fn people_are_told_apart_by_their_address_in_small_letters(a in "[aAbBéÉ]{0,3}", b in "[aAbBéÉ]{0,3}") {
            let (one, other) = (Recipient::mail(a.as_str()), Recipient::mail(b.as_str()));
            let order = a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase());
            prop_assert_eq!(one.cmp(&other), order);
            prop_assert_eq!(one == other, order.is_eq());
            let both = HashSet::from([one, other]).len();
            prop_assert_eq!(both == 1, order.is_eq());
        }

        #[test]
        fn nobody_is_told_who_may_not_be(wanted in proptest::collection::vec("[a-c]@[a-c]", 0..5)) {
            let home = Recipients::new(owned(&["x@x"]), &owned(&["a@a", "*@b"]));
            let told = home.told(wanted.iter().map(Recipient::mail));
            prop_assert!(told.iter().all(|one| home.may_be_told(one)));
            prop_assert_eq!(told.is_empty(), wanted.is_empty());
        }
    }
}
