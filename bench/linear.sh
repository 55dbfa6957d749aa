#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whether time grows with the phone and no faster: linear.sh [--scales "1 2 4"] [options of run.py: --rounds N, ...]
# The phones are build/bench/scaleN; those that are missing are made (about 5 GB of disk a step while that runs, 2.5 GB after).
set -euo pipefail
# shellcheck source=SCRIPTDIR/prepare.sh
. "$(dirname "$0")/prepare.sh"
need python3
scales="1 2 4"
if [ "${1:-}" = --scales ]; then scales=$2 && shift 2; fi
build_floor
build_literals
phones=()
for n in $scales; do
	[ -f "$build/scale$n/plan.txt" ] || "$repo/bench/make_phone.py" --scale "$n" "$build/scale$n"
	phones+=("$build/scale$n")
done
exec python3 "$repo/bench/run.py" linear "${phones[@]}" --build "$build" --gifthorse "$gifthorse" "$@"
