//! A letter's body as blocks, before it becomes plain text or HTML.

use crate::engine::registry::history::RecentCheck;
use crate::engine::state::State;
use crate::engine::time::Zone;
use crate::engine::verdict::answer::Outcome;

/// The body: blocks from top to bottom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// The blocks. All text in them is cleaned and bounded already.
    pub(super) blocks: Vec<Block>,
}

/// One block of a body. Texts are as people read them; the renderers escape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// What it is all about; with the state, for a mark of colour.
    Headline(String, Option<State>),
    /// A paragraph.
    Paragraph(String),
    /// Label and value, a line each.
    Facts(Vec<(&'static str, String)>),
    /// A title and points.
    List(String, Vec<String>),
    /// The last checks, newest last; of this app, where several are told of.
    Checks(Option<String>, Vec<ShownCheck>),
    /// A title and the words of an app, several lines.
    Quote(&'static str, String),
    /// A label and an address.
    Link(&'static str, String),
}

/// A check, in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShownCheck {
    pub(super) time: String,
    pub(super) outcome: Outcome,
    pub(super) latency_ms: u32,
}

impl ShownCheck {
    pub(super) fn of(check: &RecentCheck, zone: &Zone) -> ShownCheck {
        let RecentCheck { time, outcome, latency_ms } = *check;
        ShownCheck { time: time.for_people(zone), outcome, latency_ms }
    }
}

impl Page {
    /// Adds a block at the end.
    pub(super) fn add(&mut self, block: Block) {
        self.blocks.push(block);
    }
}
