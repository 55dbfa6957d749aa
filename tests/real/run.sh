#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh [DIR]: scan the public firmware dumps under DIR (or $GH_DUMPS) and hold the facts found against what is known of them.
# README.md says which dumps, and how they are laid out. GH_BIN names the program, GH_SHARED the folder with truth/real_inputs.tsv.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
[ $# -le 1 ] || { echo "usage: $0 [DIR]" >&2; exit 2; }
[ $# -eq 0 ] || export GH_DUMPS="$1"
exec python3 "$here/check.py"
