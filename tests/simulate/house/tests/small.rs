//! A small household made by hand: one app on each host, named after its place.

use crate::chance::{MINUTE, SECOND};
use crate::deed::Deed;
use crate::house::Size;
use crate::house::apps::{App, Settings};
use crate::house::calendar::Calendar;
use crate::house::layout::{
    Host, HostKind, Layout, MailServer, NameService, OurClock, Ours, Place, Router, Segment, Supply,
};
use crate::house::plan::Plan;
use crate::house::rates::Rates;
use crate::house::watch::Watch;
use crate::house::{House, befall};
use crate::story::{CauseKind, Ms};

/// For a day. It begins on the 1st of January 2027 at 00:00 UTC.
pub(super) const DAY: Size = Size { days: 1, apps: 6 };

/// Beside ours, on another switch, in another subnet, outside, on our machine, and by a name.
pub(super) const APPS: [&str; 6] = ["beside", "other switch", "subnet", "outside", "here", "named"];

pub(super) fn layout() -> Layout {
    let places = [
        Place::Segment(0),
        Place::Segment(1),
        Place::Segment(2),
        Place::Public,
        Place::Ourselves,
        Place::Segment(0),
    ];
    Layout {
        reminds: false,
        quiet: "",
        calendar: Calendar { began: 1_798_761_600_000 },
        people: vec!["owner@example.org".to_owned()],
        segments: vec![segment(false, 0), segment(false, 0), segment(true, 1)],
        router: Router {
            boots_in: 2 * MINUTE,
            on_ups: false,
            is_core: false,
            is_ours: false,
            answers: true,
            starts_nightly: false,
            reconnects: None,
        },
        names: NameService::Router,
        mail: MailServer::Outside,
        ours: Ours { boots_in: 40 * SECOND, ups: None, clock: OurClock::Saved },
        hosts: places.into_iter().enumerate().map(|(number, place)| host(number, place)).collect(),
        apps: (0..APPS.len()).map(app).collect(),
    }
}

fn segment(is_wireless: bool, subnet: u8) -> Segment {
    Segment { is_wireless, subnet, boots_in: 10 * SECOND, on_ups: false }
}

fn host(number: usize, place: Place) -> Host {
    let (kind, supply) = match place {
        Place::Ourselves => (HostKind::Ourselves, Supply::Own),
        Place::Public => (HostKind::Public, Supply::Own),
        Place::Segment(_) => (HostKind::Server, Supply::Mains),
    };
    Host {
        kind,
        place,
        supply,
        name: (number == 5).then(|| "nas.lan".to_owned()),
        boots_in: MINUTE,
        has_disks: false,
        night: None,
        may_be_off: false,
    }
}

fn app(number: usize) -> App {
    App {
        name: APPS[number].to_owned(),
        host: number,
        watch: Watch::Http,
        port: 8080,
        base: "",
        path: None,
        settings: Settings {
            interval: None,
            timeout: None,
            unhealthy: None,
            healthy: None,
            people: Vec::new(),
        },
        registers: true,
        may_be_off: false,
        parents: Vec::new(),
        quiet: None,
        registers_before: 0,
        stops: false,
        is_supervised: true,
        starts_in: 5 * SECOND,
        latency: 10,
        arrives: SECOND,
    }
}

/// Nothing happens.
pub(super) fn nothing() -> Rates {
    let mut rates = Rates::baseline();
    for place in rates.on() {
        rates = rates.without(place);
    }
    rates
}

/// Nothing befalls it but what the test says, and every app is registered.
pub(super) fn house(layout: &Layout, happens: impl FnOnce(&mut Plan<'_>)) -> House {
    house_with(layout, DAY, &nothing(), happens)
}

/// The same, for so long, and so much befalls it besides.
pub(super) fn house_with(
    layout: &Layout,
    size: Size,
    rates: &Rates,
    happens: impl FnOnce(&mut Plan<'_>),
) -> House {
    let mut plan = Plan::new(1, size, rates, layout);
    befall::befall(&mut plan);
    happens(&mut plan);
    plan.finish()
}

/// All that is done, in order.
pub(super) fn deeds(house: &mut House) -> Vec<(Ms, Deed)> {
    std::iter::from_fn(|| house.pop()).collect()
}

/// Which apps each cause reaches, and from when to when in seconds.
pub(super) fn reached(house: House) -> Vec<(CauseKind, String)> {
    let truth = house.truth();
    let told = |cause: &crate::story::Cause| {
        let reach = cause.reach.iter().map(|reach| {
            let until = reach.span.until.map_or(-1, |until| (until / SECOND) as i64);
            format!("{} {}-{until}", truth.apps[reach.app.0].0, reach.span.from / SECOND)
        });
        (cause.kind, reach.collect::<Vec<String>>().join(", "))
    };
    truth.causes.iter().map(told).collect()
}
