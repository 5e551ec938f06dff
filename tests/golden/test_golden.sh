#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Traffic made up, replayed, and what must come of it. Every folder here is a case: `traffic` holds the
# command line of the generator (traffic.c) and says what it is, `expected` a line a figure:
#
#   packets = N              frames of the capture; flows = N likewise, one a line
#   attack.flows = N         flows from or to an attacker, in so many attacks = N
#   attack.flagged >= SHARE  of these, flagged; attacks.least of the attack that least of was flagged;
#                            benign.flagged of the other flows, benign.last of those in the last third of the
#                            time, benign.own of those since the first model trained here that do not share a
#                            scan's windows
#   benign.settled <= N      flows of the latter kind from the change of the traffic (moved@START) until no more
#                            than the target of the config are flagged of all that follow
#   named.CLASS >= SHARE     of the flagged ones of attackers, of that class
#   alerts.CLASS >= N        alerts that an agent would have raised
#   promoted >= N            models put in force, where the case has a `config`: it is replayed with --learn;
#                            promoted.tried of these, tried on the attacks that the shipped model knows
#
# The model is trained here, on benign traffic from the same generator: figures that depend on it are
# bounds, all others are exact.

set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2

build=${BUILD_DIR:-build}
sentroid=$build/sentroid traffic=$build/tests/golden/traffic
number=0 bad=0

if ((EUID)); then
	echo "1..0 # SKIP captures are replayed as root"
	exit 77
fi
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

result() {
	local rc=$1
	shift
	((++number))
	((rc == 0)) && echo "ok $number - $*" && return
	((++bad))
	echo "not ok $number - $*"
}

train() {
	"$sentroid" train --normal "$work/normal.pcap" --fpr 0.005 --margin 1.5 "$@"
}

digest() {
	jq -r .digest "$1"
}

trained_alike() {
	train --seed 1 -o "$work/model.json" && train --seed 1 -o "$work/again.json" || return
	[[ $(digest "$work/model.json") == "$(digest "$work/again.json")" ]]
}

trained_otherwise() {
	train --seed 2 -o "$work/other.json" || return
	[[ $(digest "$work/model.json") != "$(digest "$work/other.json")" ]]
}

replay() {
	"$sentroid" replay "$work/case.pcap" --model "$work/model.json" --json "${learning[@]}" \
		--flows "$work/$1.flows" --packets "$work/$1.packets" >"$work/$1.json"
}

# What does not tell how long something took.
steady() {
	jq 'del(.seconds, .packets_per_second, .timeline, .learner)' "$1"
}

replayed_alike() {
	replay first && replay second && cmp "$work/first.flows" "$work/second.flows" &&
		cmp "$work/first.packets" "$work/second.packets" &&
		cmp <(steady "$work/first.json") <(steady "$work/second.json")
}

# Figures of the last replay, "NAME VALUE" a line.
figures() {
	jq -r '"packets \(.packets)", "flows \(.flows)", "promoted \(.learner.promoted // 0)",
		"promoted.tried \([.timeline[]?.line | select(test("promoted .*, flags [0-9]+% of the attacks that are shipped$"))] | length)",
		(.classes | to_entries[] | "alerts.\(.key) \(.value.alerts)")' "$work/first.json"
	awk -v own="$(own_since)" -v change="$changed" -v target="$target" -f tests/golden/figures.awk \
		"$work/first.flows"
}

# Seconds until the first model trained here was put in force.
own_since() {
	jq -r '[.timeline[]? | select(.line | test("^model [0-9]+ promoted")) | .seconds][0] // ""' \
		"$work/first.json"
}

as_expected() {
	figures >"$work/figures"
	awk '
		NR == FNR { value[$1] = $2; next }
		/^#/ || NF == 0 { next }
		{
			got = value[$1] + 0
			ok = $2 == "=" ? got == $3 : $2 == ">=" ? got >= $3 : $2 == "<=" ? got <= $3 : 0
			if (!ok) { print "# " $0 ": it is " got; wrong = 1 }
		}
		END { exit wrong }' "$work/figures" "$1"
}

"$traffic" 1 benign@0+600 >"$work/normal.pcap" || exit 1
trained_alike >"$work/log" 2>&1
result $? "the same seed and capture give a model of the same digest"
trained_otherwise >>"$work/log" 2>&1
result $? "another seed gives another"
for case in tests/golden/*/; do
	name=$(basename "$case")
	read -ra words < <(grep -v '^#' "$case/traffic")
	"$traffic" "${words[@]}" >"$work/case.pcap" || exit 1
	learning=() target=1
	changed=$(sed -n 's/.*moved@\([0-9]*\).*/\1/p' <<<"${words[*]}")
	if [[ -e $case/config ]]; then
		learning=(--learn --config "$case/config")
		target=$(sed -n 's/^target_fpr = //p' "$case/config")
	fi
	replayed_alike >>"$work/log" 2>&1
	result $? "$name: replaying twice gives the same bytes"
	as_expected "$case/expected"
	result $? "$name: as expected"
	[[ -z ${SENTROID_SHOW:-} ]] || sed "s/^/# $name /" "$work/figures"
done
((bad == 0)) || sed 's/^/# /' "$work/log"
echo "1..$number"
exit $((bad != 0))
