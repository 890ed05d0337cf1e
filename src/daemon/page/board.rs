//! All apps on one page, the worst first.

use std::collections::HashMap;

use super::frame::{self, Standing};
use super::html::{Base, Html};
use super::scan;
use super::watch::WatchForm;
use super::{incidents, row};
use crate::engine::query::incidents::AroundView;
use crate::engine::query::summary::{Closeup, Summary};
use crate::engine::query::view::{HealthView, RefusedView};
use crate::engine::text::span;
use crate::engine::time::{Wall, Zone};

/// So many apps are shown in full, the others in a line: a thousand in full would be 2 MB.
pub const CLOSE_UP: usize = 60;

/// So many apps are on one page: as many as a phone takes, half a megabyte.
const PART: usize = 1000;

/// A part of the page, where there are more apps than one takes.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// From 1 on.
    number: usize,
    /// How many there are; 1 at least.
    all: usize,
}

impl Part {
    /// This one, or the last there is: apps may have been stopped meanwhile.
    pub fn of(number: usize, apps: usize) -> Part {
        let all = apps.div_ceil(PART).max(1);
        Part { number: number.clamp(1, all), all }
    }

    /// Its apps.
    pub fn of_all<T>(self, apps: &[T]) -> &[T] {
        apps.chunks(PART).nth(self.number - 1).unwrap_or_default()
    }
}

/// What the page is made of.
#[derive(Debug)]
pub struct Board {
    /// The daemon itself.
    pub daemon: HealthView,
    /// What is going on around us.
    pub around: AroundView,
    /// When it was looked at.
    pub time: Wall,
    /// What it tells times in.
    pub zone: Zone,
    /// All apps, in the order of [`order`].
    pub summaries: Vec<Summary>,
    /// Which of them are on this page.
    pub part: Part,
    /// Those of them that are shown in full, in the same order.
    pub closeups: Vec<Closeup>,
    /// What is there instead while there are none.
    pub beginning: Option<Beginning>,
    /// The way to the other pages.
    pub base: Base,
}

/// How something comes to be watched.
#[derive(Debug)]
pub struct Beginning {
    /// By a person,
    pub form: WatchForm,
    /// and by an app: a line for a shell.
    pub call: String,
}

/// Puts apps into the order of the page: hosts by their worst app, the apps of one host together.
pub fn order(summaries: &mut [Summary]) {
    let mut worst: HashMap<String, Standing> = HashMap::new();
    for summary in &*summaries {
        let standing = Standing::of(summary);
        let known = worst.entry(summary.host.clone()).or_insert(standing);
        *known = standing.min(*known);
    }
    summaries.sort_by(|a, b| {
        let rank = |summary: &Summary| worst.get(&summary.host).copied();
        let key = |summary: &Summary| (rank(summary), Standing::of(summary));
        let (rank_a, standing_a) = key(a);
        let (rank_b, standing_b) = key(b);
        rank_a
            .cmp(&rank_b)
            .then_with(|| a.host.cmp(&b.host))
            .then(standing_a.cmp(&standing_b))
            .then_with(|| a.name.to_lowercase().cmp(&b.name.to_lowercase()))
    });
}

impl Board {
    /// The page.
    pub fn html(&self) -> String {
        let standings = || self.summaries.iter().map(Standing::of);
        let worst = standings().min().unwrap_or(Standing::Unknown);
        let mut title = Html::default();
        self.headline(&mut title, worst);
        let mut main = Html::at(self.base);
        main.raw("<header><h1>");
        frame::sign(&mut main, worst);
        main.raw("<span>").add(&title).raw("</span></h1>");
        if self.beginning.is_none() {
            self.counts(&mut main);
        }
        main.raw("</header>");
        title.raw(" · HealthChecker");
        incidents::around(&mut main, &self.around, &self.zone);
        if let Some(beginning) = &self.beginning {
            beginning.put(&mut main);
        }
        self.notices(&mut main);
        self.groups(&mut main);
        self.parts(&mut main);
        let mut footer = Html::at(self.base);
        self.footer(&mut footer);
        match self.beginning {
            None => frame::page(&title, worst, &main, &footer),
            // Without the script a form would be asked for anew while somebody fills it in.
            Some(_) => frame::patient(&title, worst, &main, &footer),
        }
    }

    fn headline(&self, html: &mut Html, worst: Standing) {
        let all = self.summaries.len();
        let count = self.summaries.iter().filter(|summary| Standing::of(summary) == worst).count();
        let first = self.summaries.iter().find(|summary| Standing::of(summary) == worst);
        match (worst, first) {
            (_, None) => html.raw("Nothing is watched yet"),
            (Standing::Healthy, _) if all == 1 => html.raw("1 of 1 is healthy"),
            (Standing::Healthy, _) => html.raw("All ").put(all).raw(" are healthy"),
            (_, Some(first)) => {
                html.raw(worst.word()).raw(": ").put(&first.name);
                if count > 1 {
                    html.raw(" and ").put(count - 1).raw(" more");
                }
                html
            }
        };
    }

    fn counts(&self, html: &mut Html) {
        let healthy = self
            .summaries
            .iter()
            .filter(|summary| Standing::of(summary) == Standing::Healthy)
            .count();
        html.raw("<p>").put(healthy).raw(" of ").put(self.summaries.len()).raw(" healthy</p>");
        html.raw("<ul class=\"counts\" aria-label=\"Apps by state\">");
        for standing in [
            Standing::Unhealthy,
            Standing::Degraded,
            Standing::Unknown,
            Standing::Paused,
            Standing::Healthy,
        ] {
            let count =
                self.summaries.iter().filter(|summary| Standing::of(summary) == standing).count();
            if count > 0 {
                html.raw("<li class=\"").raw(standing.class()).raw("\">");
                frame::sign(html, standing);
                html.put(count).raw(" ").raw(standing.word()).raw("</li>");
            }
        }
        html.raw("</ul><a class=\"button\" href=\"").to("watch").raw("\">Watch something</a>");
    }

    /// Of how many apps nobody is told for now.
    fn quiet(&self, html: &mut Html) {
        let quiet =
            self.summaries.iter().filter(|summary| summary.quiet.is_some() && !summary.paused);
        let count = quiet.clone().count();
        if let Some(quiet) = quiet.filter_map(|summary| summary.quiet.as_ref()).next() {
            html.raw("<p class=\"notice\"><b>Quiet:</b> ").put(count).raw(" of ");
            html.put(self.summaries.len()).raw(". ").put(&quiet.sentence).raw("</p>");
        }
    }

    /// What waits, and the daemon's own trouble.
    fn notices(&self, html: &mut Html) {
        self.quiet(html);
        let outbox = &self.daemon.outbox;
        if outbox.waiting > 0 || !outbox.trouble.is_empty() {
            html.raw("<section class=\"notice\" aria-label=\"Mail\"><p><b>");
            match outbox.waiting {
                0 => html.raw("Mail is in trouble"),
                1 => html.raw("1 mail waits to be sent"),
                many => html.put(many).raw(" mails wait to be sent"),
            };
            html.raw("</b></p>");
            list(html, &outbox.trouble);
            html.raw("</section>");
        }
        refused(html, &outbox.refused);
        if !self.daemon.mailing {
            html.raw(
                "<p class=\"notice\"><b>No mail is sent:</b> it is not set up, or only in part. ",
            );
            html.raw("<code>healthchecker setup</code> asks for what it needs, ");
            html.raw("<code>healthchecker test-mail</code> says what is missing.</p>");
        }
        for (what, troubles) in [
            ("disk", &self.daemon.disk),
            ("name service", &self.daemon.names),
            ("ping", &self.daemon.ping),
        ] {
            if !troubles.is_empty() {
                html.raw("<section class=\"notice\" aria-label=\"The ").raw(what);
                html.raw("\"><p><b>The ").raw(what).raw(" needs a look</b></p>");
                list(html, troubles);
                html.raw("</section>");
            }
        }
    }

    fn groups(&self, html: &mut Html) {
        let mut closeups = self.closeups.iter().peekable();
        for group in self.part.of_all(&self.summaries).chunk_by(|a, b| a.host == b.host) {
            let host = group.first().map(|summary| summary.host.as_str());
            let host = host.filter(|host| !host.is_empty()).unwrap_or("Beats");
            html.raw("<section><h2><bdi>").put(host).raw("</bdi></h2><div class=\"group\">");
            for summary in group {
                match closeups.next_if(|closeup| closeup.summary.name == summary.name) {
                    Some(closeup) => row::full(html, closeup),
                    None => row::line(html, summary),
                }
            }
            html.raw("</div></section>");
        }
    }

    /// The way to the other parts; the worst is in the first.
    fn parts(&self, html: &mut Html) {
        if self.part.all == 1 {
            return;
        }
        html.raw("<nav class=\"counts\" aria-label=\"Parts\">");
        for number in 1..=self.part.all {
            html.raw("<a class=\"button\" href=\"").to("status?format=html&amp;page=").put(number);
            html.raw(if number == self.part.number { "\" aria-current=\"page\">" } else { "\">" });
            html.put((number - 1) * PART + 1)
                .raw(" to ")
                .put((number * PART).min(self.summaries.len()));
            html.raw("</a>");
        }
        html.raw("</nav>");
    }

    fn footer(&self, html: &mut Html) {
        html.raw("<span>HealthChecker ").put(self.daemon.version).raw(", up for ");
        html.put(span::in_words(std::time::Duration::from_secs(self.daemon.uptime)));
        html.raw("</span>");
        frame::as_of(html, self.time, &self.zone);
        // The empty page has it where one begins.
        if self.beginning.is_none() {
            scan::again(html);
        }
        html.raw("<span><a href=\"").to("incidents").raw("\">incidents</a> · ");
        html.raw("<a href=\"").to("status?format=json").raw("\">JSON</a> · ");
        html.raw("<a href=\"").to("../metrics").raw("\">metrics</a> · <a href=\"");
        html.to("../openapi.json")
            .raw("\">API</a> · <a href=\"")
            .to("export")
            .raw("\">backup</a></span>");
    }
}

fn list(html: &mut Html, sentences: &[String]) {
    html.raw("<ul>");
    for sentence in sentences {
        html.raw("<li>").put(sentence).raw("</li>");
    }
    html.raw("</ul>");
}

/// What was refused for good, until somebody says that they have seen it.
fn refused(html: &mut Html, refusals: &[RefusedView]) {
    if refusals.is_empty() {
        return;
    }
    html.raw(
        "<section class=\"notice\" aria-label=\"Refused mail\"><p><b>Refused for good</b></p><ul>",
    );
    for refusal in refusals {
        html.raw("<li><form method=\"post\" action=\"").to("seen").raw("\"><bdi>");
        html.put(&refusal.sentence).raw("</bdi> <button name=\"email\" value=\"").put(&refusal.to);
        html.raw("\" aria-label=\"Seen: mail to ")
            .put(&refusal.to)
            .raw("\">Seen</button></form></li>");
    }
    html.raw("</ul></section>");
}

impl Beginning {
    fn put(&self, html: &mut Html) {
        html.raw("<h2>Watch something</h2>");
        self.form.put(html);
        html.raw("<div class=\"box\"><p>Or see what announces itself here, and watch it with one touch:</p>");
        scan::again(html);
        html.raw("</div>");
        html.raw("<div class=\"box\"><p>An app registers itself with one call:</p><pre>");
        html.put(&self.call).raw("</pre></div>");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::recipients::Recipient;
    use crate::engine::state::State;
    use crate::engine::time::Age;

    fn summary(name: &str, host: &str, state: State) -> Summary {
        Summary {
            name: name.to_owned(),
            host: host.to_owned(),
            state,
            paused: false,
            quiet: None,
            since: Wall::from_unix_millis(1_795_474_540_000),
            lasted: Age { span: Duration::from_secs(720), exact: true },
            reason: "connection refused".to_owned(),
            next_in: Some(Duration::from_secs(12)),
            reports: false,
            uptime_24h: Some(0.5),
        }
    }

    fn board(mut summaries: Vec<Summary>) -> Board {
        order(&mut summaries);
        let beginning = summaries.is_empty().then(|| Beginning {
            form: WatchForm::new("nobody".to_owned()),
            call: "curl -d appname=NAS http://pi:8080/<b>".to_owned(),
        });
        Board {
            base: Base::default(),
            beginning,
            daemon: HealthView { version: "1", mailing: true, ..HealthView::default() },
            around: AroundView::default(),
            time: Wall::from_unix_millis(1_795_474_540_000),
            zone: Zone::UTC,
            part: Part::of(1, summaries.len()),
            summaries,
            closeups: Vec::new(),
        }
    }

    #[test]
    fn the_worst_is_first_and_the_apps_of_a_host_stay_together() {
        let board = board(vec![
            summary("b", "pi", State::Healthy),
            summary("z", "pi", State::Unhealthy),
            summary("a", "nas", State::Healthy),
            summary("c", "tv", State::Degraded),
        ]);
        let names: Vec<&str> =
            board.summaries.iter().map(|summary| summary.name.as_str()).collect();
        assert_eq!(names, ["z", "b", "c", "a"]);
        let html = board.html();
        assert!(html.contains("<title>UNHEALTHY: z · HealthChecker</title>"));
        assert!(html.contains("2 of 4 healthy"));
        assert_eq!(html.matches("<section>").count(), 3, "a group for each host");
    }

    #[test]
    fn what_apps_say_is_never_markup() {
        let evil = "</bdi><script>alert(1)</script>\"'&";
        let mut app = summary(evil, evil, State::Unhealthy);
        app.reason = evil.to_owned();
        let mut board = board(vec![app]);
        board.daemon.disk.push(evil.to_owned());
        board.daemon.outbox.trouble.push(evil.to_owned());
        let (to, text) = (Recipient::mail(evil), evil.to_owned());
        board.daemon.outbox.refused.push(RefusedView { to, sentence: format!("{evil}: {text}") });
        let html = board.html();
        assert_eq!(html.matches("<script>").count(), 1, "our own");
        assert_eq!(html.matches("alert(1)").count(), 11);
    }

    #[test]
    fn a_thousand_apps_are_not_two_megabytes() {
        let apps =
            (0..1000).map(|n| summary(&format!("app-{n}"), &format!("10.0.3.{n}"), State::Healthy));
        let html = board(apps.collect()).html();
        assert!(html.len() < 600_000, "{}", html.len());
        assert!(html.contains("All 1000 are healthy"));
    }

    #[test]
    fn ten_thousand_apps_are_ten_pages_and_the_worst_is_on_the_first() {
        let name = |n: u32| format!("app-{n:05}");
        let state = |n| if n == 7777 { State::Unhealthy } else { State::Healthy };
        let apps = (0..10_000).map(|n| summary(&name(n), &format!("10.0.{}.9", n / 99), state(n)));
        let mut board = board(apps.collect());
        let mut articles = 0;
        for number in 1..=10 {
            board.part = Part::of(number, 10_000);
            let html = board.html();
            assert!(html.len() < 600_000, "{}", html.len());
            assert!(html.contains("9999 of 10000 healthy"));
            assert_eq!(html.contains("id=\"app-app-07777\""), number == 1);
            assert_eq!(html.matches("aria-current").count(), 1);
            articles += html.matches("<article").count();
        }
        assert_eq!(articles, 10_000);
        assert_eq!((Part::of(11, 10_000).number, Part::of(5, 0).number), (10, 1));
    }

    #[test]
    fn without_apps_it_says_how_to_begin() {
        let html = board(Vec::new()).html();
        assert!(html.contains("Nothing is watched yet"));
        assert!(html.contains("<form class=\"box watch\""));
        assert!(html.contains("curl -d appname=NAS http://pi:8080/&lt;b&gt;"));
        assert!(!html.contains("http-equiv"), "nobody's form is asked for anew");
    }
}
