#!/usr/bin/env bash
# Builds a static program once more, from what is committed and in another folder, and compares it
# with the one that is there: packaging/reproduce.sh TRIPLE
set -euo pipefail
cd "$(dirname "$0")/.."

triple=${1:?which machine? For example: packaging/reproduce.sh arm-unknown-linux-musleabihf}
program=target/$triple/release/healthchecker
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

git clone --quiet . "$folder/again"
"$folder/again/packaging/cross.sh" "$triple"
cmp "$program" "$folder/again/$program"
echo "the same bytes: $(sha256sum "$program")"
