# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # what it sets is for the scripts that read it
# Read by run.sh and linear.sh: finds the tools, builds the floor, makes the literals.
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${BENCH_DIR:-$repo/build/bench}
gifthorse=${GIFTHORSE:-$repo/build/gifthorse}
mkdir -p "$build"

need() {
	local missing=()
	for tool in "$@"; do command -v "$tool" >/dev/null || missing+=("$tool"); done
	[ ${#missing[@]} -eq 0 ] && return
	echo "missing: ${missing[*]}; install the packages named in bench/packages.txt:" >&2
	echo "  apt-get install -y \$(sed 's/#.*//' $repo/bench/packages.txt)" >&2
	exit 2
}

build_floor() {
	[ -z "$(find "$repo"/bench/floor* -newer "$build/floor" 2>&1)" ] && return
	need cc pkg-config
	# shellcheck disable=SC2046 # the flags are words
	cc -O2 -Wall -Wextra -D_GNU_SOURCE -o "$build/floor" "$repo/bench/floor.c" "$repo/bench/floor_plan.c" \
		$(pkg-config --cflags --libs libhs libcrypto zlib liblz4 libisal) -ldeflate -lpthread
}

build_literals() {
	[ -f "$build/literals.yar" ] || "$repo/bench/literals.py" "$build"
}
