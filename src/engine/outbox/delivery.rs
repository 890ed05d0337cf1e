//! The end of an attempt to deliver a mail, by what it means for the mail.
//!
//! How a mail travels, and in which words it is refused, is the business of who carries it: they say
//! which of these it comes to.

/// The end of one attempt to deliver one mail. What is said of it is a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Accepted: somebody else has taken responsibility for it.
    Accepted,
    /// Trouble that passes: try again soon.
    Later(String),
    /// A limit that a quick retry would only prolong: try again, not soon.
    MuchLater(String),
    /// Refused for what we are or how we are set up. The mail is kept and tried again slowly; as a rule
    /// a person has to mend something first.
    Settings(String),
    /// Refused for this recipient, without a word whether there is nobody there, or whether it is
    /// about us: kept as with [`Delivery::Settings`], until somebody gives the mail up.
    Unclear(String),
    /// Refused for what is in it: it is kept, and tried again with less in it.
    Content(String),
    /// Refused for this recipient, whom there is not: final.
    Rejected(String),
}
