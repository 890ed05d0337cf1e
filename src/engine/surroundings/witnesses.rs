//! Who is asked whether anybody lives.

use super::look::{Place, Witness};
use super::network::is_elsewhere;
use crate::engine::registration::Host;
use crate::engine::registration::Kind;
use crate::engine::registry::{App, AppId, Registry};
use crate::engine::state::State;
use crate::engine::verdict::answer::Outcome;

/// So many apps are asked at most, the gateway and the anchors beside them: 64 in all.
const MOST: usize = 60;
/// Whose last answer took longer may need longer than a look takes.
const QUICK_MS: u32 = 1000;

/// Who is asked.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) witnesses: Vec<(Witness, Place)>,
    /// Whose silence tells something: they were well lately.
    pub(super) telling: Vec<(AppId, Host)>,
}

impl Asked {
    /// All apps on the hosts that are silent, and one of each other, those that were well first. `awaited` are
    /// those that may not be back.
    pub(super) fn around(
        silent: &[&Host],
        registry: &Registry,
        awaited: impl Fn(AppId) -> bool,
    ) -> Asked {
        let mut asked = Asked::default();
        let apps = || registry.by_name().filter(|(_, app)| !app.paused && is_elsewhere(app));
        let tells = |id: AppId, app: &App| !awaited(id) && was_well(app);
        let is_on_one =
            |app: &App| app.registration.target.host().is_some_and(|host| silent.contains(&host));
        for (id, app) in apps().filter(|(_, app)| is_on_one(app)) {
            if asked.is_full() {
                break;
            }
            asked.add(id, app, tells(id, app));
        }
        let mut hosts: Vec<&Host> = silent.to_vec();
        for well in [true, false] {
            for (id, app) in apps() {
                if asked.is_full() {
                    break;
                }
                let Some(host) = app.registration.target.host() else { continue };
                if tells(id, app) == well && !hosts.contains(&host) {
                    hosts.push(host);
                    asked.add(id, app, well);
                }
            }
        }
        asked
    }

    fn is_full(&self) -> bool {
        self.witnesses.len() >= MOST
    }

    fn add(&mut self, id: AppId, app: &App, tells: bool) {
        let Some(address) = app.registration.target.place() else { return };
        let (host, port) = (address.host.clone(), address.port);
        if tells {
            self.telling.push((id, host.clone()));
        }
        let place = match app.registration.target.kind() {
            Kind::Ping => Place::Echo { host },
            Kind::Http | Kind::Tcp | Kind::Beat => Place::Port { host, port },
        };
        self.witnesses.push((Witness::App(id), place));
    }
}

/// As far as is known it answers, and quickly. (What is void moves no streak. After a restart the state is
/// all that is known of an app that is well.)
fn was_well(app: &App) -> bool {
    let streaks = app.monitor.streaks;
    let answered = app.state() == State::Healthy || streaks.not_failed > 0;
    let is_slow = app
        .last
        .as_ref()
        .is_some_and(|last| last.verdict.outcome != Outcome::Fail && last.latency_ms > QUICK_MS);
    app.state() != State::Unhealthy && streaks.failed == 0 && answered && !is_slow
}
