#!/bin/sh
# Prints the manual page, made of what the program says about itself: packaging/man.sh PROGRAM
set -eu
program=$1

commands=$("$program" --help | sed -n 's/^  healthchecker \([a-z-]*\) .*  *[a-z].*/\1/p')

cat <<'END'
.TH HEALTHCHECKER 1 "" "HealthChecker" "User Commands"
.SH NAME
healthchecker \- small health checker for the apps of a household
.SH SYNOPSIS
.B healthchecker
.RI [ OPTIONS ]
.br
.B healthchecker
.I COMMAND
.RI [ OPTIONS ]
.SH DESCRIPTION
Apps register with one HTTP call, the daemon asks the /health of each again and again, and mails when
a person has to act. Without a command it serves.
END

# roff takes a hyphen for a hyphen, and a dot at the beginning of a line for a command.
escape() { sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"; }

# The same for lines of which some are commands.
escape_words() { sed -e 's/\\/\\e/g' -e 's/-/\\-/g'; }

echo '.SH OPTIONS'
"$program" --help | escape | awk '
    /^Options:/ { on = 1; next }
    !on { next }
    /^  +(\\-[A-Za-z]+, )?\\-\\-/ { sub(/^ +/, ""); print ".TP\n.B " $0; next }
    /^ +\[/ { sub(/^ +/, ""); print ".br\n" $0; next }
    /^ / { sub(/^ +/, ""); print; next }
    /^$/ { print ".PP"; next }
    { print }'

echo '.SH COMMANDS'
for command in $commands; do
    # Those of the daemon take its options, which are above.
    of_the_daemon=$("$program" --help | sed -n "s/^  healthchecker $command \[OPTIONS\]  *//p")
    [ -z "$of_the_daemon" ] || {
        printf '.SS %s\n%s.\n' "$command" "$of_the_daemon" | escape_words
        continue
    }
    "$program" "$command" --help | escape | awk '
        NR == 1 { sub(/^healthchecker /, ""); print ".SS " $0; next }
        /^(Options|Exit codes):/ { skip = /^Exit/; next }
        skip || /^$/ { next }
        /^  \\-/ { sub(/^ +/, ""); at = match($0, /   +/)
                   if (!at) at = match($0, /  +/)
                   print ".TP\n.B " substr($0, 1, at - 1); $0 = substr($0, at) }
        { sub(/^ +/, ""); print }'
done

cat <<'END'
.SH FILES
.TP
.I /etc/healthchecker/config
The configuration of the service. It may hold secrets: only root reads it, systemd hands it over.
.TP
.I /var/lib/healthchecker
The state of the service: registrations, open alerts, mails that wait, the health check log.
.SH ENVIRONMENT
Each option is read from the variable HEALTHCHECKER_NAME too, its name in capitals. TZ names the local time
unless the option timezone does. SSL_CERT_FILE names another store of certificates than the system's. NOTIFY_SOCKET and WATCHDOG_USEC are systemd's.
.SH SIGNALS
SIGTERM, SIGINT, SIGQUIT and SIGXCPU stop it in an orderly way: answers and a mail under way are finished, the
state is written, the network is told. So does SIGHUP when it was started from a terminal. SIGINT, SIGQUIT and
SIGHUP stay ignored when they are ignored at the start, by
.BR nohup (1)
or a script's & say. Without a terminal SIGHUP does nothing, for options are read at the start; nor do the other
signals that end a program.
.SH SEE ALSO
.BR systemctl (1),
.BR journalctl (1)
END
