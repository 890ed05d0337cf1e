//! Every kind of mail, as a household brings it about: `docs/mails.md` shows what people read, word for word, and
//! `make mails` makes it anew.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::world::{Answer, Mood, World};
use healthchecker::engine::beats::Report;
use healthchecker::engine::outbox::letter::RenderedMail;
use healthchecker::engine::outbox::letter::{self, Links};
use healthchecker::engine::surroundings::look::Sight;
use healthchecker::engine::time::{Moment, Wall, Zone};
use healthchecker::engine::verdict::reported;

/// The last mail of a story.
struct Kind {
    /// Of its pictures.
    file: &'static str,
    title: &'static str,
    /// What has happened.
    story: &'static str,
    live: fn(&mut World),
}

const ON_HOST: [&str; 6] = ["NAS", "Photos", "Wiki", "Git", "Kodi", "Music"];
const ELSEWHERE: [(&str, &str); 5] = [
    ("TV box", "192.168.1.31"),
    ("Heating", "192.168.1.40"),
    ("Doorbell", "192.168.1.41"),
    ("Printer", "192.168.1.42"),
    ("Blog", "blog.example"),
];
const STATUS_URL: &str = "http://raspberrypi.local:8080/";
/// As each mail of trouble has another.
const MUTE_URL: &str = "http://raspberrypi.local:8080/healthchecker/mute?incident=1795485388.7%40raspberrypi.local\
                        &to=owner%40example.org&until=1798077388&sig=5d9c68c6c50ed3d02a2fcf54f63993b6f0a1b5e5f1c0fd9f0d1f0c8a3d6a7b42";
const MINUTE: u64 = 60;
const HOUR: u64 = 3600;

const KINDS: [Kind; 23] = [
    Kind {
        file: "unhealthy",
        title: "An app is UNHEALTHY",
        story: "The TV box answers with an error; two checks in a row have failed.",
        live: |world| {
            answer(world, &["TV box"], Answer::Fail);
            world.seconds(3 * MINUTE);
        },
    },
    Kind {
        file: "healthy",
        title: "It is HEALTHY again",
        story: "Somebody has helped it. The mail stands in one conversation with the first.",
        live: |world| {
            answer(world, &["TV box"], Answer::Fail);
            world.seconds(14 * MINUTE);
            answer(world, &["TV box"], Answer::Pass);
            world.seconds(5 * MINUTE);
        },
    },
    Kind {
        file: "degraded",
        title: "An app is DEGRADED",
        story: "The heating answers, and warns: two checks in a row did not pass.",
        live: |world| {
            answer(world, &["Heating"], Answer::Warn);
            world.seconds(3 * MINUTE);
        },
    },
    Kind {
        file: "keeps-failing",
        title: "An app keeps failing",
        story: "It failed again within two hours of its recovery. That is told once; only reminders come until it \
                was well for as long.",
        live: |world| {
            for _ in 0..2 {
                answer(world, &["Doorbell"], Answer::Fail);
                world.seconds(5 * MINUTE);
                answer(world, &["Doorbell"], Answer::Pass);
                world.seconds(5 * MINUTE);
            }
        },
    },
    Kind {
        file: "one-host",
        title: "Several on one host are silent",
        story: "A machine with six apps has died: one mail, in place of six.",
        live: host_dies,
    },
    Kind {
        file: "hosts",
        title: "Several hosts are silent",
        story: "A switch has failed, with everything behind it.",
        live: |world| {
            answer(world, &["TV box", "Doorbell", "Printer"], Answer::Hang);
            world.seconds(10 * MINUTE);
        },
    },
    Kind {
        file: "parent",
        title: "A parent and what is behind it",
        story: "The switch is watched, too, and `parent` says who is behind it.",
        live: switch_dies,
    },
    Kind {
        file: "all-back",
        title: "All of them are well",
        story: "The machine is on again: one mail for all that was told together.",
        live: |world| {
            host_dies(world);
            answer(world, &ON_HOST, Answer::Pass);
            world.seconds(15 * MINUTE);
        },
    },
    Kind {
        file: "power",
        title: "The power came back",
        story: "Everything was dark, this machine as well. Nine of eleven came back by themselves.",
        live: power_came_back,
    },
    Kind {
        file: "power-end",
        title: "The last of them is back",
        story: "Somebody pressed the two buttons.",
        live: |world| {
            power_came_back(world);
            world.seconds(HOUR);
            answer(world, &["NAS", "TV box"], Answer::Pass);
            world.seconds(10 * MINUTE);
        },
    },
    Kind {
        file: "our-network",
        title: "Our network came back",
        story: "This machine had no link for half an hour. Nobody was blamed meanwhile; one did not come back.",
        live: |world| {
            world.cut_off = true;
            world.seconds(30 * MINUTE);
            world.cut_off = false;
            answer(world, &["Doorbell"], Answer::Hang);
            world.seconds(HOUR);
        },
    },
    Kind {
        file: "nothing-answers",
        title: "Nothing answers",
        story: "This machine has a link, and nothing in the house answers it, for ten minutes.",
        live: |world| {
            world.deaf = true;
            world.seconds(15 * MINUTE);
        },
    },
    Kind {
        file: "note",
        title: "The note afterwards",
        story: "This machine had no link for twenty minutes, and all came back by themselves.",
        live: |world| {
            world.cut_off = true;
            world.seconds(20 * MINUTE);
            world.cut_off = false;
            world.seconds(HOUR);
        },
    },
    Kind {
        file: "internet",
        title: "The internet was away",
        story: "The line was down for forty minutes. Apps out there were not blamed, and came back with it.",
        live: |world| {
            answer(world, &["Blog"], Answer::Hang);
            world.seconds(70);
            answer(world, &["Blog"], Answer::Pass);
            world.seconds(HOUR);
            world.offline = true;
            world.seconds(40 * MINUTE);
            world.offline = false;
            world.seconds(2 * HOUR);
        },
    },
    Kind {
        file: "router",
        title: "The router does not answer",
        story: "It has been silent for ten minutes, and with it two apps; the rest of the house is well.",
        live: |world| {
            answer(world, &["Printer"], Answer::Hang);
            world.seconds(MINUTE);
            answer(world, &["Printer"], Answer::Pass);
            world.seconds(HOUR);
            (world.gateway, world.offline) = (Sight::Nothing, true);
            answer(world, &["Printer"], Answer::Hang);
            world.seconds(20 * MINUTE);
        },
    },
    Kind {
        file: "reminder",
        title: "A reminder",
        story: "An hour later the machine with its six apps is still off.",
        live: |world| {
            world.reminders = true;
            world.restart();
            world.seconds(10 * MINUTE);
            host_dies(world);
            world.seconds(HOUR);
        },
    },
    Kind {
        file: "after-quiet",
        title: "After a quiet time",
        story: "From 03:00 to 04:00 is the hour of the backup, with `quiet='03:00-04:00'`. The two that it stopped were to \
                be there again by its end.",
        live: |world| {
            world.zone = berlin();
            world.restart();
            for name in ["Photos", "Wiki"] {
                let url = format!("http://{}/", address(name));
                world.register(name, &[("url", &url), ("healthy", "2"), ("quiet", "03:00-04:00")]);
            }
            world.seconds(10 * MINUTE);
            world.inbox.clear();
            answer(world, &["Photos", "Wiki"], Answer::Refused);
            world.seconds(2 * HOUR);
        },
    },
    Kind {
        file: "late",
        title: "A beat that does not come",
        story: "The nightly backup reports when it is done, and last night it did not: `kind=beat`, a day and a grace of \
                two hours.",
        live: |world| {
            let fields = [("kind", "beat"), ("url", ""), ("interval", "86400"), ("grace", "7200")];
            world.register("Backup", &fields);
            for _ in 0..2 {
                let went = Report::Went(reported(false, "", b""));
                world.engine.hear(world.now, "Backup", went).unwrap();
                world.pass(Duration::from_secs(24 * HOUR));
            }
            world.seconds(2 * HOUR + MINUTE);
        },
    },
    Kind {
        file: "crash-loop",
        title: "An app that crashes and starts again",
        story: "It registers at each start: the third time within ten minutes, with a failed check between each two.",
        live: |world| {
            for _ in 0..3 {
                answer(world, &["TV box"], Answer::Fail);
                world.one_check("TV box");
                answer(world, &["TV box"], Answer::Pass);
                world.register_again("TV box");
                world.seconds(35);
            }
        },
    },
    Kind {
        file: "watching",
        title: "Now watching",
        story: "Two new apps have registered and passed for the first time.",
        live: |world| {
            world.mood = Mood::Away;
            for (name, url) in [("Camera", "http://camera/"), ("Weather", "http://weather/")] {
                register(world, name, url);
            }
            world.seconds(2 * MINUTE);
            world.mood = Mood::Accepts;
            world.seconds(30 * MINUTE);
        },
    },
    Kind {
        file: "waited",
        title: "A mail that had to wait",
        story: "The mail server could not be reached for three hours, while one app failed and another came and went.",
        live: |world| {
            world.mood = Mood::Away;
            answer(world, &["TV box"], Answer::Fail);
            world.seconds(HOUR);
            answer(world, &["Heating"], Answer::Fail);
            world.seconds(HOUR);
            answer(world, &["Heating"], Answer::Pass);
            world.seconds(HOUR);
            world.mood = Mood::Accepts;
            world.seconds(30 * MINUTE);
        },
    },
    Kind {
        file: "no-clock",
        title: "The clock is not set",
        story: "With `mail_without_clock`, on a machine that has neither a clock battery nor a time server.",
        live: |world| {
            world.mail_without_clock = true;
            world.boot_at(Wall::from_unix_millis(1000));
            world.seconds(20 * MINUTE);
            answer(world, &["TV box"], Answer::Fail);
            world.seconds(3 * MINUTE);
        },
    },
    Kind {
        file: "two-things",
        title: "Two things at once",
        story: "What piles up for a person while a mail is under way comes as one.",
        live: |world| {
            world.mail_takes = 3 * MINUTE * 1000;
            answer(world, &["Printer"], Answer::Fail);
            world.seconds(100);
            answer(world, &["Heating", "Doorbell"], Answer::Fail);
            world.seconds(20 * MINUTE);
        },
    },
];

fn register(world: &mut World, name: &str, url: &str) {
    world.register(name, &[("url", url), ("healthy", "2")]);
}

/// Eleven apps, well for hours, and nobody has mail.
fn household() -> World {
    let mut world = World::new();
    for name in ON_HOST.iter().chain(ELSEWHERE.iter().map(|(name, _)| name)) {
        register(&mut world, name, &format!("http://{}/", address(name)));
    }
    world.pass(Duration::from_secs(3 * HOUR));
    world.inbox.clear();
    world
}

/// Where an app is.
fn address(name: &str) -> String {
    let elsewhere =
        ELSEWHERE.iter().find(|(known, _)| *known == name).map(|(_, host)| (*host).to_owned());
    let port = 8000 + ON_HOST.iter().position(|known| *known == name).unwrap_or_default();
    elsewhere.unwrap_or_else(|| format!("192.168.1.20:{port}"))
}

fn answer(world: &mut World, names: &[&str], answer: Answer) {
    names.iter().for_each(|name| world.answers(&address(name), answer));
}

fn host_dies(world: &mut World) {
    answer(world, &ON_HOST, Answer::Hang);
    world.seconds(10 * MINUTE);
}

fn switch_dies(world: &mut World) {
    register(world, "Switch", "http://192.168.1.2/");
    for (name, host) in ELSEWHERE {
        let url = format!("http://{host}/");
        world.register(name, &[("url", &url), ("healthy", "2"), ("parent", "Switch")]);
    }
    world.seconds(10 * MINUTE);
    world.inbox.clear();
    world.answers("192.168.1.2", Answer::Hang);
    answer(world, &["TV box", "Doorbell", "Printer"], Answer::Hang);
    world.seconds(10 * MINUTE);
}

fn power_came_back(world: &mut World) {
    let everybody: Vec<&str> = ON_HOST.into_iter().chain(ELSEWHERE.map(|(name, _)| name)).collect();
    answer(world, &everybody, Answer::Hang);
    world.power_cut(Duration::from_secs(HOUR));
    world.seconds(30);
    answer(world, &everybody, Answer::Pass);
    answer(world, &["NAS"], Answer::Hang);
    answer(world, &["TV box"], Answer::Refused);
    world.seconds(20 * MINUTE);
}

/// As a household in the middle of Europe reads it.
fn letter_of(kind: &Kind) -> RenderedMail {
    let mut world = household();
    (kind.live)(&mut world);
    let Some((at, mail)) = world.inbox.last() else { panic!("{}: no mail came", kind.file) };
    let has_link = mail.tells_of_trouble() && !world.now.wall.is_plainly_wrong();
    let links = Links { status: Some(STATUS_URL), mute: has_link.then_some(MUTE_URL) };
    letter::write(mail, Moment::from_millis(*at), &berlin(), links)
}

fn berlin() -> Zone {
    Zone::from_posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
}

const START: &str = "\
# The mails, as they are read

Each kind of mail of a household, by day and by night, and its plain text. They are written by the engine itself, which lives through
each of these stories in virtual time; `make mails` makes this page anew, and a test holds it against what is written today.
What brings them, and what becomes of them, stands in [mail.md](mail.md); why some wait, in [household.md](household.md).
";

fn section(kind: &Kind, letter: &RenderedMail) -> String {
    let Kind { file, title, story, .. } = kind;
    let mut text = String::new();
    writeln!(text, "\n## {title}\n\n{story}\n").unwrap();
    writeln!(text, "<picture>").unwrap();
    writeln!(
        text,
        "  <source media=\"(prefers-color-scheme: dark)\" srcset=\"mails/{file}-dark.png\">"
    )
    .unwrap();
    writeln!(text, "  <img src=\"mails/{file}.png\" width=\"400\" alt=\"the mail on a phone\">")
        .unwrap();
    writeln!(text, "</picture>\n\n```\nSubject: {}\n\n{}```", letter.subject, letter.text).unwrap();
    text
}

#[test]
fn the_page_of_the_mails_shows_what_is_written_today() {
    let letters: Vec<RenderedMail> = KINDS.iter().map(letter_of).collect();
    let sections = KINDS.iter().zip(&letters).map(|(kind, letter)| section(kind, letter));
    let page = START.to_owned() + &sections.collect::<String>();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/mails.md");
    if let Some(folder) = std::env::var_os("MAILS") {
        std::fs::write(&path, &page).unwrap();
        for (kind, letter) in KINDS.iter().zip(&letters) {
            let file = Path::new(&folder).join(kind.file).with_extension("html");
            std::fs::write(file, &letter.html).unwrap();
        }
    }
    let shown = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = shown.lines().zip(page.lines()).find(|(shown, written)| shown != written);
    assert!(
        shown == page,
        "docs/mails.md is of other letters: `make mails`. It begins at {differs:?}"
    );
}
