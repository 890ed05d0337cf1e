use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::config::command_line;
use crate::config::settings::{Login, Security};

const OLD: &str = "email=['a@b.c']\ntimezone='Europe/Berlin'\nsmtp_host='old.b.c'\n";

/// A folder, and a mail server that takes mail only from `account`.
struct Table {
    folder: TempDir,
    account: &'static str,
    has_home: bool,
}

struct Done {
    code: u8,
    said: String,
}

impl Table {
    fn new(account: &'static str) -> Self {
        Table { folder: TempDir::new().unwrap(), account, has_home: true }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    fn with(self, text: &str) -> Self {
        std::fs::write(self.path(), text).unwrap();
        self
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }

    fn set_up(&self, options: &[&str], typed: &str) -> Done {
        let file = self.path().to_string_lossy().into_owned();
        let args = ["setup", "--config", &file].into_iter().chain(options.iter().copied());
        let setup = Setup::new(command_line::read(args.map(OsString::from))).unwrap();
        let mut said = Vec::new();
        let test_mail = |settings: &Settings, _| {
            let user = match settings.mail.as_ref().unwrap().login.as_ref() {
                Some(Login::Password { user, .. } | Login::Xoauth2 { user, .. }) => user.as_str(),
                None => "",
            };
            let exit_code = u8::from(user != self.account);
            TestMail { words: format!("a mail as {user}"), exit_code }
        };
        let machine = Machine {
            variables: self
                .has_home
                .then(|| ("HOME".into(), self.folder.path().into()))
                .into_iter()
                .collect(),
            test_mail: &test_mail,
        };
        let mut talk = Talk { answers: &mut typed.as_bytes(), said: &mut said };
        let code = run(setup, &machine, &mut talk);
        Done { code, said: String::from_utf8(said).unwrap() }
    }

    /// What the file comes to.
    fn settings(&self) -> Settings {
        let args = ["--config".into(), self.path().into_os_string()];
        let home = [("HOME".into(), self.folder.path().into())];
        let command = crate::config::parse(args, home, &crate::config::read_file);
        let Ok(crate::config::Command::Run(in_force)) = command else { panic!("{command:?}") };
        assert_eq!(in_force.warnings, Vec::<String>::new());
        in_force.settings
    }
}

#[test]
fn a_new_file_has_what_was_typed_and_every_other_option_as_a_comment() {
    let table = Table::new("me@gmail.com");
    let done = table.set_up(&[], "me@gmail.com\n\n\n\nabcd efgh ijkl mnop\n");
    assert_eq!(done.code, 0, "{}", done.said);
    assert!(done.said.contains("a mail as me@gmail.com"), "{}", done.said);
    assert!(!done.said.contains("abcd"), "{}", done.said);
    let settings = table.settings();
    assert_eq!(
        (settings.port, settings.email.as_slice()),
        (Some(8080), &["me@gmail.com".into()][..])
    );
    let text = table.text();
    for spec in crate::config::spec::settings() {
        let is_there =
            |line: &str| line.trim_start_matches('#').starts_with(&format!("{}=", spec.name));
        assert_eq!(text.lines().filter(|line| is_there(line)).count(), 1, "{}\n{text}", spec.name);
    }
    let mode = std::fs::metadata(table.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn another_server_with_a_login_or_without() {
    let table = Table::new("me");
    let done = table.set_up(&[], "me@b.c, you@b.c\n0\nmail.b.c\n465\nme\nit's #1\n");
    assert_eq!(done.code, 0, "{}", done.said);
    let mail = table.settings().mail.unwrap();
    assert_eq!((mail.host.as_str(), mail.security), ("mail.b.c", Security::Tls));

    let table = Table::new("");
    let done = table.set_up(&[], "me@b.c\n0\nmail.b.c\n25\nnone\n");
    assert_eq!(done.code, 0, "{}", done.said);
    assert!(table.settings().mail.unwrap().login.is_none());
}

#[test]
fn what_is_mistyped_is_explained_and_asked_again() {
    let table = Table::new("me@b.c");
    let done = table.set_up(&[], "me\nme@b.c\n99999\n9090\nmail server\nnone\n");
    assert_eq!(done.code, 0, "{}", done.said);
    assert!(done.said.contains("'me' is no"), "{}", done.said);
    assert!(done.said.contains("99999"), "{}", done.said);
    assert!(done.said.contains("'mail server'"), "{}", done.said);
    assert!(table.text().contains("\nport='9090'\n"), "{}", table.text());
}

#[test]
fn mail_that_does_not_work_is_asked_for_again_or_kept() {
    let table = Table::new("right@b.c");
    let wrong = "me@b.c\n0\nmail.b.c\n\nwrong@b.c\nsecret\n";
    let done = table.set_up(&[], &format!("{wrong}n\n\n\nright@b.c\nsecret\n"));
    assert_eq!(done.code, 0, "{}", done.said);
    assert!(table.text().contains("\nsmtp_user='right@b.c'\n"), "{}", table.text());

    let table = Table::new("right@b.c");
    assert_eq!(table.set_up(&[], &format!("{wrong}yes\n")).code, 0);
    assert!(table.text().contains("\nsmtp_user='wrong@b.c'\n"), "{}", table.text());
}

#[test]
fn what_a_file_sets_besides_stays_and_the_old_one_is_kept() {
    let table = Table::new("").with(OLD);
    let done = table.set_up(&[], "\n\n\ny\n");
    assert_eq!(done.code, 0, "{}", done.said);
    let settings = table.settings();
    assert_eq!(settings.email, ["a@b.c"]);
    assert!(table.text().contains("\ntimezone='Europe/Berlin'\n"));
    assert_eq!(settings.mail.unwrap().host, "old.b.c");
    let old = table.folder.path().join("config.old");
    assert_eq!(std::fs::read_to_string(&old).unwrap(), OLD);
    assert_eq!(std::fs::metadata(&old).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_of_comments_alone_is_replaced_with_enter() {
    let table = Table::new("").with("# The configuration of HealthChecker.\n#port=0\n");
    let done = table.set_up(&[], "me@b.c\n\nnone\n\n");
    assert_eq!(done.code, 0, "{}", done.said);
    assert!(table.text().contains("\nemail='me@b.c'\n"));
    assert!(table.folder.path().join("config.old").exists());
}

#[test]
fn what_a_person_wrote_is_there_after_the_second_time_too() {
    let table = Table::new("").with(OLD);
    let kept = |name: &str| std::fs::read_to_string(table.folder.path().join(name)).ok();
    let mut written = Vec::new();
    for port in ["--port=1", "--port=2", "--port=3"] {
        assert_eq!(table.set_up(&[port, "--yes"], "").code, 0);
        written.push(table.text());
    }
    assert_eq!(kept("config.old").as_deref(), Some(OLD));
    assert_eq!(kept("config.old.2").as_deref(), written.first().map(String::as_str));
    assert_eq!(kept("config.old.3").as_deref(), written.get(1).map(String::as_str));
    assert_eq!(table.settings().port, Some(3));
    // What is kept already is not kept twice.
    let table = table.with(OLD);
    assert_eq!(table.set_up(&["--yes"], "").code, 0);
    assert_eq!(std::fs::read_dir(table.folder.path()).unwrap().count(), 4);
}

#[test]
fn nothing_is_written_without_consent_or_without_the_last_answer() {
    let all = "\n\nn\nnone\n";
    for typed in ["", "\n", &format!("{all}\n"), &format!("{all}n\n"), &format!("{all}what?\n")] {
        let table = Table::new("").with(OLD);
        let done = table.set_up(&[], typed);
        assert_eq!(done.code, EXIT_NOT_DONE, "{}", done.said);
        assert!(done.said.ends_with("nothing was written\n"), "{}", done.said);
        assert_eq!(table.text(), OLD);
        assert_eq!(std::fs::read_dir(table.folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_file_with_a_mistake_is_named_with_its_line_and_stays() {
    let table = Table::new("").with("email='a@b.c'\nprt=5\n");
    let done = table.set_up(&["--yes"], "");
    assert_eq!(done.code, EXIT_CONFIG);
    assert!(done.said.contains(":2: there is no option 'prt'"), "{}", done.said);
    assert_eq!(table.text(), "email='a@b.c'\nprt=5\n");
}

#[test]
fn the_command_line_can_say_it_all() {
    let table = Table::new("").with(OLD);
    let options = ["--email", "x@y.z", "--smtp-host", "mail.y.z", "--port", "7", "--yes"];
    let done = table.set_up(&options, "");
    assert_eq!(done.code, 0, "{}", done.said);
    assert!(!done.said.contains('?'), "{}", done.said);
    let settings = table.settings();
    assert_eq!((settings.port, settings.mail.unwrap().host.as_str()), (Some(7), "mail.y.z"));
    assert!(table.text().contains("\ntimezone='Europe/Berlin'\n"));
}

#[test]
fn what_the_command_line_says_is_not_asked_for() {
    let table = Table::new("");
    let done = table.set_up(&["--email", "x@y.z", "--port=7"], "none\n");
    assert_eq!(done.code, 0, "{}", done.said);
    let wrong = ["setup", "--email", "x", "--port", "y", "--flavour"].map(OsString::from);
    let problems = Setup::new(command_line::read(wrong)).err().unwrap();
    assert_eq!(problems.0.len(), 3, "{problems}");
}

#[test]
fn another_way_for_mail_replaces_all_of_the_old_one() {
    let table =
        Table::new("me@gmail.com").with(&format!("{OLD}smtp_user='u'\nsmtp_password='p'\n"));
    let options = ["--gmail_token", "abcdefghijklmnop", "--gmail_user", "me@gmail.com", "--yes"];
    let done = table.set_up(&options, "");
    assert_eq!(done.code, 0, "{}", done.said);
    assert_eq!(table.settings().mail.unwrap().host, "smtp.gmail.com");
}

#[test]
fn an_installer_without_a_home_sets_up_all_the_same() {
    let table = Table { has_home: false, ..Table::new("") };
    assert_eq!(table.set_up(&["--email", "x@y.z", "--yes"], "").code, 0);
}

#[test]
fn where_nothing_can_be_written_nothing_is_asked() {
    let table = Table::new("");
    let nowhere = table.folder.path().join("nowhere");
    std::os::unix::fs::symlink(&nowhere, table.path()).unwrap();
    let done = table.set_up(&[], "me@b.c\n0\nnone\n");
    assert_eq!(done.code, EXIT_NOT_DONE);
    assert!(done.said.contains("a link to what is not there"), "{}", done.said);
    assert!(!done.said.contains('?'), "{}", done.said);
    std::fs::create_dir(&nowhere).unwrap();
    let done = table.set_up(&[], "me@b.c\n0\nnone\n");
    assert!(done.said.contains("cannot be read: it is no file"), "{}", done.said);
    std::fs::remove_dir(&nowhere).unwrap();
    let file = nowhere.join("config").to_string_lossy().into_owned();
    let done = table.set_up(&["--config", &file], "me@b.c\n0\nnone\n");
    assert!(done.said.contains("cannot be written: No such file"), "{}", done.said);
    assert!(!done.said.contains('?'), "{}", done.said);
}

#[test]
fn what_a_link_leads_to_is_the_file_and_the_old_one_is_kept_where_it_says() {
    let table = Table::new("");
    let folder = table.folder.path().join("etc");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("hc"), OLD).unwrap();
    std::os::unix::fs::symlink("etc/hc", table.path()).unwrap();
    let done = table.set_up(&["--email", "x@y.z", "--port", "1", "--smtp_host", "b.c"], "y\n");
    assert_eq!(done.code, 0, "{}", done.said);
    assert!(table.path().is_symlink());
    let old = folder.join("hc.old");
    assert_eq!(std::fs::read_to_string(&old).unwrap(), OLD);
    assert!(done.said.contains(&*old.to_string_lossy()), "{}", done.said);
}

#[test]
fn an_answer_may_fill_the_line_of_a_terminal() {
    let done = Table::new("").set_up(&[], &format!("{}\n", "a".repeat(4095)));
    assert_eq!(done.code, EXIT_NOT_DONE, "{}", done.said);
    assert!(!done.said.contains("longer than"), "it is no address, and that is all");
}

#[test]
fn an_answer_is_a_line_of_text_that_ends() {
    for (typed, why) in [("a".repeat(5000), "longer than 4096 bytes"), ("a\u{3}".into(), "Ctrl-C")]
    {
        let table = Table::new("");
        let done = table.set_up(&[], &typed);
        assert_eq!(done.code, EXIT_NOT_DONE, "{}", done.said);
        assert!(done.said.contains(why), "{}", done.said);
        assert_eq!(std::fs::read_dir(table.folder.path()).unwrap().count(), 0);
    }
}
