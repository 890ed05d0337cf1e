//! The page of apps that have been watched for 90 days.

use healthchecker::daemon::page::{Base, Board, CLOSE_UP, Part, order};
use healthchecker::engine::core::Engine;
use healthchecker::engine::query::summary::{CLOSEUPS, Summary};
use healthchecker::engine::record::Record;
use healthchecker::engine::time::{Moment, Now, Wall, Zone};
use serde_json::{Value, json};

use super::engine::{empty, registration};

const DAY: i64 = 20_783;

/// The end of them.
pub(crate) fn now() -> Now {
    let wall = Wall::from_unix_millis(DAY * 24 * 3_600_000 + 80_000_000);
    Now { at: Moment::START, wall }
}

/// Every app restored from records, as after a restart.
pub(crate) fn with_a_past(apps: usize) -> Engine {
    let mut template = empty();
    let fields = [("appname", "app".to_owned()), ("url", "http://192.168.1.20:8080".to_owned())];
    let app = registration(&fields);
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
        for record in &mut both {
            if let Some(app) = record.get_mut("app") {
                app["registration"]["name"] = json!(name);
            }
            if let Some(tally) = record.get_mut("tally") {
                tally["app"] = json!(name);
                let history = &mut tally["history"];
                history["days"] = json!(days.join(" "));
                history["day"] = json!(hours.join(" "));
                history["recent"] = json!(recent);
            }
        }
        let both = both.into_iter().map(|record| serde_json::from_value::<Record>(record).unwrap());
        engine.restore(now(), both.collect());
    }
    engine
}

/// The page, made as the daemon makes it: each look at the engine holds up its loop, and goes through `look`.
pub(crate) fn html(engine: &Engine, look: &mut dyn FnMut(&mut dyn FnMut())) -> String {
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
    let (time, zone) = (now().wall, Zone::UTC);
    let (beginning, base) = (None, Base::default());
    let part = Part::of(1, summaries.len());
    Board { daemon, around, time, zone, summaries, closeups, part, beginning, base }.html()
}
