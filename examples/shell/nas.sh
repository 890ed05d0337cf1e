#!/bin/sh
# Has a NAS watched whose page wants a login, and whose certificate it has made itself.
#
#   nas.sh NAME URL LOGIN-FILE [PATH]      nas.sh NAS https://nas.local:5001 /root/nas-login /api/status
#
# LOGIN-FILE is one line, USER:PASSWORD or Bearer TOKEN, of a user who may read and no more; nobody else should be
# able to read it (chmod 600). The login is sent to this address alone, and the certificate that the NAS shows first is
# the only one that it may show from then on. The server is HEALTHCHECKER_SERVER (http://ADDRESS:PORT), or is searched for.
set -eu
[ $# -ge 3 ] || {
    echo "usage: nas.sh NAME URL LOGIN-FILE [PATH]" >&2
    exit 2
}
exec healthchecker monitor "$1" "$2" --path "${4:-/}" --tls pin --auth - <"$3"
