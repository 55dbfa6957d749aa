#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the demonstration phone and its twin: OUTDIR/phone.zip, OUTDIR/twin.zip, their images beside them.
# usage: make_demo.sh OUTDIR     Needs the packages of packages.txt; done again only when a source has changed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || { echo "usage: make_demo.sh OUTDIR" >&2; exit 2; }
umask 022
mkdir -p "$1"
out=$(cd "$1" && pwd)
export PYTHONDONTWRITEBYTECODE=1

for tool in apt-get aapt2 apksigner clang debugfs dpkg-deb img2simg ld.lld lz4 mkbootimg mke2fs mkfs.erofs npm openssl python3; do
	PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null || missing="${missing-} $tool"
done
if [ -n "${missing-}" ]; then
	echo "make_demo: not installed:$missing; the packages are listed in $here/packages.txt" >&2
	exit 1
fi
PATH=$PATH:/usr/sbin:/sbin

sources() { find "$here" "$here/../tools" -type f ! -name '*.pyc' ! -name 'test_*' | LC_ALL=C sort | xargs cat | sha256sum; }

"$here/fetch_parts.sh" "$out/.work/parts"
want=$(sources)
if [ "$(cat "$out/.work/stamp" 2>/dev/null)" = "$want" ] && [ -f "$out/phone.zip" ] && [ -f "$out/twin.zip" ]; then
	exit 0
fi
rm -f "$out/.work/stamp"
as_root=
[ "$(id -u)" = 0 ] || as_root=fakeroot
for variant in phone twin; do
	$as_root python3 "$here/images.py" "$variant" "$out/.work/parts" "$out/.work" "$out"
done
python3 "$here/doors.py" >"$out/expected.tsv"
printf '%s\n' "$want" >"$out/.work/stamp"
