#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Floor, gifthorse and the usual chain on one phone, interleaved: run.sh [PHONE] [options of run.py: --rounds N, --no-chain, ...]
# PHONE defaults to build/bench/phone and is made if it is not there. BENCH_DIR and GIFTHORSE name other places.
set -euo pipefail
# shellcheck source=SCRIPTDIR/prepare.sh
. "$(dirname "$0")/prepare.sh"
need python3 unzip simg2img debugfs fsck.erofs unpack_bootimg openssl yara aapt
phone=$build/phone
case ${1:-} in '' | -*) ;; *) phone=$1 && shift ;; esac
build_floor
build_literals
[ -f "$phone/plan.txt" ] || "$repo/bench/make_phone.py" "$phone"
exec python3 "$repo/bench/run.py" phone "$phone" --build "$build" --gifthorse "$gifthorse" "$@"
