#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Sentroid in the laboratory: starting it, asking it, counting packets beside it. Sourced after
# lab.sh by the demonstration and by the network tests.
#
#     agent_lab NAME || exit    # the laboratory is up
#     agent_start '[baseline]' 'seconds = 30'
#     api alerts | jq ...

AGENT_PORT=9966
AGENT_PID=

# agent_tools TOOL...: says what is missing and returns 77 where a test cannot run at all.
agent_tools() {
	local tool
	for tool in curl jq tc "$@"; do
		lab_have "$tool" || { lab_note "needs $tool"; return 77; }
	done
}

# agent_begin NAME: programs, pins of this run's own.
agent_begin() {
	SENTROID=$(realpath "${BUILD_DIR:-build}/sentroid") && SENTROIDD=$(realpath "${BUILD_DIR:-build}/sentroidd") ||
		return 1
	export SENTROID_BPFFS=/sys/fs/bpf/sentroid-$1-$$
}

# For an EXIT trap, after lab_trap.
# shellcheck disable=SC2317
agent_end() {
	trap '' INT TERM HUP
	# Without its pins and its interface a program is gone.
	[ -z "${SENTROID_BPFFS:-}" ] || rm -rf -- "$SENTROID_BPFFS"
	lab_down
	[ -z "${SENTROID_BPFFS:-}" ] || rm -rf -- "$SENTROID_BPFFS"
}

# agent_lab NAME: that, and the laboratory; both are gone however the calling script ends.
agent_lab() {
	agent_begin "$1" || return
	lab_trap
	trap agent_end EXIT
	lab_up
}

# agent_start LINE...: the agent with a configuration of these lines, once it answers.
agent_start() {
	[ $# = 0 ] || printf '%s\n' "$@" >"$LAB_TMP/agent.conf"
	[ -f "$LAB_TMP/agent.conf" ] || : >"$LAB_TMP/agent.conf"
	in_srv_bg "$SENTROIDD" -i "$LAB_IF" -c "$LAB_TMP/agent.conf" --state-dir "$LAB_TMP/state" \
		--listen "127.0.0.1:$AGENT_PORT"
	AGENT_PID=$LAB_PID
	agent_answers
}

agent_answers() {
	local try=0
	until agent_get /healthz >/dev/null; do
		kill -0 "$AGENT_PID" 2>/dev/null && ((try++ < 100)) || return 1
		sleep 0.05
	done
}

# agent_stop SIGNAL: and until it has ended.
agent_stop() {
	kill -"$1" "$AGENT_PID"
	wait "$AGENT_PID" 2>/dev/null
}

agent_log() { cat "$LAB_TMP/log/sentroidd.log" 2>/dev/null; }
agent_get() { in_srv curl -sf --max-time 3 "http://127.0.0.1:$AGENT_PORT$1"; }
api() { agent_get "/api/v1/$1"; }

# agent_says FILTER: of what the agent says of the interface.
agent_says() { api status | jq -r ".interfaces[0]$1"; }
# status FILTER: of what the command says.
status() { in_srv "$SENTROID" status "$LAB_IF" --json | jq -r ".interfaces[0]$1"; }

# agent_until SECONDS FILTER: until the agent says true.
agent_until() {
	local end=$((SECONDS + $1))
	until [ "$(agent_says "$2")" = true ]; do
		((SECONDS < end)) || return 1
		sleep 0.2
	done
}

# --- alerts --------------------------------------------------------------------------------------

# RFC 3339 with milliseconds, as alerts have it, to seconds.
# shellcheck disable=SC2034
JQ_TIME='def seconds: capture("^(?<s>[^.]*)(?<f>[.][0-9]+)?Z$") | (.s + "Z" | fromdateiso8601) + ((.f // "0") | tonumber);'

# The addresses of those who only use the network.
agent_users() {
	printf '%s\n' "${LAB_USERS[@]}" fd77::2 02:77:00:00:00:02 | jq -Rnc '[inputs]'
}

# alert_of CLASS SINCE [SOURCE]: the first alert of a class raised since a time; null where there is
# none. SOURCE "any" is anybody but the users.
alert_of() {
	api alerts | jq -c --arg class "$1" --argjson since "$2" --arg source "${3:-any}" \
		--argjson users "$(agent_users)" "$JQ_TIME"'
		[.alerts[] | .at = (.first | seconds) | select(.class == $class and .at >= $since - 0.05) |
		select(if $source == "any" then .source == null or (.source as $s | $users | index($s) | not)
			else .source == $source end)] | min_by(.at)'
}

# false_alarms SINCE [FROM-TO...]: alerts raised since a time that are of the users' doing, or of
# nobody's who attacked at the time. Floods under spoofed sources ran within the given spans.
false_alarms() {
	local since=$1
	shift
	api alerts | jq -c --argjson since "$since" --arg attacker "$LAB_ATTACKER" --arg mac "$LAB_ATTACKER_MAC" \
		--argjson users "$(agent_users)" --arg spans "$*" "$JQ_TIME"'
		($spans | split(" ") | map(split("-") | map(tonumber))) as $spans |
		.alerts[] | .at = (.first | seconds) | select(.at >= $since) |
		select(.source != $attacker and .source != $mac) |
		select((.source as $s | $users | index($s)) or
			(.at as $t | any($spans[]; .[0] <= $t and $t <= .[1] + 5) | not))'
}

# first_packet_watch FILTER: notes the time of the first packet that arrives and matches.
first_packet_watch() {
	local out=$LAB_TMP/first try=0
	: >"$out"
	: >"$out.err"
	# shellcheck disable=SC2016
	in_srv_bg sh -c 'exec tcpdump -Z root -i "$0" -Q in -n -tt -c 1 --immediate-mode "$1" >"$2" 2>"$2.err"' \
		"$LAB_IF" "$1" "$out"
	FIRST_PID=$LAB_PID
	until grep -q 'listening on' "$out.err"; do
		((try++ < 60)) || return 1
		sleep 0.05
	done
}

# Prints that time in seconds; fails where nothing has come yet.
first_packet() {
	local at
	read -r at _ <"$LAB_TMP/first" && [ -n "$at" ] && echo "$at"
}

first_packet_done() {
	kill "$FIRST_PID" 2>/dev/null
	wait "$FIRST_PID" 2>/dev/null
	return 0
}

# --- counting packets ----------------------------------------------------------------------------

# veth derives the sender's count from the receiver's, which would agree whatever was lost in between.
# A queue in front of the client's end counts for itself.
count_begin() { tc -n "$LAB_CLI" qdisc replace dev "$LAB_CLI_IF" root pfifo limit 10000; }

# "SENT COUNTED RECEIVED": left the client's queue, counted by the program, received by the interface.
# With segmentation offloads off (lab_offloads) each is one of packets on the wire.
count_packets() {
	local sent counted received
	sent=$(tc -n "$LAB_CLI" -s -j qdisc show dev "$LAB_CLI_IF" | jq '.[0].packets')
	counted=$(status .packets)
	received=$(lab_rx)
	echo "$sent $counted $received"
}

# The same once nothing is on its way any more; whoever sends must have stopped.
count_settled() {
	local now before='' try
	for try in {1..50}; do
		# What an interrupted script leaves behind ends with its laboratory.
		now=$(count_packets 2>/dev/null) && [ -e "/run/netns/$LAB_SRV" ] || return
		[ "$now" != "$before" ] || break
		before=$now
		sleep 0.2
	done
	echo "$now"
}

# --- checks --------------------------------------------------------------------------------------

CHECKS=0 CHECKS_FAILED=0

# check NAME [COMMAND...]: of the command just before it, which is to succeed; COMMAND tells more where
# it did not. No $(...) among the arguments: its exit code would be what is looked at.
check() {
	local passed=$?
	CHECKS=$((CHECKS + 1))
	if [ "$passed" = 0 ]; then
		echo "ok $CHECKS - $1"
		return
	fi
	CHECKS_FAILED=1
	echo "not ok $CHECKS - $1"
	[ $# = 1 ] || remark "$("${@:2}" 2>&1)"
}

# check_skip TEXT: what cannot be tried here.
check_skip() {
	CHECKS=$((CHECKS + 1))
	echo "ok $CHECKS # SKIP $1"
}

# remark TEXT: a measured figure, for the log.
remark() { printf '# %s\n' "${1//$'\n'/$'\n'# }"; }

# check_done: the plan, and the exit code.
check_done() {
	echo "1..$CHECKS"
	[ "$CHECKS_FAILED" = 0 ] || remark "$(agent_log | tail -n 15)"
	exit "$CHECKS_FAILED"
}

# give_up TEXT: where going on makes no sense.
give_up() {
	false
	check "$1"
	check_done
}

# skip_all TEXT
skip_all() {
	echo "1..0 # SKIP $1"
	exit 77
}
