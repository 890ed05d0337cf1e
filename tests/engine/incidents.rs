//! The list of incidents: what people read of it afterwards.

use std::time::Duration;

use super::world::{Answer, Mood, World};
use healthchecker::engine::chronicle::Incident;
use healthchecker::engine::record::Record;
use healthchecker::engine::time::{Stamp, Wall};

const HOUSE: [&str; 4] = ["NAS", "Kodi", "TV", "Heating"];

/// Four apps that are asked every minute, well, and a list that is empty.
fn house() -> World {
    let mut world = World::new();
    for name in HOUSE {
        world.register(name, &[("interval", "60"), ("healthy", "2")]);
    }
    world.seconds(300);
    world.inbox.clear();
    world
}

fn answer(world: &mut World, names: &[&str], answer: Answer) {
    names.iter().for_each(|name| world.answers(name, answer));
}

fn cut(world: &mut World, silent: &[&str]) {
    answer(world, silent, Answer::Hang);
    world.power_cut(Duration::from_secs(300));
}

/// Every incident in short, newest first:
/// `power, power cut, 600 s, recovery: NAS HEALTHY, TV UNHEALTHY; told owner@example.org`.
pub(super) fn list(world: &World) -> Vec<String> {
    let mut incidents: Vec<Incident> = Vec::new();
    loop {
        let portion =
            world.engine.view().incidents(world.now, incidents.last().map(|last| last.id));
        if portion.is_empty() {
            break;
        }
        incidents.extend(portion);
    }
    incidents.iter().map(in_short).collect()
}

fn in_short(incident: &Incident) -> String {
    let Incident { kind, cause, began, ended, ended_by, apps, told, .. } = incident;
    let mut text = format!("{}, {cause}, ", kind.word());
    match (ended, ended_by) {
        (Some(ended), Some(by)) => {
            let lasted = ended.wall().since(began.wall()).as_secs();
            text += &format!("{lasted} s, {}", by.word());
        }
        _ => text += "open",
    }
    let apps: Vec<String> =
        apps.iter().map(|app| format!("{} {}", app.name, app.state.word())).collect();
    let told: Vec<String> = told.iter().map(|told| told.to.to_string()).collect();
    for (what, names) in [(":", apps), ("; told", told)] {
        if !names.is_empty() {
            text += &format!("{what} {}", names.join(", "));
        }
    }
    text
}

/// What the disk has of it is what memory has.
pub(super) fn is_on_disk(world: &World) -> bool {
    let mut disk: std::collections::BTreeMap<u64, Incident> = Default::default();
    for record in world.on_disk() {
        match record {
            Record::Incident(incident) => _ = disk.insert(incident.id, *incident),
            Record::IncidentApps { id, apps } => {
                // Where its line is lost, nothing is left of it.
                let Some(incident) = disk.get_mut(&id) else { continue };
                for app in apps {
                    match incident.apps.iter_mut().find(|known| known.name == app.name) {
                        Some(known) => *known = app,
                        None => incident.apps.push(app),
                    }
                }
            }
            Record::IncidentGone { id } => _ = disk.remove(&id),
            _ => {}
        }
    }
    let held = world.engine.snapshot(world.now).into_iter().filter_map(|record| match record {
        Record::Incident(incident) => Some(*incident),
        _ => None,
    });
    held.eq(disk.into_values())
}

#[test]
fn a_power_cut_after_which_all_come_back_by_themselves_is_in_the_list() {
    let mut world = house();
    cut(&mut world, &HOUSE);
    world.seconds(40);
    assert_eq!(
        list(&world),
        ["power, power cut, open: Heating UNKNOWN, Kodi UNKNOWN, NAS UNKNOWN, TV UNKNOWN"]
    );
    answer(&mut world, &HOUSE, Answer::Pass);
    world.seconds(60);
    let [one] = &list(&world)[..] else { panic!("{:?}", list(&world)) };
    assert!(one.contains("s, recovery: Heating HEALTHY, Kodi HEALTHY, NAS HEALTHY"), "{one}");
    assert!(one.starts_with("power, power cut, ") && !one.contains("told"), "{one}");
    assert_eq!(world.mails(), [] as [&str; 0]);
    assert!(is_on_disk(&world));
}

#[test]
fn who_is_missing_keeps_it_open_and_who_was_told_stands_in_it() {
    let mut world = house();
    world.mood = Mood::Away;
    cut(&mut world, &["Kodi", "TV"]);
    world.seconds(700);
    let missing = "power, power cut, open: Kodi UNHEALTHY, TV UNHEALTHY";
    assert_eq!(list(&world), [missing], "the mail waits: nobody knows");
    world.mood = Mood::Accepts;
    world.seconds(3600);
    assert_eq!(list(&world), [format!("{missing}; told owner@example.org")]);
    let told_at = world.engine.view().incidents(world.now, None)[0].told[0].at.wall();
    assert_eq!(
        told_at.as_unix_millis() - world.inbox[0].0 as i64,
        world.mail_takes as i64 + offset(&world)
    );
    answer(&mut world, &["Kodi"], Answer::Pass);
    world.seconds(600);
    assert!(list(&world)[0].contains("open: Kodi HEALTHY, TV UNHEALTHY"), "{:?}", list(&world));
    answer(&mut world, &["TV"], Answer::Pass);
    world.seconds(600);
    let ended = &list(&world)[0];
    assert!(
        ended.ends_with("recovery: Kodi HEALTHY, TV HEALTHY; told owner@example.org"),
        "{ended}"
    );
    assert!(is_on_disk(&world));
}

/// Between the two clocks.
fn offset(world: &World) -> i64 {
    world.now.wall.as_unix_millis() - world.now.at.as_millis() as i64
}

#[test]
fn a_reboot_is_our_restart_and_a_crash_is_none() {
    let mut world = house();
    world.orderly_stop();
    world.power_cut(Duration::from_secs(60));
    world.seconds(60);
    assert_eq!(list(&world).len(), 1);
    assert!(list(&world)[0].starts_with("power, our restart, "), "{:?}", list(&world));
    assert!(list(&world)[0].ends_with(" s, recovery"), "nobody was missing: {:?}", list(&world));
    world.restart();
    world.seconds(60);
    assert_eq!(list(&world).len(), 1);
}

#[test]
fn what_is_open_goes_on_after_a_crash_and_a_second_cut() {
    let mut world = house();
    cut(&mut world, &HOUSE);
    answer(&mut world, &["NAS", "Heating"], Answer::Pass);
    world.seconds(100);
    let before = world.engine.view().incidents(world.now, None);
    world.restart();
    assert_eq!(world.engine.view().incidents(world.now, None), before, "not a thing is lost");
    world.seconds(100);
    assert!(list(&world)[0].starts_with("power, power cut, open: "), "{:?}", list(&world));
    cut(&mut world, &HOUSE);
    answer(&mut world, &["NAS", "Heating", "TV"], Answer::Pass);
    world.seconds(700);
    let open = "power, power cut, open: Kodi UNHEALTHY, TV HEALTHY; told owner@example.org";
    assert_eq!(list(&world), [open]);
    assert_eq!(world.mails(), ["3/4 well, not Kodi"]);
    // The next one is another one: it waits for nothing of this.
    cut(&mut world, &["Kodi"]);
    world.seconds(700);
    assert_eq!(list(&world).len(), 2);
    assert_eq!(list(&world)[1], open);
    answer(&mut world, &["Kodi"], Answer::Pass);
    world.seconds(700);
    assert!(list(&world)[1].contains("recovery: Kodi HEALTHY, TV HEALTHY"), "{:?}", list(&world));
    assert!(is_on_disk(&world));
}

#[test]
fn an_outage_of_our_network_is_one_once_things_have_to_settle_after_it() {
    let mut world = house();
    world.cut_off = true;
    world.seconds(62);
    world.cut_off = false;
    world.seconds(300);
    assert_eq!(list(&world).len(), 1, "{:?}", list(&world));
    assert!(list(&world)[0].starts_with("network, our network was down, "), "{:?}", list(&world));
    world.cut_off = true;
    world.seconds(300);
    assert_eq!(list(&world)[0], "network, our network was down, open");
    let began = world.engine.view().incidents(world.now, None)[0].began;
    world.restart();
    world.seconds(100);
    assert_eq!(world.engine.view().incidents(world.now, None)[0].began, began);
    world.cut_off = false;
    answer(&mut world, &["Kodi"], Answer::Hang);
    world.seconds(1200);
    let open = "network, our network was down, open: Kodi UNHEALTHY; told owner@example.org";
    assert_eq!(list(&world)[0], open);
    assert_eq!(list(&world).len(), 2, "{:?}", list(&world));
    world.stop("Kodi");
    assert!(list(&world)[0].contains("stop: Kodi UNHEALTHY"), "it stays in the past");
    assert!(is_on_disk(&world));
}

#[test]
fn a_sleep_is_one_only_if_somebody_is_missing_in_the_end() {
    let mut world = house();
    for _ in 0..3 {
        world.sleep(Duration::from_secs(3600));
        world.seconds(700);
    }
    assert_eq!(list(&world), [] as [&str; 0]);
    answer(&mut world, &["Kodi"], Answer::Hang);
    world.sleep(Duration::from_secs(3600));
    world.seconds(700);
    let open = "power, our machine slept, open: Kodi UNHEALTHY; told owner@example.org";
    assert_eq!(list(&world), [open]);
}

#[test]
fn who_is_paused_or_stopped_meanwhile_is_not_awaited() {
    let mut world = house();
    cut(&mut world, &HOUSE);
    answer(&mut world, &["NAS", "Heating"], Answer::Pass);
    world.seconds(70);
    world.pause("Kodi");
    assert!(list(&world)[0].contains("open"));
    world.stop("TV");
    assert!(list(&world)[0].contains("recovery"), "{:?}", list(&world));
    assert!(is_on_disk(&world));
}

#[test]
fn its_times_are_put_right_with_the_clock() {
    let mut world = house();
    answer(&mut world, &["Kodi"], Answer::Hang);
    world.mail_without_clock = true;
    world.boot_at(Wall::from_unix_millis(5000));
    world.seconds(700);
    let right = 1_795_474_540_000 + 86_400_000;
    let wall = Wall::from_unix_millis(right);
    world.set_clock(wall);
    let incident = world.engine.view().incidents(world.now, None).remove(0);
    let [began, since, told] = [incident.began, incident.apps[0].since, incident.told[0].at];
    let ago = |stamp: Stamp| wall.since(stamp.wall()).as_secs();
    assert_eq!(ago(began), 700);
    assert!((600..700).contains(&ago(since)), "{}", ago(since));
    assert!(ago(told) <= 100, "{}", ago(told));
    world.seconds(100);
    assert!(is_on_disk(&world));
}

#[test]
fn the_newest_hundred_are_kept_but_none_that_is_open_goes_before_one_of_the_past() {
    let mut world = house();
    cut(&mut world, &["Kodi"]);
    world.seconds(700);
    for _ in 0..120 {
        world.orderly_stop();
        world.power_cut(Duration::from_secs(60));
        world.seconds(60);
    }
    let list = list(&world);
    assert_eq!(list.len(), 100);
    assert!(list[99].contains("open: Kodi UNHEALTHY"), "{}", list[99]);
    assert!(is_on_disk(&world));
    let before = world.engine.snapshot(world.now);
    world.restart();
    let incidents = |records: Vec<Record>| -> Vec<Record> {
        records.into_iter().filter(|record| matches!(record, Record::Incident(_))).collect()
    };
    assert_eq!(incidents(world.engine.snapshot(world.now)), incidents(before));
}

#[test]
fn a_house_at_rest_writes_nothing_of_it_and_one_that_comes_back_little() {
    let mut world = World::new();
    let names: Vec<String> = (0..100).map(|n| format!("app{n}")).collect();
    for name in &names {
        world.register(name, &[("interval", "60"), ("healthy", "2"), ("email", "a@b.c")]);
        world.answers(name, Answer::Hang);
    }
    world.power_cut(Duration::from_secs(60));
    let of_incidents = |world: &World| {
        let records = world.on_disk().into_iter();
        let theirs = records
            .filter(|record| matches!(record, Record::Incident(_) | Record::IncidentApps { .. }));
        theirs.map(|record| serde_json::to_string(&record).unwrap().len()).sum::<usize>()
    };
    world.seconds(300);
    let missing = of_incidents(&world);
    assert!(missing < 30_000, "{missing}");
    names.iter().for_each(|name| world.answers(name, Answer::Pass));
    world.seconds(60);
    let back = of_incidents(&world) - missing;
    assert!(back < 45_000, "{back}");
    let before = of_incidents(&world);
    world.seconds(4000);
    assert_eq!(of_incidents(&world), before);
    assert!(is_on_disk(&world));
}

#[test]
fn what_people_are_told_of_apps_is_an_incident_until_all_in_it_are_well() {
    let mut world = house();
    world.register("Shed", &[("interval", "60"), ("healthy", "2"), ("email", "")]);
    world.seconds(300);
    world.inbox.clear();
    answer(&mut world, &["NAS", "Kodi"], Answer::Hang);
    answer(&mut world, &["TV"], Answer::Fail);
    world.seconds(400);
    let told = "; told owner@example.org";
    let alone = format!("apps, HTTP 503 Service Unavailable, open: TV UNHEALTHY{told}");
    let silent = "apps, several fell silent together";
    let together = format!("{silent}, open: Kodi UNHEALTHY, NAS UNHEALTHY{told}");
    assert_eq!(list(&world), [together.as_str(), alone.as_str()]);
    assert!(is_on_disk(&world));
    world.restart();
    world.seconds(300);
    assert_eq!(list(&world), [together.as_str(), alone.as_str()], "a restart changes nothing");
    answer(&mut world, &["NAS"], Answer::Pass);
    world.engine.stop(world.now, "TV").unwrap();
    world.seconds(300);
    assert!(list(&world)[0].contains("open: Kodi UNHEALTHY, NAS HEALTHY"), "{:?}", list(&world));
    assert!(list(&world)[1].contains(" s, stop: TV UNHEALTHY"), "{:?}", list(&world));
    answer(&mut world, &["Kodi"], Answer::Pass);
    world.seconds(300);
    assert!(
        list(&world)[0].contains(" s, recovery: Kodi HEALTHY, NAS HEALTHY"),
        "{:?}",
        list(&world)
    );
    // Nobody is to be told of this one.
    answer(&mut world, &["Shed"], Answer::Fail);
    world.seconds(200);
    assert_eq!(list(&world)[0], "apps, HTTP 503 Service Unavailable, open: Shed UNHEALTHY");
    assert_eq!(list(&world).len(), 3, "{:?}", list(&world));
    assert!(is_on_disk(&world));
}
