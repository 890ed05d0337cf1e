#!/bin/sh
# Registers an app from a box with little more than a shell (busybox is enough): no Python, no curl.
#
#   register.sh NAME URL [FIELD=VALUE...]      register.sh NAS http://192.168.1.20:8080 interval=60
#
# The server is HEALTHCHECKER_SERVER (http://ADDRESS:PORT), or is found by avahi-browse where there is
# one. A token is taken from HEALTHCHECKER_API_TOKEN. Uses wget, or else nc.
# Exit code: 0 registered, 1 refused or no answer, 2 wrong usage.
set -eu

fail() {
    echo "register.sh: $2" >&2
    exit "$1"
}

# Every byte as %XX: right for any name, and no shell knows better.
encode() {
    printf %s "$1" | od -An -v -tx1 | tr -d ' \n' | sed 's/../%&/g'
}

find_server() {
    command -v avahi-browse >/dev/null || return 0
    avahi-browse --resolve --parsable --terminate _http._tcp 2>/dev/null |
        awk -F ';' '$1 == "=" && $3 == "IPv4" && $4 == "_healthchecker" { print "http://" $8 ":" $9; exit }'
}

# Both print what the server said, and fail if that was not a 200.
with_wget() {
    # No -T: busybox 1.35 crashes of it together with --post-data.
    wget -q -O - ${HEALTHCHECKER_API_TOKEN:+--header "Authorization: Bearer $HEALTHCHECKER_API_TOKEN"} \
        --post-data "$body" "$server/healthchecker/monitor"
}

with_nc() {
    address=${server#http://}
    host=${address%:*}
    port=${address##*:}
    {
        printf 'POST /healthchecker/monitor HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n' "$address"
        [ -z "${HEALTHCHECKER_API_TOKEN:-}" ] || printf 'Authorization: Bearer %s\r\n' "$HEALTHCHECKER_API_TOKEN"
        printf 'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %s\r\n\r\n%s' "${#body}" "$body"
    } | nc -w 30 "$host" "$port" | tr -d '\r' | {
        read -r _ status _ || fail 1 "no answer from $server"
        sed '1,/^$/d'
        [ "$status" = 200 ]
    }
}

[ $# -ge 2 ] || fail 2 "usage: register.sh NAME URL [FIELD=VALUE...]"
body="appname=$(encode "$1")&url=$(encode "$2")"
shift 2
for field; do
    body="$body&$(encode "${field%%=*}")=$(encode "${field#*=}")"
done

server=${HEALTHCHECKER_SERVER:-$(find_server)}
server=${server%/}
[ -n "$server" ] || fail 1 "no HealthChecker server was found; set HEALTHCHECKER_SERVER=http://ADDRESS:PORT"

if command -v wget >/dev/null; then
    with_wget || fail 1 "the server at $server did not take it"
else
    with_nc || fail 1 "the server at $server did not take it"
fi
