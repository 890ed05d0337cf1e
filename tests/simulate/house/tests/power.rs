//! What a power cut does: to each host, to us, to our clock.

use std::time::Duration;

use super::small::{DAY, house, layout, nothing, reached};
use crate::chance::{Chance, HOUR, MINUTE, SECOND};
use crate::deed::{Deed, Fate};
use crate::house::befall::befall;
use crate::house::befall::power::cut;
use crate::house::layout::{Layout, OurClock, Supply};
use crate::house::plan::Plan;
use crate::house::rates::Rate;
use crate::house::{House, Size};
use crate::story::{AppId, CauseKind, Ms};

/// A cut at ten past one, UTC.
const AT: Ms = HOUR + 10 * MINUTE;

fn after_a_cut(layout: &Layout, lasts: Ms) -> House {
    house(layout, |plan| cut(plan, &mut Chance::of(1, "cut", 0), (AT, AT + lasts)))
}

/// Everything of one sort, and when.
type Timed<T> = Vec<(Ms, T)>;

/// What becomes of us, and when the clock is set.
fn ours(house: &mut House) -> (Timed<Fate>, Timed<i64>) {
    let (mut fates, mut clock) = (Vec::new(), Vec::new());
    while let Some((at, deed)) = house.pop() {
        match deed {
            Deed::Ours(fate) => fates.push((at, fate)),
            Deed::ClockOff(off) => clock.push((at, off)),
            _ => {}
        }
    }
    (fates, clock)
}

#[test]
fn each_comes_back_in_its_own_time() {
    let told = reached(after_a_cut(&layout(), MINUTE));
    // 4200 is the cut; a switch needs 10 s, a host 65, the router 120, our machine 45 with its app.
    assert_eq!(
        told,
        [
            (
                CauseKind::PowerCut,
                "beside 4200-4325, other switch 4200-4325, subnet 4200-4380, outside 4200-4380, \
                 here 4200-4305, named 4200-4325"
                    .to_owned()
            ),
            (
                CauseKind::OurLink,
                "beside 4200-4270, other switch 4200-4270, subnet 4200-4270, outside 4200-4270, \
                 named 4200-4270"
                    .to_owned()
            ),
        ]
    );
}

#[test]
fn our_clock_is_wrong_until_the_way_out_is_back() {
    let mut layout = layout();
    let (fates, clock) = ours(&mut after_a_cut(&layout, MINUTE));
    let away = Duration::from_secs(100);
    // At ten past one it shows one o'clock, and 100 s went by.
    let clock_off_ms = -((10 * MINUTE + 100 * SECOND) as i64);
    assert_eq!(fates, [(AT, Fate::PowerCut { away, clock_off_ms })]);
    assert_eq!(clock.len(), 1);
    assert!(clock[0].1 == 0 && clock[0].0 >= AT + 3 * MINUTE, "{clock:?}");
    layout.ours.clock = OurClock::In1970;
    let (fates, _) = ours(&mut after_a_cut(&layout, MINUTE));
    let clock_off_ms = -(layout.calendar.began + (AT + 100 * SECOND) as i64);
    assert_eq!(fates, [(AT, Fate::PowerCut { away, clock_off_ms })]);
    layout.ours.clock = OurClock::Right;
    let (fates, clock) = ours(&mut after_a_cut(&layout, MINUTE));
    assert_eq!(fates, [(AT, Fate::PowerCut { away, clock_off_ms: 0 })]);
    assert_eq!(clock, []);
}

#[test]
fn a_ups_keeps_us_alive_and_stops_us_in_order_at_its_end() {
    let mut layout = layout();
    layout.ours.ups = Some(10 * MINUTE);
    layout.hosts[0].supply = Supply::Ups;
    let mut house = after_a_cut(&layout, MINUTE);
    assert_eq!(ours(&mut house), (vec![], vec![]));
    let told = reached(house);
    assert_eq!(told[0].0, CauseKind::PowerCut);
    assert!(!told[0].1.contains("beside") && !told[0].1.contains("here"), "{told:?}");
    // It lives, and nobody can see that: our switch is dead.
    assert!(told[1].0 == CauseKind::OurLink && told[1].1.contains("beside 4200-4270"), "{told:?}");

    let mut house = after_a_cut(&layout, HOUR);
    let (fates, _) = ours(&mut house);
    let away = Duration::from_millis(50 * MINUTE + 40 * SECOND);
    let clock_off_ms = -(away.as_millis() as i64);
    assert_eq!(fates, [(AT + 10 * MINUTE, Fate::ShutDown { away, clock_off_ms })]);
    let told = reached(house);
    assert!(told[0].1.contains("beside 4800-7865"), "{told:?}");
}

#[test]
fn who_needs_a_person_waits_for_one_and_who_is_lost_is_taken_out() {
    let mut rates = nothing();
    rates.set(Rate::NotBack, 1.0);
    let layout = layout();
    let (mut helped, mut lost) = (0, 0);
    for seed in 0..40 {
        let mut plan = Plan::new(seed, Size { days: 30, ..DAY }, &rates, &layout);
        befall(&mut plan);
        cut(&mut plan, &mut Chance::of(seed, "cut", 0), (AT, AT + MINUTE));
        let mut house = plan.finish();
        let mut again = 0;
        let mut stopped = 0;
        while let Some((at, deed)) = house.pop() {
            match deed {
                // A person comes in the morning at the earliest.
                Deed::Register { app: AppId(0), .. } if at > AT => {
                    assert!(at > 6 * HOUR, "{at}");
                    again += 1;
                }
                Deed::Stop(AppId(0)) => stopped += 1,
                _ => {}
            }
        }
        assert_eq!(again + stopped, 1);
        helped += again;
        lost += stopped;
    }
    assert!(helped > 20 && lost > 0, "{helped} {lost}");
}

#[test]
fn a_second_cut_while_all_boots_counts_from_its_own_end() {
    let layout = layout();
    let mut house = house(&layout, |plan| {
        let chance = &mut Chance::of(1, "cut", 0);
        cut(plan, chance, (AT, AT + MINUTE));
        cut(plan, chance, (AT + 80 * SECOND, AT + 5 * MINUTE));
    });
    let (fates, clock) = ours(&mut house);
    assert_eq!(fates.len(), 2);
    // The clock is set once, after the second.
    assert!(clock.len() == 1 && clock[0].0 >= AT + 7 * MINUTE, "{clock:?}");
}
