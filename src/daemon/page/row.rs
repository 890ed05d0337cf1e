//! One app among all: in full when it is worth it, in a line otherwise.

use super::chart;
use super::frame::{Standing, badge, next_check, percent};
use super::html::Html;
use crate::engine::query::summary::{Closeup, Summary};

/// Checks in the bar.
const CELLS: usize = 60;

/// The app in full.
pub(super) fn full(html: &mut Html, closeup: &Closeup) {
    let summary = &closeup.summary;
    let standing = Standing::of(summary);
    html.raw("<article id=\"app-").query(&summary.name).raw("\" class=\"app is-");
    html.raw(standing.class()).raw("\"><div>");
    name(html, summary, standing);
    why(html, summary, standing);
    let checks: Vec<_> = closeup.recent.all().collect();
    html.raw("<div class=\"next\"><p class=\"soft\">");
    if let Some(last) = checks.last() {
        html.raw("last ").put(last.latency_ms).raw(" ms, ");
    }
    html.put(next_check(summary)).raw("</p>");
    buttons(html, summary);
    html.raw("</div></div><div class=\"past\">");
    chart::bar(html, &checks, CELLS);
    chart::latency(html, &checks);
    let days: Vec<_> = closeup.days.all().collect();
    chart::days(html, &days, today(closeup));
    html.raw("</div>");
    numbers(html, closeup);
    html.raw("</article>");
}

/// The app in a line.
pub(super) fn line(html: &mut Html, summary: &Summary) {
    let standing = Standing::of(summary);
    html.raw("<article id=\"app-").query(&summary.name).raw("\" class=\"app line is-");
    html.raw(standing.class()).raw("\">");
    name(html, summary, standing);
    if standing == Standing::Healthy {
        html.raw("<p class=\"soft\">for ").put(summary.lasted.in_words()).raw("</p>");
        // What the owner has set for the night is said once, above.
        if summary.quiet.as_ref().is_some_and(|quiet| quiet.asked_for) {
            hush(html, summary);
        }
    } else {
        why(html, summary, standing);
    }
    html.raw("<p class=\"soft\">24 h: ").put(percent(summary.uptime_24h)).raw("</p></article>");
}

fn name(html: &mut Html, summary: &Summary, standing: Standing) {
    html.raw("<div class=\"name\"><h3><a href=\"").to("info?appname=");
    html.query(&summary.name).raw("\"><bdi>").put(&summary.name).raw("</bdi></a></h3>");
    badge(html, standing);
    html.raw("</div>");
}

/// Since when, and why.
pub(super) fn why(html: &mut Html, summary: &Summary, standing: Standing) {
    html.raw("<p class=\"why\">");
    if standing == Standing::Paused {
        html.raw("Paused, last ").put(summary.state.word()).raw("</p>");
        return;
    }
    html.raw("For <time datetime=\"").put(summary.since).raw("\">");
    html.put(summary.lasted.in_words()).raw("</time>");
    match (standing, summary.reason.as_str()) {
        (Standing::Healthy, _) => {}
        (_, "") => {
            html.raw(": not checked yet");
        }
        (_, reason) => {
            html.raw(": <bdi>").put(reason).raw("</bdi>");
        }
    }
    html.raw("</p>");
    hush(html, summary);
}

/// Until when nobody is told of it.
fn hush(html: &mut Html, summary: &Summary) {
    if let Some(quiet) = &summary.quiet {
        html.raw("<p class=\"soft\">").put(&quiet.sentence).raw("</p>");
    }
}

/// Check now, pause or resume, and the way to the button that stops.
fn buttons(html: &mut Html, summary: &Summary) {
    html.raw("<details><summary aria-label=\"Actions for ");
    html.put(&summary.name).raw("\">Actions</summary>");
    html.raw("<form method=\"post\" action=\"").to("check").raw("\">");
    html.raw("<input type=\"hidden\" name=\"appname\" value=\"").put(&summary.name).raw("\">");
    // In one place whichever they are: an update leaves the focus on what follows.
    html.raw("<span class=\"both\">");
    change(html, summary);
    html.raw("</span>");
    html.raw("<a class=\"button\" href=\"").to("info?appname=").query(&summary.name);
    html.raw("#stop\" aria-label=\"Stop … ")
        .put(&summary.name)
        .raw("\">Stop …</a></form></details>");
}

/// The buttons that destroy nothing.
pub(super) fn change(html: &mut Html, summary: &Summary) {
    let name = &summary.name;
    if summary.paused {
        html.raw("<button formaction=\"").to("resume").raw("\" aria-label=\"Resume ").put(name);
        html.raw("\">Resume</button>");
    } else {
        if !summary.reports {
            html.raw("<button aria-label=\"Check now: ").put(name).raw("\">Check now</button>");
        }
        html.raw("<button formaction=\"").to("pause").raw("\" aria-label=\"Pause ").put(name);
        html.raw("\">Pause</button>");
        if summary.quiet.as_ref().is_some_and(|quiet| quiet.asked_for) {
            html.raw("<button formaction=\"")
                .to("resume")
                .raw("\" aria-label=\"End quiet: ")
                .put(name);
            html.raw("\">End quiet</button>");
        } else {
            html.raw("<button formaction=\"").to("pause").raw("\" name=\"for\" value=\"1h\" ");
            html.raw("aria-label=\"Quiet for 1 h: ").put(name).raw("\">Quiet for 1 h</button>");
        }
    }
}

/// Uptimes.
pub(super) fn numbers(html: &mut Html, closeup: &Closeup) {
    html.raw("<dl class=\"numbers\"><div><dt>24 h</dt><dd>");
    html.put(percent(closeup.summary.uptime_24h)).raw("</dd></div>");
    for (days, share) in closeup.uptimes {
        html.raw("<div><dt>").put(days).raw(" d</dt><dd>").put(percent(share));
        html.raw("</dd></div>");
    }
    html.raw("</dl>");
}

/// The day, as [`crate::engine::registry::history::DayOfChecks`] counts.
pub(super) fn today(closeup: &Closeup) -> u16 {
    closeup.days.today(closeup.now.wall)
}
