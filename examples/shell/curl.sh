#!/bin/sh
# Registers an app with curl: curl.sh NAME URL [EMAIL]
# HEALTHCHECKER_SERVER says where the server is, http://ADDRESS:PORT.
set -eu
: "${HEALTHCHECKER_SERVER:?set it to http://ADDRESS:PORT}"

curl --silent --show-error --fail-with-body --max-time 30 \
    ${HEALTHCHECKER_API_TOKEN:+--header "Authorization: Bearer $HEALTHCHECKER_API_TOKEN"} \
    --data-urlencode "appname=$1" \
    --data-urlencode "url=$2" \
    --data-urlencode "email=${3:-}" \
    "${HEALTHCHECKER_SERVER%/}/healthchecker/monitor"
