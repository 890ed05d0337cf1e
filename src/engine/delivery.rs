//! What the mail server said to a mail, and what that means for it.

/// The end of one attempt to deliver one mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Accepted: the server has taken responsibility for it.
    Accepted,
    /// Network trouble or a 4xx: try again soon.
    Later(String),
    /// 421 4.7.0 or 450 4.2.1, a rate limit: try again, not soon.
    MuchLater(String),
    /// 53x, 550 5.4.5, or an expired token: the credentials or the quota are at fault, not the mail.
    /// It is kept and tried again slowly.
    Credentials(String),
    /// A 5xx for this message or recipient: final.
    Rejected(String),
}
