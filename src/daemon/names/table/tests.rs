use super::*;

fn all(texts: &[&str]) -> Vec<SocketAddr> {
    let address = |text: &&str| SocketAddr::new(text.parse().unwrap(), 0);
    texts.iter().map(address).collect()
}

fn known(texts: &[&str]) -> Reply {
    Reply::Known(Arc::from(all(texts)))
}

const ASK: Reply = Reply::Ask { fallback: None };

/// A table and a clock, in seconds.
struct Line {
    table: Table,
    t0: Instant,
}

impl Line {
    fn new() -> Line {
        Line { table: Table::default(), t0: Instant::now() }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.t0 + Duration::from_secs(seconds)
    }

    fn ask(&mut self, seconds: u64) -> Reply {
        self.table.ask("nas.lan", self.at(seconds))
    }

    fn found(&mut self, seconds: u64, texts: &[&str]) {
        let at = self.at(seconds);
        self.table.settle("nas.lan", Ok(all(texts)), at).unwrap();
    }

    fn failed(&mut self, seconds: u64, fault: Fault) -> Result<Addresses, Fault> {
        let at = self.at(seconds);
        self.table.settle("nas.lan", Err(fault), at)
    }
}

#[test]
fn an_address_is_believed_for_a_minute() {
    let mut line = Line::new();
    assert_eq!(line.ask(0), ASK);
    assert_eq!(line.ask(0), Reply::Asking { fallback: None, since: line.t0 });
    line.found(1, &["10.0.0.1"]);
    assert_eq!(line.ask(60), known(&["10.0.0.1"]));
    let fallback = Some(Ok(Arc::from(all(&["10.0.0.1"]))));
    assert_eq!(line.ask(61), Reply::Ask { fallback });
}

#[test]
fn a_failure_is_believed_for_a_moment() {
    let mut line = Line::new();
    assert_eq!(line.ask(0), ASK);
    assert_eq!(line.failed(1, Fault::Away), Err(Fault::Away));
    assert_eq!(line.ask(2), Reply::Failed(Fault::Away));
    assert_eq!(line.ask(3), ASK);
}

#[test]
fn the_last_good_address_stands_in_for_a_day() {
    const DAY: u64 = 24 * 60 * 60;
    let mut line = Line::new();
    line.ask(0);
    line.found(0, &["10.0.0.1"]);
    line.ask(100);
    assert!(line.failed(100, Fault::Away).is_ok());
    assert_eq!(line.ask(109), known(&["10.0.0.1"]));
    assert!(matches!(line.ask(110), Reply::Ask { fallback: Some(Ok(_)) }));
    assert_eq!(line.failed(DAY, Fault::Away), Err(Fault::Away));
}

#[test]
fn a_name_that_is_gone_for_a_moment_keeps_its_address() {
    const HOUR: u64 = 60 * 60;
    let mut line = Line::new();
    line.ask(0);
    line.found(0, &["10.0.0.1"]);
    line.ask(100);
    assert!(line.failed(100, Fault::Unknown).is_ok(), "a router that restarts knows no name");
    assert_eq!(line.ask(109), known(&["10.0.0.1"]));
    assert!(matches!(line.ask(110), Reply::Ask { fallback: Some(Ok(_)) }), "asked again soon");
    assert!(line.failed(110, Fault::Away).is_ok());
    line.ask(200);
    line.found(200, &["10.0.0.1"]);
    line.ask(300);
    assert!(line.failed(99 + HOUR, Fault::Unknown).is_ok(), "it was there in between");
    line.ask(HOUR + 110);
    assert_eq!(line.failed(99 + 2 * HOUR, Fault::Unknown), Err(Fault::Unknown), "gone for good");
    assert_eq!(line.ask(200 + 2 * HOUR), ASK);
}

#[test]
fn a_doubted_address_is_asked_for_at_once() {
    let mut line = Line::new();
    line.ask(0);
    line.found(0, &["10.0.0.1"]);
    assert!(!line.table.doubt("nas.lan", line.t0 + FAILURE_FRESH / 2), "it has just been found");
    let at = line.at(5);
    assert!(line.table.doubt("nas.lan", at));
    assert!(!line.table.doubt("nas.lan", at), "somebody is asking");
    let fallback = Some(Ok(Arc::from(all(&["10.0.0.1"]))));
    assert_eq!(line.ask(6), Reply::Asking { fallback, since: at });
    line.found(7, &["10.0.0.2"]);
    assert_eq!(line.ask(8), known(&["10.0.0.2"]));
}

#[test]
fn what_came_of_a_look_up_that_had_no_turn_is_kept() {
    let mut line = Line::new();
    line.ask(0);
    let by = line.at(5);
    assert!(!line.table.had_turn("nas.lan", by));
    line.failed(90, Fault::Away).unwrap_err();
    let fallback = Some(Err(Fault::Away));
    assert_eq!(line.ask(300), Reply::Ask { fallback }, "and asked again");
    line.table.begin("nas.lan", line.t0 + Duration::from_secs(301));
    let by = line.at(305);
    assert!(line.table.had_turn("nas.lan", by));
    line.failed(310, Fault::Away).unwrap_err();
    assert_eq!(line.ask(320), ASK, "told, and so not owed any more");
}

#[test]
fn a_look_up_that_takes_long_is_slow() {
    let mut line = Line::new();
    line.ask(0);
    line.table.begin("nas.lan", line.t0);
    line.failed(5, Fault::Away).unwrap_err();
    assert!(line.table.is_slow("nas.lan"));
    line.ask(30);
    line.table.begin("nas.lan", line.t0 + Duration::from_secs(35));
    line.found(35, &["10.0.0.1"]);
    assert!(!line.table.is_slow("nas.lan"), "waiting for a turn is not its own fault");
}

#[test]
fn the_families_are_told_one_after_the_other() {
    let mut line = Line::new();
    line.ask(0);
    line.table.settle_v4("nas.lan", all(&["10.0.0.1"]), line.t0);
    assert_eq!(line.ask(1), known(&["10.0.0.1"]));
    line.table.settle_v6("nas.lan", Ok(all(&["fd00::1"])));
    assert_eq!(line.ask(1), known(&["10.0.0.1", "fd00::1"]));
    let at = line.at(61);
    line.ask(61);
    line.table.settle_v4("nas.lan", all(&["10.0.0.2"]), at);
    assert_eq!(line.ask(61), known(&["10.0.0.2", "fd00::1"]), "not forgotten meanwhile");
    line.table.settle_v6("nas.lan", Err(Fault::Away));
    assert_eq!(line.ask(61), known(&["10.0.0.2", "fd00::1"]), "no answer says nothing");
    line.table.settle_v6("nas.lan", Err(Fault::Unknown));
    assert_eq!(line.ask(61), known(&["10.0.0.2"]));
}

#[test]
fn ipv6_addresses_alone_do_not_put_the_last_good_ipv4_address_aside() {
    const HOUR: u64 = 60 * 60;
    for bad in [Fault::Away, Fault::Unknown] {
        let mut line = Line::new();
        line.ask(0);
        line.found(0, &["10.0.0.1", "fd00::1"]);
        line.table.won("nas.lan", all(&["10.0.0.1"])[0]);
        for seconds in [100, 200] {
            line.ask(seconds);
            let at = line.at(seconds);
            let found = line.table.settle_v6_alone("nas.lan", all(&["fd00::2"]), bad, at);
            assert_eq!(*found.unwrap(), *all(&["10.0.0.1", "fd00::2"]), "{bad:?}");
        }
        let (gone, old) = (line.at(101 + HOUR), line.at(24 * HOUR));
        let later = if bad == Fault::Unknown { gone } else { old };
        line.table.ask("nas.lan", later);
        let found = line.table.settle_v6_alone("nas.lan", all(&["fd00::2"]), bad, later);
        assert_eq!(*found.unwrap(), *all(&["fd00::2"]), "not for ever: {bad:?}");
    }
}

#[test]
fn what_worked_last_comes_first() {
    let mut line = Line::new();
    line.ask(0);
    line.found(0, &["fd00::1", "fd00::2", "10.0.0.1"]);
    line.table.won("nas.lan", all(&["10.0.0.1"])[0]);
    assert_eq!(line.ask(1), known(&["10.0.0.1", "fd00::1", "fd00::2"]));
    line.ask(61);
    line.found(61, &["fd00::1", "10.0.0.1", "10.0.0.2"]);
    assert_eq!(line.ask(62), known(&["10.0.0.1", "fd00::1", "10.0.0.2"]), "and after a look-up");
    line.ask(200);
    line.found(200, &["fd00::1", "10.0.0.2"]);
    assert_eq!(line.ask(201), known(&["fd00::1", "10.0.0.2"]), "unless it is gone");
}

#[test]
fn families_take_turns() {
    let mut line = Line::new();
    line.ask(0);
    line.found(0, &["fd00::1", "fd00::2", "fd00::1", "fd00::3", "10.0.0.1"]);
    let picked = known(&["fd00::1", "10.0.0.1", "fd00::2", "fd00::3"]);
    assert_eq!(line.ask(1), picked);
}

#[test]
fn the_last_of_many_addresses_is_tried_too() {
    let many: Vec<String> = (1..=17).map(|n| format!("10.0.0.{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut line = Line::new();
    line.ask(0);
    line.found(0, &many);
    assert_eq!(line.ask(1), known(&many));
}

#[test]
fn no_address_is_no_such_name() {
    let mut line = Line::new();
    line.ask(0);
    let at = line.at(0);
    let settled = line.table.settle("nas.lan", Ok(vec![]), at);
    assert_eq!(settled, Err(Fault::Unknown));
}

#[test]
fn the_table_is_bounded_and_forgets_the_oldest() {
    let mut line = Line::new();
    line.ask(0);
    line.found(0, &["10.0.0.1"]);
    for n in 0..NAMES_MAX {
        let name = format!("n{n}");
        let at = line.at(1);
        line.table.ask(&name, at);
        line.table.abandon(&name);
    }
    assert_eq!(line.table.names.len(), NAMES_MAX);
    assert_eq!(line.ask(2), ASK, "the oldest was forgotten");
}

#[test]
fn what_the_last_run_knew_stands_in_and_is_asked_for_anew() {
    let mut line = Line::new();
    line.table.remember("nas.lan", all(&["10.0.0.1"]), line.t0);
    let fallback = Some(Ok(Arc::from(all(&["10.0.0.1"]))));
    assert_eq!(line.ask(0), Reply::Ask { fallback });
    assert!(line.failed(1, Fault::Away).is_ok());
    line.ask(20);
    line.found(20, &["10.0.0.2"]);
    assert_eq!(line.ask(21), known(&["10.0.0.2"]));
}

#[test]
fn a_server_that_is_wanted_once_in_a_while_keeps_its_address_however_old() {
    const MONTH: u64 = 30 * 24 * 60 * 60;
    let mut line = Line::new();
    let mut mail = |seconds, found: Result<Vec<SocketAddr>, Fault>| {
        let at = line.t0 + Duration::from_secs(seconds);
        line.table.settle_lasting("mail.example", &found, at)
    };
    assert_eq!(mail(0, Err(Fault::Away)), Err(Fault::Away));
    assert!(mail(1, Ok(all(&["10.0.0.1"]))).is_ok());
    assert_eq!(*mail(MONTH, Err(Fault::Away)).unwrap(), *all(&["10.0.0.1"]));
    assert!(mail(MONTH + 1, Err(Fault::Unknown)).is_ok());
    assert_eq!(mail(MONTH + 3601, Err(Fault::Unknown)), Err(Fault::Unknown), "it is gone");
}

#[test]
fn a_name_is_recorded_once_and_again_when_it_leads_elsewhere() {
    let mut line = Line::new();
    let recorded = |line: &mut Line, seconds, all| {
        let at = line.at(seconds);
        line.table.take_unrecorded(all, at)
    };
    let entry = |addresses: &[&str]| {
        let ips = addresses.iter().map(|address| address.parse().unwrap()).collect();
        vec![("nas.lan".to_owned(), ips)]
    };
    line.ask(0);
    assert_eq!(recorded(&mut line, 0, false), []);
    line.found(0, &["fe80::1", "10.0.0.1"]);
    assert_eq!(recorded(&mut line, 1, false), entry(&["10.0.0.1"]), "a link is of one boot");
    line.found(61, &["10.0.0.2", "10.0.0.1"]);
    assert_eq!(recorded(&mut line, 62, false), [], "one of them is known");
    line.found(122, &["10.0.0.2"]);
    line.found(183, &["10.0.0.3"]);
    assert_eq!(recorded(&mut line, 184, false), entry(&["10.0.0.3"]));
    assert_eq!(recorded(&mut line, 185, false), []);
    assert_eq!(recorded(&mut line, 185, true), entry(&["10.0.0.3"]), "all that there is");
    assert_eq!(recorded(&mut line, 25 * 60 * 60, true), [], "nobody asks for it any more");
}

#[test]
fn that_no_name_server_answers_is_said_after_two_minutes_and_no_longer_than_it_is_known() {
    let mut line = Line::new();
    let mut hear = |seconds, fault| {
        let at = line.t0 + Duration::from_secs(seconds);
        line.table.hear("nas.lan", fault, at);
        line.table.service.trouble(at)
    };
    assert_eq!(hear(0, Some(Fault::Away)), None);
    assert_eq!(hear(120, Some(Fault::Away)), None, "it never was found");
    line.table.remember("nas.lan", all(&["10.0.0.1"]), line.t0);
    let mut hear = |seconds, fault| {
        let at = line.t0 + Duration::from_secs(seconds);
        line.table.hear("nas.lan", fault, at);
        line.table.service.trouble(at)
    };
    for answer in [None, Some(Fault::Unknown)] {
        assert_eq!(hear(200, Some(Fault::Away)), None);
        assert_eq!(hear(319, Some(Fault::Ours(libc::EMFILE))), None);
        let said = hear(320, Some(Fault::Away)).unwrap();
        assert!(
            said.starts_with("no name server has answered for 2 min (asked for nas.lan"),
            "{said}"
        );
        assert_eq!(hear(330, answer), None);
    }
    assert!(hear(400, Some(Fault::Away)).is_none() && hear(600, Some(Fault::Away)).is_some());
    assert_eq!(line.table.service.trouble(line.t0 + Duration::from_secs(1500)), None);
}
