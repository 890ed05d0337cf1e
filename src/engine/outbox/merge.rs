//! One mail that tells what several were to tell.
//!
//! Mails to one person are merged while they wait for a server that is away, or because the person
//! has had enough for an hour. What waits is bounded, whatever happens meanwhile: the latest news
//! of each app is kept before what it overtook, and what is left out is counted.

use std::collections::HashSet;

use super::mail::Mail;
use super::notice::{Change, Notice};
use crate::engine::time::Stamp;

/// A thread remembers so many of its mails: RFC 5322 wants them all, old ones help nobody.
const REFERENCES: usize = 10;
/// The most apps whose latest news is in one mail: nobody reads more, and the status page has all.
pub(in crate::engine) const APPS_MAX: usize = 200;
/// The most overtaken news in one mail: enough to see what went on.
pub(in crate::engine) const OVERTAKEN_MAX: usize = 40;
/// The most apps in all the reports, outages and ends of such that are in one mail: the newest.
pub(in crate::engine) const TOGETHER_MAX: usize = 800;
/// The most newly watched apps that one mail names.
pub(in crate::engine) const WATCHED_MAX: usize = 1000;
/// The most apps told in full, with their last checks and their own words; a list has the others.
pub(in crate::engine) const IN_FULL_MAX: usize = 8;

/// Has one mail tell what a later one was to tell, under the later one's message id (its own, where
/// nobody can have it).
pub(in crate::engine) fn merge(mail: &mut Mail, later: Mail) {
    let replaced = std::mem::replace(&mut mail.message_id, later.message_id);
    // The first one names the thread, and the last one is answered: better one that has arrived, also where
    // that is the only one.
    if replaced != mail.message_id && !mail.references.contains(&replaced) {
        let before_last = mail.references.len().saturating_sub(1);
        mail.references.insert(before_last.min(1), replaced);
    }
    for reference in later.references {
        if reference != mail.message_id && !mail.references.contains(&reference) {
            mail.references.push(reference);
        }
    }
    shorten(&mut mail.references);
    for person in later.meant_for {
        if !mail.meant_for.contains(&person) {
            mail.meant_for.push(person);
        }
    }
    mail.held_back = mail.held_back.or(later.held_back);
    mail.left_out = mail.left_out.saturating_add(later.left_out);
    mail.nameless |= later.nameless;
    mail.notices.extend(later.notices);
    bound(mail);
}

/// A mail that was written just now, with no more in it than one may have.
pub(super) fn bounded(mut mail: Mail) -> Mail {
    bound(&mut mail);
    mail
}

/// Drops the oldest references but the first, which names the thread.
pub(in crate::engine) fn shorten(references: &mut Vec<String>) {
    let surplus = references.len().saturating_sub(REFERENCES);
    if surplus > 0 {
        references.drain(1..=surplus);
    }
}

/// Leaves out what is too much, the oldest and the overtaken first.
fn bound(mail: &mut Mail) {
    let mut latest = HashSet::new();
    let mut overtaken = 0;
    let mut together = 0;
    let mut watched = Watched::default();
    let mut kept = Vec::with_capacity(mail.notices.len());
    let mut left_out: u32 = 0;
    for notice in std::mem::take(&mut mail.notices).into_iter().rev() {
        match notice {
            Notice::Change(mut change) => {
                let has_room = if latest.insert(change.app.clone()) {
                    latest.len() <= APPS_MAX
                } else {
                    overtaken += 1;
                    leave_details_out(&mut change);
                    overtaken <= OVERTAKEN_MAX
                };
                if has_room {
                    kept.push(Notice::Change(change));
                } else {
                    left_out = left_out.saturating_add(1);
                }
            }
            Notice::Watching { apps, at } => watched.add_earlier(apps, at),
            other @ (Notice::Report(_)
            | Notice::Outage(_)
            | Notice::AllBack(_)
            | Notice::Blind(_)) => {
                together += other.told().count().max(1);
                if together <= TOGETHER_MAX {
                    kept.push(other);
                } else {
                    left_out = left_out.saturating_add(1);
                }
            }
            test @ Notice::Test { .. } => kept.push(test),
        }
    }
    let (watching, more) = watched.notice();
    kept.extend(watching);
    kept.reverse();
    mail.notices = kept;
    mail.left_out = mail.left_out.saturating_add(left_out).saturating_add(more);
    bound_details(&mut mail.notices);
}

/// Only the first apps are told in full.
fn bound_details(notices: &mut [Notice]) {
    let mut seen = HashSet::new();
    let mut latest: Vec<&mut Change> = notices
        .iter_mut()
        .rev()
        .filter_map(|notice| match notice {
            Notice::Change(change) => Some(change),
            _ => None,
        })
        .filter(|change| seen.insert(change.app.clone()))
        .collect();
    latest.reverse();
    for change in latest.into_iter().skip(IN_FULL_MAX) {
        leave_details_out(change);
    }
}

/// Leaves out what a filter may not like, a step with each call: the details, then the reasons, which
/// quote the apps, then their names. Whether there was any.
///
/// Whoever may register chooses names and reasons, and what a filter refuses holds up everything else
/// that its reader is to be told.
pub(super) fn make_plainer(mail: &mut Mail) -> bool {
    let (mut had_details, mut had_reasons, mut names_apps) = (false, false, false);
    for notice in &mail.notices {
        names_apps |= !matches!(notice, Notice::Test { .. });
        had_details |= match notice {
            Notice::Change(change) => change.body.is_some() || !change.recent.is_empty(),
            Notice::Outage(outage) => !outage.recent.is_empty(),
            _ => false,
        };
        had_reasons |= quotes_apps(notice);
    }
    for notice in &mut mail.notices {
        match notice {
            Notice::Change(change) if had_details => leave_details_out(change),
            Notice::Change(change) => change.reason = String::new(),
            Notice::Report(report) if !had_details => {
                report.missing.iter_mut().for_each(|app| app.reason = String::new());
            }
            Notice::Outage(outage) if had_details => outage.recent = Vec::new(),
            Notice::Outage(outage) => {
                outage.apps_mut().for_each(|app| app.reason = String::new());
            }
            Notice::Report(_)
            | Notice::AllBack(_)
            | Notice::Blind(_)
            | Notice::Watching { .. }
            | Notice::Test { .. } => {}
        }
    }
    if had_details || had_reasons {
        return true;
    }
    let had_names = names_apps && !mail.nameless;
    mail.nameless |= had_names;
    had_names
}

/// Whether it has reasons in it.
fn quotes_apps(notice: &Notice) -> bool {
    match notice {
        Notice::Change(change) => !change.reason.is_empty(),
        Notice::Report(report) => report.missing.iter().any(|app| !app.reason.is_empty()),
        Notice::Outage(outage) => outage.apps().any(|app| !app.reason.is_empty()),
        Notice::AllBack(_) | Notice::Blind(_) | Notice::Watching { .. } | Notice::Test { .. } => {
            false
        }
    }
}

fn leave_details_out(change: &mut Change) {
    change.recent = Vec::new();
    change.body = None;
}

/// All newly watched apps of a mail, as one notice.
#[derive(Default)]
struct Watched {
    apps: Vec<String>,
    since: Option<Stamp>,
}

impl Watched {
    fn add_earlier(&mut self, mut apps: Vec<String>, at: Stamp) {
        let known: HashSet<&String> = apps.iter().collect();
        let later: Vec<String> =
            self.apps.iter().filter(|app| !known.contains(app)).cloned().collect();
        apps.extend(later);
        self.apps = apps;
        self.since = Some(at);
    }

    /// The notice, and how many apps it leaves out.
    fn notice(mut self) -> (Option<Notice>, u32) {
        let Some(at) = self.since else { return (None, 0) };
        let more = self.apps.len().saturating_sub(WATCHED_MAX);
        self.apps.truncate(WATCHED_MAX);
        let notice = Notice::Watching { apps: self.apps, at };
        (Some(notice), u32::try_from(more).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::outbox::notice::{Group, Outage, Silent};
    use crate::engine::recipients::Recipient;
    use crate::engine::registry::history::RecentCheck;
    use crate::engine::state::State;
    use crate::engine::time::Wall;
    use crate::engine::verdict::answer::Outcome;

    fn mail(number: usize, notice: Notice) -> Mail {
        let at = Stamp::on_record(Wall::default());
        let message_id = format!("m{number}");
        Mail::new(number as u64, Recipient::mail("a@b.c"), message_id, vec![notice], at)
    }

    fn change(app: &str, second: i64) -> Notice {
        let at = Stamp::on_record(Wall::from_unix_millis(second * 1000));
        Notice::Change(Change {
            app: app.to_owned(),
            url: "http://nas/health".to_owned(),
            from: State::Healthy,
            to: State::Unhealthy,
            at,
            since: at,
            lasted_ms: 0,
            lasted_at_least: false,
            keeps_failing: false,
            reason: "connection refused".to_owned(),
            body: Some("{}".to_owned()),
            recent: vec![RecentCheck { time: at, outcome: Outcome::Fail, latency_ms: 1 }],
        })
    }

    fn merged(notices: impl IntoIterator<Item = Notice>) -> Mail {
        let mut mails = notices.into_iter().enumerate().map(|(n, notice)| mail(n, notice));
        let mut first = mails.next().unwrap();
        mails.for_each(|later| merge(&mut first, later));
        first
    }

    fn apps(mail: &Mail) -> Vec<&str> {
        let apps = mail.notices.iter().flat_map(|notice| match notice {
            Notice::Change(change) => vec![change.app.as_str()],
            Notice::Watching { apps, .. } => apps.iter().map(String::as_str).collect(),
            Notice::Report(_)
            | Notice::Outage(_)
            | Notice::AllBack(_)
            | Notice::Blind(_)
            | Notice::Test { .. } => {
                vec![]
            }
        });
        apps.collect()
    }

    #[test]
    fn a_long_thread_keeps_its_root_and_its_end() {
        let mut references: Vec<String> = (0..15).map(|n| n.to_string()).collect();
        shorten(&mut references);
        assert_eq!(references.len(), REFERENCES);
        assert_eq!((references[0].as_str(), references[1].as_str()), ("0", "6"));
    }

    #[test]
    fn what_is_answered_is_never_the_mail_that_was_replaced() {
        for (arrived, all) in [(vec!["a"], vec!["m1", "a"]), (vec!["a", "b"], vec!["a", "m1", "b"])]
        {
            let mut first = mail(1, change("NAS", 1));
            first.references = arrived.iter().map(ToString::to_string).collect();
            merge(&mut first, mail(2, change("NAS", 2)));
            assert_eq!(first.references, all);
        }
    }

    #[test]
    fn a_thread_names_each_mail_once_and_never_the_mail_itself() {
        let mut first = mail(1, change("NAS", 1));
        first.references = vec!["a".to_owned(), "b".to_owned()];
        let mut later = mail(2, change("NAS", 2));
        later.references = ["b", "m2", "c"].map(str::to_owned).to_vec();
        merge(&mut first, later);
        assert_eq!(first.references, ["a", "m1", "b", "c"]);
    }

    #[test]
    fn either_detail_goes_before_the_reason_does() {
        for (body, recent) in [(true, false), (false, true)] {
            let mut plainer = mail(1, change("NAS", 1));
            let Notice::Change(change) = &mut plainer.notices[0] else { panic!("another notice") };
            change.body = change.body.take().filter(|_| body);
            change.recent.retain(|_| recent);
            assert!(make_plainer(&mut plainer));
            let Notice::Change(change) = &plainer.notices[0] else { panic!("another notice") };
            assert_eq!((&change.body, change.recent.len()), (&None, 0));
            assert_eq!(change.reason, "connection refused");
        }
    }

    #[test]
    fn an_app_that_comes_and_goes_for_days_pushes_out_no_other() {
        let flapping = (1..10_000).map(|second| change("NAS", second));
        let mail = merged([change("Kodi", 0)].into_iter().chain(flapping));
        assert_eq!(apps(&mail)[0], "Kodi");
        assert_eq!(mail.notices.len(), 2 + OVERTAKEN_MAX);
        assert_eq!(mail.left_out as usize + mail.notices.len(), 10_000);
    }

    #[test]
    fn the_news_of_very_many_apps_is_bounded_and_only_the_first_are_told_in_full() {
        let many = (0..APPS_MAX + 5).map(|n| change(&format!("app{n}"), n as i64));
        let mail = merged(many);
        assert_eq!((mail.notices.len(), mail.left_out), (APPS_MAX, 5));
        assert_eq!(apps(&mail)[0], "app5", "the oldest are left out");
        let in_full = mail.notices.iter().filter(
            |notice| matches!(notice, Notice::Change(it) if it.body.is_some() && !it.recent.is_empty()),
        );
        assert!(in_full.count() <= IN_FULL_MAX);
    }

    fn outage(apps: usize, second: i64) -> Notice {
        let at = Stamp::on_record(Wall::from_unix_millis(second * 1000));
        let silent = |number: usize| Silent {
            app: format!("app{number}"),
            unhealthy: true,
            failures: 2,
            since: at,
            reason: "no answer".to_owned(),
        };
        let apps = (0..apps).map(silent).collect();
        let groups =
            vec![Group { host: None, host_lives: false, outside: false, parent: None, apps }];
        let recent = vec![RecentCheck { time: at, outcome: Outcome::Fail, latency_ms: 1 }];
        Notice::Outage(Box::new(Outage {
            at,
            groups,
            more: false,
            keeps_failing: false,
            still: false,
            recent,
        }))
    }

    #[test]
    fn the_newest_outages_are_kept_as_far_as_there_is_room() {
        let mail = merged((0..10).map(|second| outage(APPS_MAX, second)));
        assert_eq!((mail.notices.len(), mail.left_out), (TOGETHER_MAX / APPS_MAX, 6));
        assert_eq!(mail.notices.last(), Some(&outage(APPS_MAX, 9)));
    }

    #[test]
    fn of_an_outage_too_a_filter_gets_the_checks_then_the_reasons_then_the_names_taken_out() {
        let mut plainer = mail(1, outage(2, 1));
        let seen = |mail: &Mail| {
            let Notice::Outage(outage) = &mail.notices[0] else { panic!("another notice") };
            (outage.recent.len(), outage.apps().all(|it| it.reason.is_empty()), mail.nameless)
        };
        assert_eq!(seen(&plainer), (1, false, false));
        for (then, expected) in
            [(true, (0, false, false)), (true, (0, true, false)), (true, (0, true, true))]
        {
            assert_eq!(make_plainer(&mut plainer), then);
            assert_eq!(seen(&plainer), expected);
        }
        assert!(!make_plainer(&mut plainer));
    }

    #[test]
    fn newly_watched_apps_are_named_together_once() {
        let watching = |names: &[&str], second: i64| Notice::Watching {
            apps: names.iter().map(ToString::to_string).collect(),
            at: Stamp::on_record(Wall::from_unix_millis(second * 1000)),
        };
        let mail = merged([watching(&["a", "b"], 1), watching(&["b", "c"], 2)]);
        assert_eq!(mail.notices, [watching(&["a", "b", "c"], 1)]);
        let many = (0..WATCHED_MAX + 7).map(|n| watching(&[n.to_string().as_str()], 1));
        let mail = merged(many);
        assert_eq!((apps(&mail).len(), mail.left_out), (WATCHED_MAX, 7));
    }

    #[test]
    fn one_notice_of_very_many_apps_is_bounded_too() {
        let apps = (0..WATCHED_MAX + 7).map(|n| n.to_string()).collect();
        let mail =
            bounded(mail(1, Notice::Watching { apps, at: Stamp::on_record(Wall::default()) }));
        assert_eq!((self::apps(&mail).len(), mail.left_out), (WATCHED_MAX, 7));
    }

    proptest! {
        /// In whatever pieces: a replay of the journal and the life before it agree.
        #[test]
        fn merging_is_bounded_and_loses_count_of_nothing(names in prop::collection::vec("[a-d]", 1..120)) {
            let changes = names.iter().enumerate().map(|(n, app)| change(app, n as i64));
            let mail = merged(changes);
            let different: HashSet<&String> = names.iter().collect();
            let told: HashSet<&str> = apps(&mail).into_iter().collect();
            prop_assert_eq!(told.len(), different.len());
            prop_assert!(mail.notices.len() <= different.len() + OVERTAKEN_MAX);
            prop_assert_eq!(mail.notices.len() + mail.left_out as usize, names.len());
        }
    }
}
