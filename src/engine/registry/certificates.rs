//! The certificates that apps show over TLS: which is to be known by the first, and which end soon.

use std::time::Duration;

use super::{AppId, Registry};
use crate::engine::registration::{Registration, Tls};
use crate::engine::time::Wall;
use crate::engine::verdict::answer::{Certificate, Outcome};

/// So long before its end a certificate is said to end, once: what renews itself does so a month before, and has
/// failed to by then.
const SAID_BEFORE: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// So long before, whoever shows it is well no longer.
const WARNED_BEFORE: Duration = Duration::from_secs(3 * 24 * 60 * 60);

impl Registry {
    /// An app showed a certificate over TLS, in a check that came to `outcome`. If it is to be known by the first, this
    /// is the one. Its end, if a pass is to be a warning of that: by `wall`, where the clock is believed. Where it is not,
    /// nothing is said, nor where nobody looks at dates.
    pub fn handle_certificate(
        &mut self,
        id: AppId,
        certificate: Certificate,
        outcome: Outcome,
        wall: Option<Wall>,
    ) -> Option<Wall> {
        let said = self.apps.edit(&id, |app| {
            if let Some(target) = app.registration.target.pinned(certificate.print) {
                let pinned = Registration { target, ..Registration::clone(&app.registration) };
                app.registration.replace(pinned);
            }
            app.certificate_ends = certificate.ends;
            if outcome != Outcome::Pass || app.registration.target.tls() != Tls::Verify {
                return None;
            }
            let (ends, left) = (certificate.ends?, certificate.ends?.since(wall?));
            if left >= SAID_BEFORE {
                // It was renewed, if it was said to end.
                app.certificate_said = None;
                return None;
            }
            let is_said = app.certificate_said.replace(ends) == Some(ends);
            (left < WARNED_BEFORE || !is_said).then_some(ends)
        });
        said.flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::recipients::Recipients;
    use crate::engine::registration::{Origin, Print};
    use crate::engine::tests::after;

    const NOW: Wall = Wall::from_unix_millis(1_795_474_540_000);

    struct House(Registry, AppId);

    impl House {
        fn new(tls: &str) -> House {
            let pairs = [("appname", "NAS"), ("url", "https://nas"), ("tls", tls)];
            let pairs = pairs.map(|(name, text)| (name.to_owned(), text.to_owned()));
            let nas = Registration::from_fields(&pairs, Origin::Network, &Recipients::default());
            let mut registry = Registry::default();
            registry.register(after(0), nas.unwrap());
            let id = registry.find("NAS").unwrap();
            House(registry, id)
        }

        /// Whether it is said that a certificate ends that has so many hours left.
        fn says(&mut self, hours: u64) -> bool {
            self.said(hours, Outcome::Pass, Some(NOW)).is_some()
        }

        fn said(&mut self, hours: u64, outcome: Outcome, wall: Option<Wall>) -> Option<Wall> {
            let ends = Some(NOW.after(Duration::from_secs(hours * 3600)));
            let certificate = Certificate { print: Print([7; Print::BYTES]), ends };
            let House(registry, id) = self;
            let said = registry.handle_certificate(*id, certificate, outcome, wall);
            assert!(said.is_none() || said == ends);
            said
        }
    }

    #[test]
    fn an_end_is_said_once_and_again_each_time_when_it_is_near() {
        let mut house = House::new("verify");
        assert!(!house.says(15 * 24) && !house.says(14 * 24));
        assert!(house.says(13 * 24), "less than two weeks");
        assert!(!house.says(13 * 24), "the same certificate");
        assert!(house.says(12 * 24), "another one");
        assert!(!house.says(12 * 24));
        assert!(house.says(71) && house.says(71), "less than three days");
        assert!(house.says(0));
        assert!(!house.says(90 * 24), "it is renewed");
        assert!(house.says(13 * 24), "and ends in its time");
    }

    #[test]
    fn nothing_is_said_without_a_clock_nor_of_what_failed_nor_where_nobody_looks_at_dates() {
        let mut house = House::new("verify");
        assert_eq!(house.said(1, Outcome::Pass, None), None);
        assert_eq!(house.said(13 * 24, Outcome::Fail, Some(NOW)), None);
        assert!(house.says(13 * 24), "it is still to be said");
        for careless in ["off", "pin"] {
            assert!(!House::new(careless).says(1), "{careless}");
        }
    }
}
