#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the agent costs while samples keep coming: its share of a core and its resident memory, over a
# network in namespaces. Run by `make bench`; prints a line, or JSON with --json.

cd "$(dirname "$0")/.." || exit 2
# shellcheck source-path=SCRIPTDIR/.. source=tests/net/lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR/.. source=tests/net/agent.sh
. tests/net/agent.sh

MEASURED=15 # seconds
FLOWS=4000  # each is scored once a second, which is more than the samplers let through

livegen=$(realpath "${BUILD_DIR:-build}/tests/net/livegen") || exit
# shellcheck disable=SC2119
agent_tools || exit
agent_begin bench || exit
lab_trap
trap agent_end EXIT
lab_up || exit
agent_start '[baseline]' 'seconds = 300' || exit

# "SAMPLES TICKS": handed to the agent so far, and processor time that it has used.
usage() {
	local fields
	read -ra fields < <(sed 's/.*) //' "/proc/$AGENT_PID/stat")
	echo "$(agent_get /metrics | awk '/^sentroid_events_consumed_total/ { n += $2 } END { print n + 0 }')" \
		$((fields[11] + fields[12]))
}

in_cli_bg "$livegen" --ifname "$LAB_CLI_IF" --dst "02:77:00:00:00:01/$LAB_SRV4" --udp --port 9 \
	--flows "$FLOWS" --rate 40000 --seconds $((MEASURED + 6))
sleep 3
read -r samples0 ticks0 < <(usage)
sleep "$MEASURED"
read -r samples ticks < <(usage)
jq -nr --arg mode "${1:-}" --argjson samples $((samples - samples0)) --argjson ticks $((ticks - ticks0)) \
	--argjson hz "$(getconf CLK_TCK)" --argjson seconds "$MEASURED" \
	--argjson kib "$(awk '/^VmRSS/ { print $2 }' "/proc/$AGENT_PID/status")" '
	{samples_per_s: ($samples / $seconds), cpu: ($ticks / $hz / $seconds), resident_mib: ($kib / 1024)} |
	if $mode == "--json" then tojson else
		"agent        \(.samples_per_s | floor) samples a second: " +
		"\(.cpu * 1000 | round / 10)% of a core, \(.resident_mib | floor) MiB resident" end'
