#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The operator's command on a veth pair of its own, run and held to what it says. Sourced after lab.sh
# by its tests:
#
#     cli_begin bpftool           # the laboratory is up, nothing is attached, models are in $m
#     run status "$LAB_IF"
#     says "native mode"
#     check "status in words"
#     refuses "attach: bad mode" 2 "fast" attach "$LAB_IF" --mode fast
#     cli_done

# shellcheck source-path=SCRIPTDIR source=models.sh
. "$LAB_LIB/models.sh"

number=0 failed=0

# shellcheck disable=SC2317 # called by the trap
cli_end() {
	trap '' INT TERM HUP
	rm -rf "$SENTROID_BPFFS"
	[ -z "$LAB_TMP" ] || chmod 700 "$LAB_TMP"
	lab_down
}

# cli_begin TOOL...: ends the test where one of them is missing.
cli_begin() {
	local tool
	sentroid=$(realpath "${BUILD_DIR:-build}/sentroid") || exit 1
	export SENTROID_BPFFS=/sys/fs/bpf/sentroid-test-$$
	pins=$SENTROID_BPFFS/$LAB_IF
	for tool in jq bpftool sha256sum "$@"; do
		lab_have "$tool" || { echo "1..0 # SKIP needs $tool"; exit 77; }
	done
	lab_trap
	trap cli_end EXIT
	lab_up || exit
	# So that an ordinary user can run what is copied there.
	chmod 711 "$LAB_TMP"
	cli_models
}

# Good ones by their versions, bad ones by what is wrong with them.
cli_models() {
	local v
	m=$LAB_TMP/models
	mkdir "$m"
	for v in 1 2 3; do model $v >"$m/$v.json"; done
	head -c 700 "$m/1.json" >"$m/truncated.json"
	jq -c '.thresholds.alert = 3' "$m/1.json" >"$m/changed.json"
	jq -c '.format = 99' "$m/1.json" | sign >"$m/format.json"
	sed 's/"alert":2/"alert":NaN/' "$m/1.json" >"$m/nan.json"
	sed 's/"alert":2/"alert":1e999/' "$m/1.json" >"$m/infinite.json"
	jq -c '.members[0] |= (.centroids = [range(65) as $i | .centroids[0]] | .radii = [range(65) | 40] |
		.mass = [range(65) | 1] | .classes = [range(65) | ""])' "$m/1.json" | sign >"$m/crowded.json"
}

# cli_done: the plan, and the exit code.
cli_done() {
	echo "1..$number"
	exit "$failed"
}

# --- checks --------------------------------------------------------------------------------------

# check NAME: of what came just before it, which is to succeed.
check() {
	local passed=$?
	number=$((number + 1))
	if [ "$passed" = 0 ]; then
		echo "ok $number - $1"
		return
	fi
	failed=1
	echo "not ok $number - $1"
	printf '# exit code %s\n# stdout: %s\n# stderr: %s\n' "$rc" "${out//$'\n'/$'\n'#         }" \
		"${err//$'\n'/$'\n'#         }"
}

# The command in the server's namespace: its exit code, output and errors into rc, out and err.
run() { run_as "$sentroid" "$@"; }
run_as() {
	in_srv "$@" >"$LAB_TMP/out" 2>"$LAB_TMP/err"
	rc=$?
	out=$(<"$LAB_TMP/out") err=$(<"$LAB_TMP/err")
}

# One line, and perhaps a hint, none of which is a dump of somebody's library.
one_clear_line() {
	local lines
	mapfile -t lines <<<"$err"
	[[ ${lines[0]} == "sentroid: "*": "* ]] && [ "${#lines[@]}" -le 2 ] &&
		[[ ${#lines[@]} == 1 || ${lines[1]} == "hint: "?* ]]
}

# Everything that a failed command must leave as it was: pins (with the objects behind them, told by
# their inodes), the program of each interface, models and policy in force.
state() {
	find "$SENTROID_BPFFS" -printf '%P %i\n' 2>/dev/null | sort
	in_srv ip -j -d link show | jq -c '.[] | [.ifname, .xdp]'
	in_srv "$sentroid" status --json 2>/dev/null | jq -c '.interfaces[] | [.name, .policy, .model, .shadow]'
	in_srv bpftool -j map dump pinned "$pins/meta" 2>/dev/null
	find "$LAB_TMP/state" -type f -exec sha256sum {} + 2>/dev/null | sort
}

is_refused() { [ "$rc" = "$1" ] && [ -z "$out" ] && one_clear_line && [[ $err == *"$2"* ]] && [ "$before" = "$(state)" ]; }

# refuses NAME CODE TEXT ARGUMENT...: TEXT is part of what it must say.
refuses() {
	local name=$1 code=$2 text=$3
	shift 3
	refuses_as "$name" "$code" "$text" "$sentroid" "$@"
}
refuses_as() {
	local name=$1 code=$2 text=$3 before
	shift 3
	before=$(state)
	run_as "$@"
	is_refused "$code" "$text"
	check "$name"
}

# models_refused NAME ARGUMENT...: each of the bad ones, as the last argument.
models_refused() {
	local file text
	while read -r file text; do
		refuses "$1: $file" 1 "$text" "${@:2}" "$m/$file"
	done <<-LIST
		missing.json No such file
		truncated.json not JSON
		changed.json wrong digest
		format.json format 99
		nan.json not JSON
		infinite.json model:
		crowded.json centroids
	LIST
}

says() { [ "$rc" = 0 ] && [ -z "$err" ] && [[ $out == *"$1"* ]]; }
xdp_id() { in_srv ip -j -d link show "$LAB_IF" | jq -r '.[0].xdp.prog.id // "none"'; }
