#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# pack.sh PROGRAM OUT: the program, stripped, as /bin/NAME in a cpio archive, to be appended to the
# virtual target's initramfs.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/bin" "$(dirname "$2")"
strip -o "$dir/bin/$(basename "$1")" "$1"
(cd "$dir" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) >"$2.new"
mv "$2.new" "$2"
