//! A router that has just gone: for some seconds nobody can tell it from one that is there.

use super::away::{hidden_by, house, router_goes};
use super::world::Answer;
use healthchecker::engine::state::State;
use healthchecker::engine::surroundings::look::Sight;

#[test]
fn a_router_that_is_not_known_to_be_away_at_once_is_waited_for_a_moment() {
    for gateway in [Sight::Nothing, Sight::Undecided] {
        let mut world = house();
        router_goes(&mut world, &[]);
        world.gateway = Sight::Undecided;
        let looks = world.looks.len();
        while world.looks.len() == looks {
            world.seconds(1);
        }
        world.seconds(4);
        world.gateway = gateway;
        world.seconds(150);
        let why = hidden_by(&world, "Blog");
        let is_gone = gateway == Sight::Nothing;
        let expected = if is_gone { "the router does not answer" } else { "the internet is away" };
        assert_eq!(why.as_deref(), Some(expected));
    }
}

#[test]
fn a_router_that_seemed_to_be_there_when_the_line_went_is_named_once_it_is_known_to_be_gone() {
    for named in [true, false] {
        let mut world = house();
        world.offline = true;
        world.gateway = if named { Sight::Undecided } else { Sight::Answers };
        while hidden_by(&world, "Blog").as_deref() != Some("the internet is away") {
            world.seconds(1);
        }
        world.gateway = Sight::Nothing;
        world.seconds(40);
        let by = if named { "the router does not answer" } else { "the internet is away" };
        assert_eq!(hidden_by(&world, "Blog").as_deref(), Some(by), "a router that was seen since");
        world.gateway = Sight::Answers;
        world.offline = false;
        world.seconds(900);
        assert_eq!(world.mails(), [] as [&str; 0]);
        assert_eq!(world.state("Blog"), State::Healthy);
    }
}

#[test]
fn a_router_that_has_answered_before_our_restart_need_not_be_waited_for() {
    let mut world = house();
    world.link_is_slow = true;
    world.restart();
    router_goes(&mut world, &["kodi"]);
    world.seconds(150);
    for name in ["Kodi", "Blog", "Shop"] {
        assert_eq!(
            hidden_by(&world, name).as_deref(),
            Some("the router does not answer"),
            "{name}"
        );
    }
    world.seconds(600);
    assert_eq!(world.mails(), ["2/5 well, not Blog, Kodi, Shop"]);
}

#[test]
fn who_is_behind_a_router_that_may_just_have_gone_is_not_blamed_before_that_is_known() {
    let mut world = house();
    router_goes(&mut world, &["kodi"]);
    world.gateway = Sight::Undecided;
    world.one_check_begins("kodi");
    world.seconds(10);
    assert_eq!((world.state("Kodi"), hidden_by(&world, "Kodi")), (State::Healthy, None));
    world.gateway = Sight::Nothing;
    world.seconds(300);
    assert_eq!(hidden_by(&world, "Kodi").as_deref(), Some("the router does not answer"));
    // Where it cannot be known, that is waited for no longer than a moment.
    let mut world = house();
    (world.gateway, world.looks) = (Sight::Undecided, Vec::new());
    world.answers("kodi", Answer::Hang);
    world.seconds(180);
    assert_eq!(world.mails(), ["Kodi UNHEALTHY"]);
}
