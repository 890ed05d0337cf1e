//! Random lives from seeds, on a disk that fails, with cuts of the power in between.

use healthchecker::daemon::journal::Urgency;
use proptest::prelude::*;

use super::cases::cases;
use super::keeper::Keeper;

#[derive(Clone, Debug)]
enum Step {
    Append(usize),
    AppendSoon(usize),
    Turn,
    Snapshot,
    Wait(u64),
    Faults(u64),
    Room(Option<usize>),
    Stop,
    Kill,
    PowerCut,
    PowerCutAfter(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (1..4usize).prop_map(Step::Append),
        4 => (1..4usize).prop_map(Step::AppendSoon),
        8 => Just(Step::Turn),
        2 => Just(Step::Snapshot),
        4 => (1..40u64).prop_map(Step::Wait),
        3 => prop_oneof![Just(0u64), 1..20u64, 20..100u64].prop_map(Step::Faults),
        2 => prop::option::of(0..2000usize).prop_map(Step::Room),
        1 => Just(Step::Stop),
        2 => Just(Step::Kill),
        2 => Just(Step::PowerCut),
        3 => (0..12usize).prop_map(Step::PowerCutAfter),
    ]
}

fn live(keeper: &mut Keeper, step: &Step) {
    match *step {
        Step::Append(of) => keeper.append(of, Urgency::Now),
        Step::AppendSoon(of) => keeper.append(of, Urgency::Soon),
        Step::Turn => keeper.turn(),
        Step::Snapshot => keeper.snapshot(),
        Step::Wait(seconds) => keeper.wait(seconds),
        Step::Faults(percent) => keeper.disk.set_faults(percent),
        Step::Room(room) => keeper.disk.set_room(room),
        Step::PowerCutAfter(calls) => keeper.disk.cut_power_after(calls),
        Step::Stop => {
            keeper.stop();
            keeper.start();
        }
        Step::Kill => {
            keeper.kill();
            keeper.start();
        }
        Step::PowerCut => {
            keeper.power_cut();
            keeper.start();
        }
    }
    if keeper.disk.is_dead() {
        keeper.power_cut();
        keeper.start();
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn what_was_acknowledged_is_found_and_nothing_else_appears(
        seed: u64,
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut keeper = Keeper::new(seed);
        steps.iter().for_each(|step| live(&mut keeper, step));

        // Once the disk is well again, so is the journal, without a restart.
        keeper.disk.set_faults(0);
        keeper.disk.set_room(None);
        keeper.disk.revive();
        keeper.wait(30);
        keeper.append(1, Urgency::Now);
        keeper.turn();
        keeper.append(2, Urgency::Now);
        prop_assert_eq!(keeper.trouble(), None);
        let number = *keeper.acknowledged.last().unwrap();
        keeper.power_cut();
        let opened = keeper.start();
        prop_assert_eq!(opened.batches.last().map(|batch| batch[0].batch), Some(number));
        prop_assert_eq!(opened.warnings, Vec::<String>::new());
    }
}
