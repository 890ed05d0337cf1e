//! Killed at any moment of an interruption and of what comes after it: who is not back is told once, and so is
//! their return.

use std::time::Duration;

use super::settling::{A_WHILE, HOUSE, answer, cut, house};
use super::world::{Answer, World};
use healthchecker::engine::surroundings::look::Sight;

/// Steps of a sweep: an odd time, so that it falls before, on and after what is due.
const STEP: u64 = 37;
/// Until all is over: apps are awaited for ten minutes, and anew after a kill.
const ALL: u64 = 1300;

/// Lives through `story`, in which Kodi does not come back, and is killed at each moment after it; then Kodi is
/// well. `reboot`: it is the power that goes.
fn sweep(story: impl Fn(&mut World), is_told: impl Fn(&str) -> bool, reboot: bool) {
    for at in (0..ALL).step_by(usize::try_from(STEP).unwrap()) {
        let mut world = house();
        story(&mut world);
        world.seconds(at);
        if reboot {
            world.power_cut(Duration::from_secs(20));
        } else {
            world.restart();
        }
        world.seconds(3000 - at);
        let mails = world.mails();
        assert!(mails.len() == 1 && is_told(&mails[0]), "killed after {at} s: {mails:?}");
        answer(&mut world, &["Kodi"], Answer::Pass);
        world.seconds(900);
        let mails = world.mails();
        assert_eq!(mails.len(), 2, "killed after {at} s: {mails:?}");
        assert!(mails[1].contains("Kodi"), "killed after {at} s: {mails:?}");
    }
}

/// All others are back after a minute.
fn back_but_kodi(world: &mut World) {
    world.seconds(60);
    answer(world, &["NAS", "TV box", "Heating"], Answer::Pass);
}

fn is_report(mail: &str) -> bool {
    mail == "3/4 well, not Kodi"
}

/// Within one boot a kill may leave nothing to settle: then it is told by itself.
fn is_about_kodi(mail: &str) -> bool {
    is_report(mail) || mail == "Kodi UNHEALTHY"
}

fn power_cut(world: &mut World) {
    cut(world, &HOUSE);
    back_but_kodi(world);
}

#[test]
fn after_a_power_cut() {
    sweep(power_cut, is_report, false);
}

#[test]
fn by_a_second_cut_after_a_power_cut() {
    sweep(power_cut, is_report, true);
}

#[test]
fn after_our_network_was_down() {
    let story = |world: &mut World| {
        world.cut_off = true;
        world.pass(A_WHILE);
        answer(world, &["Kodi"], Answer::Hang);
        world.cut_off = false;
    };
    sweep(story, is_about_kodi, false);
}

#[test]
fn after_the_machine_has_slept() {
    let story = |world: &mut World| {
        answer(world, &["Kodi"], Answer::Hang);
        world.sleep(A_WHILE);
    };
    sweep(story, is_about_kodi, false);
}

#[test]
fn after_we_stood_still() {
    let story = |world: &mut World| {
        answer(world, &["Kodi"], Answer::Hang);
        world.engine.handle_standstill(world.now, A_WHILE, A_WHILE);
        world.act();
    };
    sweep(story, is_about_kodi, false);
}

#[test]
fn after_the_router_was_away() {
    let story = |world: &mut World| {
        // It is seen once, and Kodi is behind it.
        answer(world, &["NAS"], Answer::Hang);
        world.seconds(61);
        answer(world, &["NAS"], Answer::Pass);
        world.seconds(180);
        world.gateway = Sight::Nothing;
        answer(world, &["Kodi", "TV box"], Answer::Hang);
        world.seconds(240);
        world.gateway = Sight::Answers;
        answer(world, &["TV box"], Answer::Pass);
    };
    let is_told = |mail: &str| is_about_kodi(mail) || mail == "1/2 well, not Kodi";
    sweep(story, is_told, false);
}
