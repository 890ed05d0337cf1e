//! From the plan to the house: everything in the order of time, causes with all that they reach.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::answers::{Answers, Asked, Endpoint, NOBODY, left};
use super::apps::App;
use super::conditions::{Condition, Effect, Stage};
use super::plan::{By, Certified, Part, Plan, Times};
use super::quiet::Readers;
use super::rates::Rate;
use super::reporters::{Reporter, Reporters};
use super::spans::{EVER, Spans, span};
use super::{House, Truth};
use crate::chance::SECOND;
use crate::deed::{Deed, Fate, MailMood};
use crate::quick::QuickMap;
use crate::story::{AppId, Cause, HostId, Ms, Reach};

impl Plan<'_> {
    /// The house in which all of it happens.
    pub(crate) fn finish(mut self) -> House {
        let registered = self.registered();
        self.say_what_is_registered(&registered);
        self.set_clocks();
        let deeds = self.deeds_in_order();
        let mail_path = Spans::of(self.mail_path_gone());
        let mail_away = self.mail_away(&deeds);
        let spans = |part| Spans::of(self.outages_of(part).to_vec());
        let (cut_off, carrier_gone) = (spans(Part::OurLink), spans(Part::OurCarrier));
        let line_gone = spans(Part::Line);
        let router_silent = match self.layout.router.answers {
            true => spans(Part::Router),
            false => Spans::of(vec![(0, EVER)]),
        };
        let mut reached = self.reached();
        let mut endpoints = self.endpoints(&registered, &mut reached);
        let (causes, places) = self.causes_in_order(reached);
        self.place_causes(&places, &mut endpoints);
        let reporters = self.reporters();
        let reports_at = reporters.next();
        let answers = self.answers(endpoints);
        let apps =
            self.layout.apps.iter().map(|app| (app.name.clone(), HostId(app.host))).collect();
        let (people, told) = (self.layout.people.clone(), |spans: &Spans| spans.told(self.end));
        let (router_away, line_away) = (told(&router_silent), told(&line_gone));
        let reminds = self.layout.reminds;
        let quiet = self.layout.quiet;
        let truth =
            Truth { people, apps, causes, mail_away, router_away, line_away, reminds, quiet };
        House {
            began: self.layout.calendar.began,
            deeds,
            reporters,
            reports_at,
            answers,
            cut_off,
            carrier_gone,
            router_silent,
            line_gone,
            mail_path,
            readers: Readers::of(self.seed, self.rates, &self.layout.calendar),
            truth,
        }
    }

    /// For each app when it registers: as soon as it, or a person, can reach us.
    fn registered(&mut self) -> Vec<Vec<Ms>> {
        let our_link = Spans::of(self.outages_of(Part::OurLink).to_vec());
        let cut_off = |conditions: &Vec<Condition>| {
            let away = conditions.iter().filter(|it| {
                it.stage <= Stage::Host
                    && it.stage != Stage::Name
                    && matches!(it.effect, Effect::NoRoute(_) | Effect::Silent | Effect::Hangs)
            });
            Spans::of(away.map(|it| (it.from, it.until)).collect())
        };
        let cut_off: Vec<Spans> = self.conditions.iter().map(cut_off).collect();
        let mut all = vec![BTreeSet::new(); self.conditions.len()];
        let lost = &self.lost;
        let registers = self.registers.drain(..).filter(|(at, app, _)| *at < lost[app.0]);
        for (at, AppId(app), by) in registers {
            let then = match by {
                By::App => tried_until_free(&cut_off[app], at),
                By::Person => tried_until_free(&our_link, at),
            };
            if then < self.end {
                all[app].insert(then);
            }
        }
        all.into_iter().map(|times| times.into_iter().collect()).collect()
    }

    /// How often the host of an app had moved by then.
    fn moves_by(&self, app: usize, at: Ms) -> usize {
        let moves = &self.moves[self.layout.apps[app].host];
        moves.iter().filter(|it| it.at <= at).count()
    }

    fn say_what_is_registered(&mut self, registered: &[Vec<Ms>]) {
        for moves in &mut self.moves {
            moves.sort_by_key(|it| it.at);
        }
        for (app, times) in registered.iter().enumerate() {
            let known = &self.layout.apps[app];
            for at in times {
                let by_then = self.settings[app].iter().filter(|(from, _)| from <= at);
                let Some((_, settings)) = by_then.max_by_key(|(from, _)| *from) else { continue };
                let address = self.address(known.host, self.moves_by(app, *at));
                let fields = known.fields(settings, &address, &self.layout.people);
                self.deeds.push((*at, Deed::Register { app: AppId(app), fields }));
            }
        }
    }

    /// After a boot the clock is wrong until the network is there and somebody tells the time.
    fn set_clocks(&mut self) {
        let parts = [Part::OurLink, Part::Line, Part::Names, Part::OurMachine];
        let away = parts.iter().flat_map(|part| self.outages_of(*part)).copied().collect();
        let away = Spans::of(away);
        let boots: Vec<Ms> =
            self.deeds.iter().filter_map(|(at, deed)| boots_wrong(*at, deed)).collect();
        for boot in boots {
            let asked = boot + self.chance("time server", boot, 0).between(10..=60) * SECOND;
            let told = away.free_from(asked);
            // What boots again before then is set after that.
            let mut offs = self.outages_of(Part::OurMachine).iter();
            let boots_again =
                self.we_are_off(boot) || offs.any(|(off, _)| (boot..told).contains(off));
            if !boots_again {
                self.deeds.push((told, Deed::ClockOff(0)));
            }
        }
    }

    fn deeds_in_order(&mut self) -> VecDeque<(Ms, Deed)> {
        let mut deeds = std::mem::take(&mut self.deeds);
        deeds.retain(|(at, deed)| {
            *at < self.end && !(needs_our_machine(deed) && self.we_are_off(*at))
        });
        deeds.sort_by_key(|(at, _)| *at);
        deeds.into()
    }

    fn mail_away(&self, deeds: &VecDeque<(Ms, Deed)>) -> Vec<crate::story::Span> {
        let mut away = self.mail_path_gone();
        let mut since = None;
        for (at, deed) in deeds {
            match deed {
                Deed::Mail(MailMood::Away | MailMood::Refuses) => since = since.or(Some(*at)),
                Deed::Mail(_) => away.extend(since.take().map(|from| (from, *at))),
                _ => {}
            }
        }
        away.extend(since.map(|from| (from, EVER)));
        away.retain(|(from, _)| *from < self.end);
        Spans::of(away).told(self.end)
    }

    /// From when to when each cause acts on each app.
    fn reached(&self) -> BTreeMap<(usize, usize), Times> {
        let mut reached = BTreeMap::new();
        for (app, conditions) in self.conditions.iter().enumerate() {
            for it in conditions {
                let times: &mut Times =
                    reached.entry((it.cause, app)).or_insert((it.from, it.until));
                *times = (times.0.min(it.from), times.1.max(it.until));
            }
        }
        reached
    }

    /// Every address that an app is ever registered with; whoever is asked at one that was left is reached
    /// by the move until they register anew.
    fn endpoints(
        &self,
        registered: &[Vec<Ms>],
        reached: &mut BTreeMap<(usize, usize), Times>,
    ) -> QuickMap<Endpoint> {
        let mut endpoints = QuickMap::default();
        for (app, times) in registered.iter().enumerate() {
            let known = &self.layout.apps[app];
            for (place, at) in times.iter().enumerate() {
                let by_then = self.moves_by(app, *at);
                let address = self.address(known.host, by_then);
                let Some(url) = known.health_url(&address) else { continue };
                let next = self.moves[known.host].get(by_then);
                let again = times.get(place + 1).copied().unwrap_or(EVER);
                if let Some(next) = next.filter(|next| next.at < again && next.at < self.end) {
                    reached.insert((next.cause, app), (next.at, again));
                }
                let left = next
                    .map(|next| left(next.at, known.watch.found_elsewhere(&next.left), next.cause));
                endpoints.insert(url, Endpoint { app, left });
            }
        }
        endpoints
    }

    /// Those that reach somebody, by their beginnings, and where each of the plan's stands then.
    fn causes_in_order(
        &self,
        reached: BTreeMap<(usize, usize), Times>,
    ) -> (Vec<Cause>, Vec<usize>) {
        let mut all: BTreeMap<usize, (Times, Vec<Reach>)> = BTreeMap::new();
        for ((cause, app), (from, until)) in reached {
            let (times, reach) = all.entry(cause).or_insert(((from, until), Vec::new()));
            *times = (times.0.min(from), times.1.max(until));
            reach.push(Reach { app: AppId(app), span: span(from, until, self.end) });
        }
        let mut all: Vec<(usize, (Times, Vec<Reach>))> = all.into_iter().collect();
        all.sort_by_key(|(_, ((from, _), _))| *from);
        let mut places = vec![NOBODY; self.causes.len()];
        let mut causes = Vec::new();
        for (cause, ((from, until), reach)) in all {
            places[cause] = causes.len();
            causes.push(Cause {
                kind: self.causes[cause],
                reach,
                span: span(from, until, self.end),
            });
        }
        (causes, places)
    }

    /// From now on each cause has the place that it has in the story.
    fn place_causes(&mut self, places: &[usize], endpoints: &mut QuickMap<Endpoint>) {
        let left = endpoints.values_mut().filter_map(|endpoint| endpoint.left.as_mut());
        let conditions = self.conditions.iter_mut().flatten().chain(left);
        conditions.for_each(|condition| condition.cause = places[condition.cause]);
        for certified in self.certificates.iter_mut().flatten() {
            certified.said = places[certified.said];
            certified.told = places[certified.told];
        }
    }

    /// Those who report by themselves. Nobody asks them.
    fn reporters(&mut self) -> Reporters {
        let layout = self.layout;
        let twice = self.rates.of(Rate::ReportTwice);
        let of = |(app, known): (usize, &App)| {
            let reports = known.reports()?;
            let conditions = std::mem::take(&mut self.conditions[app]);
            let when = (&layout.calendar, known.arrives, self.end);
            Some(Reporter::new(AppId(app), (reports, twice), conditions, when, self.seed))
        };
        Reporters::new(layout.apps.iter().enumerate().filter_map(of).collect())
    }

    fn answers(&mut self, endpoints: QuickMap<Endpoint>) -> Answers {
        let conditions = std::mem::take(&mut self.conditions);
        let certificates = std::mem::take(&mut self.certificates);
        type Its = (Vec<Condition>, Vec<Certified>);
        let asked = |(app, (conditions, certificates)): (usize, Its)| {
            let known = &self.layout.apps[app];
            let key = self.seed ^ crate::chance::mix(app as u64);
            Asked::new(conditions, certificates, (known.latency, known.timeout()), key)
        };
        let apps = conditions.into_iter().zip(certificates).enumerate().map(asked);
        Answers::new(endpoints, apps.collect(), self.layout.calendar.began)
    }
}

/// The first try, one every ten seconds from `at` on, that is in none of these.
fn tried_until_free(away: &Spans, at: Ms) -> Ms {
    let mut then = at;
    loop {
        match away.free_from(then) {
            free if free == then => return then,
            EVER => return EVER,
            free => then = at + (free - at).next_multiple_of(10 * SECOND),
        }
    }
}

/// When our machine boots with a clock that is not right.
fn boots_wrong(at: Ms, deed: &Deed) -> Option<Ms> {
    match deed {
        Deed::Ours(
            Fate::PowerCut { away, clock_off_ms } | Fate::ShutDown { away, clock_off_ms },
        ) if *clock_off_ms != 0 => Some(at + away.as_millis() as Ms),
        _ => None,
    }
}

/// What cannot happen while our machine is off; a power cut while it boots can.
fn needs_our_machine(deed: &Deed) -> bool {
    match deed {
        Deed::Ours(fate) => !matches!(fate, Fate::PowerCut { .. }),
        Deed::ClockOff(_) => true,
        _ => false,
    }
}
