//! A mail without the names of the apps: numbers instead, for a filter that refuses a name.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::engine::outbox::mail::Mail;
use crate::engine::outbox::notice::Notice;

/// The mail as its letter is to tell it.
pub(super) fn told(mail: &Mail) -> Cow<'_, Mail> {
    if !mail.nameless {
        return Cow::Borrowed(mail);
    }
    let mut mail = mail.clone();
    let mut numbers = Numbers::default();
    for notice in &mut mail.notices {
        match notice {
            Notice::Change(change) => {
                numbers.replace(&mut change.app);
                change.url = String::new();
            }
            Notice::Watching { apps, .. } => apps.iter_mut().for_each(|app| numbers.replace(app)),
            Notice::Report(report) => {
                report.missing.iter_mut().for_each(|missing| numbers.replace(&mut missing.app));
                report.unhealthy_before.iter_mut().for_each(|app| numbers.replace(app));
                report.paused.iter_mut().for_each(|app| numbers.replace(app));
            }
            Notice::Outage(outage) => {
                // A host may have a name that a filter does not like, too.
                let parents = outage.groups.iter_mut().filter_map(|group| group.parent.as_mut());
                parents.for_each(|parent| numbers.replace(parent));
                let hosts = outage.groups.iter_mut().filter_map(|group| group.host.as_mut());
                hosts.for_each(|host| "one host".clone_into(host));
                outage.apps_mut().for_each(|silent| numbers.replace(&mut silent.app));
            }
            Notice::AllBack(back) => back.apps.iter_mut().for_each(|app| numbers.replace(app)),
            Notice::Blind(blind) => blind.apps.iter_mut().for_each(|app| numbers.replace(app)),
            Notice::Test { .. } => {}
        }
    }
    Cow::Owned(mail)
}

/// By name, in the order in which they come.
#[derive(Default)]
struct Numbers(HashMap<String, usize>);

impl Numbers {
    fn replace(&mut self, app: &mut String) {
        let next = self.0.len() + 1;
        let number = *self.0.entry(std::mem::take(app)).or_insert(next);
        *app = format!("app {number}");
    }
}
