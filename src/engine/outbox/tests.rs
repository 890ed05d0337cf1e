//! The outbox alone, in virtual time: messages go in, mails come out.

use super::*;
use crate::engine::tests::after;
use crate::engine::time::{Wall, Zone};

const OWNER: &str = "owner@example.org";
const GUEST: &str = "guest@b.c";
/// Half an hour: the first wait after what only a person can mend.
const SLOWLY: u64 = 1800;

fn with(mailing: bool, mail_without_clock: bool) -> Outbox {
    let recipients = Recipients::new(vec![OWNER.to_owned()], &[]);
    Outbox::new(Policy { mailing, mail_without_clock, recipients }, 7)
}

fn mailing() -> Outbox {
    with(true, false)
}

fn message(to: &str) -> Message {
    let notice = Notice::Test { at: Stamp::noted(after(0)) };
    Message { to: Recipient::mail(to), notice, thread: Vec::new() }
}

fn later() -> Delivery {
    Delivery::Later("timed out".to_owned())
}

fn rejected() -> Delivery {
    Delivery::Rejected("550 5.1.1".to_owned())
}

/// The mails that are handed out. What is logged is left out.
fn sent(outbox: &mut Outbox) -> Vec<Mail> {
    let outputs = std::iter::from_fn(|| outbox.poll_output());
    outputs
        .filter_map(|output| match output {
            Output::Send(mail) => Some(mail),
            Output::Rehearse(_) | Output::Log(_) => None,
        })
        .collect()
}

/// Whom mails are handed out for.
fn sent_to(outbox: &mut Outbox) -> Vec<String> {
    sent(outbox).into_iter().map(|mail| mail.to.to_string()).collect()
}

fn logged(outbox: &mut Outbox, is_it: impl Fn(&LogEvent) -> bool) -> usize {
    let outputs = std::iter::from_fn(|| outbox.poll_output());
    outputs.filter(|output| matches!(output, Output::Log(note) if is_it(note))).count()
}

/// A message goes in, and its mail out.
fn send_one(outbox: &mut Outbox, second: u64, to: &str) -> u64 {
    outbox.handle_message(after(second), message(to));
    sent(outbox).pop().unwrap().id
}

/// Whatever is due is done; whom mails are handed out for.
fn pass_to(outbox: &mut Outbox, second: u64) -> Vec<String> {
    let now = after(second);
    while let Some((_, wait)) = outbox.next_deadline().filter(|(at, _)| *at <= now.at) {
        outbox.handle_deadline(now, wait);
    }
    sent_to(outbox)
}

fn due(outbox: &Outbox) -> Option<(u64, Wait)> {
    outbox.next_deadline().map(|(at, wait)| (at.since(Moment::START).as_secs(), wait))
}

/// What is to be written, in short.
fn marked(outbox: &mut Outbox) -> String {
    let Changes { mails, accepted, refusals } = outbox.take_changes();
    let mut marks: Vec<String> = mails.whole.iter().map(|id| format!("mail {id}")).collect();
    marks.extend(mails.merged.iter().map(|(id, _)| format!("taken in by {id}")));
    marks.extend(mails.done.iter().map(|id| format!("done {id}")));
    marks.extend(accepted.iter().map(|(to, _)| format!("accepted {to}")));
    marks.extend(refusals.iter().map(|to| format!("refusal {to}")));
    marks.join(", ")
}

#[test]
fn a_message_goes_out_at_once_and_to_each_person_one_at_a_time() {
    let mut outbox = mailing();
    let first = send_one(&mut outbox, 0, OWNER);
    for _ in 0..3 {
        outbox.handle_message(after(1), message(OWNER));
    }
    outbox.handle_message(after(1), message(GUEST));
    assert_eq!(sent_to(&mut outbox), [GUEST], "nobody waits for another");
    assert_eq!((outbox.waiting(), outbox.is_sending()), (3, true));
    let accepted = outbox.handle_delivery(after(2), first, Delivery::Accepted);
    assert!(matches!(accepted, Some(Concluded::Accepted(mail)) if mail.id == first));
    let next = sent(&mut outbox);
    assert_eq!((next.len(), next[0].notices.len()), (1, 3), "what had waited goes together");
}

#[test]
fn a_report_on_a_mail_that_is_not_there_says_nothing() {
    let mut outbox = mailing();
    for delivery in [Delivery::Accepted, later(), rejected()] {
        assert_eq!(outbox.handle_delivery(after(0), 7, delivery), None);
    }
    assert_eq!((outbox.counted(), marked(&mut outbox).as_str()), (Counted::default(), ""));
}

#[test]
fn a_mail_that_failed_is_tried_again_in_time_and_not_before() {
    let mut outbox = mailing();
    let id = send_one(&mut outbox, 0, OWNER);
    assert_eq!(outbox.handle_delivery(after(1), id, later()), None);
    assert_eq!(due(&outbox), Some((6, Wait::Retry)));
    outbox.handle_deadline(after(5), Wait::Retry);
    assert!(sent(&mut outbox).is_empty());
    assert_eq!(pass_to(&mut outbox, 6), [OWNER]);
    assert_eq!(due(&outbox), None, "it is under way");
    assert_eq!(outbox.counted(), Counted { put_off: 1, ..Counted::default() });
    assert_eq!(
        outbox.troubles(after(6), &Zone::UTC),
        ["a mail to owner@example.org failed once: timed out"]
    );
}

#[test]
fn news_has_a_mail_that_waits_tried_at_once_and_its_old_deadline_no_second_time() {
    let mut outbox = mailing();
    let id = send_one(&mut outbox, 0, OWNER);
    outbox.handle_delivery(after(0), id, later());
    outbox.handle_message(after(2), message(OWNER));
    let mails = sent(&mut outbox);
    assert_eq!((mails.len(), mails[0].notices.len()), (1, 2));
    assert!(pass_to(&mut outbox, 60).is_empty());
}

#[test]
fn a_mail_that_arrives_shows_that_the_server_is_there_for_the_others() {
    let mut outbox = mailing();
    let guests = send_one(&mut outbox, 0, GUEST);
    outbox.handle_delivery(after(0), guests, later());
    let owners = send_one(&mut outbox, 1, OWNER);
    outbox.handle_delivery(after(2), owners, Delivery::Accepted);
    assert_eq!(sent_to(&mut outbox), [GUEST]);
}

#[test]
fn the_twenty_first_mail_of_an_hour_is_held_back_and_takes_in_what_else_there_is() {
    let mut outbox = mailing();
    for second in 0..20 {
        let id = send_one(&mut outbox, second, OWNER);
        outbox.handle_delivery(after(second), id, Delivery::Accepted);
    }
    outbox.handle_message(after(20), message(OWNER));
    outbox.handle_message(after(30), message(&OWNER.to_uppercase()));
    assert_eq!(logged(&mut outbox, |note| matches!(note, LogEvent::MailHeldBack { .. })), 1);
    assert_eq!(due(&outbox), Some((3600, Wait::Retry)));
    let guests = send_one(&mut outbox, 40, GUEST);
    outbox.handle_delivery(after(40), guests, Delivery::Accepted);
    assert!(sent(&mut outbox).is_empty(), "a server that is there does not let it go");
    assert!(pass_to(&mut outbox, 3599).is_empty());
    let now = after(3600);
    outbox.handle_deadline(now, Wait::Retry);
    let digest = sent(&mut outbox);
    assert_eq!((digest.len(), digest[0].notices.len()), (1, 2));
    assert!(digest[0].held_back.is_some());
    assert_eq!(outbox.oldest(now.at), Duration::ZERO, "it did not wait for the server");
}

#[test]
fn while_the_clock_is_plainly_wrong_mail_waits_and_that_is_said_once() {
    let at = |second: u64, wall: Wall| Now { wall, ..after(second) };
    let in_1970 = Wall::from_unix_millis(130_000);
    let mut outbox = mailing();
    outbox.handle_message(at(0, in_1970), message(OWNER));
    outbox.handle_message(at(1, in_1970), message(GUEST));
    assert_eq!(due(&outbox), Some((10, Wait::Retry)));
    outbox.handle_deadline(at(10, in_1970), Wait::Retry);
    assert_eq!(logged(&mut outbox, |note| matches!(note, LogEvent::ClockWrong { .. })), 1);
    let troubles = outbox.troubles(at(10, in_1970), &Zone::UTC);
    assert!(troubles[0].starts_with("mail waits until the clock of this machine is set"));
    assert_eq!(pass_to(&mut outbox, 11), [GUEST], "the clock is looked at again for each");
    assert_eq!(pass_to(&mut outbox, 20), [OWNER]);
    assert!(outbox.troubles(after(20), &Zone::UTC).is_empty());
    let mut outbox = with(true, true);
    outbox.handle_message(at(0, in_1970), message(OWNER));
    assert_eq!(sent_to(&mut outbox), [OWNER], "the owner does without");
}

#[test]
fn without_mail_everything_is_kept_together_and_nothing_is_due() {
    let mut outbox = with(false, false);
    outbox.handle_message(after(0), message(OWNER));
    outbox.handle_message(after(1), message(OWNER));
    assert!(sent(&mut outbox).is_empty() && due(&outbox).is_none());
    assert_eq!((outbox.waiting(), outbox.mails().map(|mail| mail.notices.len()).sum()), (1, 2));
    assert!(outbox.told([Recipient::mail(OWNER)]).is_empty());
    assert!(outbox.troubles(after(1), &Zone::UTC).is_empty() && !outbox.is_mailing());
}

#[test]
fn without_mail_what_several_mails_on_record_tell_comes_together_too() {
    let mut before = mailing();
    let first = send_one(&mut before, 0, OWNER);
    before.handle_message(after(1), message(OWNER));
    let mails: Vec<Mail> = before.mails().cloned().collect();
    let ids: Vec<u64> = mails.iter().map(|mail| mail.id).collect();
    let mut outbox = with(false, false);
    outbox.restore(after(100), Vec::new(), Vec::new(), mails);
    outbox.handle_start(after(100), ids);
    let kept: Vec<(u64, usize)> = outbox.mails().map(|it| (it.id, it.notices.len())).collect();
    assert_eq!(kept, [(first, 2)]);
}

#[test]
fn a_refusal_stands_until_it_is_seen_or_a_mail_arrives() {
    let mut outbox = mailing();
    let refuse = |outbox: &mut Outbox| {
        let id = send_one(outbox, 0, OWNER);
        let end = outbox.handle_delivery(after(0), id, rejected());
        assert!(matches!(end, Some(Concluded::Refused(mail)) if mail.to == Recipient::mail(OWNER)));
    };
    refuse(&mut outbox);
    refuse(&mut outbox);
    assert_eq!(
        outbox.refusal(&Recipient::mail("Owner@Example.org")).map(|refusal| refusal.mails),
        Some(2)
    );
    assert_eq!(outbox.handle_seen(&Recipient::mail("OWNER@example.org")), Some(Vec::new()));
    assert_eq!((outbox.handle_seen(&Recipient::mail(OWNER)), outbox.refusals().count()), (None, 0));
    refuse(&mut outbox);
    let id = send_one(&mut outbox, 1, OWNER);
    outbox.handle_delivery(after(1), id, Delivery::Accepted);
    assert_eq!(outbox.refusals().count(), 0);
    assert_eq!(outbox.counted(), Counted { accepted: 1, refused: 3, put_off: 0 });
}

#[test]
fn a_refusal_lets_the_next_mail_to_that_person_go() {
    let mut outbox = mailing();
    let id = send_one(&mut outbox, 0, OWNER);
    outbox.handle_message(after(0), message(OWNER));
    outbox.handle_delivery(after(1), id, rejected());
    assert_eq!(sent_to(&mut outbox), [OWNER]);
}

#[test]
fn a_mail_of_which_it_is_unclear_whether_anybody_can_have_it_is_given_up_by_a_person_alone() {
    let mut outbox = mailing();
    let id = send_one(&mut outbox, 0, OWNER);
    outbox.handle_delivery(after(0), id, Delivery::Unclear("550 no".to_owned()));
    assert_eq!(due(&outbox), Some((SLOWLY, Wait::Retry)));
    marked(&mut outbox);
    let given_up = outbox.handle_seen(&Recipient::mail(OWNER)).unwrap();
    assert_eq!(given_up.iter().map(|mail| mail.id).collect::<Vec<_>>(), [id]);
    assert_eq!((marked(&mut outbox), outbox.waiting()), (format!("done {id}"), 0));
    assert_eq!((outbox.counted().refused, outbox.counted().put_off), (1, 1));
    assert!(pass_to(&mut outbox, SLOWLY).is_empty());
    // One that waits for another reason is not.
    let id = send_one(&mut outbox, SLOWLY, OWNER);
    outbox.handle_delivery(after(SLOWLY), id, Delivery::Settings("535".to_owned()));
    assert_eq!((outbox.handle_seen(&Recipient::mail(OWNER)), outbox.waiting()), (None, 1));
}

/// An unclear mail is being tried again, another waits behind it, and a person gives it up.
fn given_up_under_way() -> (Outbox, u64) {
    let mut outbox = mailing();
    let id = send_one(&mut outbox, 0, OWNER);
    outbox.handle_delivery(after(0), id, Delivery::Unclear("550 no".to_owned()));
    assert_eq!(pass_to(&mut outbox, SLOWLY), [OWNER]);
    outbox.handle_message(after(SLOWLY + 1), message(OWNER));
    assert_eq!(outbox.troubles(after(SLOWLY + 1), &Zone::UTC).len(), 1);
    marked(&mut outbox);
    let given_up = outbox.handle_seen(&Recipient::mail(OWNER)).unwrap();
    assert_eq!(given_up.iter().map(|mail| mail.id).collect::<Vec<_>>(), [id]);
    assert_eq!(marked(&mut outbox), format!("mail {id}"), "it is on disk before the answer");
    assert!(outbox.is_sending() && outbox.troubles(after(SLOWLY + 2), &Zone::UTC).is_empty());
    assert_eq!(outbox.handle_seen(&Recipient::mail(OWNER)), None, "once");
    (outbox, id)
}

#[test]
fn a_mail_that_is_given_up_while_it_is_under_way_is_not_tried_again() {
    for end in [Delivery::Unclear("550 no".to_owned()), later(), rejected()] {
        let (mut outbox, id) = given_up_under_way();
        assert_eq!(outbox.handle_delivery(after(SLOWLY + 9), id, end), None);
        assert_eq!(sent_to(&mut outbox), [OWNER], "the one behind it goes");
        assert_eq!(marked(&mut outbox), format!("done {id}"), "and no refusal stands");
        assert_eq!(outbox.counted().refused, 1);
    }
}

#[test]
fn a_mail_that_is_given_up_while_it_is_under_way_may_be_accepted_yet() {
    let (mut outbox, id) = given_up_under_way();
    let end = outbox.handle_delivery(after(SLOWLY + 9), id, Delivery::Accepted);
    assert!(matches!(end, Some(Concluded::Accepted(mail)) if mail.id == id));
    assert_eq!(outbox.counting(after(SLOWLY + 9).at).count(), 1);
}

#[test]
fn the_server_is_asked_again_whether_it_would_take_our_mails_until_it_would() {
    let mut outbox = mailing();
    outbox.handle_rehearsal(after(0), Delivery::Settings("535 5.7.8".to_owned()));
    assert_eq!(due(&outbox), Some((SLOWLY, Wait::Rehearsal)));
    assert_eq!(outbox.troubles(after(0), &Zone::UTC), ["the mail settings do not work: 535 5.7.8"]);
    let is_asked = |outbox: &mut Outbox, second| {
        outbox.handle_deadline(after(second), Wait::Rehearsal);
        let outputs: Vec<Output> = std::iter::from_fn(|| outbox.poll_output()).collect();
        outputs.contains(&Output::Rehearse(vec![Recipient::mail(OWNER)]))
    };
    assert!(!is_asked(&mut outbox, SLOWLY - 1));
    assert!(is_asked(&mut outbox, SLOWLY));
    assert_eq!(due(&outbox), None, "it is being asked");
    outbox.handle_rehearsal(after(SLOWLY), later());
    assert_eq!(due(&outbox), Some((SLOWLY + 5, Wait::Rehearsal)));
    let id = send_one(&mut outbox, SLOWLY + 1, OWNER);
    outbox.handle_delivery(after(SLOWLY + 2), id, Delivery::Accepted);
    assert_eq!((due(&outbox), outbox.troubles(after(SLOWLY + 2), &Zone::UTC).len()), (None, 0));
}

#[test]
fn the_deadline_is_that_of_the_first_thing_to_do() {
    let mut outbox = mailing();
    assert_eq!(due(&outbox), None);
    let id = send_one(&mut outbox, 0, OWNER);
    outbox.handle_delivery(after(0), id, Delivery::Settings("535".to_owned()));
    outbox.handle_rehearsal(after(0), later());
    assert_eq!(due(&outbox), Some((5, Wait::Rehearsal)));
    outbox.handle_rehearsal(after(0), Delivery::Accepted);
    assert_eq!(due(&outbox), Some((SLOWLY, Wait::Retry)));
}

#[test]
fn what_is_on_disk_of_a_mail_is_marked_and_how_its_tries_went_is_not() {
    let mut outbox = mailing();
    let id = send_one(&mut outbox, 0, OWNER);
    assert_eq!(marked(&mut outbox), "mail 1");
    outbox.handle_delivery(after(0), id, later());
    pass_to(&mut outbox, 5);
    outbox.handle_delivery(after(5), id, later());
    assert_eq!(marked(&mut outbox), "", "a server that is away for days wears out no disk");
    outbox.handle_message(after(6), message(OWNER));
    assert_eq!(marked(&mut outbox), "taken in by 1");
    outbox.handle_delivery(after(7), id, Delivery::Accepted);
    assert_eq!(marked(&mut outbox), "done 1, accepted owner@example.org");
    let id = send_one(&mut outbox, 8, OWNER);
    outbox.handle_delivery(after(8), id, rejected());
    assert_eq!(marked(&mut outbox), "done 3, refusal owner@example.org", "it came and went");
    outbox.handle_seen(&Recipient::mail(OWNER));
    assert_eq!(marked(&mut outbox), "refusal owner@example.org");
    assert_eq!(
        (outbox.handle_seen(&Recipient::mail(OWNER)), marked(&mut outbox)),
        (None, String::new())
    );
}

#[test]
fn a_mail_that_a_filter_refuses_is_tried_again_with_less_in_it_and_that_is_marked() {
    let mut outbox = mailing();
    let notice = Notice::Watching { apps: vec!["NAS".to_owned()], at: Stamp::noted(after(0)) };
    outbox.handle_message(after(0), Message { notice, ..message(OWNER) });
    let id = sent(&mut outbox).pop().unwrap().id;
    marked(&mut outbox);
    let filtered = || Delivery::Content("554 spam".to_owned());
    outbox.handle_delivery(after(0), id, filtered());
    assert!(outbox.mail(id).unwrap().nameless);
    assert_eq!((marked(&mut outbox).as_str(), due(&outbox)), ("mail 1", Some((5, Wait::Retry))));
    assert_eq!(pass_to(&mut outbox, 5), [OWNER]);
    outbox.handle_delivery(after(5), id, filtered());
    assert_eq!(due(&outbox), Some((5 + SLOWLY, Wait::Retry)), "there is no less to tell");
    assert_eq!(marked(&mut outbox), "");
}

#[test]
fn what_is_on_record_goes_out_at_the_start_under_its_id_and_is_not_written_again() {
    let mut before = mailing();
    let id = send_one(&mut before, 0, OWNER);
    let mails: Vec<Mail> = before.mails().cloned().collect();
    let mut outbox = mailing();
    outbox.restore(after(100), Vec::new(), Vec::new(), mails.clone());
    assert!(sent(&mut outbox).is_empty());
    outbox.handle_start(after(100), vec![id]);
    assert_eq!(sent(&mut outbox), mails);
    let found = format!("a mail to {OWNER} was found waiting at the start");
    assert_eq!(outbox.troubles(after(100), &Zone::UTC), [found]);
    assert_eq!(marked(&mut outbox), "");
    outbox.handle_message(after(101), message(GUEST));
    assert_ne!(sent(&mut outbox)[0].id, id);
}

#[test]
fn what_an_earlier_run_has_sent_counts_for_the_limit() {
    let mut outbox = mailing();
    let accepted = (0..20).map(|n| Had { at: Stamp::noted(after(n)), trouble: false });
    let accepted = accepted.map(|had| (Recipient::mail(OWNER), had)).collect();
    outbox.restore(after(100), accepted, Vec::new(), Vec::new());
    outbox.handle_message(after(100), message(OWNER));
    assert!(sent(&mut outbox).is_empty());
    assert_eq!(due(&outbox), Some((3600, Wait::Retry)));
    assert_eq!(outbox.counting(after(100).at).count(), 20);
}
