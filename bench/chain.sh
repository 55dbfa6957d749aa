#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The usual chain over one firmware.zip, one tool after the other, each step timed:
#   chain.sh FIRMWARE.zip LITERALS.yar [TMPDIR]
# Prints "step NAME SECONDS" lines and a last line "seconds N". Works in a folder of its own below TMPDIR and removes it.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '3,5s/^# //p' "$0"; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
zip=$(realpath "$1") rules=$(realpath "$2")
work=$(mktemp -d "${3:-${TMPDIR:-/tmp}}/chain.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir firmware parts tree apk

now() { date +%s.%N; }
since() { echo "$1 $(now)" | awk '{printf "%.3f", $2 - $1}'; }
step() {
	local name=$1 start
	shift
	start=$(now)
	"$@"
	echo "step $name $(since "$start")"
}

unpack_zip() { unzip -q "$zip" -d firmware; }
unsparse() { simg2img firmware/super.img super.raw; }
split_super() { python3 "$here/lpsplit.py" super.raw parts; }
dump_ext4() {
	local p
	for p in system_a vendor_a; do
		mkdir "tree/$p"
		# debugfs complains about ownership and labels it may not set; the content is complete
		debugfs -R "rdump / tree/$p" "parts/$p.img" >/dev/null 2>&1
	done
}
dump_erofs() { fsck.erofs --extract="tree/product_a" parts/product_a.img >/dev/null; }
dump_boot() { unpack_bootimg --boot_img firmware/boot.img --out tree/boot >/dev/null; }
# shellcheck disable=SC2016 # the inner shell expands them
unpack_apks() {
	local n=0 f
	find tree -name '*.apk' >apks
	# a folder for each: equal names are common
	while IFS= read -r f; do printf '%s\n%s\n' "$f" "apk/$((n += 1))"; done <apks |
		xargs -d '\n' -n 2 -P 2 sh -c 'unzip -qo "$1" -d "$2" || [ $? -eq 1 ]' sh
}
digest() {
	openssl dgst -sha256 "$zip" >digests
	find tree apk -type f -print0 | xargs -0 -n 2000 -P 2 openssl dgst -sha256 >>digests
}
search() { yara -p 2 -r "$rules" tree >hits && yara -p 2 -r "$rules" apk >>hits; }
# shellcheck disable=SC2094 # of two names, one read and one written
badging() { xargs -d '\n' -n 1 -P 2 aapt dump badging <apks >badging 2>/dev/null || [ $? -eq 123 ]; }

start=$(now)
step unzip unpack_zip
step simg2img unsparse
step lpsplit split_super
step debugfs_rdump dump_ext4
step fsck.erofs_extract dump_erofs
step unpack_bootimg dump_boot
step unzip_apks unpack_apks
step openssl_dgst digest
step yara search
step aapt badging
total=$(since "$start")
echo "files $(find tree apk -type f | wc -l) digests $(wc -l <digests) hits $(wc -l <hits) badgings $(grep -o "package: name=" badging | wc -l)"
echo "bytes_on_disk $(du -sB1 . | cut -f1)"
echo "seconds $total"
