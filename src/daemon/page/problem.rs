//! What a browser is shown when something cannot be done.

use super::frame::{self, Standing};
use super::html::{Base, Html};

/// The status of an answer to whoever has to log in.
const UNAUTHORIZED: u16 = 401;
/// From here on it is the daemon's fault, and may pass.
const SERVER_ERRORS: u16 = 500;

/// A page that says what is wrong, and leads back.
pub(crate) fn problem(status: u16, sentence: &str, base: Base) -> String {
    let (mut title, mut main) = (Html::default(), Html::at(base));
    title.put(status).raw(" · HealthChecker");
    let heading = if status == UNAUTHORIZED { "Log in, please" } else { "This cannot be done" };
    main.raw("<header><h1>").raw(heading).raw("</h1></header><div class=\"box\"><p>");
    main.put(sentence).raw("</p><p><a href=\"").to("./").raw("\">Back to all apps</a></p></div>");
    if status >= SERVER_ERRORS {
        frame::page(&title, Standing::Unknown, &main, &Html::default())
    } else {
        frame::still(&title, &main)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_asked_for_again() {
        for (status, asks_again) in [(401, false), (403, false), (404, false), (503, true)] {
            let page = problem(status, "no <b>", Base::default());
            assert!(page.contains("no &lt;b&gt;"), "{page}");
            assert_eq!(page.contains("<script>"), asks_again, "{status}");
            assert_eq!(page.contains("http-equiv"), asks_again, "{status}");
        }
    }
}
