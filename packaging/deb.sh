#!/usr/bin/env bash
# Makes a Debian package: packaging/deb.sh armhf|arm64|amd64 RUNNABLE [BINARY]
#
# Of the static program that `make arm`, `arm64` or `x86_64-musl` has built, or of BINARY; RUNNABLE
# is the same program for this machine. Ends up in target/debian, or in the folder OUT.
set -euo pipefail
cd "$(dirname "$0")/.."

architecture=$1 runnable=$2
# Debian's armhf is ARMv7, that of Raspberry Pi OS ARMv6: the smaller one runs on both.
declare -A triples=(
    [armhf]=arm-unknown-linux-musleabihf
    [arm64]=aarch64-unknown-linux-musl
    [amd64]=x86_64-unknown-linux-musl
)
binary=${3:-target/${triples[$architecture]}/release/healthchecker}
version=$("$runnable" --version | cut -d ' ' -f 2)
out=${OUT:-target/debian}
tree=$out/tree-$architecture
doc=$tree/usr/share/doc/healthchecker
# The same bytes come out whenever it is built.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}

# What Debian's tools read; what has changed is in CHANGELOG.md.
debian_changelog() {
    printf 'healthchecker (%s) stable; urgency=medium\n\n  * See CHANGELOG.md.\n\n' "$version"
    printf ' -- %s  %s\n' "$(sed -n 's/^Maintainer: //p' packaging/debian/control)" \
        "$(LC_ALL=C date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")"
}

rm -rf "$tree"
umask 022
packaging/install.sh "$tree" /usr "$binary" "$runnable"
install -D -m 644 packaging/debian/copyright "$doc/copyright"
gzip -9n < CHANGELOG.md > "$doc/CHANGELOG.md.gz"
debian_changelog | gzip -9n > "$doc/changelog.gz"
install -D -m 644 packaging/debian/lintian-overrides \
    "$tree/usr/share/lintian/overrides/healthchecker"

control=$tree/DEBIAN
mkdir -p "$control"
for script in postinst prerm postrm; do
    install -m 755 "packaging/debian/$script" "$control/$script"
done
echo /etc/healthchecker/config > "$control/conffiles"
(cd "$tree" && find usr etc -type f -print0 | sort -z | xargs -0 md5sum > DEBIAN/md5sums)
size=$(du --summarize --apparent-size --block-size=1K --exclude=DEBIAN "$tree" | cut -f 1)
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@SIZE@/$size/" \
    packaging/debian/control > "$control/control"
find "$tree" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group --uniform-compression -Zxz --build "$tree" "$out"
