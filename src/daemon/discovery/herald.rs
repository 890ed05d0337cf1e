//! What the owner is told of the announcement, once each.

use std::time::Duration;

use log::{info, warn};

use crate::engine::time::Moment;

/// How long nothing is said about a service that nobody can find yet: a few names may have to be tried, and
/// Wi-Fi takes some seconds to come.
const PATIENCE: Duration = Duration::from_secs(8);

/// Each time that something was said about it the patience is twice as long, up to this: a link that flaps
/// or a neighbour of ill will must not fill the log. So it is with names that follow each other.
const PATIENCE_MAX: Duration = Duration::from_secs(60 * 60);

/// How the announcement is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// The service is found by this name, on this host.
    Heard { service: String, host: String },
    /// There is no network.
    NoNetwork,
    /// There is one, and it or the system refuses.
    Refused(String),
    /// There is one, and every name so far was somebody else's.
    NoName,
}

/// Tells the owner.
#[derive(Debug)]
pub(super) struct Herald {
    told: Option<News>,
    /// Since when the service cannot be found.
    unheard_since: Option<Moment>,
    patience: Duration,
    /// Until when no other name is told.
    renamed_until: Option<Moment>,
    /// From a name that was told to the next.
    between_names: Duration,
}

impl Herald {
    pub(super) fn new(now: Moment) -> Herald {
        Herald {
            told: None,
            unheard_since: Some(now),
            patience: PATIENCE,
            renamed_until: None,
            between_names: PATIENCE,
        }
    }

    /// How it is now.
    pub(super) fn handle(&mut self, now: Moment, news: News) {
        let is_rename =
            matches!((&self.told, &news), (Some(News::Heard { .. }), News::Heard { .. }));
        if let News::Heard { .. } = news {
            self.unheard_since = None;
            if is_rename && self.renamed_until.is_some_and(|until| now < until) {
                return;
            }
        } else if now < *self.unheard_since.get_or_insert(now) + self.patience {
            return;
        }
        if self.told.as_ref() != Some(&news) {
            say(&news);
            if is_rename {
                self.renamed_until = Some(now + self.between_names);
                self.between_names = (self.between_names * 2).min(PATIENCE_MAX);
            } else if self.unheard_since.is_some() {
                self.patience = (self.patience * 2).min(PATIENCE_MAX);
            }
            self.told = Some(news);
        }
    }

    /// When [`Herald::handle`] is to be called, whatever happens.
    pub(super) fn next_deadline(&self, now: Moment) -> Option<Moment> {
        let unheard = self.unheard_since.map(|since| since + self.patience);
        [unheard, self.renamed_until].into_iter().flatten().filter(|at| now < *at).min()
    }
}

fn say(news: &News) {
    match news {
        News::Heard { service, host } => info!("zeroconf: announced as {service} on {host}"),
        News::NoNetwork => info!(
            "zeroconf: cannot announce the service yet, because no network interface that it listens \
             on is up; it is announced as soon as one is"
        ),
        News::Refused(why) => warn!(
            "zeroconf: cannot announce the service: {why}; trying again, everything else works"
        ),
        News::NoName => warn!(
            "zeroconf: cannot announce the service: others on the network say that they have each \
             of its names; trying again, everything else works"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard() -> News {
        News::Heard { service: "a".to_owned(), host: "b".to_owned() }
    }

    #[test]
    fn a_rename_of_some_seconds_or_late_wifi_is_no_trouble() {
        let t0 = Moment::START;
        let mut herald = Herald::new(t0);
        for second in 0..8 {
            herald.handle(t0 + Duration::from_secs(second), News::NoName);
            assert_eq!(herald.told, None);
        }
        assert_eq!(herald.next_deadline(t0), Some(t0 + PATIENCE));
        herald.handle(t0 + PATIENCE, heard());
        assert_eq!((herald.told.clone(), herald.next_deadline(t0)), (Some(heard()), None));
        // A later conflict has the same patience.
        let later = t0 + Duration::from_secs(3600);
        herald.handle(later, News::NoName);
        assert_eq!(herald.told, Some(heard()));
        herald.handle(later + PATIENCE, News::NoName);
        assert_eq!(herald.told, Some(News::NoName));
    }

    #[test]
    fn a_neighbour_who_takes_each_of_our_names_makes_few_lines_and_the_last_name_is_told() {
        let mut now = Moment::START;
        let mut herald = Herald::new(now);
        let mut lines = 0;
        let named = |number: u32| News::Heard { service: number.to_string(), host: "b".to_owned() };
        for second in 0..86_400_u32 {
            let before = herald.told.clone();
            herald.handle(now, named(second / 2));
            lines += usize::from(herald.told != before);
            now = now + Duration::from_secs(1);
        }
        assert!((3..40).contains(&lines), "{lines}");
        while let Some(at) = herald.next_deadline(now) {
            now = at;
            herald.handle(now, named(43_200));
        }
        assert_eq!(herald.told, Some(named(43_200)));
    }

    #[test]
    fn a_link_that_flaps_all_day_makes_few_lines() {
        let mut now = Moment::START;
        let mut herald = Herald::new(now);
        let mut lines = 0;
        for second in 0..86_400_u32 {
            let before = herald.told.clone();
            herald.handle(now, if second % 60 < 30 { News::NoNetwork } else { heard() });
            lines += usize::from(herald.told != before);
            now = now + Duration::from_secs(1);
        }
        assert!(lines < 10, "{lines}");
    }
}
