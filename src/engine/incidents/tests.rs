//! Incidents alone, in virtual time: verdicts go in, messages come out.

use std::time::Duration;

use super::*;
use crate::engine::outbox::delivery::Delivery;
use crate::engine::outbox::notice::Notice;
use crate::engine::outbox::{Concluded, Output, Policy};
use crate::engine::recipients::Recipients;
use crate::engine::registration::Registration;
use crate::engine::tests::{after, app, verdict};

const QUICK: [(&str, &str); 2] = [("interval", "5"), ("healthy", "2")];
pub(super) const GUEST_TOO: &str = "owner@example.org,guest@b.c";

pub(super) fn outbox(default: &[&str], allowed: &[&str]) -> Outbox {
    let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<String>>();
    let recipients = Recipients::new(owned(default), &owned(allowed));
    Outbox::new(Policy { mailing: true, mail_without_clock: false, recipients }, 7)
}

pub(super) fn without_mail() -> Outbox {
    let recipients = Recipients::default();
    Outbox::new(Policy { mailing: false, mail_without_clock: false, recipients }, 7)
}

/// Apps whose verdicts are told to those who wait for them. What there is to tell goes into the
/// outbox, and to the mail server when the test says so.
pub(super) struct House {
    pub(super) registry: Registry,
    pub(super) incidents: Incidents,
    surroundings: Surroundings,
    pub(super) outbox: Outbox,
    pub(super) second: u64,
}

impl House {
    pub(super) fn new() -> House {
        let (registry, incidents) = (Registry::default(), Incidents::default());
        let surroundings = Surroundings::new(None, Duration::ZERO, Vec::new());
        House { registry, incidents, surroundings, outbox: outbox(&[], &[]), second: 0 }
    }

    pub(super) fn register(&mut self, name: &str, more: &[(&str, &str)]) -> AppId {
        let registration: Registration = app(name, &[QUICK.as_slice(), more].concat());
        self.registry.register(after(self.second), registration);
        self.registry.find(name).unwrap()
    }

    /// A NAS that is well, and nobody is owed a word.
    pub(super) fn with_nas(more: &[(&str, &str)]) -> (House, AppId) {
        let mut house = House::new();
        let nas = house.register("NAS", more);
        assert!(house.checks(nas, "pp").is_empty());
        house.incidents.take_changed();
        (house, nas)
    }

    /// A check whose verdict counts; what there is to tell.
    fn check(&mut self, id: AppId, outcome: Outcome) -> Vec<Message> {
        self.second += 5;
        let now = after(self.second);
        let (verdict, latency) = (verdict(outcome), Duration::from_millis(5));
        let effect = self.registry.observe(now, id, now.wall, (verdict, false), latency).unwrap();
        if let Some(transition) = effect.transition {
            self.incidents.handle_transition(now, id, transition.to, &self.registry);
        }
        let House { registry, incidents, surroundings, outbox, .. } = self;
        let known = Known { registry, surroundings, outbox };
        incidents.handle_verdict(now, id, effect.transition, outcome, known)
    }

    /// `p`, `w`, `f` for each check; what is told, and put into the outbox.
    pub(super) fn checks(&mut self, id: AppId, outcomes: &str) -> Vec<String> {
        let mut told = Vec::new();
        for outcome in outcomes.chars() {
            let outcome = match outcome {
                'p' => Outcome::Pass,
                'w' => Outcome::Warn,
                _ => Outcome::Fail,
            };
            let messages = self.check(id, outcome);
            told.extend(messages.iter().map(in_short));
            let now = after(self.second);
            messages.into_iter().for_each(|message| self.outbox.handle_message(now, message));
        }
        told
    }

    /// What the outbox hands out ends so.
    pub(super) fn mail_server(&mut self, delivery: &Delivery) {
        let now = after(self.second);
        while let Some(output) = self.outbox.poll_output() {
            let Output::Send(mail) = output else { continue };
            match self.outbox.handle_delivery(now, mail.id, delivery.clone()) {
                Some(Concluded::Accepted(mail)) => {
                    self.incidents.handle_arrival(&mail, &self.registry)
                }
                Some(Concluded::Refused(mail)) => {
                    self.incidents.handle_refusal(&mail, &self.registry)
                }
                None => {}
            }
        }
    }

    pub(super) fn stop(&mut self, id: AppId) {
        let House { registry, incidents, surroundings, outbox, .. } = self;
        incidents.handle_stop(after(self.second), id, Known { registry, surroundings, outbox });
        self.registry.stop(id);
    }

    fn is_open(&self, id: AppId) -> bool {
        self.incidents.alert(id).is_some_and(|alert| !alert.is_done())
    }

    fn forget(&mut self, id: AppId) {
        let now = after(self.second);
        if let Some(transition) = self.registry.forget(now, id) {
            self.incidents.handle_transition(now, id, transition.to, &self.registry);
        }
    }
}

pub(super) fn in_short(message: &Message) -> String {
    let told = match &message.notice {
        Notice::Change(change) => format!("{} {}", change.app, change.to.word()),
        Notice::Watching { apps, .. } => format!("watching {}", apps.join(", ")),
        Notice::Report(report) => {
            let missing = report.missing.iter().map(|it| it.app.as_str()).collect::<Vec<_>>();
            format!("{}/{} well, not {}", report.well, report.of, missing.join(", "))
        }
        Notice::Outage(outage) => {
            let silent = outage.apps().map(|it| it.app.as_str()).collect::<Vec<_>>();
            format!("{} silent", silent.join(", "))
        }
        Notice::AllBack(back) => format!("{} back", back.apps.join(", ")),
        Notice::Blind(blind) if blind.goes_on().is_some() => format!("nothing of {}", blind.of),
        Notice::Blind(blind) => {
            format!("{} gaps, {}/{}", blind.gaps.len(), blind.as_before, blind.of)
        }
        Notice::Test { .. } => "test".to_owned(),
    };
    match message.to.to_string().as_str() {
        "owner@example.org" => told,
        other => format!("{other}: {told}"),
    }
}

fn rejected() -> Delivery {
    Delivery::Rejected("550 5.1.1".to_owned())
}

#[test]
fn each_level_is_told_once_and_then_the_end() {
    let (mut house, nas) = House::with_nas(&[]);
    assert!(house.checks(nas, "w").is_empty(), "one warning is none");
    assert_eq!(house.checks(nas, "w"), ["NAS DEGRADED"]);
    assert_eq!(house.checks(nas, "fffff"), ["NAS UNHEALTHY"]);
    house.mail_server(&Delivery::Accepted);
    assert!(house.checks(nas, "p").is_empty());
    assert_eq!(house.checks(nas, "p"), ["NAS HEALTHY"]);
    assert!(house.is_open(nas), "the end has not arrived");
    house.mail_server(&Delivery::Accepted);
    assert!(!house.is_open(nas));
    assert!(house.checks(nas, "pppfp").is_empty());
}

#[test]
fn who_is_named_later_is_told_alone_and_by_a_check_that_shows_the_trouble_still_there() {
    let (mut house, nas) = House::with_nas(&[]);
    house.checks(nas, "fff");
    house.register("NAS", &[("email", GUEST_TOO)]);
    assert!(house.checks(nas, "p").is_empty(), "it may be well soon");
    assert_eq!(house.checks(nas, "ff"), ["guest@b.c: NAS UNHEALTHY"]);
    house.mail_server(&Delivery::Accepted);
    assert_eq!(house.checks(nas, "pp"), ["guest@b.c: NAS HEALTHY", "NAS HEALTHY"]);
}

#[test]
fn who_was_told_and_is_named_no_longer_hears_the_end() {
    let (mut house, nas) = House::with_nas(&[]);
    house.checks(nas, "ff");
    house.mail_server(&Delivery::Accepted);
    house.register("NAS", &[("email", "guest@b.c")]);
    assert_eq!(house.checks(nas, "f"), ["guest@b.c: NAS UNHEALTHY"]);
    house.mail_server(&Delivery::Accepted);
    assert_eq!(house.checks(nas, "pp"), ["guest@b.c: NAS HEALTHY", "NAS HEALTHY"]);
}

#[test]
fn who_will_never_have_read_of_the_trouble_is_not_told_its_end() {
    let (mut house, nas) = House::with_nas(&[]);
    house.checks(nas, "ff");
    house.mail_server(&rejected());
    assert!(house.checks(nas, "pp").is_empty());
    assert!(!house.is_open(nas));
}

#[test]
fn the_end_is_told_with_a_trouble_that_still_waits() {
    let (mut house, nas) = House::with_nas(&[]);
    house.checks(nas, "ff");
    house.mail_server(&Delivery::Later("away".to_owned()));
    assert_eq!(house.checks(nas, "pp"), ["NAS HEALTHY"]);
    house.mail_server(&Delivery::Accepted);
    assert!(!house.is_open(nas), "one mail that tells both is enough");
}

#[test]
fn an_end_that_is_refused_for_good_is_not_owed_for_ever() {
    let (mut house, nas) = House::with_nas(&[]);
    house.checks(nas, "ff");
    house.mail_server(&Delivery::Accepted);
    house.checks(nas, "pp");
    house.mail_server(&rejected());
    assert!(!house.is_open(nas));
}

#[test]
fn a_mail_answers_those_that_arrived_and_those_that_are_to_arrive() {
    let (mut house, nas) = House::with_nas(&[]);
    house.checks(nas, "w");
    let first = house.check(nas, Outcome::Warn);
    assert_eq!(first.iter().map(|message| message.thread.len()).sum::<usize>(), 0);
    first.into_iter().for_each(|message| house.outbox.handle_message(after(house.second), message));
    let pending: Vec<String> = house.outbox.mails().map(|mail| mail.message_id.clone()).collect();
    house.checks(nas, "f");
    let second = house.check(nas, Outcome::Fail);
    assert_eq!(second[0].thread, pending);
    house.mail_server(&Delivery::Accepted);
    house.checks(nas, "p");
    let end = house.check(nas, Outcome::Pass);
    assert_eq!(end[0].thread, pending, "it has arrived by now, and counts once");
}

#[test]
fn an_app_whose_state_is_forgotten_has_its_alert_still() {
    let (mut house, nas) = House::with_nas(&[]);
    house.checks(nas, "fff");
    house.mail_server(&Delivery::Accepted);
    house.forget(nas);
    assert!(house.is_open(nas));
    assert!(house.checks(nas, "fff").is_empty(), "the same trouble is no news");
    house.forget(nas);
    assert_eq!(house.checks(nas, "pp"), ["NAS HEALTHY"]);
}

#[test]
fn an_app_that_fails_no_more_but_warns_is_shown_as_better_and_not_told() {
    let (mut house, nas) = House::with_nas(&[]);
    assert_eq!(house.checks(nas, "fff"), ["NAS UNHEALTHY"]);
    assert!(house.checks(nas, "ww").is_empty());
    assert_eq!(house.registry.get(nas).unwrap().state(), State::Degraded);
    assert!(house.checks(nas, "fff").is_empty(), "people know it as that");
    house.mail_server(&Delivery::Accepted);
    assert_eq!(house.checks(nas, "pp"), ["NAS HEALTHY"]);
}

#[test]
fn degraded_is_told_once_as_many_checks_did_not_pass_as_make_an_app_unhealthy() {
    let (mut house, nas) = House::with_nas(&[("unhealthy", "4")]);
    assert!(house.checks(nas, "wfw").is_empty());
    assert_eq!(house.registry.get(nas).unwrap().state(), State::Degraded, "it is shown");
    assert!(house.checks(nas, "pwww").is_empty(), "a pass begins anew");
    assert_eq!(house.checks(nas, "w"), ["NAS DEGRADED"]);
    assert_eq!(house.checks(nas, "pp"), ["NAS HEALTHY"]);
}

#[test]
fn an_app_that_is_stopped_is_owed_nothing_and_its_mails_open_nothing() {
    let (mut house, nas) = House::with_nas(&[]);
    house.checks(nas, "ff");
    house.stop(nas);
    assert!(!house.is_open(nas));
    house.mail_server(&Delivery::Accepted);
    let again = house.register("NAS", &[]);
    house.mail_server(&Delivery::Accepted);
    assert!(!house.is_open(again));
    assert!(house.checks(again, "pp").is_empty(), "the trouble was another app's");
}

#[test]
fn without_mail_nobody_is_told_and_once_there_is_mail_what_is_wrong_then() {
    let (mut house, nas) = House::with_nas(&[]);
    house.outbox = without_mail();
    assert!(house.checks(nas, "fff").is_empty());
    assert!(house.is_open(nas));
    house.outbox = outbox(&[], &[]);
    assert_eq!(house.checks(nas, "f"), ["NAS UNHEALTHY"]);
    house.outbox = without_mail();
    let (mut house, nas) = House::with_nas(&[]);
    house.outbox = without_mail();
    house.checks(nas, "fffpp");
    assert!(!house.is_open(nas), "of what nobody was told there is no end to tell");
}

#[test]
fn who_may_have_no_mail_is_owed_the_end_until_they_may() {
    let (mut house, nas) = House::with_nas(&[("email", "guest@b.c")]);
    house.checks(nas, "ff");
    house.mail_server(&Delivery::Accepted);
    house.outbox = outbox(&["owner@example.org"], &["owner@example.org"]);
    assert!(house.checks(nas, "pp").is_empty());
    assert!(house.incidents.alert(nas).is_some_and(|alert| alert.over));
    let opened = house.incidents.alert(nas).unwrap().opened;
    assert_eq!(house.checks(nas, "ff"), ["NAS UNHEALTHY"], "told to the owner instead");
    let alert = house.incidents.alert(nas).unwrap();
    assert!(!alert.over && alert.opened != opened, "this is another trouble");
    house.mail_server(&Delivery::Accepted);
    assert_eq!(house.checks(nas, "pp"), ["NAS HEALTHY"]);
    house.mail_server(&Delivery::Accepted);
    house.outbox = outbox(&[], &[]);
    assert_eq!(house.checks(nas, "p"), ["guest@b.c: NAS HEALTHY"]);
    house.mail_server(&Delivery::Accepted);
    assert!(!house.is_open(nas));
}

#[test]
fn what_changes_of_an_alert_is_marked_and_a_verdict_that_tells_nothing_is_not() {
    let (mut house, nas) = House::with_nas(&[]);
    let marked = |house: &mut House, checks: &str| {
        house.checks(nas, checks);
        !house.incidents.take_changed().is_empty()
    };
    assert!(!marked(&mut house, "w"));
    assert!(marked(&mut house, "w"), "it opens");
    assert!(marked(&mut house, "ff"), "another level is told");
    assert!(!marked(&mut house, "ffff"));
    house.mail_server(&Delivery::Accepted);
    assert!(marked(&mut house, ""), "mails have arrived");
    assert!(!marked(&mut house, "p"));
    assert!(marked(&mut house, "p"), "the end is told");
    house.mail_server(&Delivery::Accepted);
    assert!(marked(&mut house, ""), "it is gone");
    assert!(!marked(&mut house, "pp"));
    house.incidents.restore(nas, Alert::new(Stamp::noted(after(0))));
    assert!(!marked(&mut house, ""), "it is on disk already");
    house.stop(nas);
    assert!(marked(&mut house, ""));
}
