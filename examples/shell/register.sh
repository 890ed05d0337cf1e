#!/bin/sh
# Registers an app from a box with little more than a shell (busybox is enough): no Python, no curl.
#
#   register.sh NAME URL [FIELD=VALUE...]      register.sh NAS :8080 interval=60
#
# With :8080 for URL the app is at that port of this machine. The server is HEALTHCHECKER_SERVER
# (http://ADDRESS:PORT), or is found by avahi-browse where there is one. A token is taken from
# HEALTHCHECKER_API_TOKEN, for a server that is named: anybody can announce the name that is searched for.
# Uses nc, or else wget; that of busybox hides why the server refuses.
# Exit code: 0 registered, 1 refused or no answer, 2 wrong usage.
set -efu
LC_ALL=C
export LC_ALL

# At 30 s each a stranger's dead addresses cost two minutes at most.
SERVERS_MAX=4

fail() {
    echo "register.sh: $2" >&2
    exit "$1"
}

# Every byte as %XX: right for any name, and no shell knows better.
encode() {
    printf %s "$1" | od -An -v -tx1 | tr -d ' \n' | sed 's/../%&/g'
}

# An address as people write it (pi:8080, http://pi:8080/healthchecker/), made plain.
plain() {
    case $1 in *://*) address=$1 ;; *) address=http://$1 ;; esac
    printf %s "$address" | sed 's,/*$,,; s,/healthchecker$,,'
}

# The one with the plain name first, IPv4 first. Link-local IPv6 would need its interface.
find_servers() {
    command -v avahi-browse >/dev/null || return 0
    avahi-browse --resolve --parsable --terminate _http._tcp 2>/dev/null | awk -F ';' '
        $1 != "=" || $4 !~ /^_healthchecker($|\\032)/ || $8 ~ /^fe80:/ || seen[$8 ";" $9]++ { next }
        { rank = ($4 != "_healthchecker") * 2 + ($3 != "IPv4") }
        { found[rank] = found[rank] "http://" ($8 ~ /:/ ? "[" $8 "]" : $8) ":" $9 "\n" }
        END { for (rank = 0; rank < 4; rank++) printf "%s", found[rank] }' | sed "${SERVERS_MAX}q"
}

# Each prints what the server said, whatever the status.
with_gnu_wget() {
    wget -q -O - --content-on-error --tries 1 --timeout 30 ${token:+--header "Authorization: Bearer $token"} \
        --post-data "$body" "$1/healthchecker/monitor"
}

with_other_wget() {
    # No -T: busybox 1.35 crashes of it together with --post-data.
    wget -q -O - ${token:+--header "Authorization: Bearer $token"} \
        --post-data "$body" "$1/healthchecker/monitor"
}

with_nc() {
    rest=${1#http://}
    place=${rest%%/*}
    path=${rest#"$place"}
    case $place in *:*[0-9]) port=${place##*:} ;; *) port=80 ;; esac
    host=${place%:"$port"}
    host=${host#[}
    {
        # HTTP/1.0: nobody answers in chunks then.
        printf 'POST %s/healthchecker/monitor HTTP/1.0\r\nHost: %s\r\n' "$path" "$place"
        [ -z "$token" ] || printf 'Authorization: Bearer %s\r\n' "$token"
        printf 'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %s\r\n\r\n%s' "${#body}" "$body"
    } | nc -w 30 "${host%]}" "$port" | tr -d '\r' | sed '1,/^$/d'
}

# Ends the program when a HealthChecker server answers.
register_at() {
    if command -v nc >/dev/null && [ "${1#http://}" != "$1" ]; then
        answer=$(with_nc "$1") || :
    elif wget --help 2>&1 | grep -q content-on-error; then
        # Of a 401 it shows nothing, and ends with 6.
        answer=$(with_gnu_wget "$1") || [ $? != 6 ] || answer='"error":"the server wants another token; set HEALTHCHECKER_API_TOKEN to its api_token"'
    else
        answer=$(with_other_wget "$1") || {
            echo "register.sh: this wget shows no more of what $1 said; with nc the reason is shown" >&2
            return
        }
    fi
    case $answer in
    *'"error":'*)
        [ -z "$withheld" ] || echo "register.sh: $withheld" >&2
        fail 1 "$(printf '%s\n' "$answer" | sed 's/.*"error": *"\(\([^"\\]\|\\.\)*\)".*/\1/; s/\\\(.\)/\1/g')"
        ;;
    *'"result":'*)
        printf '%s\n' "$answer"
        exit 0
        ;;
    esac
    echo "register.sh: no answer of a HealthChecker server from $1" >&2
}

[ $# -ge 2 ] || fail 2 "usage: register.sh NAME URL [FIELD=VALUE...]"
body="appname=$(encode "$1")&url=$(encode "$2")"
shift 2
for field; do
    body="$body&$(encode "${field%%=*}")=$(encode "${field#*=}")"
done

# One that was read from a file ends with a line feed, which $( ) takes away.
token=$(printf %s "${HEALTHCHECKER_API_TOKEN:-}" | tr -d '\r')
case $token in *[!!-~]*) fail 1 "HEALTHCHECKER_API_TOKEN has a character in it that no token has; it was not sent" ;; esac
withheld=
if [ -n "${HEALTHCHECKER_SERVER:-}" ]; then
    servers=$(plain "$HEALTHCHECKER_SERVER")
else
    servers=$(find_servers)
    [ -n "$servers" ] || fail 1 "no HealthChecker server was found; set HEALTHCHECKER_SERVER=http://ADDRESS:PORT"
    withheld=${token:+"the token is sent only to a server that is named: set HEALTHCHECKER_SERVER"}
    token=
fi
for server in $servers; do
    register_at "$server"
done
exit 1
