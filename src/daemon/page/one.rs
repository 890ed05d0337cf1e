//! One app with all there is to know of it.

use time::Date;

use super::frame::{self, Standing, badge, next_check};
use super::html::Html;
use super::{chart, logbook, mute, pretty, row};
use crate::engine::query::summary::Portrait;
use crate::engine::registry::history::DayOfChecks;
use crate::engine::time::Zone;

/// Checks in the bar: as many as a phone shows apart.
const CELLS: usize = 120;

/// What the page is made of.
#[derive(Debug)]
pub(crate) struct AppPage {
    pub app: Portrait,
    /// What may not be as it was meant.
    pub warnings: Vec<String>,
    /// Its newest lines of the health check log, newest last; or why they cannot be read.
    pub log: Result<String, String>,
    /// What it tells times in.
    pub zone: Zone,
}

impl AppPage {
    pub(crate) fn html(&self) -> String {
        let summary = &self.app.closeup.summary;
        let standing = Standing::of(summary);
        let mut title = Html::default();
        title.raw(standing.word()).raw(": ").put(&summary.name).raw(" · HealthChecker");
        let mut html = Html::default();
        html.raw("<header><p><a href=\"./\">All apps</a></p><h1><bdi>").put(&summary.name);
        html.raw("</bdi></h1>");
        badge(&mut html, standing);
        html.raw("</header>");
        for warning in &self.warnings {
            html.raw("<p class=\"notice\">").put(warning).raw("</p>");
        }
        html.raw("<section class=\"box\" aria-label=\"State\">");
        row::why(&mut html, summary, standing);
        html.raw("<p class=\"soft\">").put(next_check(summary)).raw("</p>");
        html.raw("<form method=\"post\" action=\"check\">");
        html.raw("<input type=\"hidden\" name=\"appname\" value=\"").put(&summary.name).raw("\">");
        row::change(&mut html, summary);
        html.raw("<a class=\"button\" href=\"watch?appname=").query(&summary.name);
        html.raw("\">Change …</a></form></section>");
        self.people(&mut html);
        self.past(&mut html);
        self.last(&mut html);
        self.facts(&mut html);
        self.log(&mut html);
        self.stop(&mut html);
        let mut footer = Html::default();
        frame::as_of(&mut footer, self.app.closeup.now.wall, &self.zone);
        footer.raw("<span><a href=\"info?format=json&amp;appname=");
        footer.query(&summary.name).raw("\">JSON</a> · <a href=\"log?appname=");
        footer.query(&summary.name).raw("\">log</a></span>");
        frame::page(&title, standing, &html, &footer)
    }

    /// Who was told of trouble that lasts, and whether they hear more of it.
    fn people(&self, html: &mut Html) {
        let people = &self.app.people;
        if people.is_empty() {
            return;
        }
        html.raw("<section class=\"box\"><h2>Mute</h2><ul>");
        for person in people {
            html.raw("<li><bdi>").put(&person.to).raw("</bdi> was told, ");
            html.put(person.sentence(&self.zone)).raw("</li>");
        }
        html.raw("</ul><p>No more mail of it to them:</p>");
        html.raw("<form method=\"post\" action=\"mute\">");
        html.raw("<input type=\"hidden\" name=\"appname\" value=\"");
        html.put(&self.app.closeup.summary.name).raw("\">");
        mute::buttons(html, people.iter().any(|person| person.muted.is_some()));
        html.raw("</form></section>");
    }

    fn past(&self, html: &mut Html) {
        let closeup = &self.app.closeup;
        let checks: Vec<_> = closeup.recent.all().collect();
        let days: Vec<_> = closeup.days.all().collect();
        html.raw("<section class=\"box\"><h2>Past</h2>");
        row::numbers(html, closeup);
        html.raw("<p class=\"soft\">Last checks, newest at the right</p>");
        chart::bar(html, &checks, CELLS);
        if let (Some(first), Some(last)) = (checks.first(), checks.last()) {
            html.raw("<p class=\"soft\">Time until the answer, last ").put(last.latency_ms);
            html.raw(" ms; each check is remembered since ").put(first.time.for_people(&self.zone));
            html.raw("</p>");
        }
        chart::latency_in_full(html, &checks, closeup.now.at);
        html.raw("<p class=\"soft\">90 days (UTC)</p>");
        chart::days(html, &days, row::today(closeup));
        if !days.is_empty() {
            day_table(html, &days);
        }
        html.raw("</section>");
    }

    fn last(&self, html: &mut Html) {
        let Some(last) = &self.app.last else { return };
        let verdict = &last.verdict;
        html.raw("<section class=\"box\"><h2>Last check</h2><p>")
            .put(last.time.for_people(&self.zone));
        html.raw(": <bdi>").put(&verdict.reason).raw("</bdi>, after ").put(last.latency_ms);
        html.raw(" ms</p>");
        if let Some(body) = &verdict.body {
            html.raw("<pre tabindex=\"0\" role=\"region\" aria-label=\"What the app returned\">");
            html.put(pretty::pretty(body)).raw("</pre>");
        }
        html.raw("</section>");
    }

    fn facts(&self, html: &mut Html) {
        let app = &self.app;
        let [checks, warnings, failures] = app.counts;
        html.raw("<section class=\"box\"><h2>As registered</h2><dl class=\"facts\">");
        match &app.health_url {
            Some(address) => fact(html, "Address", address),
            None => fact(html, "Watched by", "its beats: it is not asked, it reports"),
        }
        for (label, said) in app.registered.facts() {
            fact(html, label, &said);
        }
        fact(html, "Checks", &format!("{checks}, of them {warnings} warned and {failures} failed"));
        let last = app.last_healthy.map_or("never".to_owned(), |wall| wall.for_people(&self.zone));
        fact(html, "Last passed", &last);
        if let Some(ends) = app.certificate_ends {
            fact(html, "Certificate ends", &ends.for_people(&self.zone));
        }
        html.raw("</dl></section>");
    }

    fn log(&self, html: &mut Html) {
        html.raw("<section class=\"box\"><h2>Log</h2>");
        match &self.log {
            Ok(lines) => logbook::list(html, lines, &self.zone),
            Err(why) => {
                html.raw("<p>").put(why).raw("</p>");
            }
        }
        html.raw("</section>");
    }

    /// The button that destroys something says what.
    fn stop(&self, html: &mut Html) {
        let summary = &self.app.closeup.summary;
        html.raw("<section class=\"box\" id=\"stop\"><h2>Stop watching</h2><p>");
        html.raw("<bdi>")
            .put(&summary.name)
            .raw("</bdi> is asked no longer, nobody is told of it, ");
        html.raw("and its history is forgotten");
        if let Some(watched) = self.app.closeup.days.all().next() {
            html.raw(" (since ").put(date(watched.day)).raw(")");
        }
        html.raw(". To watch it again, it has to register again.</p>");
        html.raw("<p>An app that registers itself (<code>keep_registered</code>, a start script) does so ");
        html.raw(if summary.paused {
            "within a minute: then leave it paused.</p>"
        } else {
            "within a minute: then pause it instead. It stays on the list and is left alone.</p>"
        });
        html.raw("<form method=\"post\" action=\"stop\">");
        html.raw("<input type=\"hidden\" name=\"appname\" value=\"").put(&summary.name);
        html.raw("\">");
        if !summary.paused {
            html.raw("<button formaction=\"pause\">Pause instead</button> ");
        }
        html.raw("<button class=\"risky\">Yes, stop watching ").put(&summary.name);
        html.raw("</button></form></section>");
    }
}

fn fact(html: &mut Html, label: &'static str, value: &str) {
    html.raw("<dt>").raw(label).raw("</dt><dd>").put(value).raw("</dd>");
}

fn day_table(html: &mut Html, days: &[DayOfChecks]) {
    html.raw("<details><summary>Day by day</summary><table><thead><tr>");
    html.raw("<th scope=\"col\">Day</th><th scope=\"col\">Up</th><th scope=\"col\">Checks</th>");
    html.raw("<th scope=\"col\">Failed</th><th scope=\"col\">Half within</th>");
    html.raw("<th scope=\"col\">95 % within</th></tr></thead><tbody>");
    for day in days.iter().rev() {
        html.raw("<tr><td>").put(date(day.day)).raw("</td><td>");
        html.put(frame::percent(day.uptime())).raw("</td><td>").put(day.checks);
        html.raw("</td><td>").put(day.failures).raw("</td><td>").put(day.p50_ms);
        html.raw(" ms</td><td>").put(day.p95_ms).raw(" ms</td></tr>");
    }
    html.raw("</tbody></table></details>");
}

/// `2026-11-23`.
fn date(day: u16) -> String {
    /// 1970-01-01.
    const EPOCH: i32 = 2_440_588;
    let date = Date::from_julian_day(EPOCH + i32::from(day));
    date.map(|date| date.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(20_780), "2026-11-23");
    }
}
