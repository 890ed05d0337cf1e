//! The page's form: what was typed becomes a registration, and what is wrong stands beside its field.

use std::net::Ipv6Addr;

use super::command::{About, Command, Done};
use super::format::Format;
use super::parameters::Pair;
use super::problem::Problem;
use super::response::Payload;
use super::{ApiContext, Caller, page_of};
use crate::daemon::page::{CHANGES, FORGET, WatchForm};
use crate::engine::registration::fields::{FieldError, shown};
use crate::engine::registration::spec::{Field, Takes};
use crate::engine::registration::table::{FIELDS, field};
use crate::engine::registration::{Kind, Registration};
use crate::engine::registry::RegistryError;

/// Why nothing is registered.
pub(super) struct Refused {
    status: u16,
    mistakes: Vec<FieldError>,
}

/// The first of the mistakes.
impl From<Refused> for Problem {
    fn from(Refused { status, mistakes }: Refused) -> Problem {
        let first = mistakes.into_iter().next().map(Problem::from);
        Problem { status, ..first.unwrap_or_else(super::no_answer) }
    }
}

impl ApiContext {
    /// The form: empty, or with what is on record of the app of this name.
    pub(super) fn form(&self, name: Option<String>) -> Result<WatchForm, Problem> {
        let told = self.told_by_default();
        let Some(name) = name else { return Ok(WatchForm::new(told)) };
        let unknown = Problem::unknown_app(&name);
        let (app, _) = self.registered(name)?;
        Ok(WatchForm::of(&app.ok_or(unknown)?, told))
    }

    fn told_by_default(&self) -> String {
        let told = self.rules.recipients.by_default().iter();
        let told: Vec<String> = told.map(ToString::to_string).collect();
        if told.is_empty() { "nobody".to_owned() } else { told.join(", ") }
    }

    /// What is on record of the app that is meant, and why none may be called so.
    fn registered(
        &self,
        name: String,
    ) -> Result<(Option<Registration>, Option<RegistryError>), Problem> {
        self.query(move |state| {
            let on_record = state.engine.on_record(&name).ok();
            let app = on_record.and_then(|name| state.engine.view().registered(&name).cloned());
            (app, state.engine.name_for(&name).err())
        })
    }

    /// Registers what was typed. A person gets the form again if it cannot be, with all that was typed.
    pub(super) fn save(
        &self,
        typed: Vec<Pair>,
        caller: Caller,
        format: Format,
    ) -> Result<Payload, Problem> {
        let changes = typed.iter().any(|(name, _)| name == CHANGES);
        let given = as_given(&typed);
        match (self.register(&given, changes, caller)?, format) {
            (Ok(done), Format::Json) => Ok(Payload::Done(done)),
            (Ok(done), Format::Html) => Ok(match &done.about {
                About::AppName(name) => Payload::SeeOther(page_of(name)),
                About::Email(_) => Payload::Done(done),
            }),
            (Err(refused), Format::Json) => Err(Problem::from(refused)),
            (Err(Refused { status, mistakes }), Format::Html) => {
                let kind = Kind::named(text(&given, "kind"))
                    .or_else(|| Kind::of_url(text(&given, "url")))
                    .unwrap_or(Kind::Http);
                let told = self.told_by_default();
                let boxes = FIELDS.iter().filter_map(|field| unticked(field, &typed)).collect();
                let mut filled = [typed, boxes].concat();
                // A password is typed again rather than sent back.
                filled.retain(|(name, _)| !field(name).is_some_and(Field::is_secret));
                let kept = match changes {
                    true => self.registered(text(&given, "appname").to_owned())?.0,
                    false => None,
                };
                // One that was stopped meanwhile can only be watched anew.
                let changes = kept.is_some();
                let has_auth = kept.is_some_and(|app| app.target.auth().is_some());
                let form = WatchForm { changes, filled, mistakes, kind, told, has_auth };
                Ok(Payload::Form(status, form.html()))
            }
        }
    }

    /// Registers what `monitor` would take; a name that is watched already only if it `changes` that.
    pub(super) fn register(
        &self,
        given: &[Pair],
        changes: bool,
        caller: Caller,
    ) -> Result<Result<Done, Refused>, Problem> {
        let name = text(given, "appname");
        let (before, bad_name) = self.registered(name.to_owned())?;
        // Whoever leaves the address as it is does not say where it leads.
        let as_it_was = before.as_ref().filter(|app| leads_as_before(app, given));
        let origin = as_it_was.map_or(caller.client.origin, |app| app.origin);
        let recipients = &self.rules.recipients;
        let mut mistakes = Registration::mistakes(given, origin, recipients);
        if let Some(RegistryError::BadName(why)) = bad_name
            && mistakes.iter().all(|mistake| mistake.field != why.field)
        {
            mistakes.push(why);
        }
        let registration = Registration::from_fields(given, origin, recipients);
        // A button that is pressed twice sends the same twice, and the second answer is the one that is seen.
        let is_as_before =
            |app: &Registration| registration.as_ref().is_ok_and(|new| new.changes_nothing_of(app));
        let taken = match &before {
            Some(app) if !changes && !is_as_before(app) => Some(format!(
                "appname {} is watched already; give another name, or change it on its page",
                shown(&app.name)
            )),
            // Without its login, and whatever else was only on record.
            None if changes => Some(format!(
                "appname {} is watched no longer: it was stopped meanwhile. To watch it anew send this again, with its \
                 login if it had one",
                shown(name)
            )),
            _ => None,
        };
        mistakes.extend(taken.map(|message| FieldError::of("appname", message)));
        let registration = match registration {
            Ok(registration) if mistakes.is_empty() => registration,
            _ => return Ok(Err(Refused { status: 400, mistakes })),
        };
        let done = self.carry_out(Command::Monitor(Box::new(registration)), caller);
        Ok(done.map_err(|Problem { status, error, field, .. }| {
            let mistakes = vec![FieldError { field, message: error }];
            Refused { status, mistakes }
        }))
    }
}

/// Whether an app is asked just where it was. Another path on this machine is for those on it to say, too.
fn leads_as_before(app: &Registration, given: &[Pair]) -> bool {
    let unsaid = Registration::unsaid(app.target.kind());
    let by_default = unsaid.as_ref().and_then(|unsaid| unsaid.target.path());
    let path = Some(text(given, "path")).filter(|path| !path.is_empty()).or(by_default);
    app.target.url().unwrap_or_default() == text(given, "url") && app.target.path() == path
}

fn text<'a>(given: &'a [Pair], name: &str) -> &'a str {
    given.iter().find(|(its, _)| its == name).map_or("", |(_, text)| text)
}

/// What was typed as `monitor` takes it: an empty field says nothing, or that all is as by default; an address
/// is one of the web, as in a browser; and a box that is not ticked is not sent. The field of a secret is always empty at
/// first: that it is to go is said by a box.
fn as_given(typed: &[Pair]) -> Vec<Pair> {
    let is_to_go = |name: &str| typed.iter().any(|(its, what)| its == FORGET && what == name);
    let says_nothing = |name: &str, text: &str| {
        let Some(field) = field(name).filter(|_| text.trim().is_empty()) else { return false };
        !field.stays() || field.is_secret() && !is_to_go(name)
    };
    let mut given: Vec<Pair> = Vec::with_capacity(FIELDS.len());
    for (name, text) in typed {
        let is_url = matches!(field(name).map(|field| &field.takes), Some(Takes::Url));
        if name == CHANGES || name == FORGET || says_nothing(name, text) {
            continue;
        }
        given.push((
            name.clone(),
            match is_url && !text.contains("://") {
                true => of_the_web(text.trim()),
                false => text.clone(),
            },
        ));
    }
    let unticked = FIELDS.iter().filter_map(|field| unticked(field, typed));
    given.extend(unticked);
    given
}

/// An address as one types it into a browser.
fn of_the_web(text: &str) -> String {
    match text.parse::<Ipv6Addr>() {
        Ok(address) => format!("http://[{address}]"),
        Err(_) => format!("http://{text}"),
    }
}

/// What a box says that is not ticked; nothing if that is the default, which some kinds of app know alone.
fn unticked(field: &Field, typed: &[Pair]) -> Option<Pair> {
    let Takes::Flag { default, .. } = field.takes else { return None };
    let is_ticked = typed.iter().any(|(name, _)| name == field.name());
    let text = if default { "false" } else { "" };
    (!is_ticked).then(|| (field.name().to_owned(), text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(typed: &[(&str, &str)]) -> Vec<Pair> {
        let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        as_given(&typed.iter().map(own).collect::<Vec<_>>())
    }

    fn said<'a>(given: &'a [Pair], name: &str) -> Option<&'a str> {
        given.iter().find(|(its, _)| its == name).map(|(_, text)| text.as_str())
    }

    #[test]
    fn what_is_left_empty_is_as_by_default() {
        let given = given(&[
            ("changes", "true"),
            ("appname", " NAS "),
            ("url", " nas:8080 "),
            ("interval", " "),
            ("parent", ""),
            ("may_be_off", "true"),
        ]);
        assert_eq!(said(&given, "appname"), Some(" NAS "), "one on record may be just so");
        assert_eq!(said(&given, "url"), Some("http://nas:8080"), "as a browser has it");
        assert_eq!(said(&given, "interval"), None);
        assert_eq!(said(&given, "parent"), Some(""), "left out it would stay");
        assert_eq!(said(&given, "may_be_off"), Some("true"));
        assert_eq!(said(&given, "reminders"), Some("false"), "not ticked");
        assert_eq!(said(&given, "changes"), None);
    }

    #[test]
    fn a_secret_stays_until_another_is_typed_or_its_box_is_ticked() {
        let said_of = |typed: &[(&str, &str)]| said(&given(typed), "auth").map(str::to_owned);
        let tick = (FORGET, "auth");
        assert_eq!(said_of(&[("auth", "")]), None);
        assert_eq!(said_of(&[("auth", ""), tick]).as_deref(), Some(""));
        assert_eq!(said_of(&[("auth", "me:new"), tick]).as_deref(), Some("me:new"));
        assert_eq!(said(&given(&[tick]), FORGET), None);
    }

    #[test]
    fn another_path_leads_elsewhere_as_another_address_does() {
        use crate::engine::recipients::Recipients;
        use crate::engine::registration::Origin;
        let registered = |fields: &[(&str, &str)]| {
            let fields = given(&[&[("appname", "Kodi")], fields].concat());
            Registration::from_fields(&fields, Origin::OwnMachine, &Recipients::default()).unwrap()
        };
        let url = ("url", "http://127.0.0.1:8080");
        let (plain, other) = (registered(&[url]), registered(&[url, ("path", "/ok")]));
        let port = registered(&[("url", "tcp://127.0.0.1:22")]);
        let leads =
            |app: &Registration, typed: &[(&str, &str)]| leads_as_before(app, &given(typed));
        assert!(leads(&plain, &[url, ("path", "")]) && leads(&other, &[url, ("path", "/ok")]));
        assert!(leads(&port, &[("url", "tcp://127.0.0.1:22"), ("path", "")]));
        assert!(!leads(&plain, &[url, ("path", "/secrets")]));
        assert!(!leads(&other, &[url]) && !leads(&other, &[url, ("path", "/o")]));
        assert!(!leads(&plain, &[("url", "http://127.0.0.1:8081")]));
    }

    #[test]
    fn only_an_address_is_completed() {
        let bare = given(&[("url", " fd00::7 ")]);
        assert_eq!(said(&bare, "url"), Some("http://[fd00::7]"));
        let given = given(&[("url", "tcp://nas:22"), ("path", "ok"), ("what", "x")]);
        assert_eq!(said(&given, "url"), Some("tcp://nas:22"));
        assert_eq!(said(&given, "path"), Some("ok"));
        assert_eq!(said(&given, "what"), Some("x"), "it is refused by who knows all names");
        assert_eq!(said(&given, "may_be_off"), Some(""));
    }
}
