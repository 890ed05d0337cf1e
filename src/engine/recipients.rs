//! Where the owner lets mail go.

/// Who is told about apps that name nobody, and who may be told at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipients {
    default: Vec<String>,
    /// In small letters; empty: everybody.
    allowed: Vec<String>,
}

/// Stands before the `@` of all addresses of a domain.
const ANYBODY: &str = "*@";

/// What all spellings of an address have in common. Capitals do not matter: no mail server of today
/// tells them apart.
pub fn mailbox(address: &str) -> String {
    address.to_ascii_lowercase()
}

/// Whether mail to both reaches the same person.
pub fn is_same_mailbox(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Each person once, spelled as at first.
fn each_once<'a>(addresses: impl IntoIterator<Item = &'a String>) -> Vec<&'a String> {
    let mut once: Vec<&String> = Vec::new();
    for address in addresses {
        if !once.iter().any(|earlier| is_same_mailbox(earlier, address)) {
            once.push(address);
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
            default: each_once(&default).into_iter().cloned().collect(),
            allowed: allowed.iter().map(|one| one.to_ascii_lowercase()).collect(),
        }
    }

    /// Who is told about apps that name nobody.
    pub fn by_default(&self) -> &[String] {
        &self.default
    }

    /// Whether mail may go to `address`.
    pub fn may_be_told(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        let is_allowed = |one: &String| match one.strip_prefix(ANYBODY) {
            Some(allowed) => allowed.eq_ignore_ascii_case(domain),
            None => is_same_mailbox(one, address),
        };
        self.allowed.is_empty()
            || self.allowed.iter().any(is_allowed)
            || self.default.iter().any(|one| is_same_mailbox(one, address))
    }

    /// Who is told in place of those that were to be: the ones who may be. If none of them may, it
    /// is who is told by default, so that the news is not lost.
    pub fn told<'a>(&'a self, wanted: impl IntoIterator<Item = &'a String>) -> Vec<&'a String> {
        let mut barred = false;
        let told = each_once(wanted.into_iter().filter(|address| {
            let may = self.may_be_told(address);
            barred |= !may;
            may
        }));
        if told.is_empty() && barred { self.default.iter().collect() } else { told }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owned(list: &[&str]) -> Vec<String> {
        list.iter().map(|one| (*one).to_owned()).collect()
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
            assert!(home.may_be_told(address), "{address}");
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
            assert!(!home.may_be_told(address), "{address}");
        }
    }

    #[test]
    fn without_a_limit_everybody_may_be_told() {
        let open = Recipients::new(Vec::new(), &[]);
        assert!(open.may_be_told("anybody@anywhere.example"));
        assert_eq!(open.told(&[]), Vec::<&String>::new());
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
            assert_eq!(home.told(&owned(wanted)), owned(told).iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn one_person_is_told_once_however_the_address_is_written() {
        let twice = owned(&["Owner@Example.org", "owner@example.org"]);
        let home = Recipients::new(twice.clone(), &[]);
        assert_eq!(home.by_default(), ["Owner@Example.org"]);
        assert_eq!(home.told(&twice), [&twice[0]]);
    }

    proptest! {
        #[test]
        fn nobody_is_told_who_may_not_be(wanted in proptest::collection::vec("[a-c]@[a-c]", 0..5)) {
            let home = Recipients::new(owned(&["x@x"]), &owned(&["a@a", "*@b"]));
            let told = home.told(&wanted);
            prop_assert!(told.iter().all(|one| home.may_be_told(one)));
            prop_assert_eq!(told.is_empty(), wanted.is_empty());
        }
    }
}
