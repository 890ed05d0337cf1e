#!/bin/sh
# Runs a command, and reports to HealthChecker when it begins and how it went:
#
#     beat.sh NAME COMMAND [ARGUMENT ...]
#
# In a crontab, say (with restic, borg, rsync, whatever ends with 0 when it is done):
#
#     HEALTHCHECKER_SERVER=http://192.168.1.5:8080
#     0 3 * * *  /usr/local/bin/beat.sh Backup restic --repo /mnt/backup --password-file /etc/restic.key backup /home
#
# NAME is registered once, with how often it runs, in seconds:
#
#     curl -d appname=Backup -d kind=beat -d interval=86400 http://192.168.1.5:8080/healthchecker/monitor
#
# Where the server has an api_token, that call needs it (-H "Authorization: Bearer TOKEN") and answers a key, which
# opens the beats of this app and nothing else: it goes into the variable HEALTHCHECKER_KEY.
#
# The command's output and exit code are its own. A server that is away costs it half a minute, and no more.

if [ $# -lt 2 ]; then
    echo "beat.sh NAME COMMAND [ARGUMENT ...]" >&2
    exit 64
fi
name=$1
shift
server=${HEALTHCHECKER_SERVER:-}
server=${server%/}
if [ -z "$server" ]; then
    echo "beat.sh: set HEALTHCHECKER_SERVER to http://ADDRESS:PORT" >&2
    exit 64
fi

# The key goes over standard input: `ps` shows arguments.
report() {
    if [ -n "${HEALTHCHECKER_KEY:-}" ]; then
        printf %s "$HEALTHCHECKER_KEY" | call "$1" --data-urlencode key@-
    else
        call "$1"
    fi
}

call() {
    path=$1
    shift
    # What cannot be reported is late in the end, and told then.
    curl -fsS -o /dev/null --max-time 10 --data-urlencode "appname=$name" "$@" "$server/healthchecker/$path" ||
        echo "beat.sh: $name could not report ($path)" >&2
}

report beat/start
"$@"
code=$?
if [ $code -eq 0 ]; then report beat; else report beat/fail; fi
exit $code
