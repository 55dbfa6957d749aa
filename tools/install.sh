#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that are missing for the purposes named: build test lint demo bench. Uses sudo when not root.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

wanted() {
	for purpose in "$@"; do
		case $purpose in
		demo | bench) list=$root/$([ "$purpose" = demo ] && echo tests/demo || echo bench)/packages.txt
			[ -f "$list" ] && sed 's/#.*//' "$list" | awk 'NF { print $1 }' ;;
		*) awk -v p="$purpose" '$1 !~ /^#/ && $2 == p { print $1 }' "$root/tools/packages.txt" ;;
		esac
	done | sort -u
}

missing=
for p in $(wanted "$@"); do
	# npm may have come with another Node.js than Debian's, which its package would fight.
	[ "$p" = npm ] && command -v npm >/dev/null && continue
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
