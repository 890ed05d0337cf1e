//! The queue, mail by mail, in virtual time.

use std::collections::BTreeSet;

use super::*;
use crate::engine::outbox::merge::WATCHED_MAX;
use crate::engine::outbox::notice::Change;
use crate::engine::registry::history::RecentCheck;
use crate::engine::state::State;
use crate::engine::time::Wall;
use crate::engine::verdict::answer::Outcome;

fn now(seconds: u64) -> Now {
    Now {
        at: Moment::from_millis(seconds * 1000),
        wall: Wall::from_unix_millis(seconds as i64 * 1000),
    }
}

fn person(address: &str) -> Recipient {
    Recipient::mail(address)
}

fn notice() -> Notice {
    Notice::Test { at: Stamp::on_record(Wall::default()) }
}

fn told_in_full() -> Notice {
    Notice::Change(Change {
        app: "NAS".to_owned(),
        url: "http://nas/health".to_owned(),
        from: State::Healthy,
        to: State::Unhealthy,
        at: Stamp::on_record(Wall::default()),
        since: Stamp::on_record(Wall::default()),
        lasted_ms: 0,
        lasted_at_least: false,
        keeps_failing: false,
        reason: "HTTP 503".to_owned(),
        body: Some("{\"cheap\": \"pills\"}".to_owned()),
        recent: vec![RecentCheck {
            time: Stamp::on_record(Wall::default()),
            outcome: Outcome::Fail,
            latency_ms: 1,
        }],
    })
}

fn well(app: &str) -> Notice {
    match told_in_full() {
        Notice::Change(change) => {
            Notice::Change(Change { app: app.to_owned(), to: State::Healthy, ..change })
        }
        other => other,
    }
}

#[test]
fn an_id_that_follows_from_the_news_is_that_of_a_mail_with_this_news_alone() {
    let thread = ["m1".to_owned()];
    let mut queue = Queue::new(1);
    let to = || person("a@b.c");
    let id = queue.write(now(0), to(), well("NAS"), &thread);
    let alone = queue.mail(id).unwrap().message_id.clone();
    assert!(follows(&alone));
    // Nobody has it: it tells more under another id, and no thread leads to the one that it had.
    let answers = [thread[0].clone(), alone.clone()];
    assert_eq!(queue.write(now(1), to(), well("TV"), &answers), id);
    let both = queue.mail(id).unwrap().clone();
    assert!(!follows(&both.message_id));
    assert_eq!(both.references, thread);
    // It waits behind one under way, and is taken in by it.
    let mut queue = Queue::new(1);
    let first = queue.write(now(0), to(), notice(), &[]);
    assert!(queue.take(now(0).at, first).is_some());
    let behind = queue.write(now(1), to(), well("NAS"), &thread);
    assert_eq!(queue.mail(behind).unwrap().message_id, alone, "in another run, too");
    retry_in(&mut queue, 2, first, later());
    let all = queue.mail(first).unwrap();
    assert_eq!(all.notices.len(), 2);
    assert!(!follows(&all.message_id));
    // The server may have it.
    let mut queue = Queue::new(1);
    let id = queue.write(now(0), to(), well("NAS"), &thread);
    assert!(queue.take(now(0).at, id).is_some());
    retry_in(&mut queue, 2, id, later());
    assert_eq!(queue.mail(id).unwrap().message_id, alone);
    queue.write(now(3), to(), well("TV"), &[]);
    let both = queue.mail(id).unwrap();
    assert!(!follows(&both.message_id) && both.references.contains(&alone));
}

fn later() -> Delivery {
    Delivery::Later("timed out".to_owned())
}

fn retry_in(queue: &mut Queue, at: u64, id: u64, delivery: Delivery) -> u64 {
    match queue.handle_delivery(now(at).at, id, delivery) {
        Some(Fate::Kept { retry_at, .. }) => retry_at.as_millis() / 1000 - at,
        fate => panic!("not kept: {fate:?}"),
    }
}

#[test]
fn tries_double_from_5_s_to_15_min_for_as_long_as_it_takes() {
    let mut queue = Queue::new(1);
    let id = queue.write(now(0), person("a@b.c"), notice(), &[]);
    let (mut at, mut waits) = (0, Vec::new());
    for _ in 0..12 {
        assert!(queue.take(now(at).at, id).is_some());
        let wait = retry_in(&mut queue, at, id, later());
        assert!(queue.take(now(at + wait - 1).at, id).is_none());
        at += wait;
        waits.push(wait);
    }
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900]);
}

#[test]
fn a_rate_limit_and_wrong_settings_each_start_at_half_an_hour() {
    let mut queue = Queue::new(1);
    let id = queue.write(now(0), person("a@b.c"), notice(), &[]);
    let mut wait = |delivery| retry_in(&mut queue, 0, id, delivery);
    assert_eq!(wait(later()), 5);
    assert_eq!(wait(later()), 10);
    assert_eq!(wait(Delivery::MuchLater(String::new())), 1800);
    assert_eq!(wait(Delivery::MuchLater(String::new())), 3600);
    assert_eq!(wait(Delivery::Settings(String::new())), 1800);
    assert_eq!(wait(later()), 5);
    assert!(queue.troubles().all(|(_, tries, _)| tries == 6));
}

#[test]
fn what_a_filter_does_not_like_is_tried_soon_with_less_in_it_and_then_slowly() {
    let mut queue = Queue::new(1);
    let id = queue.write(now(0), person("a@b.c"), told_in_full(), &[]);
    let wait = |queue: &mut Queue| {
        let spam = Delivery::Content("550 5.2.0 spam".to_owned());
        queue.take_changes();
        let wait = retry_in(queue, 0, id, spam);
        (wait, queue.take_changes().whole.contains(&id))
    };
    assert_eq!(wait(&mut queue), (5, true));
    assert_eq!(wait(&mut queue), (10, true));
    assert_eq!(wait(&mut queue), (20, true));
    assert_eq!(wait(&mut queue), (1800, false));
    assert_eq!(wait(&mut queue), (3600, false));
    let [Notice::Change(change)] = queue.mail(id).unwrap().notices.as_slice() else {
        panic!("another notice")
    };
    assert_eq!((&change.body, change.recent.len(), change.reason.as_str()), (&None, 0, ""));
}

#[test]
fn what_is_rejected_is_dropped_and_what_is_accepted_is_done() {
    let mut queue = Queue::new(1);
    let first = queue.write(now(0), person("a@b.c"), notice(), &[]);
    let second = queue.write(now(0), person("d@e.f"), notice(), &[]);
    let fate =
        queue.handle_delivery(now(0).at, first, Delivery::Rejected("no such user".to_owned()));
    assert!(matches!(fate, Some(Fate::Refused { .. })));
    let fate = queue.handle_delivery(now(0).at, second, Delivery::Accepted);
    assert!(matches!(fate, Some(Fate::Accepted { mail, .. }) if mail.to == person("d@e.f")));
    assert!(queue.is_empty());
    assert_eq!(queue.handle_delivery(now(0).at, second, Delivery::Accepted), None);
}

#[test]
fn a_mail_that_waits_takes_in_what_comes_after_under_a_new_id() {
    let mut queue = Queue::new(1);
    let id = queue.write(now(0), person("a@b.c"), notice(), &[]);
    let first = queue.take(now(0).at, id).unwrap();
    retry_in(&mut queue, 1, first.id, later());
    queue.take_changes();
    assert_eq!(queue.write(now(2), person("a@b.c"), notice(), &["root".to_owned()]), first.id);
    let MailChanges { whole, merged, .. } = queue.take_changes();
    assert_eq!((whole.len(), merged.len()), (0, 1), "the rest is on disk");
    assert_eq!((merged[0].0, merged[0].1.notices.len()), (first.id, 1));
    let merged = queue.take(now(2).at, id).expect("it is tried at once");
    assert_eq!(merged.notices.len(), 2);
    assert_ne!(merged.message_id, first.message_id);
    assert_eq!(merged.references, [first.message_id, "root".to_owned()]);
    assert_eq!(merged.written, first.written);
}

#[test]
fn fresh_news_does_not_hurry_what_has_to_wait() {
    for delivery in [Delivery::MuchLater(String::new()), Delivery::Settings(String::new())] {
        let mut queue = Queue::new(1);
        let id = queue.write(now(0), person("a@b.c"), notice(), &[]);
        queue.take(now(0).at, id);
        retry_in(&mut queue, 0, id, delivery);
        assert_eq!(queue.write(now(1), person("a@b.c"), notice(), &[]), id);
        assert_eq!(queue.take(now(1799).at, id), None);
        assert_eq!(queue.take(now(1800).at, id).unwrap().notices.len(), 2);
    }
}

#[test]
fn news_for_who_is_not_quiet_goes_at_once_however_the_mail_failed_before_it_was_held() {
    for delivery in [Delivery::MuchLater(String::new()), Delivery::Settings(String::new())] {
        let mut queue = Queue::new(1);
        let id = queue.write(now(0), person("a@b.c"), notice(), &[]);
        queue.take(now(0).at, id);
        retry_in(&mut queue, 0, id, delivery);
        queue.hold_quietly(id, now(30_000).at);
        assert_eq!(queue.write(now(2_000), person("a@b.c"), notice(), &[]), id);
        assert_eq!(queue.oldest(now(2_007).at).as_secs(), 7, "it was no server that it waited for");
        assert_eq!(queue.take(now(2_000).at, id).unwrap().notices.len(), 2);
    }
}

#[test]
fn mails_to_one_person_go_out_one_after_the_other() {
    let mut queue = Queue::new(1);
    let [first, other] =
        ["a@b.c", "d@e.f"].map(|to| queue.write(now(0), person(to), notice(), &[]));
    assert!(queue.take(now(2).at, first).is_some());
    let second = queue.write(now(2), person("a@b.c"), notice(), &[]);
    assert_eq!(queue.take(now(2).at, second), None, "the first is on its way");
    assert!(queue.take(now(2).at, other).is_some(), "nobody else waits for it");
    queue.handle_delivery(now(3).at, first, Delivery::Accepted);
    assert_eq!(queue.release(now(3).at), [second]);
    assert!(queue.take(now(3).at, second).is_some());
    assert_eq!(queue.next_for(&person("a@b.c")), Some(second));
}

#[test]
fn what_there_is_to_tell_while_a_mail_is_under_way_waits_in_one_more() {
    let mut queue = Queue::new(1);
    let first = queue.write(now(0), person("a@b.c"), notice(), &[]);
    let under_way = queue.take(now(0).at, first).unwrap();
    let second = queue.write(now(1), person("a@b.c"), notice(), &[]);
    let second_message = queue.mail(second).unwrap().message_id.clone();
    let third = queue.write(now(2), person("A@b.c"), notice(), &["root".to_owned()]);
    assert_eq!(third, second);
    assert_eq!(queue.len(), 2);
    assert_eq!(queue.mail(first), Some(&under_way), "the server may have it already");
    let both = queue.mail(second).unwrap();
    assert_eq!((both.notices.len(), &both.message_id), (2, &second_message));
    assert_eq!(both.references, ["root"], "nobody can have one of its ids");

    retry_in(&mut queue, 3, first, later());
    assert!(queue.take_changes().done.contains(&second));
    let all = queue.take(now(8).at, first).unwrap();
    assert_eq!((all.notices.len(), queue.len()), (3, 1));
    assert_eq!((&all.message_id, all.references.len()), (&second_message, 2));
    assert!(all.references.contains(&under_way.message_id));
}

#[test]
fn of_many_that_are_found_at_the_start_the_first_goes_as_it_is_and_the_others_together() {
    let mut queue = Queue::new(1);
    let mut earlier = Queue::new(2);
    for id in [3, 5, 8] {
        earlier.next_id = id;
        let to = earlier.write(now(0), Recipient::mail(format!("{id}@b.c")), notice(), &[]);
        let mail = Mail { to: person("a@b.c"), ..earlier.mail(to).unwrap().clone() };
        queue.restore(now(9).at, mail);
    }
    let first = queue.take(now(9).at, 3).unwrap();
    assert_eq!(first.message_id, earlier.mail(3).unwrap().message_id);
    let MailChanges { whole, done, .. } = queue.take_changes();
    assert_eq!((whole.first(), done.first()), (Some(&5), Some(&8)));
    assert_eq!(queue.mail(5).unwrap().notices.len(), 2);
}

#[test]
fn a_limit_on_one_mailbox_outlasts_the_success_of_another() {
    let mut queue = Queue::new(1);
    let ids = ["a@b.c", "d@e.f"].map(|to| queue.write(now(0), person(to), notice(), &[]));
    for (id, delivery) in ids.into_iter().zip([Delivery::MuchLater(String::new()), later()]) {
        queue.take(now(0).at, id);
        retry_in(&mut queue, 0, id, delivery);
    }
    assert_eq!(queue.release(now(1).at), ids[1..]);
}

#[test]
fn once_the_server_is_back_nothing_waits() {
    let mut queue = Queue::new(1);
    let ids: Vec<u64> =
        ["a@b.c", "d@e.f"].map(|to| queue.write(now(0), person(to), notice(), &[])).into();
    for id in &ids {
        queue.take(now(0).at, *id);
        retry_in(&mut queue, 0, *id, later());
    }
    assert_eq!(queue.release(now(1).at), ids);
    assert!(queue.take(now(1).at, ids[1]).is_some());
}

#[test]
fn a_notice_of_very_many_apps_is_bounded_when_it_is_written() {
    let mut queue = Queue::new(1);
    let apps: Vec<String> = (0..3000).map(|n| format!("app{n}")).collect();
    let at = Stamp::on_record(Wall::default());
    let id = queue.write(now(0), person("a@b.c"), Notice::Watching { apps, at }, &[]);
    let mail = queue.mail(id).unwrap();
    let [Notice::Watching { apps, .. }] = mail.notices.as_slice() else { panic!("{mail:?}") };
    assert_eq!((apps.len(), mail.left_out), (WATCHED_MAX, 2000));
}

fn mail_found(id: u64, to: &str) -> Mail {
    let mut earlier = Queue::new(2);
    earlier.next_id = id;
    earlier.write(now(0), person(to), notice(), &[]);
    earlier.mail(id).unwrap().clone()
}

#[test]
fn what_is_written_after_a_start_takes_no_place_of_what_was_found() {
    for found in [&[7_u64][..], &[3, 9], &[9, 3]] {
        let mut queue = Queue::new(2);
        for id in found {
            queue.restore(now(10).at, mail_found(*id, &format!("{id}@found.example")));
        }
        let written: Vec<u64> = (0..4)
            .map(|n| {
                queue.write(now(11), Recipient::mail(format!("{n}@new.example")), notice(), &[])
            })
            .collect();
        let last = found.iter().max().unwrap();
        assert_eq!(written, [last + 1, last + 2, last + 3, last + 4]);
        assert_eq!(queue.len(), found.len() + 4, "none took another's place");
        let message_ids: BTreeSet<&str> =
            queue.mails().map(|mail| mail.message_id.as_str()).collect();
        assert_eq!(message_ids.len(), queue.len(), "even with the seed of the run before");
    }
}

#[test]
fn what_was_found_may_have_been_out_so_with_news_it_is_another_message() {
    let mut queue = Queue::new(1);
    let found = mail_found(3, "a@b.c");
    queue.restore(now(10).at, found.clone());
    assert_eq!(queue.write(now(11), person("a@b.c"), told_in_full(), &[]), 3);
    let mail = queue.take(now(11).at, 3).unwrap();
    assert_eq!(mail.notices.len(), 2);
    assert_ne!(mail.message_id, found.message_id, "a server drops what it has had");
}

#[test]
fn a_mail_about_one_app_tells_of_no_other() {
    let mut queue = Queue::new(1);
    let to = person("a@b.c");
    queue.write(now(0), to.clone(), told_in_full(), &[]);
    queue.write(now(0), person("d@e.f"), told_in_full(), &[]);
    assert_eq!(queue.telling(&to, "NAS").count(), 1);
    assert_eq!(queue.telling(&to, "Kodi").count(), 0);
}

#[test]
fn what_is_passed_on_is_a_mail_of_its_own() {
    let mut queue = Queue::new(1);
    let meant = queue.write(now(0), person("a@b.c"), notice(), &["root".to_owned()]);
    queue.write(now(1), person("a@b.c"), told_in_full(), &[]);
    let first = queue.pass_on(meant, &person("d@e.f"), vec![told_in_full()]).unwrap();
    let second = queue.pass_on(meant, &person("g@h.i"), vec![notice()]).unwrap();
    let next = queue.write(now(2), person("j@k.l"), notice(), &[]);
    assert_eq!(queue.len(), 4, "the one that was passed on is there until it is dropped");
    assert!([meant, first, second, next].is_sorted_by(|one, other| one < other));
    let mail = queue.mail(first).unwrap();
    assert_eq!((mail.id, &mail.to), (first, &person("d@e.f")));
    assert_eq!((&mail.meant_for, &mail.notices), (&vec![person("a@b.c")], &vec![told_in_full()]));
    assert!(mail.references.is_empty(), "the thread is the other person's");
    let message_ids: BTreeSet<&str> = queue.mails().map(|mail| mail.message_id.as_str()).collect();
    assert_eq!(message_ids.len(), 4);
    queue.drop_mail(meant);
    assert_eq!(queue.release(now(3).at), [first, second, next]);
    assert_eq!(queue.pass_on(meant, &person("d@e.f"), vec![notice()]), None, "it is gone");
}

#[test]
fn a_mail_gathers_what_is_queued_behind_it_for_the_same_person_and_nothing_else() {
    let mut queue = Queue::new(1);
    for (id, to) in
        [(1, "a@b.c"), (2, "a@b.c"), (3, "d@e.f"), (4, "a@b.c"), (5, "a@b.c"), (6, "A@B.c")]
    {
        queue.restore(now(0).at, mail_found(id, to));
    }
    queue.disallow(5);
    queue.gather(2);
    let gone = queue.take_changes().done;
    assert!(gone.iter().eq(&[4, 6]), "not those before it, of others, or that wait for something");
    let left: Vec<(u64, usize)> = queue.mails().map(|mail| (mail.id, mail.notices.len())).collect();
    assert_eq!(left, [(1, 1), (2, 3), (3, 1), (5, 1)]);
    queue.gather(2);
    queue.gather(99);
    assert!(queue.take_changes().done.is_empty());
}

#[test]
fn only_what_is_unclear_is_given_up_and_only_for_this_address() {
    let mut queue = Queue::new(1);
    let unclear = || Delivery::Unclear("550 no".to_owned());
    let [given_up, later_one, others] =
        ["a@b.c", "d@e.f", "g@h.i"].map(|to| queue.write(now(0), person(to), notice(), &[]));
    for (id, delivery) in [(given_up, unclear()), (later_one, later()), (others, unclear())] {
        queue.take(now(0).at, id).unwrap();
        queue.handle_delivery(now(1).at, id, delivery).unwrap();
    }
    assert_eq!(queue.give_up(&person("d@e.f")), [], "it will be taken");
    let gone: Vec<u64> = queue.give_up(&person("A@b.c")).iter().map(|mail| mail.id).collect();
    assert_eq!(gone, [given_up]);
    assert!(queue.take(now(86_400).at, others).is_some());
    assert_eq!(queue.give_up(&person("g@h.i")).len(), 1);
    assert_eq!((queue.len(), queue.mails().count()), (2, 1), "the mailer has it still");
}

#[test]
fn what_is_in_trouble_is_listed_with_its_tries_and_its_reason() {
    let mut queue = Queue::new(1);
    queue.restore(now(0).at, mail_found(4, "found@b.c"));
    let failed = queue.write(now(0), person("a@b.c"), notice(), &[]);
    let quiet = queue.write(now(0), person("quiet@b.c"), notice(), &[]);
    let unclear = queue.write(now(0), person("d@e.f"), notice(), &[]);
    for _ in 0..2 {
        queue.release(now(1).at);
        queue.take(now(1).at, failed).unwrap();
        queue.handle_delivery(now(1).at, failed, later()).unwrap();
    }
    queue.take(now(1).at, unclear).unwrap();
    queue.handle_delivery(now(1).at, unclear, Delivery::Unclear("550 no".to_owned())).unwrap();
    let listed: Vec<(u64, u32, &str)> =
        queue.troubles().map(|(mail, tries, why)| (mail.id, tries, why)).collect();
    let told = "550 no; `healthchecker seen d@e.f` gives the mail up";
    let expected =
        [(4, 0, "was found waiting at the start"), (failed, 2, "timed out"), (unclear, 1, told)];
    assert_eq!(listed, expected);
    assert!(queue.mail(quiet).is_some());
    assert_eq!(queue.oldest(now(90).at), Duration::from_secs(90));
}
