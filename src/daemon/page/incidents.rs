//! What came of the household lately, and what is going on around it.

use super::frame::{self, Standing, badge, sign};
use super::html::Html;
use crate::engine::chronicle::{Affected, EndedBy, Incident, Kind};
use crate::engine::query::incidents::{AroundView, SettlingView};
use crate::engine::state::State;
use crate::engine::time::{Now, Stamp, Zone};

/// Apps that are shown without a click.
const SHOWN: usize = 12;

/// What the page is made of.
#[derive(Debug)]
pub(crate) struct IncidentsPage {
    /// When it was looked at.
    pub now: Now,
    /// What it tells times in.
    pub zone: Zone,
    /// What is going on around us.
    pub around: AroundView,
    /// Newest first.
    pub incidents: Vec<Incident>,
}

impl IncidentsPage {
    pub(crate) fn html(&self) -> String {
        let (mut title, mut html) = (Html::default(), Html::default());
        title.raw("Incidents · HealthChecker");
        let worst = self.incidents.iter().map(standing).min().unwrap_or(Standing::Healthy);
        html.raw("<header><p><a href=\"./\">All apps</a></p><h1>");
        sign(&mut html, worst);
        html.raw("<span>Incidents</span></h1></header>");
        around(&mut html, &self.around, &self.zone);
        if self.incidents.is_empty() {
            html.raw("<div class=\"empty\"><p>None yet. What people are told is listed here, and power cuts and outages of our own network, ");
            html.raw("here, also those after which all came back by themselves.</p></div>");
        }
        self.incidents.iter().for_each(|incident| self.one(&mut html, incident));
        let mut footer = Html::default();
        frame::as_of(&mut footer, self.now.wall, &self.zone);
        footer.raw("<span><a href=\"incidents?format=json\">JSON</a></span>");
        frame::page(&title, worst, &html, &footer)
    }

    fn one(&self, html: &mut Html, incident: &Incident) {
        html.raw("<section class=\"box\"><h2>");
        sign(html, standing(incident));
        html.raw(" ");
        heading(html, incident);
        html.raw("</h2><p>");
        time(html, incident.began, &self.zone);
        match incident.ended {
            None => {
                let lasts = incident.began.age(self.now.at).in_words();
                html.raw(", <b>open</b> for ").put(lasts);
            }
            Some(ended) => {
                html.raw(", over after ").put(incident.began.until(ended).in_words());
            }
        }
        html.raw(end(incident)).raw("</p>");
        apps(html, incident, &self.zone);
        if !incident.told.is_empty() {
            html.raw("<p class=\"soft\">Told: ");
            for (number, told) in incident.told.iter().enumerate() {
                html.raw(if number > 0 { ", " } else { "" });
                html.raw("<bdi>")
                    .put(&told.to)
                    .raw("</bdi> at ")
                    .put(told.at.for_people(&self.zone));
                if let Some(muted) = told.muted {
                    html.raw(" (").put(muted.sentence(&self.zone)).raw(")");
                }
            }
            html.raw("</p>");
        }
        html.raw("</section>");
    }
}

/// The one that an open incident has in common with its worst app.
fn standing(incident: &Incident) -> Standing {
    let open = incident.apps.iter().filter(|app| !app.over);
    match incident.ended {
        Some(_) => Standing::Healthy,
        None => open.map(standing_of).min().unwrap_or(Standing::Unknown),
    }
}

fn standing_of(app: &Affected) -> Standing {
    match app.state {
        State::Unhealthy => Standing::Unhealthy,
        State::Degraded => Standing::Degraded,
        State::Unknown => Standing::Unknown,
        State::Healthy => Standing::Healthy,
    }
}

/// How it ended, or what is awaited.
fn end(incident: &Incident) -> &'static str {
    let nobody = incident.apps.is_empty() && incident.kind != Kind::Apps;
    match (incident.ended, incident.ended_by) {
        (None, _) if incident.settling && nobody => ": nobody is known to be missing",
        (None, _) => "",
        (_, Some(EndedBy::Stop)) => ": what was left of it is watched no longer",
        _ if nobody => ": nobody was missing",
        _ => "",
    }
}

fn apps(html: &mut Html, incident: &Incident, zone: &Zone) {
    let mut apps: Vec<&Affected> = incident.apps.iter().collect();
    // Who is still unwell has a place before who is not.
    apps.sort_by_key(|app| app.over);
    let (shown, more) = apps.split_at(apps.len().min(SHOWN));
    list(html, shown, zone);
    if !more.is_empty() {
        html.raw("<details><summary>").put(more.len()).raw(" more</summary>");
        list(html, more, zone);
        html.raw("</details>");
    }
}

fn list(html: &mut Html, apps: &[&Affected], zone: &Zone) {
    if apps.is_empty() {
        return;
    }
    html.raw("<ul class=\"log\">");
    for app in apps {
        html.raw("<li><span class=\"soft\">");
        time(html, app.since, zone);
        html.raw("</span><span><bdi>").put(&app.name).raw("</bdi> ");
        badge(html, standing_of(app));
        if !app.reason.is_empty() {
            // It is what was wrong.
            html.raw(if app.state == State::Healthy { " after: " } else { " " });
            html.raw("<bdi>").put(&app.reason).raw("</bdi>");
        }
        html.raw("</span></li>");
    }
    html.raw("</ul>");
}

fn time(html: &mut Html, at: Stamp, zone: &Zone) {
    html.raw("<time datetime=\"").put(at.wall()).raw("\">").put(at.for_people(zone)).raw("</time>");
}

/// `Power cut`; of one app by itself who it is: `NAS: connection refused`.
fn heading(html: &mut Html, incident: &Incident) {
    match incident.apps.as_slice() {
        [only] if incident.kind == Kind::Apps => {
            html.raw("<bdi>").put(&only.name).raw("</bdi>: <bdi>");
            html.put(&incident.cause).raw("</bdi>");
        }
        _ => _ = html.put(capital(&incident.cause)),
    }
}

/// The beginning of a heading.
fn capital(cause: &str) -> String {
    let mut rest = cause.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

/// What is going on around us, in a line each.
pub(super) fn around(html: &mut Html, around: &AroundView, zone: &Zone) {
    if let Some(since) = around.network_down_since {
        html.raw("<p class=\"notice\"><b>Our network is down</b> since ")
            .put(since.for_people(zone));
        html.raw(": apps on other machines cannot be seen.</p>");
    }
    if let Some(SettlingView { since, back, of, missing }) = &around.settling {
        html.raw("<p class=\"notice\"><b>Settling</b> since ").put(since.for_people(zone));
        html.raw(": ").put(back).raw(" of ").put(of).raw(" are back, not ");
        for (number, name) in missing.iter().enumerate() {
            html.raw(if number > 0 { ", " } else { "" }).raw("<bdi>").put(name).raw("</bdi>");
        }
        let more = of.saturating_sub(*back).saturating_sub(missing.len());
        if more > 0 {
            html.raw(" and ").put(more).raw(" more");
        }
        html.raw("</p>");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::chronicle::Told;
    use crate::engine::recipients::Recipient;
    use crate::engine::time::{Moment, Wall};

    fn now(seconds: u64) -> Now {
        Now {
            at: Moment::START + Duration::from_secs(seconds),
            wall: Wall::from_unix_millis(1_795_474_540_000 + 1000 * seconds as i64),
        }
    }

    fn incident(text: &str) -> Incident {
        let at = |seconds| Stamp::noted(now(seconds));
        let app = |state, over| Affected {
            name: text.to_owned(),
            state,
            reason: text.to_owned(),
            since: at(100),
            over,
        };
        Incident {
            id: 1,
            kind: Kind::Power,
            cause: text.to_owned(),
            began: at(0),
            ended: None,
            ended_by: None,
            settling: false,
            apps: vec![app(State::Unhealthy, false), app(State::Healthy, true)],
            told: vec![Told { to: Recipient::mail(text), at: at(120), muted: None }],
        }
    }

    fn page(incidents: Vec<Incident>) -> String {
        let (zone, around) = (Zone::UTC, AroundView::default());
        IncidentsPage { now: now(720), zone, around, incidents }.html()
    }

    #[test]
    fn an_incident_is_told_in_words() {
        let open = page(vec![incident("power cut")]);
        for said in [
            "</svg> Power cut</h2><p><time datetime=\"2026-11-23T22:55:40Z\">2026-11-23 22:55:40 UTC</time>",
            ", <b>open</b> for 12 min</p>",
            "Told: <bdi>power cut</bdi> at 2026-11-23 22:57:40 UTC",
        ] {
            assert!(open.contains(said), "{said}\n{open}");
        }
        assert!(open.contains("</svg>HEALTHY</span> after: <bdi>power cut</bdi>"), "{open}");
        let mut alone = Incident { kind: Kind::Apps, ..incident("connection refused") };
        alone.apps.truncate(1);
        alone.apps[0].name = "NAS".to_owned();
        let said = "</svg> <bdi>NAS</bdi>: <bdi>connection refused</bdi></h2>";
        assert!(page(vec![alone]).contains(said));
        let ended = Some(Stamp::noted(now(600)));
        let past = |by| Incident { ended, ended_by: Some(by), ..incident("power cut") };
        assert!(page(vec![past(EndedBy::Recovery)]).contains("</time>, over after 10 min</p>"));
        assert!(page(vec![past(EndedBy::Stop)]).contains("what was left of it is watched no lo"));
        let alone = Incident { apps: Vec::new(), ..past(EndedBy::Recovery) };
        assert!(page(vec![alone]).contains("over after 10 min: nobody was missing</p>"));
        assert!(page(Vec::new()).contains("None yet"));
    }

    #[test]
    fn what_apps_say_is_never_markup() {
        let evil = "</bdi><script>alert(1)</script>\"'&";
        let html = page(vec![incident(evil)]);
        assert_eq!(html.matches("<script>").count(), 1, "our own");
        assert_eq!(html.matches("alert(1)").count(), 6);
        let mut alone = Incident { kind: Kind::Apps, ..incident(evil) };
        alone.apps.truncate(1);
        assert_eq!(page(vec![alone]).matches("<script>").count(), 1, "our own");
    }

    #[test]
    fn who_is_missing_while_things_settle_is_one_line() {
        let settling = SettlingView {
            since: Stamp::noted(now(0)),
            back: 9,
            of: 12,
            missing: vec!["NAS".to_owned(), "<TV>".to_owned()],
        };
        let mut html = Html::default();
        let network_down_since = Some(Stamp::noted(now(60)));
        around(&mut html, &AroundView { network_down_since, settling: Some(settling) }, &Zone::UTC);
        let html = html.into_string();
        assert!(html.contains(
            "<b>Settling</b> since 2026-11-23 22:55:40 UTC: 9 of 12 are back, not <bdi>NAS</bdi>, \
             <bdi>&lt;TV&gt;</bdi> and 1 more"
        ));
        assert!(html.contains("<b>Our network is down</b> since 2026-11-23 22:56:40 UTC: apps"));
    }
}
