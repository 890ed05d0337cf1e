//! What it costs to show everything: how long the event loop is held up, how long the page takes,
//! how many bytes an app with a past takes in memory.

use std::time::{Duration, Instant};

use healthchecker::daemon::page::{Base, Board, CLOSE_UP, order};
use healthchecker::engine::core::{Engine, Options};
use healthchecker::engine::outbox::Policy;
use healthchecker::engine::query::summary::{CLOSEUPS, Summary};
use healthchecker::engine::recipients::Recipients;
use healthchecker::engine::record::Record;
use healthchecker::engine::registration::{Origin, Registration};
use healthchecker::engine::time::{Moment, Now, Wall, Zone};
use serde_json::{Value, json};

use super::figures::Usage;

const DAY: i64 = 20_783;

/// Holds up the loop as the page does, and renders it.
pub(crate) fn show(apps: usize) {
    let engine = with_a_past(apps);
    let mut looks: Vec<Duration> = Vec::new();
    let mut look = |what: &mut dyn FnMut()| {
        let began = Instant::now();
        what();
        looks.push(began.elapsed());
    };
    let mut summaries: Vec<Summary> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut more = None;
        look(&mut || {
            let portion = engine
                .view()
                .portion(after.as_deref(), |id, app| engine.view().summary(id, app, now()));
            summaries.extend(portion.apps);
            more = portion.more_after;
        });
        after = more;
        if after.is_none() {
            break;
        }
    }
    order(&mut summaries);
    let names: Vec<String> = summaries.iter().take(CLOSE_UP).map(|one| one.name.clone()).collect();
    let mut closeups = Vec::new();
    for names in names.chunks(CLOSEUPS) {
        look(&mut || closeups.extend(engine.view().closeups(now(), names)));
    }
    let daemon = engine.view().health(now(), now().at, Vec::new());
    let around = engine.view().around();
    let began = Instant::now();
    let (time, zone) = (now().wall, Zone::UTC);
    let board = Board {
        daemon,
        around,
        time,
        zone,
        summaries,
        closeups,
        beginning: None,
        base: Base::default(),
    };
    let html = board.html();
    let rendering = began.elapsed().as_secs_f64() * 1e3;
    let all: Duration = looks.iter().sum();
    println!(
        "{:<38}{:.2} ms of the loop in {} looks, the longest {:.2} ms; {rendering:.0} ms of another \
         thread; {} KiB",
        format!("page of {apps} apps with 90 days each"),
        all.as_secs_f64() * 1e3,
        looks.len(),
        looks.iter().max().unwrap().as_secs_f64() * 1e3,
        html.len() / 1024
    );
}

/// Bytes of memory for one of `apps`, with 90 days, 24 hours and 120 checks of history.
pub(crate) fn memory(apps: usize) {
    let before = Usage::of(std::process::id()).anonymous_kib;
    let engine = with_a_past(apps);
    let after = Usage::of(std::process::id()).anonymous_kib;
    println!(
        "{:<38}{} bytes each, of {apps}",
        "memory for an app with 90 days",
        (after - before) * 1024 / apps as u64
    );
    drop(engine);
}

fn now() -> Now {
    let wall = Wall::from_unix_millis(DAY * 24 * 3_600_000 + 80_000_000);
    Now { at: Moment::START, wall }
}

fn empty() -> Engine {
    let recipients = Recipients::default();
    Engine::new(Options {
        mail: Policy { mailing: true, mail_without_clock: false, recipients },
        workers: 32,
        seed: 1,
        boot_id: None,
        settle: std::time::Duration::from_secs(600),
        anchors: Vec::new(),
        reminders: true,
        quiet: healthchecker::engine::registration::QuietTimes::default(),
        zone: Zone::UTC,
    })
}

/// Every app restored from records, as after a restart.
fn with_a_past(apps: usize) -> Engine {
    let mut template = empty();
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let fields = [field("appname", "app"), field("url", "http://192.168.1.20:8080")];
    let app = Registration::from_fields(&fields, Origin::Network, &Recipients::default()).unwrap();
    template.register(now(), app).unwrap();
    let records: Vec<Value> = template
        .snapshot(now())
        .iter()
        .map(|record| serde_json::to_value(record).unwrap())
        .collect();
    let days: Vec<String> = (0..90).map(|day| format!("{}:2880:1:7:19", DAY - 89 + day)).collect();
    let minute = DAY * 24 * 60 + 1300;
    let hours: Vec<String> =
        (0..24).map(|hour| format!("{}:120:0", minute - 60 * hour)).rev().collect();
    let recent = format!("{} 0p7{}", minute * 60, " 30p7".repeat(119));
    let mut engine = empty();
    // One by one: what is thrown away shall not count.
    for number in 0..apps {
        let name = format!("app-{number:05}");
        let mut both = records.clone();
        both[0]["app"]["registration"]["name"] = json!(name);
        let tally = &mut both[1]["tally"];
        tally["app"] = json!(name);
        tally["days"] = json!(days.join(" "));
        tally["day"] = json!(hours.join(" "));
        tally["recent"] = json!(recent);
        let both = both.into_iter().map(|record| serde_json::from_value::<Record>(record).unwrap());
        engine.restore(now(), both.collect());
    }
    engine
}
