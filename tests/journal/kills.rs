//! The daemon is killed while it watches what comes and goes, at any moment and in the middle of a line of its journal:
//! what people are told is the same, nothing of it is lost, and nothing told twice.

use healthchecker::daemon::journal::{JOURNAL, Journal};
use healthchecker::engine::record::Record;

use super::faulty::Faulty;
use super::household::written;
use super::world::{Answer, World};

const USUAL: [(&str, &str); 2] = [("interval", "30"), ("healthy", "4")];
const HOUR: u64 = 3600;

/// What happens in each second of a story.
type Story = fn(&mut World, u64);

/// Kills the daemon while it appends a line to its journal, and starts it from what the disk holds.
fn kill(world: &mut World) {
    let disk = Faulty::new(1);
    let mut bytes = written(&world.journal);
    let last = bytes.split_inclusive(|byte| *byte == b'\n').next_back().unwrap_or_default();
    let half = last[..last.len() / 2].to_vec();
    bytes.extend(half);
    disk.put(JOURNAL, &bytes);
    let (_, opened) = Journal::<Record>::open(disk, |_| ()).unwrap();
    assert!(!opened.lost);
    let batches = opened.batches.iter().filter(|batch| !batch.is_empty());
    world.journal = batches.map(|batch| serde_json::to_string(batch).unwrap()).collect();
    world.restart();
}

/// What people are told of a story of two hours, and of the hours after it, if the daemon is killed after so many
/// seconds.
fn told(story: Story, killed: Option<u64>) -> Vec<String> {
    let mut world = World::new();
    for (name, url) in [("NAS", "http://nas/"), ("Kodi", "http://nas:81/"), ("TV", "http://tv/")] {
        world.register(name, &[&USUAL[..], &[("url", url)]].concat());
    }
    world.seconds(300);
    world.inbox.clear();
    for second in 0..2 * HOUR {
        if killed == Some(second) {
            kill(&mut world);
        }
        story(&mut world, second);
        world.seconds(1);
    }
    world.seconds(9 * HOUR);
    // What was under way when it was killed comes once more, under the same id.
    world.inbox.dedup_by_key(|(_, mail)| mail.message_id.clone());
    // Those of one end come in the order in which they were read.
    world.mails().into_iter().map(|mail| mail.replace("Kodi, NAS", "NAS, Kodi")).collect()
}

fn is_the_same_however_it_is_killed(story: Story, mails: &[&str], every: usize) {
    assert_eq!(told(story, None), mails);
    for second in (0..2 * HOUR).step_by(every) {
        assert_eq!(told(story, Some(second)), mails, "killed after {second} s");
    }
}

/// Silent for two minutes in every quarter of an hour.
fn comes_and_goes(world: &mut World, second: u64) {
    match second % 900 {
        0 => world.answers("tv", Answer::Hang),
        120 => world.answers("tv", Answer::Pass),
        _ => {}
    }
}

/// A bad link: now one app of a host is silent, now the other; and the one at last for long.
fn bad_link(world: &mut World, second: u64) {
    match second {
        0 => world.answers("nas", Answer::Hang),
        150 => world.answers("nas", Answer::Pass),
        900 => world.answers("nas:81", Answer::Hang),
        1_050 => world.answers("nas:81", Answer::Pass),
        1_800 => world.answers("nas", Answer::Hang),
        2_100 => world.answers("nas", Answer::Pass),
        2_700 => world.answers("nas", Answer::Hang),
        4_500 => world.answers("nas", Answer::Pass),
        _ => {}
    }
}

#[test]
fn that_an_app_keeps_failing_is_told_once_and_its_end_when_it_is_believed() {
    let mails = ["TV UNHEALTHY", "TV HEALTHY", "TV keeps failing", "TV HEALTHY"];
    is_the_same_however_it_is_killed(comes_and_goes, &mails, 41);
}

#[test]
fn a_host_that_comes_and_goes_is_told_as_one_and_its_end_once() {
    let mails = ["NAS UNHEALTHY", "NAS HEALTHY", "Kodi silent", "NAS silent", "NAS, Kodi back"];
    is_the_same_however_it_is_killed(bad_link, &mails, 41);
}
