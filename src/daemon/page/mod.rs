//! The web page: what is going on, in one look. Data in, HTML out; no socket, clock or file.
//!
//! Every page is whole by itself: style, pictures and script are in it, nothing is fetched from
//! elsewhere, and without the script all works. `html` is the only place that writes markup, and
//! escapes whatever is not ours.
//!
//! - `frame`: what all pages have, and the [`policy`] that goes with them;
//! - `board`: all apps, the worst first; `row` is one of them; `one`: one app with all there is;
//! - `watch`: the form in which something is added, or changed;
//! - `incidents`: what came of the household lately;
//! - `mute`: what the link of a mail leads to;
//! - `chart`: bars and lines as SVG; `logbook`: lines of the health check log in words;
//!   `pretty`: JSON laid out.

mod board;
mod chart;
mod frame;
mod html;
mod incidents;
mod logbook;
mod mute;
mod one;
mod pretty;
mod problem;
mod row;
mod scan;
mod watch;

pub use board::{Beginning, Board, CLOSE_UP, Part, order};
pub(crate) use frame::policy;
pub use html::Base;
pub(crate) use incidents::IncidentsPage;
pub(crate) use mute::MutePage;
pub(crate) use one::AppPage;
pub(crate) use problem::problem;
pub(crate) use scan::ScanPage;
pub use watch::WatchForm;
pub(crate) use watch::{CHANGES, FORGET};
