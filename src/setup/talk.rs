//! Questions and answers, a line each.

use std::io::{BufRead, Read, Write};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

/// Bytes of an answer with its end: as many as a line of a terminal may have (termios(3)).
const ANSWER_MAX: usize = 4096;

/// What Ctrl-C types where it is not a signal.
const CTRL_C: u8 = 3;

/// No more answers come, or nobody can be asked.
pub(super) struct Ended(pub(super) String);

impl From<std::io::Error> for Ended {
    fn from(why: std::io::Error) -> Ended {
        Ended(format!("nobody can be asked: {why}"))
    }
}

/// Said of a secret where no terminal hides it: over ssh the one at the other end shows what is typed.
const SHOWN: &str = " (shown as you type it, for there is no terminal here; 'ssh -t' makes one)";

/// Whom to ask, and where to say something.
pub struct Talk<'a> {
    /// A line for each answer.
    pub answers: &'a mut dyn BufRead,
    /// What is said.
    pub said: &'a mut dyn Write,
}

impl Talk<'_> {
    pub(super) fn say(&mut self, words: &str) -> Result<(), Ended> {
        self.said.write_all(words.as_bytes())?;
        Ok(self.said.flush()?)
    }

    /// The answer without the blanks around it; what stands in [ ] for an empty one.
    pub(super) fn ask(&mut self, question: &str, otherwise: &str) -> Result<String, Ended> {
        let hint = if otherwise.is_empty() { String::new() } else { format!(" [{otherwise}]") };
        self.say(&format!("{question}{hint}: "))?;
        let answer = self.line(question)?;
        Ok(if answer.is_empty() { otherwise.to_owned() } else { answer })
    }

    /// The same without showing what is typed, where a terminal can do that.
    pub(super) fn ask_for_a_secret(&mut self, question: &str) -> Result<String, Ended> {
        // Before the question: a program that types the answer is quick.
        let hidden = Hidden::begin();
        let hint = if hidden.is_some() { "" } else { SHOWN };
        self.say(&format!("{question}{hint}: "))?;
        let answer = self.line(question)?;
        if hidden.is_some() {
            // The Enter was not shown, either.
            self.say("\n")?;
        }
        Ok(answer)
    }

    pub(super) fn is_agreed(&mut self, question: &str, by_default: bool) -> Result<bool, Ended> {
        let hint = if by_default { "Y/n" } else { "y/N" };
        loop {
            self.say(&format!("{question}? [{hint}]: "))?;
            match self.line(question)?.to_lowercase().as_str() {
                "" => return Ok(by_default),
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => self.say("y for yes, n for no\n")?,
            }
        }
    }

    fn line(&mut self, question: &str) -> Result<String, Ended> {
        let mut line = Vec::new();
        for byte in (&mut *self.answers).bytes().take(ANSWER_MAX) {
            line.push(byte?);
            if matches!(line.last(), Some(b'\n' | &CTRL_C)) {
                break;
            }
        }
        let why = match line.last() {
            None => format!("the answers end before '{question}'"),
            Some(&CTRL_C) => "it was broken off by Ctrl-C".to_owned(),
            Some(last) if line.len() == ANSWER_MAX && *last != b'\n' => {
                format!("the answer to '{question}' is longer than {ANSWER_MAX} bytes")
            }
            Some(_) => match std::str::from_utf8(&line) {
                Ok(line) => return Ok(line.trim().to_owned()),
                Err(_) => format!("the answer to '{question}' is not in UTF-8"),
            },
        };
        self.say("\n")?;
        Err(Ended(why))
    }
}

/// While it lives, the terminal shows nothing of what is typed, and Ctrl-C is the end of a line like another: a signal
/// would end us while it shows nothing, and not every shell mends that.
struct Hidden {
    before: Termios,
}

impl Hidden {
    /// `None` where there is no terminal.
    fn begin() -> Option<Self> {
        let before = tcgetattr(std::io::stdin()).ok()?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
        silent.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
        tcsetattr(std::io::stdin(), OptionalActions::Now, &silent).ok()?;
        Some(Hidden { before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // Then it is as it is: a shell sets it right.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before);
    }
}
