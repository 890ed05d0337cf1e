//! Which apps are behind which: their parents, all of which are needed to reach them.

use super::{App, AppId, Registry, RegistryError};
use crate::engine::registration::Registration;
use crate::engine::registration::fields::{FieldError, shown};
use crate::engine::registration::name;
use crate::engine::state::State;
use crate::engine::time::Stamp;
use crate::engine::verdict::answer::Outcome;

/// Nobody looks further up: a switch behind a switch is rare, and a circle on record must end.
const HEIGHT_MAX: usize = 16;

impl Registry {
    /// Gives the parents of a registration the names that they are known by, or will be.
    ///
    /// # Errors
    /// One cannot be an app's name, or is behind the app itself.
    pub fn settle_parents(&self, registration: &mut Registration) -> Result<(), RegistryError> {
        let Some(given) = registration.parent.take() else { return Ok(()) };
        let mut parents: Vec<String> = Vec::new();
        for one in given {
            let parent = self.on_record(&one).or_else(|_| name::tidy(&one)).map_err(|_| {
                let message = format!("parent {} can be no app's name", shown(&one));
                RegistryError::BadParent(FieldError::of("parent", message))
            })?;
            if !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        if let Some(circle) = self.circle(&registration.name, &parents) {
            let circle: Vec<String> = circle.iter().map(|name| shown(name)).collect();
            let message = format!(
                "parent makes a circle, in which nothing could be reached: {}",
                circle.join(" is behind ")
            );
            return Err(RegistryError::BadParent(FieldError::of("parent", message)));
        }
        registration.parent = Some(parents);
        Ok(())
    }

    /// How one gets from an app by way of these parents back to it.
    fn circle<'a>(&'a self, app: &'a str, parents: &'a [String]) -> Option<Vec<&'a str>> {
        // Each name that was reached, and from which place in this list.
        let mut reached: Vec<(&str, usize)> = vec![(app, 0)];
        let mut next = 0;
        while let Some((name, _)) = reached.get(next).copied() {
            let above =
                if next == 0 { parents } else { self.named(name).map_or(&[][..], parents_of) };
            for parent in above {
                if parent == app {
                    let mut circle = vec![app];
                    let mut place = next;
                    while place > 0 {
                        let (name, before) = reached.get(place).copied()?;
                        circle.insert(0, name);
                        place = before;
                    }
                    circle.insert(0, app);
                    return Some(circle);
                }
                if !reached.iter().any(|(known, _)| known == parent) {
                    reached.push((parent, next));
                }
            }
            next += 1;
        }
        None
    }

    /// The parents of an app that are not watched.
    pub fn unknown_parents<'a>(&'a self, app: &'a App) -> impl Iterator<Item = &'a str> {
        let parents = app.registration.parents().iter().map(String::as_str);
        parents.filter(|parent| self.id_of(parent).is_none())
    }

    /// The parents of an app.
    pub fn parents<'a>(&'a self, app: &'a App) -> impl Iterator<Item = (AppId, &'a App)> {
        let ids = app.registration.parents().iter().filter_map(|parent| self.id_of(parent));
        ids.filter_map(|id| Some((id, self.get(id)?)))
    }

    /// The apps that an app is a parent of.
    pub fn children<'a>(&'a self, app: &'a App) -> impl Iterator<Item = (AppId, &'a App)> {
        let name = &app.registration.name;
        self.by_name().filter(|(_, child)| child.registration.parents().contains(name))
    }

    /// Whose outage an app's silence is, if it has not passed since that began: the uppermost.
    pub fn covering<'a>(&'a self, app: &'a App) -> Option<(AppId, &'a App)> {
        let mut found: Option<(AppId, &App)> = None;
        for _ in 0..HEIGHT_MAX {
            let below = found.map_or(app, |(_, parent)| parent);
            let above = self.parents(below).find(|(_, parent)| parent.covers(below));
            if above.is_none() {
                break;
            }
            found = above;
        }
        found
    }
}

fn parents_of(app: &App) -> &[String] {
    app.registration.parents()
}

impl App {
    /// Whether what is behind it cannot be reached, as far as is known.
    pub fn is_down(&self) -> bool {
        !self.paused && self.state() == State::Unhealthy && self.monitor.streaks.failed > 0
    }

    /// Whether the silence of a child is its outage: the child has not passed since.
    fn covers(&self, child: &App) -> bool {
        let since = self.monitor.since;
        self.is_down()
            && child.is_silent()
            && child.last_healthy.is_none_or(|pass| pass.is_not_after(since))
    }

    /// Whether it may soon be found to be down: its last check failed, or it was not asked since the start.
    pub fn may_be_down(&self) -> bool {
        let is_known = !matches!(self.state(), State::Unknown | State::Unhealthy);
        let passes = self.last.as_ref().is_some_and(|last| last.verdict.outcome != Outcome::Fail);
        let last_failed = self.last.is_none() || self.monitor.streaks.failed > 0;
        !self.paused && is_known && !passes && last_failed
    }

    /// Whether it was asked since then.
    pub fn was_asked_since(&self, since: Stamp) -> bool {
        self.last.as_ref().is_some_and(|last| since.is_not_after(last.time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::recipients::Recipients;
    use crate::engine::registration::Origin;
    use crate::engine::tests::after;

    fn registration(name: &str, parent: &str) -> Registration {
        let pairs = [("appname", name), ("url", "http://nas"), ("parent", parent)];
        let pairs = pairs.map(|(name, text)| (name.to_owned(), text.to_owned()));
        Registration::from_fields(&pairs, Origin::Network, &Recipients::default()).unwrap()
    }

    fn try_register(registry: &mut Registry, name: &str, parent: &str) -> Result<(), String> {
        let mut registration = registration(name, parent);
        registry.settle_parents(&mut registration).map_err(|why| match why {
            RegistryError::BadParent(why) => {
                assert_eq!(why.field.as_deref(), Some("parent"));
                why.message
            }
            other => panic!("{other:?}"),
        })?;
        registry.register(after(0), registration);
        Ok(())
    }

    #[test]
    fn a_circle_is_refused_and_named_whoever_closes_it() {
        let mut registry = Registry::default();
        for (name, parent) in [("NAS", "Switch, Power"), ("Kodi", "NAS"), ("Switch", "Router")] {
            assert_eq!(try_register(&mut registry, name, parent), Ok(()));
        }
        for (name, parent, circle) in [
            ("NAS", "NAS", r#""NAS" is behind "NAS""#),
            ("NAS", "Switch, Kodi", r#""NAS" is behind "Kodi" is behind "NAS""#),
            (
                "Router",
                "Wiki,Kodi",
                r#""Router" is behind "Kodi" is behind "NAS" is behind "Switch" is behind "Router""#,
            ),
        ] {
            let why = try_register(&mut registry, name, parent).unwrap_err();
            assert!(why.ends_with(circle), "{why}");
        }
        let nas = registry.named("NAS").unwrap();
        assert_eq!(nas.registration.parents(), ["Switch", "Power"], "it stays as it was");
        assert_eq!(registry.unknown_parents(nas).collect::<Vec<_>>(), ["Power"]);
        assert_eq!(try_register(&mut registry, "Router", "Wiki"), Ok(()));
    }

    #[test]
    fn a_parent_has_the_name_that_it_is_known_by() {
        let mut registry = Registry::default();
        assert_eq!(try_register(&mut registry, "NAS 1", ""), Ok(()));
        assert_eq!(try_register(&mut registry, "Kodi", " NAS  1,NAS 1, TV  box"), Ok(()));
        let kodi = registry.named("Kodi").unwrap();
        assert_eq!(kodi.registration.parents(), ["NAS 1", "TV box"]);
        let why = try_register(&mut registry, "Kodi", "NA\u{ad}S").unwrap_err();
        assert!(why.contains("can be no app's name"), "{why}");
    }

    #[test]
    fn parents_stay_until_others_are_named() {
        let mut registry = Registry::default();
        let parents =
            |registry: &Registry| registry.named("Kodi").unwrap().registration.parents().to_vec();
        assert_eq!(try_register(&mut registry, "Kodi", "NAS"), Ok(()));
        registry.register(after(1), Registration { parent: None, ..registration("Kodi", "") });
        assert_eq!(parents(&registry), ["NAS"]);
        assert_eq!(try_register(&mut registry, "Kodi", ""), Ok(()));
        assert!(parents(&registry).is_empty());
    }
}
