//! What is asked: only what neither the command line nor a default can know.

use super::answers::Answers;
use super::talk::{Ended, Talk};
use crate::config::given::Entry;

/// A port that nothing else uses as a rule, to find the page at again.
const PORT: &str = "8080";
const GMAIL: &str = "gmail";

fn is_told(told: &[Entry], names: &[&str]) -> bool {
    told.iter().any(|entry| names.contains(&entry.spec.name))
}

/// Asks until what is typed is taken; an empty answer leaves the option alone.
fn put(
    talk: &mut Talk<'_>,
    answers: &mut Answers,
    name: &str,
    question: &str,
    otherwise: &str,
) -> Result<bool, Ended> {
    loop {
        let answer = talk.ask(question, otherwise)?;
        if answer.is_empty() {
            return Ok(false);
        }
        match answers.put_text(name, &answer) {
            Ok(()) => return Ok(true),
            Err(what) => talk.say(&format!("{what}\n"))?,
        }
    }
}

fn put_secret(
    talk: &mut Talk<'_>,
    answers: &mut Answers,
    name: &str,
    question: &str,
) -> Result<(), Ended> {
    loop {
        let answer = talk.ask_for_a_secret(question)?;
        match answers.put_text(name, &answer) {
            Ok(()) => return Ok(()),
            Err(what) => talk.say(&format!("{what}\n"))?,
        }
    }
}

pub(super) fn who_is_told(
    talk: &mut Talk<'_>,
    answers: &mut Answers,
    told: &[Entry],
) -> Result<(), Ended> {
    let question = "Who is told when something breaks? A mail address, or several with commas";
    unless_told(talk, answers, told, ("email", question, ""))
}

pub(super) fn port(
    talk: &mut Talk<'_>,
    answers: &mut Answers,
    told: &[Entry],
) -> Result<(), Ended> {
    let question = "The port of the page, where apps register, too; 0 is any free one";
    unless_told(talk, answers, told, ("port", question, PORT))
}

/// What the file has goes before what is proposed.
fn unless_told(
    talk: &mut Talk<'_>,
    answers: &mut Answers,
    told: &[Entry],
    (name, question, proposed): (&str, &str, &str),
) -> Result<(), Ended> {
    if is_told(told, &[name]) {
        return Ok(());
    }
    let otherwise = answers.typed(name).unwrap_or_else(|| proposed.to_owned());
    put(talk, answers, name, question, &otherwise).map(drop)
}

/// How mail goes out; nothing is asked where nobody is told.
pub(super) fn mail(
    talk: &mut Talk<'_>,
    answers: &mut Answers,
    told: &[Entry],
) -> Result<(), Ended> {
    let ways = ["gmail_token", "gmail_token_file", "smtp_host"];
    if is_told(told, &ways) || answers.get("email").is_none() {
        return Ok(());
    }
    let there = ways.iter().any(|name| answers.get(name).is_some());
    if there
        && talk.is_agreed(&format!("Keep sending mail through {}", way_of_before(answers)), true)?
    {
        return Ok(());
    }
    mail_anew(talk, answers)
}

/// The same, of mail that does not work as it is.
pub(super) fn mail_anew(talk: &mut Talk<'_>, answers: &mut Answers) -> Result<(), Ended> {
    let question =
        "How does mail go out? 'gmail', the name of another mail server, or 'none' for now";
    loop {
        let way = talk.ask(question, &way_of_before(answers))?;
        let account = account(answers);
        answers.forget_the_way();
        match way.to_lowercase().as_str() {
            "none" => return Ok(()),
            GMAIL => return gmail(talk, answers, &account),
            _ => match answers.put_text("smtp_host", &way) {
                Ok(()) => return server(talk, answers, &account),
                Err(what) => talk.say(&format!("{what}\n"))?,
            },
        }
    }
}

fn way_of_before(answers: &Answers) -> String {
    answers.typed("smtp_host").unwrap_or_else(|| GMAIL.to_owned())
}

/// The account at the mail server, as it may be.
fn account(answers: &Answers) -> String {
    let known = ["gmail_user", "smtp_user", "mail_from"];
    let known = known.iter().find_map(|name| answers.typed(name));
    let first = || answers.typed("email").and_then(|all| all.split(',').next().map(str::to_owned));
    known.or_else(first).unwrap_or_default()
}

fn gmail(talk: &mut Talk<'_>, answers: &mut Answers, account: &str) -> Result<(), Ended> {
    put(talk, answers, "gmail_user", "The Gmail account", account)?;
    let question =
        "Its app password (Google account, Security, 2-Step Verification, App passwords)";
    put_secret(talk, answers, "gmail_token", question)
}

fn server(talk: &mut Talk<'_>, answers: &mut Answers, account: &str) -> Result<(), Ended> {
    let question = "Its port: 587 (STARTTLS), 465 (TLS), 25 (not encrypted) or another";
    put(talk, answers, "smtp_port", question, "587")?;
    let question = "The account there, or 'none' where it wants no login";
    if put(talk, answers, "smtp_user", question, account)? {
        if answers.typed("smtp_user").as_deref() == Some("none") {
            answers.forget("smtp_user");
            return Ok(());
        }
        put_secret(talk, answers, "smtp_password", "Its password")?;
    }
    Ok(())
}
