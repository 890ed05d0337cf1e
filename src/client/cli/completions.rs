//! Completions for shells, made of the tables of commands and options.
//!
//! The names of apps are asked of the daemon only where it costs no search of the network: when
//! `HEALTHCHECKER_SERVER` says where it is.

use std::fmt::Write;

use super::table::{COMMANDS, CommandSpec, FILE, NAME, SHELL, SHELLS, Verb};
use crate::config::command_line::VERBS;
use crate::config::spec::{Spec, Takes};
use crate::config::table::OPTIONS as DAEMON_OPTIONS;

/// The script for this shell; empty for one that is not in [`SHELLS`].
pub(super) fn script(shell: &str) -> String {
    match shell {
        "bash" => bash(),
        "zsh" => zsh(),
        "fish" => fish(),
        _ => String::new(),
    }
}

/// Every first word, and what it is for.
fn words() -> impl Iterator<Item = (&'static str, &'static str)> {
    let daemon = VERBS.iter().map(|(word, _, help)| (*word, *help));
    COMMANDS.iter().map(|command| (command.word, command.help)).chain(daemon)
}

/// The options of the daemon: name, whether a value follows, help.
fn daemon_options() -> impl Iterator<Item = (&'static str, bool, &'static str)> {
    DAEMON_OPTIONS.iter().map(|spec: &Spec| {
        let help = spec.help.first().copied().unwrap_or_default();
        (spec.name, matches!(spec.takes, Takes::Value(_)), help)
    })
}

fn takes_name(command: &CommandSpec) -> bool {
    // The name of an app that is to be registered is a new one.
    let is_new = command.verb == Verb::Monitor;
    (command.operands == [NAME] && !is_new) || command.optional == Some(NAME)
}

fn takes_file(command: &CommandSpec) -> bool {
    (command.operands == [FILE]) || command.optional == Some(FILE)
}

fn long(options: impl Iterator<Item = &'static str>) -> String {
    options.map(|name| format!("--{name}")).collect::<Vec<_>>().join(" ")
}

/// The names of all apps, a line each, in the words of a shell.
const NAMES: &str = r#"[ -n "$HEALTHCHECKER_SERVER" ] && healthchecker list --names 2>/dev/null"#;

/// In bash a name is offered as it has to be written: as the word was begun, bare or in quotes. In a bare
/// word what bash breaks words at is escaped, too.
const BASH_NAMES: &str = r#"_healthchecker_names() {
    local name word typed=$1 quote=${1:0:1}
    # A name is no file.
    compopt +o default 2>/dev/null
    while IFS= read -r name; do
        case $quote in
            \")
                word=${name//\\/\\\\}
                word=${word//\"/\\\"}
                word=${word//\$/\\\$}
                word=\"${word//\`/\\\`} ;;
            \') word=\'${name//\'/\'\\\'\'} ;;
            *)
                printf -v word %q "$name"
                word=${word//:/\\:}
                word=${word//=/\\=} ;;
        esac
        [[ $word != "$typed"* ]] || case $quote in
            [\"\']) COMPREPLY+=("${word:1}") ;;
            *) COMPREPLY+=("$word") ;;
        esac
    done < <("#;

fn bash() -> String {
    let words: Vec<&str> = words().map(|(word, _)| word).collect();
    let mut out = format!(
        r#"# bash completions for healthchecker
{BASH_NAMES}{NAMES})
}}

_healthchecker() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} word command=
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case $word in
            {}) command=$word; break ;;
        esac
    done
    COMPREPLY=()
    case $command in
"#,
        words.join("|")
    );
    for command in &COMMANDS {
        let options = long(command.options().iter().map(|option| option.name));
        let _ = writeln!(out, "        {})", command.word);
        if takes_name(command) {
            out.push_str("            [[ $current == -* ]] || _healthchecker_names \"$current\"\n");
        } else if command.operands == [SHELL] {
            let _ = writeln!(
                out,
                "            [[ $current == -* ]] || COMPREPLY=($(compgen -W '{}' -- \"$current\"))",
                SHELLS.join(" ")
            );
        }
        let _ = writeln!(
            out,
            "            [[ $current != -* ]] || COMPREPLY=($(compgen -W '{options}' -- \"$current\")) ;;"
        );
    }
    let options = long(daemon_options().map(|(name, ..)| name));
    let _ = write!(
        out,
        r#"        *)
            if [[ $current == -* ]]; then
                COMPREPLY=($(compgen -W '{options}' -- "$current"))
            elif [[ -z $command ]]; then
                COMPREPLY=($(compgen -W '{}' -- "$current"))
            fi ;;
    esac
}}
complete -o default -F _healthchecker healthchecker
"#,
        words.join(" ")
    );
    out
}

fn zsh() -> String {
    let mut out = format!(
        r#"#compdef healthchecker
# zsh completions for healthchecker
_healthchecker_names() {{
    local -a names
    names=("${{(@f)$({NAMES})}}")
    compadd -- ${{names:#}}
}}

_healthchecker() {{
    local -a commands
    commands=(
"#
    );
    for (word, help) in words() {
        let _ = writeln!(out, "        '{word}:{}'", in_zsh(help));
    }
    let words: Vec<&str> = words().map(|(word, _)| word).collect();
    let _ = write!(
        out,
        r#"    )
    local word command=
    for word in "${{(@)words[2,CURRENT-1]}}"; do
        case $word in
            {}) command=$word; break ;;
        esac
    done
    case $command in
"#,
        words.join("|")
    );
    for command in &COMMANDS {
        let _ = writeln!(out, "        {})\n            _arguments \\", command.word);
        for option in command.options() {
            let value = option.value.map_or_else(String::new, |value| format!(":{value}:"));
            let _ = writeln!(
                out,
                "                '--{}[{}]{value}' \\",
                option.name,
                in_zsh(&option.help())
            );
        }
        let operand = if takes_name(command) {
            "'*:NAME:_healthchecker_names'".to_owned()
        } else if command.operands == [SHELL] {
            format!("'*:SHELL:({})'", SHELLS.join(" "))
        } else if takes_file(command) {
            "'*:FILE:_files'".to_owned()
        } else {
            "'*: :'".to_owned()
        };
        let _ = writeln!(out, "                {operand} ;;");
    }
    out.push_str("        *)\n            _arguments \\\n");
    for (name, has_value, help) in daemon_options() {
        let value = if has_value { ":value:_files" } else { "" };
        let _ = writeln!(out, "                '--{name}[{}]{value}' \\", in_zsh(help));
    }
    out.push_str("                '*: :{_describe command commands}' ;;\n    esac\n}\n");
    out.push_str("if [ \"$funcstack[1]\" = _healthchecker ]; then\n    _healthchecker \"$@\"\nelse\n    compdef _healthchecker healthchecker\nfi\n");
    out
}

fn in_zsh(help: &str) -> String {
    help.replace('\'', "'\\''").replace('[', "\\[").replace(']', "\\]").replace(':', "\\:")
}

fn fish() -> String {
    let words: Vec<&str> = words().map(|(word, _)| word).collect();
    let mut out = format!(
        r#"# fish completions for healthchecker
function __healthchecker_names
    test -n "$HEALTHCHECKER_SERVER"; and healthchecker list --names 2>/dev/null
end

set -l words {}
complete -c healthchecker -f
"#,
        words.join(" ")
    );
    for (word, help) in self::words() {
        let _ = writeln!(
            out,
            "complete -c healthchecker -n \"not __fish_seen_subcommand_from $words\" -a {word} -d '{}'",
            in_fish(help)
        );
    }
    for (name, has_value, help) in daemon_options() {
        let value = if has_value { " -r -F" } else { "" };
        let _ = writeln!(
            out,
            "complete -c healthchecker -n \"not __fish_seen_subcommand_from $words\" -l {name}{value} -d '{}'",
            in_fish(help)
        );
    }
    for command in &COMMANDS {
        let seen =
            format!("complete -c healthchecker -n '__fish_seen_subcommand_from {}'", command.word);
        for option in command.options() {
            let value = if option.value.is_some() { " -x" } else { "" };
            let (name, help) = (option.name, option.help());
            let _ = writeln!(out, "{seen} -l {name}{value} -d '{}'", in_fish(&help));
        }
        if takes_name(command) {
            let _ = writeln!(out, "{seen} -a '(__healthchecker_names)'");
        } else if takes_file(command) {
            let _ = writeln!(out, "{seen} -F");
        } else if command.operands == [SHELL] {
            let _ = writeln!(out, "{seen} -a '{}'", SHELLS.join(" "));
        }
    }
    out
}

fn in_fish(help: &str) -> String {
    help.replace('\\', "\\\\").replace('\'', "\\'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_and_every_option_is_in_every_script() {
        for shell in SHELLS {
            let script = script(shell);
            for (word, _) in words() {
                assert!(script.contains(word), "{shell}: {word}");
            }
            let ours =
                COMMANDS.iter().flat_map(|command| command.options().into_iter().map(|o| o.name));
            for name in ours.chain(daemon_options().map(|(name, ..)| name)) {
                let spelled =
                    if shell == "fish" { format!("-l {name}") } else { format!("--{name}") };
                assert!(script.contains(&spelled), "{shell}: {name}");
            }
        }
    }
}
