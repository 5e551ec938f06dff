#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Fuzz the packet path and the readers of models and captures for a moment, beginning with inputs of their
# own making and those kept in tests/fuzz/corpus. What breaks them is left in $BUILD_DIR/fuzz.
#
# FUZZ_RUNS=N in the environment: N inputs each instead, beginning also with captures out of
# $SENTROID_DATA or build/data; what was found to be of interest is kept for the next time.

set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2

build=${BUILD_DIR:-build}
runs=${FUZZ_RUNS:-}
seconds=9
work=$build/fuzz/corpus
number=0 failed=0

if [[ -z $runs ]]; then
	work=$(mktemp -d) || exit 2
	trap 'rm -rf "$work"' EXIT
fi

captures() {
	[[ -n $runs ]] || return 0
	find "${SENTROID_DATA:-$build/data}"/{robust,dev} -type f -print0 2>/dev/null
}

# Largest input, and limits: by number or by time.
fuzz() {
	local target=$1 largest=$2 limit=-max_total_time=$seconds options=()
	local program=$build/fuzz/tests/fuzz/fuzz_$target from=("$work/$target") seeds=()

	((number++))
	if [[ ! -x $program ]]; then
		echo "ok $number - $target # SKIP clang has no libFuzzer here"
		return
	fi
	[[ -n $runs ]] && limit=-runs=$runs
	[[ -f tests/fuzz/$target.dict ]] && options=(-dict="tests/fuzz/$target.dict")
	mkdir -p "$work/$target"
	[[ -d tests/fuzz/corpus/$target ]] && from+=("tests/fuzz/corpus/$target")
	[[ $target != model ]] && mapfile -d '' seeds < <(captures)
	if "$build/tests/fuzz/seeds" "$target" "$work/$target" "${seeds[@]}" &&
		"$program" "$limit" "${options[@]}" -max_len="$largest" -timeout=20 -print_final_stats=1 \
			-artifact_prefix="$build/fuzz/$target-" "${from[@]}" 2>&1; then
		echo "ok $number - $target"
	else
		echo "not ok $number - $target"
		failed=1
	fi
}

echo "1..3"
fuzz path 4096
fuzz model 8192
fuzz capture 4096
exit "$failed"
