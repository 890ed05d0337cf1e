#!/bin/sh
# Lays out the files of the program: packaging/install.sh ROOT PREFIX BINARY RUNNABLE
#
# BINARY is what is installed, for whatever machine; RUNNABLE is the same program for this one, which
# prints its manual page and its completions. The configuration goes to /etc, and is not replaced.
set -eu
cd "$(dirname "$0")/.."
root=$1 prefix=$2 binary=$3 runnable=$4

put() { install -D -m "$1" "$2" "$root$3"; }
made=$(mktemp)
trap 'rm -f "$made"' EXIT
generate() { # MODE TO COMMAND...
    mode=$1 to=$2
    shift 2
    "$@" > "$made"
    put "$mode" "$made" "$to"
}

put 755 "$binary" "$prefix/bin/healthchecker"
# It may hold secrets. The service gets it from systemd.
[ -e "$root/etc/healthchecker/config" ] || put 600 config /etc/healthchecker/config
generate 644 "$prefix/share/man/man1/healthchecker.1" packaging/man.sh "$runnable"
gzip -9nf "$root$prefix/share/man/man1/healthchecker.1"
generate 644 "$prefix/share/bash-completion/completions/healthchecker" "$runnable" completions bash
generate 644 "$prefix/share/zsh/vendor-completions/_healthchecker" "$runnable" completions zsh
generate 644 "$prefix/share/fish/vendor_completions.d/healthchecker.fish" "$runnable" completions fish
put 644 README.md "$prefix/share/doc/healthchecker/README.md"
# Read at each start of the machine (sysctl.d(5)).
put 644 packaging/sysctl/50-healthchecker.conf "$prefix/lib/sysctl.d/50-healthchecker.conf"
service() { sed "s|/usr/bin/|$prefix/bin/|" "$1"; }
if [ -x /sbin/openrc-run ]; then
    generate 755 /etc/init.d/healthchecker service packaging/openrc/healthchecker
else
    generate 644 "$prefix/lib/systemd/system/healthchecker.service" \
        service packaging/systemd/healthchecker.service
fi
