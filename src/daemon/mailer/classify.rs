//! What the mail server's answer means for a mail.

use crate::engine::outbox::delivery::Delivery;
use crate::engine::text::plain::one_line;

/// Characters of a server's reply in a sentence.
const MAX_REPLY: usize = 300;

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
    /// DATA, before any of the message is there to be judged.
    Data,
    /// The message itself.
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
            Stage::Data | Stage::Message => "the message",
        }
    }
}

/// An enhanced status code (RFC 3463): class, subject, detail.
type Enhanced = (u16, u16, u16);

/// The enhanced codes of a 5xx at RCPT that are about the mailbox itself (RFC 3463 section 3, RFC
/// 7505): no such mailbox, no such domain, no such address, moved, a domain without mail, disabled.
const ABOUT_THE_MAILBOX: [Enhanced; 6] =
    [(5, 1, 1), (5, 1, 2), (5, 1, 3), (5, 1, 6), (5, 1, 10), (5, 2, 1)];

/// What a 4xx or 5xx reply means for the mail. `reply` is its text, the enhanced code first.
///
/// Decided by where it came, the first digit and the enhanced code, never by the words: those
/// change with the server's version and language. Only a 5xx that says of itself that it is about
/// the mailbox is final. Many servers answer all that they have against us at RCPT, too (Postfix:
/// `smtpd_delay_reject`): our name, our address, our sender, a missing login.
pub fn classify(stage: Stage, code: u16, reply: &str) -> Delivery {
    let said = one_line(&format!("{code} {reply}"), MAX_REPLY);
    let sentence = format!("the mail server answered {} with {said}", stage.word());
    match (code, enhanced(code, reply)) {
        (421, Some((4, 7, 0))) | (450, Some((4, 2, 1))) => Delivery::MuchLater(sentence),
        (500..=599, Some(about))
            if stage == Stage::Recipient && ABOUT_THE_MAILBOX.contains(&about) =>
        {
            Delivery::Rejected(sentence)
        }
        (530..=539, _) | (550, Some((5, 4, 5))) => Delivery::Settings(sentence),
        (500..=599, _) if stage == Stage::Message => Delivery::Content(sentence),
        (500..=599, _) if stage == Stage::Recipient => Delivery::Unclear(sentence),
        (500..=599, _) => Delivery::Settings(sentence),
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
            Delivery::Settings(_) => "settings",
            Delivery::Unclear(_) => "unclear",
            Delivery::Content(_) => "content",
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
            (Stage::Greeting, "554 no SMTP service here", "settings"),
            (Stage::Greeting, "530 5.7.0 Must issue a STARTTLS command first", "settings"),
            (Stage::Login, "454 4.7.0 Temporary authentication failure", "later"),
            (Stage::Login, "535 5.7.8 Username and Password not accepted", "settings"),
            (Stage::Login, "534 5.7.9 Application-specific password required", "settings"),
            (Stage::Login, "538 5.7.11 Encryption required", "settings"),
            (Stage::Login, "550 account suspended", "settings"),
            (Stage::Sender, "530 5.7.0 Authentication Required", "settings"),
            (Stage::Sender, "553 5.7.1 not owned by user", "settings"),
            (Stage::Sender, "550 5.1.1 no such sender", "settings"),
            (Stage::Sender, "451 4.3.0 Mail server temporarily rejected message", "later"),
            (Stage::Recipient, "450 4.2.1 receiving mail too quickly", "much later"),
            (Stage::Recipient, "450 4.7.1 Greylisted", "later"),
            (Stage::Recipient, "452 4.2.2 over quota", "later"),
            (Stage::Recipient, "452 4.5.3 Too many recipients", "later"),
            (Stage::Recipient, "550 5.1.1 does not exist", "rejected"),
            (Stage::Recipient, "550 5.1.2 no such domain", "rejected"),
            (Stage::Recipient, "501 5.1.3 Bad recipient address syntax", "rejected"),
            (Stage::Recipient, "551 5.1.6 has moved", "rejected"),
            (Stage::Recipient, "556 5.1.10 takes no mail", "rejected"),
            (Stage::Recipient, "550 5.2.1 disabled", "rejected"),
            (Stage::Recipient, "550 5.2.1", "rejected"),
            (Stage::Recipient, "550", "unclear"),
            (Stage::Recipient, "530 5.7.0 Authentication Required", "settings"),
            // Exim.
            (Stage::Recipient, "550 relay not permitted", "unclear"),
            // Postfix: our name, our sender, no login.
            (Stage::Recipient, "504 5.5.2 <raspberrypi>: Helo command rejected", "unclear"),
            (Stage::Recipient, "553 5.7.1 <a@b.c>: not owned by user pi", "unclear"),
            (Stage::Recipient, "554 5.7.1 <a@b.c>: Relay access denied", "unclear"),
            (Stage::Recipient, "550 5.1.7 Bad sender's mailbox", "unclear"),
            (Stage::Recipient, "550 5.1.8 Sender address rejected: Domain not found", "unclear"),
            (Stage::Recipient, "550 5.4.5 Daily user sending limit exceeded", "settings"),
            (Stage::Recipient, "552 5.2.2 mailbox full", "unclear"),
            // The class of the enhanced code does not agree: it is no enhanced code.
            (Stage::Recipient, "550 4.1.1 odd", "unclear"),
            (Stage::Recipient, "450 5.4.5 odd", "later"),
            (Stage::Recipient, "550 5.1.1. odd", "unclear"),
            (Stage::Data, "554 5.7.1 Client host rejected: policy", "settings"),
            (Stage::Data, "451 4.3.0 later", "later"),
            (Stage::Message, "552 5.2.3 too large", "content"),
            (Stage::Message, "550 5.7.1 looks like spam 5.4.5", "content"),
            (Stage::Message, "550 5.2.0 spam", "content"),
            (Stage::Message, "550 5.1.1 does not exist after all", "content"),
            (Stage::Message, "550 5.4.5 daily limit", "settings"),
            (Stage::Message, "451 4.4.2 Timeout", "later"),
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
        fn only_what_is_about_the_mailbox_is_final(code in 200_u16..700, reply: String) {
            for stage in [
                Stage::Greeting,
                Stage::Login,
                Stage::Sender,
                Stage::Recipient,
                Stage::Data,
                Stage::Message,
            ] {
                let end = classify(stage, code, &reply);
                prop_assert!(!matches!(end, Delivery::Rejected(_)) || reply.trim_start().starts_with("5."));
                let final_here = matches!(end, Delivery::Rejected(_)) && stage != Stage::Recipient;
                prop_assert!(!final_here);
                if code < 500 {
                    prop_assert!(matches!(end, Delivery::Later(_) | Delivery::MuchLater(_)));
                }
            }
        }
    }
}
