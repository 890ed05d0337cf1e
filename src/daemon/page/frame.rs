//! What all pages have: head, style, script, the signs of the states.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

use super::html::Html;
use crate::engine::query::summary::Summary;
use crate::engine::state::State;
use crate::engine::text::span;
use crate::engine::time::{Wall, Zone};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The `Content-Security-Policy` of every page: its own style and script by their hashes, forms and
/// the script's requests to us alone, and nothing else from anywhere.
pub(crate) fn policy() -> &'static str {
    static POLICY: OnceLock<String> = OnceLock::new();
    POLICY.get_or_init(|| {
        format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; \
             connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            hash(STYLE),
            hash(SCRIPT)
        )
    })
}

fn hash(text: &str) -> String {
    STANDARD.encode(digest(&SHA256, text.as_bytes()))
}

/// How an app stands, with a pause as a standing of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    Unhealthy,
    Degraded,
    Unknown,
    Paused,
    Healthy,
}

impl Standing {
    pub(super) fn of(summary: &Summary) -> Standing {
        match summary.state {
            _ if summary.paused => Standing::Paused,
            State::Unhealthy => Standing::Unhealthy,
            State::Degraded => Standing::Degraded,
            State::Unknown => Standing::Unknown,
            State::Healthy => Standing::Healthy,
        }
    }

    /// The word for people.
    pub(super) fn word(self) -> &'static str {
        match self {
            Standing::Unhealthy => "UNHEALTHY",
            Standing::Degraded => "DEGRADED",
            Standing::Unknown => "UNKNOWN",
            Standing::Paused => "PAUSED",
            Standing::Healthy => "HEALTHY",
        }
    }

    /// The class in the style sheet, and the name of the sign.
    pub(super) fn class(self) -> &'static str {
        match self {
            Standing::Unhealthy => "unhealthy",
            Standing::Degraded => "degraded",
            Standing::Unknown => "unknown",
            Standing::Paused => "paused",
            Standing::Healthy => "healthy",
        }
    }

    /// The sign of a tab: the same shapes, in colours that show on light and dark.
    fn icon(self) -> &'static str {
        match self {
            Standing::Unhealthy => {
                "%3Cpath%20fill='%23d9363e'%20d='M10%201h12l9%209v12l-9%209H10l-9-9V10z'/%3E%3Cpath%20stroke='%23fff'%20stroke-width='4'%20d='m10%2010%2012%2012m0-12L10%2022'/%3E"
            }
            Standing::Degraded => {
                "%3Cpath%20fill='%23e0a100'%20d='M16%202l15%2028H1z'/%3E%3Cpath%20stroke='%23000'%20stroke-width='4'%20d='M16%2011v9m0%203v4'/%3E"
            }
            Standing::Unknown | Standing::Paused => {
                "%3Ccircle%20cx='16'%20cy='16'%20r='15'%20fill='%23808a96'/%3E%3Cpath%20stroke='%23fff'%20stroke-width='4'%20d='M12%209v14m8-14v14'/%3E"
            }
            Standing::Healthy => {
                "%3Ccircle%20cx='16'%20cy='16'%20r='15'%20fill='%232da44e'/%3E%3Cpath%20fill='none'%20stroke='%23fff'%20stroke-width='4'%20d='m8%2017%206%206%2010-13'/%3E"
            }
        }
    }
}

/// The signs, each a shape of its own, for those who do not tell the colours apart.
const SIGNS: &str = concat!(
    "<svg width=\"0\" height=\"0\" class=\"off\" aria-hidden=\"true\"><defs>",
    "<symbol id=\"unhealthy\" viewBox=\"0 0 16 16\"><path fill=\"currentColor\" ",
    "d=\"M5 0h6l5 5v6l-5 5H5l-5-5V5z\"/><path stroke=\"var(--card)\" stroke-width=\"2\" d=\"m5 5 6 6m0-6-6 6\"/></symbol>",
    "<symbol id=\"degraded\" viewBox=\"0 0 16 16\"><path fill=\"currentColor\" d=\"M8 0l8 15H0z\"/>",
    "<path stroke=\"var(--card)\" stroke-width=\"2\" d=\"M8 5v5m0 1v2\"/></symbol>",
    "<symbol id=\"unknown\" viewBox=\"0 0 16 16\"><circle cx=\"8\" cy=\"8\" r=\"7\" fill=\"none\" ",
    "stroke=\"currentColor\" stroke-width=\"2\" stroke-dasharray=\"2.5 1.9\"/></symbol>",
    "<symbol id=\"paused\" viewBox=\"0 0 16 16\"><path fill=\"currentColor\" d=\"M3 2h4v12H3zm6 0h4v12H9z\"/></symbol>",
    "<symbol id=\"healthy\" viewBox=\"0 0 16 16\"><circle cx=\"8\" cy=\"8\" r=\"8\" fill=\"currentColor\"/>",
    "<path fill=\"none\" stroke=\"var(--card)\" stroke-width=\"2\" d=\"m4 8.5 3 3 5-6.5\"/></symbol>",
    "</defs></svg>"
);

/// Seconds between two looks without the script.
const REFRESH: &str = "30";

/// A whole page that follows what happens: `title` for the tab, with the sign of `standing`, around
/// `main`.
pub(super) fn page(title: &Html, standing: Standing, main: &Html, footer: &Html) -> String {
    let (mut refresh, mut script) = (Html::default(), Html::default());
    refresh.raw("<noscript><meta http-equiv=\"refresh\" content=\"").raw(REFRESH);
    refresh.raw("\"></noscript>");
    script.raw("<script>").raw(SCRIPT).raw("</script>");
    whole(title, standing, &refresh, main, footer, &script)
}

/// The same with a form in it: the script follows until something is typed, and without it nothing is asked for
/// anew.
pub(super) fn patient(title: &Html, standing: Standing, main: &Html, footer: &Html) -> String {
    let mut script = Html::default();
    script.raw("<script>").raw(SCRIPT).raw("</script>");
    whole(title, standing, &Html::default(), main, footer, &script)
}

/// A page that stays as it is: asking again would change nothing, or have the browser ask its person
/// for the token again and again.
pub(super) fn still(title: &Html, main: &Html) -> String {
    let none = Html::default();
    whole(title, Standing::Unknown, &none, main, &none, &none)
}

fn whole(
    title: &Html,
    standing: Standing,
    refresh: &Html,
    main: &Html,
    footer: &Html,
    script: &Html,
) -> String {
    let mut html = Html::default();
    html.raw("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
    html.add(title).raw("</title>");
    html.raw("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\">");
    html.raw("<link rel=\"icon\" href=\"data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'%20viewBox='0%200%2032%2032'%3E");
    html.raw(standing.icon()).raw("%3C/svg%3E\">");
    html.add(refresh).raw("<style>").raw(STYLE).raw("</style></head><body>").raw(SIGNS);
    html.raw("<p id=\"lost\" role=\"status\"></p><main>");
    html.add(main).raw("</main><footer>").add(footer).raw("</footer>").add(script);
    html.raw("</body></html>\n");
    html.into_string()
}

/// When the page was made, for its footer.
pub(super) fn as_of(html: &mut Html, time: Wall, zone: &Zone) {
    html.raw("<span>As of <time datetime=\"").put(time).raw("\">").put(time.for_people(zone));
    html.raw("</time></span>");
}

/// A state's sign. The word is always next to it.
pub(super) fn sign(html: &mut Html, standing: Standing) {
    html.raw("<svg class=\"sign ")
        .raw(standing.class())
        .raw("\" aria-hidden=\"true\"><use href=\"#");
    html.raw(standing.class());
    html.raw("\"/></svg>");
}

/// Sign and word.
pub(super) fn badge(html: &mut Html, standing: Standing) {
    html.raw("<span class=\"state ").raw(standing.class()).raw("\">");
    sign(html, standing);
    html.raw(standing.word()).raw("</span>");
}

/// `98.61 %`; never rounded up to a hundred.
pub(super) fn percent(share: Option<f64>) -> String {
    match share {
        None => "–".to_owned(),
        Some(share) if share >= 1.0 => "100 %".to_owned(),
        Some(share) => {
            let hundredths = (share * 10_000.0) as u32;
            format!("{}.{:02} %", hundredths / 100, hundredths % 100)
        }
    }
}

/// `in 12 s`, or that it is due.
pub(super) fn next_check(summary: &Summary) -> String {
    match summary.next_in {
        None => "not checked while paused".to_owned(),
        Some(later) if summary.reports => {
            format!("next beat within {}", span::in_words(later))
        }
        Some(soon) if soon.as_secs() == 0 => "next check now".to_owned(),
        Some(later) => format!("next check in {}", span::in_words(later)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_rounded_up() {
        assert_eq!(percent(Some(0.999_999)), "99.99 %");
        assert_eq!(percent(Some(1.0)), "100 %");
        assert_eq!(percent(Some(0.5)), "50.00 %");
        assert_eq!(percent(None), "–");
    }
}
