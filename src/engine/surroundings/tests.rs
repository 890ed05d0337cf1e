//! Settling alone, in virtual time.

use super::run::{Interruption, Run};
use super::settling::Aftermath;
use super::*;
use crate::engine::registration::{Origin, Registration};
use crate::engine::tests::{after, refusal, verdict};
use crate::engine::verdict::answer::{Life, Outcome, Whereabouts};

const SETTLE: Duration = Duration::from_secs(600);

fn boot(in_order: bool) -> Interruption {
    Interruption::Boot { in_order, last: None, power: false }
}

fn registry(apps: &[(&str, &str)]) -> Registry {
    let mut registry = Registry::default();
    for (name, url) in apps {
        let app = Registration::plain((*name).to_owned(), url, "/health", Origin::OwnMachine);
        registry.register(after(0), app.unwrap());
    }
    registry
}

fn here() -> Surroundings {
    Surroundings::new(Some("this".to_owned()), SETTLE, Vec::new())
}

fn silence() -> Verdict {
    Verdict { http_status: None, life: Life::Nothing, ..verdict(Outcome::Fail) }
}

/// A check has ended that began just now.
fn judged(
    surroundings: &mut Surroundings,
    second: u64,
    registry: &Registry,
    name: &str,
    verdict: &Verdict,
) -> Worth {
    let (now, id) = (after(second), registry.find(name).unwrap());
    surroundings.handle_verdict(now, (id, registry.get(id).unwrap()), verdict, now.at)
}

/// What is said of a boot after which these verdicts came, one for each app.
fn told(apps: &[(&str, &str, Verdict)], in_order: bool) -> Aftermath {
    let names: Vec<(&str, &str)> = apps.iter().map(|(name, url, _)| (*name, *url)).collect();
    let registry = registry(&names);
    let mut surroundings = here();
    surroundings.begin(after(0), boot(in_order), &registry);
    for (name, _, verdict) in apps {
        judged(&mut surroundings, 1, &registry, name, verdict);
    }
    surroundings.poll_ended(after(600)).unwrap().after
}

#[test]
fn only_another_boot_or_a_settling_that_was_not_finished_has_something_to_settle() {
    let last = None;
    let run = |boot_id: Option<&str>, settling: Option<Interruption>, ended: bool| Run {
        boot_id: boot_id.map(str::to_owned),
        settling,
        settling_since: None,
        ended,
        ..Run::default()
    };
    let came_between = |before: Option<&Run>| here().interrupted(after(0), before, last);
    assert_eq!(came_between(None), None, "a first start");
    assert_eq!(came_between(Some(&run(None, None, false))), None, "nothing is known of it");
    assert_eq!(came_between(Some(&run(Some("this"), None, false))), None, "a crash");
    assert_eq!(came_between(Some(&run(Some("this"), None, true))), None, "an upgrade");
    let unfinished = run(Some("this"), Some(boot(false)), false);
    assert_eq!(came_between(Some(&unfinished)), Some(boot(false)));
    assert_eq!(came_between(Some(&run(Some("that"), None, false))), Some(boot(false)));
    let unfinished = run(Some("that"), Some(boot(false)), true);
    assert_eq!(came_between(Some(&unfinished)), Some(boot(true)), "by how the last run ended");
    let mut nowhere = Surroundings::new(None, SETTLE, Vec::new());
    assert_eq!(
        nowhere.interrupted(after(0), Some(&unfinished), last),
        None,
        "no boot is known here"
    );
}

#[test]
fn a_time_server_has_set_the_clock_of_one_boot() {
    use Synchronised::{Before, Never, Now};
    let followed = |boot_id: Option<&str>, synchronised| {
        let boot_id = boot_id.map(str::to_owned);
        here().follow(Some(&Run { boot_id, synchronised, ..Run::begun(None) }))
    };
    assert_eq!(here().follow(None), Never);
    for (before, same_boot, another) in
        [(Never, Never, Never), (Before, Before, Before), (Now, Now, Before)]
    {
        assert_eq!(followed(Some("this"), before), same_boot);
        assert_eq!(followed(Some("that"), before), another);
        assert_eq!(followed(None, before), Never, "nobody knows which boot it was");
    }
}

#[test]
fn the_power_was_away_when_half_of_the_others_are_silent_at_first() {
    let (nas, tv) = ("http://192.168.1.2/", "http://192.168.1.3/");
    let well = || verdict(Outcome::Pass);
    assert_eq!(told(&[("NAS", nas, silence()), ("TV", tv, well())], false), Aftermath::Power);
    assert_eq!(told(&[("NAS", nas, refusal()), ("TV", tv, well())], false), Aftermath::Power);
    assert_eq!(told(&[("NAS", nas, silence()), ("TV", tv, well())], true), Aftermath::Restart);
    assert_eq!(told(&[("NAS", nas, well()), ("TV", tv, well())], false), Aftermath::Restart);
    let answers_badly = verdict(Outcome::Fail);
    assert_eq!(told(&[("NAS", nas, answers_badly), ("TV", tv, well())], false), Aftermath::Restart);
    let ours = ("Ours", "http://127.0.0.1:1/", silence());
    assert_eq!(told(&[("NAS", nas, well()), ours.clone()], false), Aftermath::Restart);
    assert_eq!(told(&[ours], false), Aftermath::Power, "there are no others");
}

#[test]
fn an_app_is_back_with_its_first_answer_and_missing_after_two_failures() {
    let registry = registry(&[("NAS", "http://nas/"), ("TV", "http://tv/"), ("Pi", "http://pi/")]);
    let id = |name| registry.find(name).unwrap();
    let mut surroundings = here();
    surroundings.begin(after(0), boot(false), &registry);
    assert!(surroundings.awaits(id("NAS")));
    let mut worth = |second, name, verdict: &Verdict| {
        judged(&mut surroundings, second, &registry, name, verdict)
    };
    assert_eq!(worth(10, "NAS", &silence()), Worth::Void);
    assert_eq!(worth(20, "NAS", &verdict(Outcome::Warn)), Worth::Back);
    assert_eq!(worth(30, "NAS", &silence()), Worth::Counts, "back, and not yet seen well");
    assert_eq!(worth(30, "TV", &silence()), Worth::Void);
    assert_eq!(worth(40, "TV", &silence()), Worth::Void);
    assert_eq!(worth(40, "Pi", &silence()), Worth::Void);
    assert!(surroundings.poll_ended(after(599)).is_none());
    let ended = surroundings.poll_ended(after(600)).unwrap();
    assert_eq!(ended.back, [id("NAS")]);
    let missing: Vec<(AppId, u32, Stamp)> =
        ended.missing.iter().map(|it| (it.id, it.failures, it.since)).collect();
    assert_eq!(missing, [(id("TV"), 2, Stamp::noted(after(30)))]);
    assert_eq!(ended.undecided, [id("Pi")]);
    assert_eq!(surroundings.next_deadline(), None);
}

#[test]
fn only_an_app_that_was_well_is_looked_for() {
    let mut registry = registry(&[("NAS", "http://192.168.1.2/")]);
    let mut surroundings = here();
    assert_eq!(judged(&mut surroundings, 10, &registry, "NAS", &silence()), Worth::Counts);
    let (nas, passed, now) =
        (registry.find("NAS").unwrap(), (verdict(Outcome::Pass), false), after(20));
    registry.observe(now, nas, now.wall, passed, Duration::ZERO).unwrap();
    assert_eq!(judged(&mut surroundings, 30, &registry, "NAS", &silence()), Worth::Waits);
}

#[test]
fn things_settle_for_as_long_as_we_were_away_within_bounds() {
    let registry = registry(&[("NAS", "http://nas/")]);
    for (absence, settles) in [(10, None), (11, Some(60)), (240, Some(240)), (7200, Some(600))] {
        let mut surroundings = here();
        let absence = Duration::from_secs(absence);
        surroundings.handle_absence(after(0), Interruption::Sleep, absence, &registry);
        let until = surroundings.next_deadline().map(|at| at.since(after(0).at).as_secs());
        assert_eq!(until, settles, "{absence:?}");
    }
}

#[test]
fn a_boot_stays_the_cause_and_the_longer_time_counts() {
    let registry = registry(&[("NAS", "http://nas/")]);
    let mut surroundings = here();
    surroundings.begin(after(0), boot(true), &registry);
    surroundings.handle_absence(after(500), Interruption::Sleep, SETTLE, &registry);
    assert_eq!(surroundings.run().settling, Some(boot(true)));
    assert!(surroundings.poll_ended(after(1099)).is_none());
    assert_eq!(surroundings.poll_ended(after(1100)).unwrap().after, Aftermath::Restart);
    assert_eq!(surroundings.run().settling, None);
}

#[test]
fn what_is_on_disk_of_a_run_is_written_when_it_changes() {
    let registry = registry(&[("NAS", "http://nas/")]);
    let mut surroundings = here();
    assert!(surroundings.take_changed().is_some(), "it began");
    assert!(surroundings.take_changed().is_none());
    surroundings.begin(after(0), boot(false), &registry);
    assert_eq!(surroundings.take_changed().unwrap().settling, Some(boot(false)));
    let nas = registry.find("NAS").unwrap();
    let answers_badly = verdict(Outcome::Fail);
    judged(&mut surroundings, 5, &registry, "NAS", &answers_badly);
    assert!(surroundings.take_changed().is_none(), "a check that leads to nothing costs no write");
    surroundings.begin(after(5), boot(false), &registry);
    judged(&mut surroundings, 5, &registry, "NAS", &silence());
    let power = Interruption::Boot { in_order: false, last: None, power: true };
    assert_eq!(surroundings.take_changed().unwrap().settling, Some(power));
    judged(&mut surroundings, 6, &registry, "NAS", &silence());
    assert!(surroundings.take_changed().is_none(), "that it was a power cut is written once");
    surroundings.forget(nas);
    assert!(surroundings.poll_ended(after(6)).is_some());
    assert!(surroundings.take_changed().unwrap().settling.is_none());
    surroundings.handle_stop();
    assert!(surroundings.take_changed().unwrap().ended);
}

#[test]
fn an_app_of_this_machine_says_nothing_of_the_network_at_any_of_its_addresses() {
    let registry = registry(&[("NAS", "http://nas/"), ("Ours", "http://192.168.1.5/")]);
    let mut surroundings = here();
    let mut shows = |second, name, verdict: &Verdict| {
        let id = registry.find(name).unwrap();
        surroundings.handle_sign(after(second), (id, registry.get(id).unwrap()), verdict);
        let worth = judged(&mut surroundings, second, &registry, name, verdict);
        (surroundings.network().is_down(), worth)
    };
    let cut_off = Verdict { life: Life::CutOff, ..silence() };
    assert_eq!(shows(0, "NAS", &cut_off), (true, Worth::Void));
    let ours = Verdict { whereabouts: Some(Whereabouts::Here), ..verdict(Outcome::Pass) };
    assert_eq!(shows(10, "Ours", &ours), (true, Worth::Counts), "it needs no network");
    assert_eq!(
        shows(20, "Ours", &Verdict { whereabouts: Some(Whereabouts::Here), ..silence() }),
        (true, Worth::Counts)
    );
    assert_eq!(shows(30, "NAS", &verdict(Outcome::Pass)), (false, Worth::Counts));
}

#[test]
fn what_a_router_shows_at_the_link_counts_since_the_last_silence() {
    let registry = registry(&[("NAS", "http://nas/"), ("TV", "http://tv/")]);
    let mut surroundings = here();
    for (second, name) in [(1, "NAS"), (3, "TV")] {
        let id = registry.find(name).unwrap();
        let app = (id, registry.get(id).unwrap());
        surroundings.wait(after(second), app, silence(), Duration::from_secs(1));
    }
    let look = surroundings.poll_look(after(5), &registry).unwrap();
    assert_eq!(look.silent_for, Duration::from_secs(2));
}
