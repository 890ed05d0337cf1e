//! Secrets that may lie in a file of their own, such as a systemd credential.

use std::path::Path;

use super::ReadFile;
use super::given::{Given, Origin};
use super::problem::Problem;
use super::settings::Secret;

/// A secret that can be set in two ways, and who set which.
pub struct TwoWays<'a> {
    /// The option that holds the secret itself.
    pub name: &'static str,
    /// Its value.
    pub text: Option<&'a Secret>,
    /// Who set it.
    pub text_origin: &'a Origin,
    /// The option that names a file.
    pub file_name: &'static str,
    /// Its value.
    pub file: Option<&'a Path>,
    /// Who set it.
    pub file_origin: &'a Origin,
    /// Makes sense of the file's text.
    pub read: fn(&Given) -> Result<Option<Secret>, String>,
}

/// The secret in force: of the two ways, the one that was set in the place that goes first.
///
/// # Errors
/// If one place sets both, or the file cannot be read or holds nothing of use.
pub fn choose(ways: &TwoWays<'_>, read_file: &ReadFile<'_>) -> Result<Option<Secret>, Problem> {
    let Some(path) = ways.file else {
        return Ok(ways.text.cloned());
    };
    let (text_rank, file_rank) = (ways.text_origin.rank(), ways.file_origin.rank());
    if text_rank > file_rank {
        return Ok(ways.text.cloned());
    }
    let problem = |what: String| Problem { place: ways.file_origin.place(ways.file_name), what };
    if ways.text.is_some() && text_rank == file_rank {
        let both =
            format!("{} is set as well, in {}; keep one of the two", ways.name, ways.text_origin);
        return Err(problem(both));
    }
    let bytes = read_file(path).map_err(|e| problem(format!("the file cannot be read: {e}")))?;
    let text = String::from_utf8(bytes).map_err(|_| problem("the file is not UTF-8".to_owned()))?;
    // Editors and `echo` end a file with a line feed, Windows begins it with a byte order mark; no
    // password does.
    let text = text.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
    let line = Given::Text(text.to_owned());
    match (ways.read)(&line) {
        Ok(Some(secret)) => Ok(Some(secret)),
        Ok(None) => Err(problem("the file is empty".to_owned())),
        Err(why) => Err(problem(format!("the file: {why}"))),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::config::value;

    fn chosen(
        text: Option<&str>,
        text_origin: &Origin,
        file: Option<&str>,
        contents: &[u8],
    ) -> Result<Option<String>, String> {
        let secret = text.map(|text| Secret::new(text.to_owned()));
        let ways = TwoWays {
            name: "smtp_password",
            text: secret.as_ref(),
            text_origin,
            file_name: "smtp_password_file",
            file: file.map(Path::new),
            file_origin: &Origin::File { path: "c".to_owned(), line: 3 },
            read: value::secret,
        };
        let read_file = |path: &Path| match path.to_str() {
            Some("there") => Ok(contents.to_vec()),
            _ => Err(io::Error::from(io::ErrorKind::NotFound)),
        };
        let secret = choose(&ways, &read_file).map_err(|problem| problem.to_string())?;
        Ok(secret.map(|secret| secret.reveal().to_owned()))
    }

    #[test]
    fn the_place_that_goes_first_decides() {
        let line = Origin::CommandLine("-x".to_owned());
        assert_eq!(chosen(Some("a"), &line, Some("there"), b"b"), Ok(Some("a".to_owned())));
        assert_eq!(
            chosen(None, &line, Some("there"), b"b"),
            Ok(None),
            "emptied on the command line"
        );
        assert_eq!(
            chosen(None, &Origin::Default, Some("there"), b" b \r\n"),
            Ok(Some(" b ".to_owned()))
        );
        assert_eq!(
            chosen(None, &Origin::Default, Some("there"), b"\xef\xbb\xbfb\r\n"),
            Ok(Some("b".to_owned()))
        );
        assert_eq!(chosen(None, &Origin::Default, None, b""), Ok(None));
    }

    #[test]
    fn a_file_that_is_no_use_is_a_problem() {
        let problem = |file, contents: &[u8]| {
            chosen(None, &Origin::Default, Some(file), contents).expect_err("a problem")
        };
        assert_eq!(problem("there", b"\n"), "c:3: smtp_password_file: the file is empty");
        assert!(problem("gone", b"").contains("cannot be read"));
        assert!(problem("there", b"\xff").ends_with("not UTF-8"));
        let two_lines = problem("there", b"hunter2\nhunter3\n");
        assert!(two_lines.contains("one line") && !two_lines.contains("hunter"), "{two_lines}");
        let here = Origin::File { path: "c".to_owned(), line: 1 };
        let both = chosen(Some("a"), &here, Some("there"), b"b").expect_err("a problem");
        assert_eq!(
            both,
            "c:3: smtp_password_file: smtp_password is set as well, in c:1; keep one of the two"
        );
    }
}
