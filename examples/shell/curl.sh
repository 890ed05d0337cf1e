#!/bin/sh
# Registers an app with curl: curl.sh NAME URL [EMAIL]   (URL :8080 is that port of this machine)
# HEALTHCHECKER_SERVER says where the server is, http://ADDRESS:PORT.
set -eu
: "${HEALTHCHECKER_SERVER:?set it to http://ADDRESS:PORT}"

# One that was read from a file ends with a line feed, which $( ) takes away.
token=$(printf %s "${HEALTHCHECKER_API_TOKEN:-}" | tr -d '\r')
curl --silent --show-error --fail-with-body --max-time 30 \
    ${token:+--header "Authorization: Bearer $token"} \
    --data-urlencode "appname=$1" \
    --data-urlencode "url=$2" \
    --data-urlencode "email=${3:-}" \
    "${HEALTHCHECKER_SERVER%/}/healthchecker/monitor"
