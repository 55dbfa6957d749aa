#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches the real parts of the demonstration phone: applications from npm, arm64 files from Debian.
# usage: fetch_parts.sh DIR     DIR/npm: node_modules, DIR/arm64: unpacked packages. The system is not changed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$1
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

list() { sed -e 's/#.*//' -e '/^ *$/d' "$1" | tr -d ' '; }

fetch_npm() {
	mkdir -p "$dir/npm"
	cp "$here/package.json" "$dir/npm/package.json"
	(cd "$dir/npm" && npm install --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error >npm.log 2>&1) ||
		{ cat "$dir/npm/npm.log" >&2; echo "fetch_parts: npm could not fetch the applications" >&2; exit 1; }
}

# A private apt: the machine's own sources and keys, its own state, the arm64 architecture only.
private_apt() {
	apt=$dir/apt
	mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/debs"
	: >"$apt/status"
	cat >"$apt/apt.conf" <<CONF
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::State "$apt";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
Dir::Cache::archives "$apt/archives";
CONF
	APT_CONFIG=$apt/apt.conf
	export APT_CONFIG
}

fetch_arm64() {
	private_apt
	apt-get -qq update >"$apt/update.log" 2>&1 || { cat "$apt/update.log" >&2; exit 1; }
	# shellcheck disable=SC2046 # the list is words
	(cd "$apt/debs" && apt-get -qq download $(list "$here/packages-arm64.txt") >"$apt/download.log" 2>&1) ||
		{ cat "$apt/download.log" >&2; echo "fetch_parts: apt could not fetch the arm64 packages" >&2; exit 1; }
	rm -rf "$dir/arm64.new"
	for deb in "$apt"/debs/*.deb; do
		dpkg-deb -x "$deb" "$dir/arm64.new"
	done
	rm -rf "$dir/arm64"
	mv "$dir/arm64.new" "$dir/arm64"
	rm -rf "$apt"
}

want=$(cat "$here/package.json" "$here/packages-arm64.txt" | sha256sum)
if [ "$(cat "$dir/stamp" 2>/dev/null)" = "$want" ]; then
	exit 0
fi
fetch_npm
fetch_arm64
printf '%s\n' "$want" >"$dir/stamp"
