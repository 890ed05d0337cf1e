#!/usr/bin/env bash
# Gets what an emulated Raspberry Pi Zero boots, from Debian 12's packages for it: tests/pi/fetch.sh
#
# Ends up in target/pi: the kernel, the description of the machine, and a root file system in
# memory (base.cpio.gz) with busybox, the kernel's modules for network and card, and tests/pi/init.
# Nothing is installed; apt works in a folder of its own, and needs no root.
set -euo pipefail
cd "$(dirname "$0")/../.."

to=$PWD/target/pi
modules=(
    drivers/net/mii
    drivers/net/usb/usbnet
    drivers/net/usb/cdc_ether
    lib/crc16
    crypto/crc32c_generic
    lib/libcrc32c
    fs/mbcache
    fs/jbd2/jbd2
    fs/ext4/ext4
)

# apt, as on a machine of the oldest kind of ARM that Debian has: its kernel runs on a Pi Zero.
apt() {
    "$1" -q -o APT::Architecture=armel -o APT::Architectures=armel -o APT::Sandbox::User=root \
        -o Dir::State="$to/apt/state" -o Dir::State::status="$to/apt/status" \
        -o Dir::Cache="$to/apt/cache" "${@:2}"
}

download() {
    mkdir -p "$to/apt/state/lists/partial" "$to/apt/cache/archives/partial"
    : >"$to/apt/status"
    apt apt-get update
    local kernel
    kernel=$(apt apt-cache depends linux-image-rpi | awk '$1 == "Depends:" && $2 ~ /-rpi$/ {print $2}')
    rm -rf "$to/packages" "$to/half"
    mkdir -p "$to/packages"
    (cd "$to/packages" && apt apt-get download "$kernel" busybox-static)
    local package
    for package in "$to"/packages/*.deb; do dpkg-deb --extract "$package" "$to/half"; done
    mv "$to/half" "$to/unpacked"
}

make_root() {
    local root=$to/root module
    rm -rf "$root"
    mkdir -p "$root"/{bin,dev,etc,modules,proc,sys,tmp,var/lib/healthchecker}
    cp "$to/unpacked/bin/busybox" "$root/bin"
    install tests/pi/init "$root/init"
    for module in "${modules[@]}"; do
        cp "$to"/unpacked/lib/modules/*/kernel/"$module.ko" "$root/modules"
        echo "/modules/$(basename "$module").ko" >>"$root/modules/order"
    done
    (cd "$root" && find . | LC_ALL=C sort | cpio --quiet --create --format=newc) | gzip >"$to/base.cpio.gz"
}

[[ -d "$to/unpacked" ]] || download
make_root
cp "$to"/unpacked/boot/vmlinuz-* "$to/kernel"
cp "$to"/unpacked/usr/lib/linux-image-*/bcm2835-rpi-zero.dtb "$to/machine.dtb"
