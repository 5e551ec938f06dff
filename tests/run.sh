#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The test runner.
#
# usage: tests/run.sh [unit|bpf|golden|fuzz|net|vm ...] [-k PATTERN]     (default: all but vm)
#
#   unit, bpf              cmocka programs, $BUILD_DIR/tests/GROUP/test_*
#   golden, fuzz, net, vm  scripts, tests/GROUP/test_*.sh: exit 0 passed, 77 skipped, else failed
#   -k PATTERN             run only those whose GROUP/NAME contains PATTERN (a shell pattern)
#
# Every TAP line ("ok", "not ok", either with "# SKIP") a test prints counts by itself; a test that
# prints none counts as one. The last line is "N passed, N failed, N skipped"; the exit code is 1
# when anything failed or nothing ran; but vm alone may be skipped whole, for want of an emulator or
# of kernels. TEST_TIMEOUT overrides the seconds each test may take.

set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

build=${BUILD_DIR:-build}
logs=$build/tests/log
tail_lines=40

declare -A seconds=([unit]=120 [bpf]=300 [golden]=300 [fuzz]=120 [net]=300 [vm]=1000)

passed=0 failed=0 skipped=0
running=

usage() {
	echo "usage: tests/run.sh [unit|bpf|golden|fuzz|net|vm ...] [-k PATTERN]" >&2
	exit 2
}

# timeout(1) leads a process group of its own: that is how whatever a test left behind is found.
stop_running() {
	[[ -n $running ]] || return 0
	kill -TERM "$running" 2>/dev/null && wait "$running" 2>/dev/null
	kill -KILL -- "-$running" 2>/dev/null
}

interrupted() {
	trap '' INT TERM HUP
	echo "interrupted" >&2
	stop_running
	exit 130
}

# Prints "PASSED FAILED SKIPPED" for a test with this log and exit code.
count() {
	awk -v rc="$2" '
		# cmocka up to 1.1.5 reports a skipped test as "not ok N # SKIP name".
		/^(not )?ok .*# SKIP/ { skip++; next }
		/^1\.\.0 .*# SKIP/    { skip++; next }
		/^ok( |$)/            { pass++ }
		/^not ok( |$)/        { fail++ }
		/^1\.\.[0-9]+/        { planned += substr($1, 4) }
		END {
			results = pass + fail + skip
			if (rc == 77 && results == skip)
				skip = skip ? skip : 1
			else if (rc && !fail)
				fail = 1 # crashed, timed out, or failed in its own set-up or tear-down
			else if (!rc && !results)
				pass = 1
			else if (results < planned && !fail)
				fail = 1 # left early with a good exit code
			print pass + 0, fail + 0, skip + 0
		}' "$1"
}

# What the terminal says of a test: "12 passed, 1 skipped".
summary() {
	local text=
	(($1)) && text+=", $1 passed"
	(($2)) && text+=", $2 failed"
	(($3)) && text+=", $3 skipped"
	echo "${text#, }"
}

run_test() {
	local group=$1 name=$2 program=$3
	local log=$logs/$group.$name.log limit=${TEST_TIMEOUT:-${seconds[$group]}}
	local start=$EPOCHREALTIME rc pass fail skip verdict=ok

	# The shell lets its background jobs ignore Ctrl-C; what is tested may want to handle it.
	CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 10 "$limit" env --default-signal=INT,QUIT "$program" \
		>"$log" 2>&1 </dev/null &
	running=$!
	wait "$running" 2>/dev/null # keeps the shell from announcing crashes
	rc=$?
	kill -KILL -- "-$running" 2>/dev/null
	running=
	((rc == 124)) && echo "# timed out after $limit s" >>"$log"

	read -r pass fail skip < <(count "$log" "$rc")
	((passed += pass, failed += fail, skipped += skip))
	((skip && !pass)) && verdict=skip
	((fail)) && verdict=FAIL
	awk -v v="$verdict" -v n="$group/$name" -v t="$EPOCHREALTIME" -v s="$start" \
		-v c="$(summary "$pass" "$fail" "$skip")" \
		'BEGIN { printf "  %-4s  %-40s %6.1f s  %s\n", v, n, t - s, c }'
	[[ $verdict != skip ]] || sed -n 's/.*# SKIP */        /p' "$log" | head -n 3
	if ((fail)); then
		echo "        exit code $rc, end of $log:"
		tail -n "$tail_lines" "$log" | sed 's/^/        | /'
	fi
}

# Where the kernel's network configuration hangs, on a lock that nothing gives back, it hangs for every test,
# out of reach of any signal. So one process finds that out for all.
network_answers() {
	local pid
	unshare --net true </dev/null >/dev/null 2>&1 &
	pid=$!
	for _ in {1..200}; do
		kill -0 "$pid" 2>/dev/null || return 0
		sleep 0.1
	done
	disown "$pid"
	return 1
}

# Why a group cannot run here; nothing where it can.
obstacle() {
	if [[ $1 == bpf || $1 == net ]] && ((EUID)); then
		echo "needs root"
	elif [[ $1 == net ]] && ! network_answers; then
		echo "the kernel's network configuration does not answer (unshare --net hangs)"
	fi
}

run_group() {
	local group=$1 program name why programs=()

	case $group in
	unit | bpf) programs=("$build/tests/$group"/test_*) ;;
	*) programs=("tests/$group"/test_*.sh) ;;
	esac

	local chosen=()
	for program in "${programs[@]}"; do
		[[ $program == *.sh || -x $program ]] || continue
		name=$(basename "$program" .sh)
		# shellcheck disable=SC2053 # the right side is a pattern by intent
		[[ $group/$name == *$pattern* ]] && chosen+=("$program")
	done
	((${#chosen[@]})) || return 0

	why=$(obstacle "$group")
	if [[ -n $why ]]; then
		echo "  skip  $group: $why, not run: ${#chosen[@]}"
		((skipped += ${#chosen[@]}))
		return 0
	fi
	for program in "${chosen[@]}"; do
		run_test "$group" "$(basename "$program" .sh)" "$program"
	done
}

groups=() pattern=
while (($#)); do
	case $1 in
	unit | bpf | golden | fuzz | net | vm) groups+=("$1") ;;
	-k)
		(($# > 1)) || usage
		pattern=$2
		shift
		;;
	*) usage ;;
	esac
	shift
done
((${#groups[@]})) || groups=(unit bpf golden fuzz net)

shopt -s nullglob
mkdir -p "$logs" || exit 2
trap interrupted INT TERM HUP

for group in "${groups[@]}"; do
	run_group "$group"
done

((passed + failed)) || echo "nothing ran" >&2
echo "$passed passed, $failed failed, $skipped skipped"
((!failed)) && { ((passed)) || [[ ${groups[*]} == vm && $skipped -gt 0 ]]; }
