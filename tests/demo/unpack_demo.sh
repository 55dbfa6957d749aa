#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Lays a built phone out as public firmware dumps are: partitions as folders, the other images as files.
# usage: unpack_demo.sh OUTDIR phone|twin DEST     OUTDIR as make_demo.sh left it. Modes and owners are the host's.
set -eu
[ $# -eq 3 ] || { echo "usage: unpack_demo.sh OUTDIR phone|twin DEST" >&2; exit 2; }
PATH=$PATH:/usr/sbin:/sbin
images=$1/$2
dest=$3
[ -f "$images/system.img" ] || { echo "unpack_demo: no images in $images; run make_demo.sh first" >&2; exit 1; }
[ ! -e "$dest" ] || { echo "unpack_demo: $dest is there already" >&2; exit 1; }
mkdir -p "$dest"

# As in a dump no file keeps its set-uid bit, and every folder can be entered.
tame() { find "$1" -type d -exec chmod 755 {} + && find "$1" -type f -exec chmod 644 {} +; }

for name in system vendor odm; do
	mkdir "$dest/$name"
	debugfs -R "rdump / $dest/$name" "$images/$name.img" >/dev/null 2>&1
	rm -rf "$dest/$name/lost+found"
	[ -n "$(ls -A "$dest/$name")" ] || { echo "unpack_demo: debugfs could not read $name.img" >&2; exit 1; }
	tame "$dest/$name"
done
for name in product system_ext; do
	fsck.erofs --extract="$dest/$name" --no-preserve "$images/$name.img" >/dev/null 2>&1 ||
		fsck.erofs --extract="$dest/$name" "$images/$name.img" >/dev/null
	tame "$dest/$name"
done
for image in boot init_boot vendor_boot recovery dtbo modem vbmeta vbmeta_system ftmboot; do
	[ ! -f "$images/$image.img" ] || cp "$images/$image.img" "$dest/"
done
