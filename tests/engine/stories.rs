//! One app, one story each: what its checks bring, which states follow, which mails arrive.

use super::world::{Answer, World};
use healthchecker::engine::state::State;

/// Tells a story to an app with `unhealthy` 2 and `healthy` 3, and gives its state after each check.
///
/// `p w f r h n`: a check passes, warns, fails, is refused, hangs, ends without a verdict.
/// `P R`: pause, resume. `G`: registers again. `M`: registers at another address. `S`: stop.
/// `_`: a day passes while it is paused. `.`: the first interval passes.
fn tell(script: &str) -> (String, String) {
    let mut world = World::new();
    let parameters = [("interval", "30"), ("unhealthy", "2"), ("healthy", "3")];
    world.register("NAS", &parameters);
    let mut states = String::new();
    for (number, step) in script.chars().filter(|step| *step != ' ').enumerate() {
        let answer = match step {
            'p' => Answer::Pass,
            'w' => Answer::Warn,
            'f' => Answer::Fail,
            'r' => Answer::Refused,
            'h' => Answer::Hang,
            'n' => Answer::NoVerdict,
            _ => {
                command(&mut world, step, number);
                continue;
            }
        };
        for host in ["nas", "elsewhere0", "elsewhere1", "elsewhere2", "elsewhere3"] {
            world.answers(host, answer);
        }
        if answer == Answer::NoVerdict {
            world.seconds(30);
        } else {
            world.one_check("NAS");
        }
        states.push(letter(world.state("NAS")));
    }
    // Enough for the welcome, too little for another check.
    world.seconds(11);
    (states, world.mails().join("; "))
}

fn command(world: &mut World, step: char, number: usize) {
    match step {
        'P' => world.pause("NAS"),
        'R' => world.resume("NAS"),
        'G' => world.register_again("NAS"),
        'S' => {
            world.stop("NAS");
            world.register_again("NAS");
        }
        'M' => {
            let url = format!("http://elsewhere{}/", number % 4);
            let parameters =
                [("interval", "30"), ("unhealthy", "2"), ("healthy", "3"), ("url", &url)];
            world.register("NAS", &parameters);
        }
        '_' => world.seconds(86_400),
        _ => panic!("unknown step {step}"),
    }
}

fn letter(state: State) -> char {
    match state {
        State::Unknown => 'U',
        State::Healthy => 'H',
        State::Degraded => 'D',
        State::Unhealthy => 'X',
    }
}

#[track_caller]
fn story(script: &str, states: &str, mails: &str) {
    let states = states.replace(' ', "");
    assert_eq!(tell(script), (states, mails.to_owned()), "{script}");
}

const BAD: &str = "NAS UNHEALTHY";
const SICK: &str = "NAS DEGRADED";
const WELL: &str = "NAS HEALTHY";
const HELLO: &str = "watching NAS";

#[test]
fn well() {
    story("p", "U", HELLO);
    story("ppp", "UUH", HELLO);
    story("pppppp", "UUHHHH", HELLO);
    story("ww", "UD", SICK);
    story("wp", "UU", HELLO);
}

#[test]
fn one_lone_failure_changes_no_state() {
    story("ppp f ppp", "UUH H HHH", HELLO);
    story("ppp f p f p f p", "UUH HHHHHH", HELLO);
    story("ppp w p", "UUH HH", HELLO);
    story("ppp h ppp", "UUH H HHH", HELLO);
    story("f ppp", "U UUH", HELLO);
}

#[test]
fn unhealthy_and_back() {
    story("ppp ff", "UUH HX", &format!("{HELLO}; {BAD}"));
    story("ppp ffff", "UUH HXXX", &format!("{HELLO}; {BAD}"));
    story("ppp ff ppp", "UUH HX XXH", &format!("{HELLO}; {BAD}; {WELL}"));
    story(
        "ppp ff ppp ff ppp",
        "UUH HX XXH HX XXH",
        &format!("{HELLO}; {BAD}; {WELL}; NAS keeps failing"),
    );
    story("ppp hh", "UUH HX", &format!("{HELLO}; {BAD}"));
    story("ff", "UX", BAD);
    story("ff ppp", "UX XXH", &format!("{BAD}; {HELLO}; {WELL}"));
    story("ppp ff pp f ppp", "UUH HX XX X XXH", &format!("{HELLO}; {BAD}; {WELL}"));
}

#[test]
fn degraded() {
    story("ppp ww", "UUH HD", &format!("{HELLO}; {SICK}"));
    story("ppp wf", "UUH HD", &format!("{HELLO}; {SICK}"));
    story("ppp fw", "UUH HD", &format!("{HELLO}; {SICK}"));
    story("ppp wwww", "UUH HDDD", &format!("{HELLO}; {SICK}"));
    story("ppp ww ppp", "UUH HD DDH", &format!("{HELLO}; {SICK}; {WELL}"));
    story("ppp ww ff", "UUH HD DX", &format!("{HELLO}; {SICK}; {BAD}"));
    story("ppp wff", "UUH HDX", &format!("{HELLO}; {SICK}; {BAD}"));
    story("ppp ww pw ppp", "UUH HD DD DDH", &format!("{HELLO}; {SICK}; {WELL}"));
}

#[test]
fn from_unhealthy_by_way_of_degraded() {
    story("ppp ff www", "UUH HX XXD", &format!("{HELLO}; {BAD}"));
    story("ppp ff wpw", "UUH HX XXD", &format!("{HELLO}; {BAD}"));
    story("ppp ff wpw ppp", "UUH HX XXD DDH", &format!("{HELLO}; {BAD}; {WELL}"));
    story("ppp ff www ff", "UUH HX XXD DX", &format!("{HELLO}; {BAD}"));
    story("ppp ff wfww", "UUH HX XXXX", &format!("{HELLO}; {BAD}"));
}

#[test]
fn a_pause_forgets_the_state_but_not_the_alert() {
    story("ppp P_R pp", "UUH UU", HELLO);
    story("ppp P_R ppp", "UUH UUH", HELLO);
    story("ppp f PR f", "UUH H U", HELLO);
    story("ppp ff PR ppp", "UUH HX UUH", &format!("{HELLO}; {BAD}; {WELL}"));
    story("ppp ff PR ff", "UUH HX UX", &format!("{HELLO}; {BAD}"));
    story("ppp ff PR ww", "UUH HX UD", &format!("{HELLO}; {BAD}"));
    story("ppp ff P_R P_R ppp", "UUH HX UUH", &format!("{HELLO}; {BAD}; {WELL}"));
    story("ppp PPRR ppp", "UUH UUH", HELLO);
    story("ppp R ppp", "UUH HHH", HELLO);
}

#[test]
fn registering_again_keeps_state_and_alert() {
    story("ppp G ppp", "UUH HHH", HELLO);
    story("ppp G f", "UUH H", HELLO);
    story("ppp f G f", "UUH H X", &format!("{HELLO}; {BAD}"));
    story("ppp ff G p", "UUH HX X", &format!("{HELLO}; {BAD}"));
    story("ppp ff G ppp", "UUH HX XXH", &format!("{HELLO}; {BAD}; {WELL}"));
    story("ppp GGGGGG p", "UUH H", HELLO);
    story("ppp P G", "UUH", HELLO);
}

#[test]
fn another_address_is_unknown_again() {
    story("ppp M p", "UUH U", HELLO);
    story("ppp ff M ppp", "UUH HX UUH", &format!("{HELLO}; {BAD}; {WELL}"));
    story("ppp ff M ff", "UUH HX UX", &format!("{HELLO}; {BAD}"));
}

#[test]
fn stopping_ends_the_alert() {
    story("ppp ff S ppp", "UUH HX UUH", &format!("{HELLO}; {BAD}; {HELLO}"));
    story("ppp ff S ff", "UUH HX UX", &format!("{HELLO}; {BAD}; {BAD}"));
}

#[test]
fn a_refused_connection_just_after_a_registration_does_not_count() {
    story("r ppp", "U UUH", HELLO);
    story("rr ppp", "UU UUH", HELLO);
    story("rrr p", "UUU U", HELLO);
    story("rrrr", "UUUX", BAD);
    story("ppp G r ppp", "UUH H HHH", HELLO);
    story("ppp G rr p", "UUH HH H", HELLO);
    story("ppp r r", "UUH HX", &format!("{HELLO}; {BAD}"));
}

#[test]
fn no_verdict_counts_neither_way() {
    story("ppp n f n", "UUH H H H", HELLO);
    story("ppp f n f", "UUH H H X", &format!("{HELLO}; {BAD}"));
    story("n ppp", "U UUH", HELLO);
}

#[test]
fn an_app_that_answers_slowly_is_degraded_and_well_again_when_it_is_quick() {
    let mut world = World::new();
    world.register("Blog", &[("interval", "30"), ("healthy", "2"), ("slow", "500")]);
    world.answers("Blog", Answer::Slow(500));
    world.seconds(120);
    assert_eq!(world.state("Blog"), State::Healthy);
    world.answers("Blog", Answer::Slow(501));
    world.seconds(120);
    assert_eq!(world.state("Blog"), State::Degraded);
    let last = world.engine.view().info(world.now, "Blog").unwrap().app.last_check.unwrap();
    assert_eq!(last.reason, "slow: 501 ms, more than 500 ms");
    world.answers("Blog", Answer::Pass);
    world.seconds(120);
    assert_eq!(world.state("Blog"), State::Healthy);
}
