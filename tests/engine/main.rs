//! The engine in virtual time: stories of a household, told in milliseconds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod again;
mod asleep;
mod away;
mod beats;
mod blind;
mod cases;
mod chance;
mod check_log;
mod clock;
mod crashes;
mod crowded;
mod disk;
mod doubt;
mod enough;
mod facts;
mod flaky_host;
mod flapping;
mod incidents;
mod just_gone;
mod killed;
mod late_beats;
mod lives;
mod load;
mod look;
mod mail;
mod mails;
mod mutes;
mod names;
mod off;
mod outages;
mod pace;
mod parents;
mod quiet;
mod recipients;
mod recording;
mod refusals;
mod registering;
mod rehearsals;
mod reminders;
mod restart;
mod seen;
mod settling;
mod standstill;
mod stories;
mod together;
mod told;
mod world;
