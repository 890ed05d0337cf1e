//! What the mail server said to a mail, and what that means for it.

use crate::engine::words::plain::one_line;

/// Characters of a server's reply in a sentence.
const MAX_REPLY: usize = 300;

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

/// How far a conversation with the mail server got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Connection, greeting, EHLO, STARTTLS.
    Greeting,
    /// AUTH.
    Login,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA and the message itself.
    Message,
}

impl Stage {
    /// What was sent, as a sentence names it.
    pub fn word(self) -> &'static str {
        match self {
            Stage::Greeting => "our greeting",
            Stage::Login => "the login",
            Stage::Sender => "the sender",
            Stage::Recipient => "the recipient",
            Stage::Message => "the message",
        }
    }
}

/// An enhanced status code (RFC 3463): class, subject, detail.
type Enhanced = (u16, u16, u16);

/// What a 4xx or 5xx reply means for the mail. `reply` is its text, the enhanced code first.
///
/// Decided by where it came, the first digit and the enhanced code, never by the words: those
/// change with the server's version and language. A 5xx is final only when it is about this
/// recipient or this message; before that it is about us or our settings, and the mail is kept.
pub fn classify(stage: Stage, code: u16, reply: &str) -> Delivery {
    let said = one_line(&format!("{code} {reply}"), MAX_REPLY);
    let sentence = format!("the mail server answered {} with {said}", stage.word());
    match (code, enhanced(code, reply)) {
        (421, Some((4, 7, 0))) | (450, Some((4, 2, 1))) => Delivery::MuchLater(sentence),
        (530..=539, _) | (550, Some((5, 4, 5))) => Delivery::Credentials(sentence),
        (500..=599, _) => match stage {
            // A blocked address or a server in maintenance: it passes.
            Stage::Greeting => Delivery::Later(sentence),
            Stage::Login | Stage::Sender => Delivery::Credentials(sentence),
            Stage::Recipient | Stage::Message => Delivery::Rejected(sentence),
        },
        _ => Delivery::Later(sentence),
    }
}

/// The enhanced code at the start of a reply; `None` unless its class agrees with the reply code
/// (RFC 2034 section 4).
fn enhanced(code: u16, reply: &str) -> Option<Enhanced> {
    let mut parts = reply.split_whitespace().next()?.splitn(3, '.').map(number);
    let found = (parts.next()??, parts.next()??, parts.next()??);
    (found.0 == code / 100).then_some(found)
}

/// One to three digits (RFC 3463 section 2).
fn number(digits: &str) -> Option<u16> {
    let plain = (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kind(stage: Stage, reply: &str) -> &'static str {
        let (code, text) = reply.split_once(' ').unwrap_or((reply, ""));
        match classify(stage, code.parse().unwrap(), text) {
            Delivery::Accepted => "accepted",
            Delivery::Later(_) => "later",
            Delivery::MuchLater(_) => "much later",
            Delivery::Credentials(_) => "credentials",
            Delivery::Rejected(_) => "rejected",
        }
    }

    #[test]
    fn what_servers_say() {
        let table = [
            (Stage::Greeting, "421 4.3.0 Temporary System Problem", "later"),
            (Stage::Greeting, "421 4.4.5 Server busy", "later"),
            (Stage::Greeting, "421 4.7.0 Try again later", "much later"),
            (Stage::Greeting, "421 service not available", "later"),
            (Stage::Greeting, "554 no SMTP service here", "later"),
            (Stage::Greeting, "530 5.7.0 Must issue a STARTTLS command first", "credentials"),
            (Stage::Login, "454 4.7.0 Temporary authentication failure", "later"),
            (Stage::Login, "535 5.7.8 Username and Password not accepted", "credentials"),
            (Stage::Login, "534 5.7.9 Application-specific password required", "credentials"),
            (Stage::Login, "538 5.7.11 Encryption required", "credentials"),
            (Stage::Login, "550 account suspended", "credentials"),
            (Stage::Sender, "530 5.7.0 Authentication Required", "credentials"),
            (Stage::Sender, "553 5.7.1 not owned by user", "credentials"),
            (Stage::Sender, "451 4.3.0 Mail server temporarily rejected message", "later"),
            (Stage::Recipient, "450 4.2.1 receiving mail too quickly", "much later"),
            (Stage::Recipient, "450 4.7.1 Greylisted", "later"),
            (Stage::Recipient, "452 4.2.2 over quota", "later"),
            (Stage::Recipient, "452 4.5.3 Too many recipients", "later"),
            (Stage::Recipient, "550 5.1.1 does not exist", "rejected"),
            (Stage::Recipient, "550", "rejected"),
            (Stage::Recipient, "550 5.4.5 Daily user sending limit exceeded", "credentials"),
            // The class of the enhanced code does not agree: it is no enhanced code.
            (Stage::Recipient, "550 4.2.1 odd", "rejected"),
            (Stage::Recipient, "450 5.4.5 odd", "later"),
            (Stage::Message, "552 5.2.3 too large", "rejected"),
            (Stage::Message, "550 5.7.1 looks like spam 5.4.5", "rejected"),
            (Stage::Message, "451 4.4.2 Timeout", "later"),
            (Stage::Message, "550 5.4.5. odd", "rejected"),
        ];
        for (stage, reply, meant) in table {
            assert_eq!(kind(stage, reply), meant, "{stage:?}: {reply}");
        }
    }

    #[test]
    fn the_sentence_names_stage_and_reply() {
        assert_eq!(
            classify(Stage::Recipient, 550, "5.1.1 no such user\r\n\u{1b}[2J"),
            Delivery::Rejected(
                "the mail server answered the recipient with 550 5.1.1 no such user [2J".into()
            )
        );
    }

    proptest! {
        #[test]
        fn no_4xx_is_final_and_nothing_before_the_recipient(code in 200_u16..700, reply: String) {
            for stage in [Stage::Greeting, Stage::Login, Stage::Sender] {
                prop_assert!(!matches!(classify(stage, code, &reply), Delivery::Rejected(_)));
            }
            if code < 500 {
                let end = classify(Stage::Message, code, &reply);
                prop_assert!(matches!(end, Delivery::Later(_) | Delivery::MuchLater(_)));
            }
        }
    }
}
