//! What a browser is shown when something cannot be done.

use super::frame::{self, Standing};
use super::html::Html;

/// A page that says what is wrong, and leads back.
pub fn problem(status: u16, sentence: &str) -> String {
    let (mut title, mut main) = (Html::default(), Html::default());
    title.put(status).raw(" · HealthChecker");
    main.raw("<header><h1>This cannot be done</h1></header><section class=\"box\"><p>");
    main.put(sentence).raw("</p><p><a href=\"/\">Back to all apps</a></p></section>");
    frame::page(&title, Standing::Unknown, &main, &Html::default())
}
