//! The page that the link of a mail leads to: what it told, and for how long its reader wants to hear no more.

use super::frame;
use super::html::Html;
use crate::daemon::mute_key::MuteLink;
use crate::engine::query::mutes::MutedApp;
use crate::engine::time::Zone;

/// The buttons: the value of `for`, and what is on it.
const CHOICES: [(&str, &str); 3] =
    [("1h", "For 1 hour"), ("8h", "For 8 hours"), ("recovery", "Until it is HEALTHY again")];

/// What the page is made of.
#[derive(Debug)]
pub(crate) struct MutePage {
    pub link: MuteLink,
    /// What of the mail lasts still; one at least.
    pub apps: Vec<MutedApp>,
    /// What it tells times in.
    pub zone: Zone,
}

impl MutePage {
    pub(crate) fn html(&self) -> String {
        let mut title = Html::default();
        title.raw("Mute");
        for app in self.apps.iter().take(1) {
            title.raw(" ").put(&app.name);
        }
        if self.apps.len() > 1 {
            title.raw(" and ").put(self.apps.len() - 1).raw(" more");
        }
        let mut main = Html::default();
        main.raw("<header><p><a href=\"./\">All apps</a></p><h1>").add(&title);
        main.raw("</h1></header><section class=\"box\"><p><bdi>").put(&self.link.to);
        main.raw("</bdi> was told of:</p><ul>");
        for app in &self.apps {
            main.raw("<li><bdi>").put(&app.name).raw("</bdi>: ").put(app.state.word());
            for person in &app.people {
                main.raw(", ").put(person.sentence(&self.zone));
            }
            main.raw("</li>");
        }
        main.raw("</ul><p>No more mail of it to this address:</p>");
        main.raw("<form method=\"post\" action=\"mute\">");
        let MuteLink { incident, to, until, sig } = &self.link;
        for (name, value) in [("incident", incident), ("to", to), ("until", until), ("sig", sig)] {
            main.raw("<input type=\"hidden\" name=\"").raw(name).raw("\" value=\"").put(value);
            main.raw("\">");
        }
        let is_muted = self.apps.iter().any(|app| app.people.iter().any(|it| it.muted.is_some()));
        buttons(&mut main, is_muted);
        main.raw("</form><p class=\"soft\">That it is HEALTHY again is told as ever, and when the time is over that it is not.</p>");
        main.raw("</section>");
        title.raw(" · HealthChecker");
        frame::still(&title, &main)
    }
}

/// The buttons of a form that mutes.
pub(super) fn buttons(html: &mut Html, is_muted: bool) {
    for (value, label) in CHOICES {
        html.raw("<button name=\"for\" value=\"").raw(value).raw("\">").raw(label);
        html.raw("</button> ");
    }
    if is_muted {
        html.raw("<button name=\"for\" value=\"0\">Hear of it again</button>");
    }
}
