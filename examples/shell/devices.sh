#!/bin/sh
# Has devices watched that never heard of /health: devices.sh < devices.txt
# A line each: a name, its address, and further fields of `monitor`, with blanks between. Again and again does no harm.
# HEALTHCHECKER_SERVER says where the server is, http://ADDRESS:PORT.
set -eu
: "${HEALTHCHECKER_SERVER:?set it to http://ADDRESS:PORT}"

# One that was read from a file ends with a line feed, which $( ) takes away.
token=$(printf %s "${HEALTHCHECKER_API_TOKEN:-}" | tr -d '\r')
failed=0
while read -r name url fields || [ -n "$name" ]; do
    case $name in '' | '#'*) continue ;; esac
    set --
    for field in $fields; do set -- "$@" --data-urlencode "$field"; done
    curl --silent --show-error --fail-with-body --max-time 30 \
        ${token:+--header "Authorization: Bearer $token"} \
        --data-urlencode "appname=$name" --data-urlencode "url=$url" "$@" \
        "${HEALTHCHECKER_SERVER%/}/healthchecker/monitor" < /dev/null || { failed=1; echo "$name: not registered" >&2; }
done
exit $failed
