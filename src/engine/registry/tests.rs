//! The registry alone, in virtual time.

use super::*;
use crate::engine::check_log::Event;
use crate::engine::state::State;
use crate::engine::tests::{after, after_ms, app, refusal, verdict};
use crate::engine::time::Stamp;
use crate::engine::verdict::answer::Outcome;

const QUICK: [(&str, &str); 3] = [("interval", "5"), ("unhealthy", "2"), ("healthy", "2")];

fn registered(names: &[&str]) -> Registry {
    let mut registry = Registry::default();
    for name in names {
        registry.register(after(0), app(name, &QUICK));
    }
    registry.take_changes();
    registry
}

/// An app that has been HEALTHY for a while.
fn healthy() -> (Registry, AppId) {
    let mut registry = registered(&["NAS"]);
    let id = registry.find("NAS").unwrap();
    for second in [5, 10, 15] {
        check(&mut registry, second, id, Outcome::Pass);
    }
    registry.set_welcome(id, Welcome::Told);
    registry.take_changes();
    (registry, id)
}

fn judged(registry: &mut Registry, second: u64, id: AppId, verdict: Verdict) -> Effect {
    let now = after(second);
    registry.observe(now, id, now.wall, (verdict, false), Duration::from_millis(5)).unwrap()
}

fn check(registry: &mut Registry, second: u64, id: AppId, outcome: Outcome) -> Effect {
    judged(registry, second, id, verdict(outcome))
}

/// What is to be written, in short: `-NAME` is stopped, `NAME` whole, `NAME rows`, `NAME counted`.
fn marked(registry: &mut Registry) -> String {
    let Changes { stopped, apps, counted } = registry.take_changes();
    let name = |id: &AppId| registry.get(*id).map_or("", |app| &app.registration.name).to_owned();
    let mut marks: Vec<String> = stopped.iter().map(|name| format!("-{name}")).collect();
    marks.extend(apps.iter().map(|(id, mark)| match mark {
        AppMark::Whole => name(id),
        AppMark::Streaks => format!("{} rows", name(id)),
    }));
    marks.extend(counted.iter().map(|id| format!("{} counted", name(id))));
    // One that is gone has a mark and no name.
    marks.retain(|mark| !mark.is_empty());
    marks.join(", ")
}

fn sums(registry: &mut Registry) -> Vec<String> {
    let lines = std::iter::from_fn(|| registry.poll_sum());
    lines
        .map(|line| match line.event {
            Event::Hour { pass, warn, fail, .. } => {
                format!("{} {pass} {warn} {fail}", line.appname)
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn an_app_is_found_by_its_name_and_a_call_by_what_is_meant() {
    let registry = registered(&["My NAS"]);
    let id = registry.find("My NAS").unwrap();
    assert_eq!(registry.on_record("  My   NAS "), Ok("My NAS".to_owned()));
    assert_eq!(registry.name_for(" My  NAS"), Ok("My NAS".to_owned()));
    assert_eq!(registry.name_for(" Kodi "), Ok("Kodi".to_owned()));
    let unknown = |name: &str| RegistryError::UnknownApp(name.to_owned());
    assert_eq!(registry.find(" My NAS"), Err(unknown(" My NAS")), "just that name");
    assert_eq!(registry.on_record(" Kodi "), Err(unknown(" Kodi ")), "as it was given");
    assert!(matches!(registry.name_for("\u{200b}"), Err(RegistryError::BadName(_))));
    assert_eq!(registry.id_of("My NAS"), Some(id));
}

#[test]
fn apps_are_listed_by_name_from_any_name_on() {
    let registry = registered(&["c", "a", "b"]);
    let names = |from: Option<&str>| -> Vec<String> {
        registry.after(from).map(|(_, app)| app.registration.name.clone()).collect()
    };
    assert_eq!(names(None), ["a", "b", "c"]);
    assert_eq!(names(Some("a")), ["b", "c"]);
    assert_eq!(names(Some("aa")), ["b", "c"], "one that is gone meanwhile has a place too");
    assert!(names(Some("c")).is_empty());
}

#[test]
fn a_full_registry_takes_changes_of_known_apps_alone() {
    let mut registry = Registry::default();
    let plain = app("app", &[]);
    for number in 0..MOST_APPS {
        let one = Registration { name: format!("app{number}"), ..plain.clone() };
        registry.register(after(0), one);
    }
    assert_eq!(registry.admit(&plain, 0), Err(RegistryError::TooManyApps));
    let known = Registration { name: "app7".to_owned(), ..plain.clone() };
    assert_eq!(registry.admit(&known, 0), Ok(()));
    let id = registry.find("app7").unwrap();
    registry.stop(id);
    assert_eq!(registry.admit(&plain, 0), Ok(()));
}

#[test]
fn mails_that_wait_count_for_the_people_that_there_is_room_for() {
    let registry = registered(&[]);
    let full = Err(RegistryError::Full(Full::People));
    assert_eq!(registry.admit(&app("NAS", &[]), quota::PEOPLE_MAX), full);
    assert_eq!(registry.admit(&app("NAS", &[]), quota::PEOPLE_MAX - 1), Ok(()));
}

#[test]
fn a_registration_is_new_or_changes_something_or_nothing() {
    let mut registry = Registry::default();
    let Enrolled::New(id) = registry.register(after(0), app("NAS", &QUICK)) else {
        panic!("known")
    };
    assert_eq!(marked(&mut registry), "NAS");
    assert_eq!(registry.register(after(1), app("NAS", &QUICK)), Enrolled::Unchanged);
    assert_eq!(marked(&mut registry), "", "an app may register every second");
    let before = Box::new(app("NAS", &QUICK));
    assert_eq!(registry.register(after(2), app("NAS", &[])), Enrolled::Updated { id, before });
    assert_eq!(marked(&mut registry), "NAS");
    assert_eq!(*registry.get(id).unwrap().registration, app("NAS", &[]));
}

#[test]
fn a_name_that_was_stopped_is_another_app_when_it_comes_again() {
    let mut registry = registered(&["NAS"]);
    let id = registry.find("NAS").unwrap();
    check(&mut registry, 1, id, Outcome::Pass);
    assert!(registry.stop(id).is_some());
    assert!(registry.stop(id).is_none() && registry.named("NAS").is_none());
    let Enrolled::New(again) = registry.register(after(2), app("NAS", &QUICK)) else { panic!() };
    assert_ne!(again, id);
    assert_eq!(registry.get(again).unwrap().checks, 0);
    assert_eq!(marked(&mut registry), "-NAS, NAS", "what was counted of the other is not written");
}

#[test]
fn what_was_found_on_disk_is_not_written_again() {
    let mut registry = Registry::default();
    let kodi = App::new(after(0), app("Kodi", &[]));
    let id = registry.restore(kodi);
    assert_eq!(registry.find("Kodi"), Ok(id));
    assert_eq!(marked(&mut registry), "");
}

#[test]
fn a_check_that_changes_nothing_writes_nothing() {
    let (mut registry, id) = healthy();
    for second in 20..40 {
        let effect = check(&mut registry, second, id, Outcome::Pass);
        assert_eq!((effect.counts, effect.news, effect.transition), (true, false, None));
    }
    assert_eq!(marked(&mut registry), "");
    assert_eq!(registry.get(id).unwrap().checks, 23, "it is counted all the same");
}

#[test]
fn each_verdict_is_counted_as_what_it_is() {
    let mut registry = registered(&["NAS"]);
    let id = registry.find("NAS").unwrap();
    for (second, outcome) in [
        (10, Outcome::Pass),
        (20, Outcome::Warn),
        (30, Outcome::Pass),
        (40, Outcome::Warn),
        (50, Outcome::Warn),
        (60, Outcome::Fail),
    ] {
        check(&mut registry, second, id, outcome);
    }
    let app = registry.get(id).unwrap();
    assert_eq!((app.checks, app.warnings, app.failures), (6, 3, 1));
    assert_eq!(app.last_healthy, Some(Stamp::noted(after(30))));
}

#[test]
fn rows_are_written_while_they_decide_and_the_counters_with_them() {
    let (mut registry, id) = healthy();
    let fail = |registry: &mut Registry, second| check(registry, second, id, Outcome::Fail);
    assert_eq!(fail(&mut registry, 20).transition, None);
    assert_eq!(marked(&mut registry), "NAS rows, NAS counted");
    let to = fail(&mut registry, 25).transition.unwrap().to;
    assert_eq!((to, marked(&mut registry).as_str()), (State::Unhealthy, "NAS, NAS counted"));
    for second in 30..38 {
        fail(&mut registry, second);
    }
    assert_eq!(marked(&mut registry), "NAS rows, NAS counted");
    fail(&mut registry, 50);
    assert_eq!(marked(&mut registry), "", "a longer row decides nothing more");
}

#[test]
fn a_state_that_changes_to_and_fro_between_two_writes_is_written() {
    let (mut registry, id) = healthy();
    let since = registry.get(id).unwrap().monitor.since;
    for (second, outcome) in [(20, Outcome::Fail), (25, Outcome::Fail), (30, Outcome::Pass)] {
        check(&mut registry, second, id, outcome);
    }
    let to = check(&mut registry, 35, id, Outcome::Pass).transition.unwrap().to;
    assert_eq!((to, marked(&mut registry).as_str()), (State::Healthy, "NAS, NAS counted"));
    assert_ne!(registry.get(id).unwrap().monitor.since, since);
}

#[test]
fn the_first_pass_is_told_apart_once() {
    let mut registry = registered(&["NAS"]);
    let id = registry.find("NAS").unwrap();
    assert!(!check(&mut registry, 1, id, Outcome::Warn).first_pass);
    assert!(check(&mut registry, 5, id, Outcome::Pass).first_pass);
    marked(&mut registry);
    registry.set_welcome(id, Welcome::Gathered);
    assert_eq!(marked(&mut registry), "", "the word is still owed after a power cut");
    assert!(!check(&mut registry, 10, id, Outcome::Pass).first_pass);
    marked(&mut registry);
    registry.set_welcome(id, Welcome::Told);
    assert_eq!(marked(&mut registry), "NAS");
}

#[test]
fn a_refusal_is_forgiven_in_an_interval_and_that_is_written_once() {
    let mut registry = registered(&["NAS"]);
    let id = registry.find("NAS").unwrap();
    assert!(!judged(&mut registry, 1, id, refusal()).counts);
    assert_eq!(marked(&mut registry), "NAS");
    assert!(!judged(&mut registry, 3, id, refusal()).counts);
    assert_eq!(marked(&mut registry), "");
    // It registers again and again, and refuses on.
    registry.register(after(4), app("NAS", &QUICK));
    assert_eq!(marked(&mut registry), "");
    let effect = judged(&mut registry, 8, id, refusal());
    assert!(effect.counts && effect.news, "the first that counts");
    assert_eq!(registry.get(id).unwrap().failures, 1);
}

#[test]
fn who_registers_while_it_refuses_is_forgiven_once_for_the_streak() {
    let (mut registry, id) = healthy();
    assert!(judged(&mut registry, 20, id, refusal()).counts);
    marked(&mut registry);
    registry.register(after(21), app("NAS", &QUICK));
    assert_eq!(marked(&mut registry), "NAS");
    registry.register(after(22), app("NAS", &QUICK));
    assert_eq!(marked(&mut registry), "");
    assert!(!judged(&mut registry, 26, id, refusal()).counts);
    assert!(judged(&mut registry, 27, id, refusal()).counts);
    check(&mut registry, 30, id, Outcome::Pass);
    registry.register(after(31), app("NAS", &QUICK));
    assert!(!judged(&mut registry, 35, id, refusal()).counts, "another streak");
}

#[test]
fn pausing_twice_is_pausing_once() {
    let mut registry = registered(&["NAS"]);
    let id = registry.find("NAS").unwrap();
    for (paused, changes, marks) in
        [(true, true, "NAS"), (true, false, ""), (false, true, "NAS"), (false, false, "")]
    {
        assert_eq!(registry.set_paused(id, paused), changes);
        assert_eq!(marked(&mut registry), marks);
    }
    registry.stop(id);
    assert!(!registry.set_paused(id, true), "of an app that is gone nothing changes");
}

#[test]
fn what_was_counted_is_forgotten_and_that_is_a_change_only_of_a_known_state() {
    let (mut registry, id) = healthy();
    let transition = registry.forget(after(20), id).unwrap();
    assert_eq!((transition.from, transition.to), (State::Healthy, State::Unknown));
    assert_eq!(marked(&mut registry), "NAS");
    check(&mut registry, 25, id, Outcome::Fail);
    marked(&mut registry);
    assert_eq!(registry.forget(after(26), id), None);
    assert_eq!(marked(&mut registry), "NAS rows", "a row that had begun is gone");
    assert_eq!(registry.forget(after(27), id), None);
    assert_eq!(marked(&mut registry), "");
}

#[test]
fn counters_are_due_an_hour_after_the_first_check_and_then_only_if_there_are_more() {
    let mut registry = registered(&["b", "a"]);
    assert_eq!(registry.next_deadline(), None, "an app that is never asked wakes nobody");
    let id = registry.find("b").unwrap();
    for second in [10, 20, 30, 40] {
        check(&mut registry, second, id, Outcome::Pass);
    }
    marked(&mut registry);
    let due = after(3610);
    assert_eq!(registry.next_deadline(), Some(due.at));
    registry.handle_deadline(after(3609));
    assert_eq!((marked(&mut registry).as_str(), registry.next_deadline()), ("", Some(due.at)));
    registry.handle_deadline(due);
    assert_eq!(marked(&mut registry), "b counted, a counted");
    assert_eq!(sums(&mut registry), ["b 4 0 0"], "of those that were asked");
    assert_eq!(registry.next_deadline(), None);
    check(&mut registry, 3620, id, Outcome::Pass);
    assert_eq!(registry.next_deadline(), Some(after(7220).at));
}

#[test]
fn hours_are_summed_up_by_name_and_each_check_once() {
    let mut registry = registered(&["b", "a", "c"]);
    for (name, outcome) in [("b", Outcome::Fail), ("a", Outcome::Warn), ("c", Outcome::Pass)] {
        let id = registry.find(name).unwrap();
        check(&mut registry, 10, id, outcome);
    }
    let c = registry.find("c").unwrap();
    let sum = registry.sum_up(after_ms(20_700).wall, c).unwrap();
    assert_eq!((sum.appname.as_str(), sum.time), ("c", after(20).wall), "in whole seconds");
    assert!(!sum.is_urgent());
    assert!(Line { event: Event::Paused, ..sum }.is_urgent(), "a power cut may follow on it");
    registry.sum_up_all(after(30));
    assert_eq!(sums(&mut registry), ["a 0 1 0", "b 0 0 1"]);
    registry.sum_up_all(after(40));
    assert!(sums(&mut registry).is_empty());
}

#[test]
fn an_app_that_is_stopped_while_hours_are_summed_up_is_left_out() {
    let mut registry = registered(&["a", "b"]);
    for name in ["a", "b"] {
        let id = registry.find(name).unwrap();
        check(&mut registry, 10, id, Outcome::Pass);
    }
    registry.sum_up_all(after(20));
    let a = registry.find("a").unwrap();
    registry.stop(a);
    assert_eq!(sums(&mut registry), ["b 1 0 0"]);
}
