//! The word that an app is watched from now on: it shows its people that mail works.

use std::time::Duration;

use super::Incidents;
use crate::engine::outbox::notice::Notice;
use crate::engine::outbox::{Message, Outbox};
use crate::engine::recipients::Recipient;
use crate::engine::registry::{AppId, Registry, Welcome};
use crate::engine::sorted::SortedMap;
use crate::engine::time::{Now, Stamp};

/// First passes are gathered so long, for one mail instead of many.
const GATHERED: Duration = Duration::from_secs(10);

impl Incidents {
    /// An app has passed for the first time since its registration.
    pub fn handle_first_pass(&mut self, now: Now, id: AppId) {
        self.newcomers.insert(id, Stamp::noted(now));
        self.gather_newcomers(now);
    }

    pub(super) fn gather_newcomers(&mut self, now: Now) {
        self.welcome_at.get_or_insert(now.at + GATHERED);
    }

    /// It may be time to tell what was gathered: what there is to tell whom, and of which apps that is said. Who is
    /// quiet is told of later.
    pub fn welcome(&mut self, now: Now, registry: &mut Registry, outbox: &Outbox) -> Vec<Message> {
        if self.welcome_at.take_if(|at| *at <= now.at).is_none() {
            return Vec::new();
        }
        // The apps, and when the first of them passed.
        let mut told: SortedMap<Recipient, (Vec<String>, Stamp)> = SortedMap::default();
        for (id, passed) in std::mem::take(&mut self.newcomers) {
            let Some(app) = registry.get(id) else { continue };
            if app.is_quiet() {
                self.newcomers.insert(id, passed);
                continue;
            }
            registry.set_welcome(id, Welcome::Told);
            let Some(app) = registry.get(id) else { continue };
            for to in outbox.told(app.registration.recipients()) {
                let fresh = || (Vec::new(), passed);
                told.update(to, fresh, |(apps, at)| {
                    apps.push(app.registration.name.clone());
                    if passed.is_not_after(*at) {
                        *at = passed;
                    }
                });
            }
        }
        let message = |(to, (apps, at))| Message {
            to,
            notice: Notice::Watching { apps, at },
            thread: Vec::new(),
        };
        told.into_iter().map(message).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Wait;
    use super::super::tests::{GUEST_TOO, House, in_short, without_mail};
    use super::*;
    use crate::engine::tests::after;

    impl House {
        fn gathered(&mut self, second: u64) -> Vec<String> {
            let House { registry, incidents, outbox, .. } = self;
            incidents.welcome(after(second), registry, outbox).iter().map(in_short).collect()
        }
    }

    #[test]
    fn first_passes_are_gathered_for_ten_seconds_into_one_word_to_each_person() {
        let mut house = House::new();
        let nas = house.register("NAS", &[("email", GUEST_TOO)]);
        let kodi = house.register("Kodi", &[("email", "Owner@Example.org")]);
        assert_eq!(house.incidents.next_deadline(), None);
        house.incidents.handle_first_pass(after(100), nas);
        house.incidents.handle_first_pass(after(108), kodi);
        assert_eq!(house.incidents.next_deadline(), Some((after(110).at, Wait::Welcome)));
        assert!(house.gathered(109).is_empty());
        assert_eq!(house.gathered(110), ["guest@b.c: watching NAS", "watching NAS, Kodi"]);
        assert_eq!((house.incidents.next_deadline(), house.gathered(120)), (None, Vec::new()));
        for id in [nas, kodi] {
            assert_eq!(house.registry.get(id).unwrap().welcome, Welcome::Told);
        }
    }

    #[test]
    fn the_word_says_when_the_first_of_them_passed_though_it_goes_out_late() {
        let mut house = House::new();
        for (name, second) in [("NAS", 100), ("Kodi", 108)] {
            let id = house.register(name, &[]);
            house.incidents.handle_first_pass(after(second), id);
        }
        let House { registry, incidents, outbox, .. } = &mut house;
        let messages = incidents.welcome(after(117), registry, outbox);
        let [Message { notice: Notice::Watching { at, .. }, .. }] = messages.as_slice() else {
            panic!("{messages:?}");
        };
        assert_eq!(at.wall(), after(100).wall);
    }

    #[test]
    fn an_app_that_is_stopped_before_the_word_goes_out_is_not_in_it() {
        let mut house = House::new();
        for name in ["NAS", "Kodi"] {
            let id = house.register(name, &[]);
            house.incidents.handle_first_pass(after(100), id);
        }
        let nas = house.registry.find("NAS").unwrap();
        house.stop(nas);
        assert_eq!(house.gathered(110), ["watching Kodi"]);
    }

    #[test]
    fn without_mail_no_word_is_owed_later() {
        let mut house = House::new();
        let nas = house.register("NAS", &[]);
        house.outbox = without_mail();
        house.incidents.handle_first_pass(after(100), nas);
        assert!(house.gathered(110).is_empty());
        assert_eq!(house.registry.get(nas).unwrap().welcome, Welcome::Told);
    }
}
