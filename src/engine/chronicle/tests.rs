//! The chronicle alone.

use super::*;
use crate::engine::tests::after;

fn affected(name: &str, state: State) -> Affected {
    let (name, reason) = (name.to_owned(), "no answer".to_owned());
    Affected { name, state, reason, since: Stamp::noted(after(0)), over: false }
}

/// One incident, on disk, with these apps in it.
fn chronicle(names: &[&str]) -> (Chronicle, u64) {
    let mut chronicle = Chronicle::default();
    let id = chronicle.begin(Kind::Apps, "192.168.1.20", Stamp::noted(after(0)));
    names.iter().for_each(|name| chronicle.join(id, affected(name, State::Unhealthy)));
    chronicle.take_changed();
    (chronicle, id)
}

fn only(chronicle: &Chronicle) -> &Incident {
    chronicle.incidents().next().unwrap()
}

#[test]
fn it_follows_its_apps_up_to_the_last_that_is_well() {
    let (mut chronicle, id) = chronicle(&["NAS", "TV"]);
    chronicle.handle_transition(after(5), "NAS", State::Healthy, "HTTP 200 OK");
    let [Changed::Apps(changed, apps)] = &chronicle.take_changed()[..] else { panic!("one app") };
    assert_eq!((*changed, apps.len()), (id, 1));
    assert_eq!((apps[0].state, apps[0].reason.as_str()), (State::Healthy, "no answer"));
    assert_eq!(apps[0].since, Stamp::noted(after(5)));
    chronicle.handle_transition(after(6), "NAS", State::Unhealthy, "HTTP 503");
    chronicle.handle_transition(after(7), "Kodi", State::Unhealthy, "HTTP 503");
    assert_eq!(chronicle.take_changed(), [], "that is another story");
    chronicle.handle_transition(after(8), "TV", State::Degraded, "HTTP 503");
    assert!(only(&chronicle).ended.is_none());
    chronicle.handle_transition(after(9), "TV", State::Healthy, "HTTP 200 OK");
    let [Changed::Whole(whole)] = &chronicle.take_changed()[..] else { panic!("its end") };
    assert_eq!(whole.ended, Some(Stamp::noted(after(9))));
    assert_eq!(whole.ended_by, Some(EndedBy::Recovery));
    assert_eq!(whole.apps[1].reason, "HTTP 503");
}

#[test]
fn the_last_that_is_stopped_ends_it_and_stays_named() {
    let (mut chronicle, _) = chronicle(&["NAS"]);
    chronicle.handle_stop(after(3), "NAS");
    let incident = only(&chronicle);
    assert_eq!(incident.ended_by, Some(EndedBy::Stop));
    assert_eq!(incident.apps[0].state, State::Unhealthy);
    chronicle.take_changed();
    chronicle.handle_stop(after(4), "NAS");
    chronicle.handle_transition(after(4), "NAS", State::Healthy, "registered anew");
    assert_eq!(chronicle.take_changed(), []);
}

#[test]
fn who_was_told_stands_there_once_with_the_first_mail() {
    let (mut chronicle, id) = chronicle(&["NAS"]);
    for (second, to) in [(1, "a@b.c"), (2, "A@B.c"), (3, "d@e.f")] {
        chronicle.tell(after(second), id, &Recipient::mail(to));
    }
    let told: Vec<(String, Stamp)> =
        only(&chronicle).told.iter().map(|told| (told.to.to_string(), told.at)).collect();
    let at = |second| Stamp::noted(after(second));
    assert_eq!(told, [("a@b.c".to_owned(), at(1)), ("d@e.f".to_owned(), at(3))]);
    chronicle.take_changed();
    chronicle.tell(after(9), id, &Recipient::mail("a@b.c"));
    chronicle.tell(after(9), 77, &Recipient::mail("a@b.c"));
    assert_eq!(chronicle.take_changed(), [], "what changes nothing costs no write");
}

#[test]
fn what_changes_nothing_is_not_written() {
    let (mut chronicle, id) = chronicle(&["NAS"]);
    chronicle.join(id, affected("NAS", State::Unhealthy));
    chronicle.handle_transition(after(0), "NAS", State::Unhealthy, "no answer");
    assert_eq!(chronicle.take_changed(), []);
    chronicle.join(id, affected("TV", State::Unhealthy));
    assert!(matches!(&chronicle.take_changed()[..], [Changed::Apps(_, apps)] if apps.len() == 1));
}

#[test]
fn an_incident_names_so_many_apps_and_people_and_no_more() {
    let (mut chronicle, id) = chronicle(&[]);
    for number in 0..2 * AFFECTED_MAX {
        chronicle.join(id, affected(&format!("app{number}"), State::Unhealthy));
        chronicle.tell(after(1), id, &Recipient::mail(format!("{number}@b.c")));
    }
    assert_eq!(only(&chronicle).apps.len(), AFFECTED_MAX);
    assert_eq!(only(&chronicle).told.len(), TOLD_MAX);
}

#[test]
fn the_past_goes_first_when_there_is_no_room() {
    let (mut chronicle, open) = chronicle(&["NAS"]);
    let mut begin = |apps: usize| {
        let id = chronicle.begin(Kind::Apps, "", Stamp::noted(after(1)));
        let name = |number| format!("{id}-{number}");
        (0..apps).for_each(|n| chronicle.join(id, affected(&name(n), State::Unhealthy)));
        (0..apps).for_each(|n| chronicle.handle_stop(after(2), &name(n)));
    };
    (0..9).for_each(|_| begin(AFFECTED_MAX));
    (0..5).for_each(|_| begin(AFFECTED_MAX));
    let ids: Vec<u64> = chronicle.incidents().map(|incident| incident.id).collect();
    assert_eq!(ids, [open, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    let gone = chronicle.take_changed();
    let gone = gone.iter().filter(|changed| matches!(changed, Changed::Gone(_)));
    assert_eq!(gone.count(), 5);
    (0..INCIDENTS_MAX).for_each(|_| _ = chronicle.begin(Kind::Apps, "", Stamp::noted(after(3))));
    assert_eq!(chronicle.incidents().count(), INCIDENTS_MAX);
}

#[test]
fn all_are_shown_in_portions_newest_first() {
    let (mut chronicle, _) = chronicle(&["NAS"]);
    for _ in 0..6 {
        let id = chronicle.begin(Kind::Apps, "", Stamp::noted(after(1)));
        (0..100).for_each(|n| chronicle.join(id, affected(&format!("{n}"), State::Unhealthy)));
    }
    let (mut seen, mut portions) = (Vec::new(), 0);
    loop {
        let portion = chronicle.portion(seen.last().copied());
        if portion.is_empty() {
            break;
        }
        portions += 1;
        seen.extend(portion.iter().map(|incident| incident.id));
    }
    assert_eq!((seen, portions), (vec![7, 6, 5, 4, 3, 2, 1], 3));
}

#[test]
fn a_number_is_given_once() {
    let (chronicle, id) = chronicle(&["NAS"]);
    let mut restored = Chronicle::default();
    restored.restore(only(&chronicle).clone());
    assert_eq!(restored.take_changed(), [], "it is on disk");
    assert_eq!(restored.begin(Kind::Network, "", Stamp::noted(after(0))), id + 1);
}

#[test]
fn an_incident_whose_end_was_lost_ends_with_the_next() {
    let mut chronicle = Chronicle::default();
    for id in [1, 2] {
        let began = Stamp::noted(after(id));
        let mut incident = Incident::begun(id, Kind::Network, "our network was down", began);
        incident.settling = true;
        incident.apps.push(affected("NAS", State::Unknown));
        chronicle.restore(incident);
    }
    chronicle.handle_nothing_to_settle(after(3));
    assert!(chronicle.incidents().all(|incident| incident.ended == Some(Stamp::noted(after(3)))));
    assert_eq!(chronicle.take_changed().len(), 2);
}
