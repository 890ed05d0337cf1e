//! Whatever happens in whatever order, against what must always hold.

use proptest::prelude::*;

use super::super::slot::Pace;
use super::*;

const APPS: u64 = 4;
const HOSTS: [&str; 2] = ["here", "there"];

#[derive(Clone, Debug)]
enum Step {
    Add(u64, usize),
    Remove(u64),
    Pause(u64),
    Resume(u64),
    Relocate(u64, usize),
    Repace(u64, u64),
    AskNow(u64),
    StandStill(u64),
    Haste(Option<u64>),
    /// The oldest check that is under way ends, or the newest.
    End {
        oldest: bool,
        how: u8,
    },
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let (app, host) = (1..=APPS, 0..HOSTS.len());
    prop_oneof![
        3 => (app.clone(), host.clone()).prop_map(|(app, host)| Step::Add(app, host)),
        1 => app.clone().prop_map(Step::Remove),
        1 => app.clone().prop_map(Step::Pause),
        2 => app.clone().prop_map(Step::Resume),
        2 => (app.clone(), host).prop_map(|(app, host)| Step::Relocate(app, host)),
        1 => (app.clone(), 5..300u64).prop_map(|(app, interval)| Step::Repace(app, interval)),
        1 => app.prop_map(Step::AskNow),
        1 => (0..3u64).prop_map(Step::StandStill),
        1 => prop::option::of(5..60u64).prop_map(Step::Haste),
        8 => (any::<bool>(), 0..5u8).prop_map(|(oldest, how)| Step::End { oldest, how }),
        6 => (1..15_000u64).prop_map(Step::Pass),
    ]
}

/// What the scheduler was told, as whoever wires it has to keep track of.
#[derive(Default)]
struct Told {
    /// Each app that is watched: its host, and whether it is paused.
    apps: BTreeMap<AppId, (usize, bool)>,
    /// By check: what is asked.
    under_way: BTreeMap<u64, Destination>,
    added: u64,
}

struct Life {
    clockwork: Clockwork,
    told: Told,
    seen: usize,
}

impl Life {
    fn live(&mut self, step: &Step) {
        let now = self.clockwork.now();
        let scheduler = &mut self.clockwork.scheduler;
        let watched =
            |app: u64| self.told.apps.keys().find(|id| id.0 % APPS == app % APPS).copied();
        match *step {
            Step::Add(app, host) if watched(app).is_none() => {
                self.told.added += 1;
                let id = AppId(self.told.added * APPS + app);
                scheduler.add(now, id, every(10), &named(id, host));
                self.told.apps.insert(id, (host, false));
            }
            Step::Remove(app) => {
                let Some(id) = watched(app) else { return };
                let (host, _) = self.told.apps.remove(&id).unwrap();
                scheduler.remove(id, named(id, host));
            }
            Step::Pause(app) => {
                let Some(id) = watched(app) else { return };
                self.told.apps.get_mut(&id).unwrap().1 = true;
                scheduler.pause(id);
            }
            Step::Resume(app) => {
                let Some(id) = watched(app) else { return };
                if std::mem::take(&mut self.told.apps.get_mut(&id).unwrap().1) {
                    scheduler.resume(now, id);
                }
            }
            Step::Relocate(app, host) => {
                let Some(id) = watched(app) else { return };
                let before = std::mem::replace(&mut self.told.apps.get_mut(&id).unwrap().0, host);
                if before != host {
                    scheduler.relocate(now, id, every(10), named(id, before), &named(id, host));
                }
            }
            Step::Repace(app, interval) => {
                watched(app).into_iter().for_each(|id| scheduler.repace(now, id, every(interval)));
            }
            Step::AskNow(app) => {
                let id = watched(app).filter(|id| !self.told.apps[id].1);
                id.into_iter().for_each(|id| scheduler.ask_now(now, id));
            }
            Step::StandStill(span) => scheduler.handle_standstill(seconds(span)),
            Step::Haste(interval) => scheduler.set_haste(now, interval.map(seconds)),
            Step::End { oldest, how } => self.end(oldest, how),
            Step::Pass(ms) => self.pass(ms),
            Step::Add(..) => {}
        }
        self.clockwork.turn();
        self.look();
    }

    fn end(&mut self, oldest: bool, how: u8) {
        let mut under_way = self.clockwork.under_way.keys();
        let Some(check) = (if oldest { under_way.next() } else { under_way.next_back() }) else {
            return;
        };
        let check = *check;
        let end = match how {
            0 => ended(Outcome::Pass),
            1 => ended(Outcome::Fail),
            2 => silence(),
            3 => CheckEnd::NoVerdict { reason: String::new() },
            _ => CheckEnd::CutShort,
        };
        let asked = self.told.under_way.remove(&check).unwrap();
        if let Some(Ended::Verdict { app, .. }) = self.clockwork.end(check, end) {
            let (host, paused) = self.told.apps[&app];
            assert!(!paused && named(app, host) == asked, "a verdict on another, or on nobody");
        }
    }

    fn pass(&mut self, ms: u64) {
        let until = self.clockwork.ms + ms;
        while let Some(next) = self.clockwork.next().filter(|next| *next <= until) {
            self.clockwork.ms = self.clockwork.ms.max(next);
            self.clockwork.turn();
            self.look();
        }
        self.clockwork.ms = until;
    }

    /// Each check that has begun is of an app that is watched and not paused, and there is no other at
    /// its address.
    fn look(&mut self) {
        for (_, begin) in &self.clockwork.begun[self.seen..] {
            let (host, paused) = self.told.apps[&begin.app];
            assert!(!paused, "{begin:?} is of a paused app");
            let destination = named(begin.app, host);
            let twice = self.told.under_way.values().any(|other| *other == destination);
            assert!(!twice, "{destination:?} is asked twice at a time");
            self.told.under_way.insert(begin.check, destination);
        }
        self.seen = self.clockwork.begun.len();
        let slots = self.clockwork.scheduler.slots.values();
        let shared = slots.filter_map(|slot| match slot.pace {
            Pace::Shared { due, interval } => Some((interval, due.at)),
            _ => None,
        });
        assert!(self.clockwork.scheduler.rounds.are_of(shared), "a round with somebody else");
        let due = |id: &AppId| self.clockwork.scheduler.due_at(*id);
        assert!(self.told.apps.iter().all(|(id, (_, paused))| due(id).is_none() == *paused));
    }
}

/// A name comes back as another app, and is never that of two.
fn named(id: AppId, host: usize) -> Destination {
    Destination { name: format!("app{}", id.0 % APPS), ..at_host(id, HOSTS[host]) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nobody_is_asked_twice_at_a_time_nor_while_paused_nor_forgotten(
        workers in 1..12usize,
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let clockwork = Clockwork::new(workers);
        let mut life = Life { clockwork, told: Told::default(), seen: 0 };
        steps.iter().for_each(|step| life.live(step));
        // Everybody answers from now on: each is asked within its interval, and nothing is left over.
        while let Some((check, _)) = life.clockwork.under_way.first_key_value() {
            let check = *check;
            life.clockwork.end(check, ended(Outcome::Pass));
        }
        let from = life.clockwork.begun.len();
        let until = life.clockwork.ms + 300_000;
        life.clockwork.pass_answered_to(until);
        let asked = |id: AppId| life.clockwork.begun[from..].iter().any(|(_, it)| it.app == id);
        for (id, (_, paused)) in &life.told.apps {
            prop_assert_ne!(asked(*id), *paused, "{:?}", id);
        }
        prop_assert_eq!(life.clockwork.scheduler.load().waiting, 0);
        prop_assert!(life.clockwork.scheduler.running.is_empty());
    }
}
