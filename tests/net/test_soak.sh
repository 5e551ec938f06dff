#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A minute of live frames on two CPUs, of many kinds, each CPU's own flows and such as both have, while a
# model is pushed every 100 ms and the agent is killed and started again: whatever is sent arrives, and
# everything adds up to the last packet.
#
# SENTROID_SOAK_SECONDS: how long (60).
# shellcheck disable=SC2016 # jq's own variables

cd "$(dirname "$0")/../.." || exit 2
# Each CPU receives from a queue of its own.
LAB_QUEUES=2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=agent.sh
. tests/net/agent.sh

SECS=${SENTROID_SOAK_SECONDS:-60}
RATE=30000  # packets a second of each generator, two a CPU
FLOWS=40000 # in turn, of a CPU's own: together more than half of the table
SHARED=5000 # of both
PUSH_US=100000
AGENT_SECS=5

tools=$(realpath "${BUILD_DIR:-build}/tests/net") || skip_all "build the tests first: make tests"
livegen=$tools/livegen modelmix=$tools/modelmix
agent_tools bpftool || skip_all "tools are missing"
# CPUs that may be used at all.
mapfile -t cpus < <(awk '/^Cpus_allowed_list/ {
	n = split($2, range, ",")
	for (i = 1; i <= n; i++) {
		last = split(range[i], end, "-")
		for (c = end[1]; c <= end[last]; c++)
			print c
	}
}' /proc/self/status)
[ "${#cpus[@]}" -ge 2 ] || skip_all "there is one CPU only"
agent_lab soak || exit

a=$LAB_TMP/a.json b=$LAB_TMP/b.json
"$modelmix" make "$a" "$b" || give_up "two models are made"
in_srv "$SENTROID" attach "$LAB_IF" --mode native --model "$a" >/dev/null
check "attach natively"
program=$(status .prog_id)
count_begin || exit

# What the packet path has counted, summed over CPUs, and packets by CPU.
stats() {
	bpftool -j map dump pinned "$SENTROID_BPFFS/$LAB_IF/stats" | jq -c '[.[0].formatted.values[].value] as $cpus |
		($cpus | map(to_entries) | add | group_by(.key) | map({ (.[0].key): map(.value) | add }) | add) +
		{ by_cpu: ($cpus | map(.packets)) }'
}
# What both generators made: made FILTER
made() { jq -s "map($1) | add" "$LAB_TMP"/sent.*; }
# Frames that the full ring of the wire did not take, bytes received: by the interfaces.
full_ring() { ip -n "$LAB_CLI" -s -j link show "$LAB_CLI_IF" | jq '.[0].stats64.tx.dropped'; }
rx_bytes() { ip -n "$LAB_SRV" -s -j link show "$LAB_IF" | jq '.[0].stats64.rx.bytes'; }
# "SENT COUNTED RECEIVED BYTES FULL STATS", all of one moment: the stacks' own frames, a router solicitation
# every now and then, come between none of them.
snapshot() {
	local counts bytes full stats
	while counts=$(count_settled) && [ -n "$counts" ]; do
		bytes=$(rx_bytes) full=$(full_ring) stats=$(stats)
		[ "$(count_packets)" != "$counts" ] || break
	done
	echo "$counts $bytes $full $stats"
}
pins() { find "$SENTROID_BPFFS/$LAB_IF" -printf '%P %i\n' | sort; }

# generate CPU PORT KIND FLOWS: in the background.
generate() {
	# shellcheck disable=SC2016
	in_cli_bg sh -c 'exec "$@" >"$0"' "$LAB_TMP/sent.$1.$2" "$livegen" --ifname "$LAB_CLI_IF" \
		--dst "02:77:00:00:00:01/$LAB_SRV4" --mix --cpu "$1" --port "$2" "--$3" --flows "$4" \
		--rate "$RATE" --seconds "$SECS"
	senders+=("$LAB_PID")
}

# One push every 100 ms, the two models in turn, until told to stop; one that is late is followed by the
# next at once. Then how many, how many failed, and the microseconds of all pushes and of it all.
push_all() {
	local n=0 failed=0 busy=0 file start=${EPOCHREALTIME/./} began now
	local next=$start
	while [ ! -e "$LAB_TMP/stop" ]; do
		n=$((n + 1)) file=$b
		((n % 2)) || file=$a
		began=${EPOCHREALTIME/./}
		in_srv "$SENTROID" model push "$LAB_IF" "$file" --state-dir "$LAB_TMP/state" >/dev/null || failed=$((failed + 1))
		next=$((next + PUSH_US)) now=${EPOCHREALTIME/./}
		busy=$((busy + now - began))
		[ "$next" -le "$now" ] || sleep "0.$(printf %06d $((next - now)))"
	done
	echo "$n $failed $busy $((${EPOCHREALTIME/./} - start))"
}

read -r sent0 counted0 received0 bytes0 full0 before < <(snapshot)
pins=$(pins)
senders=()
generate "${cpus[0]}" 80 syn "$FLOWS"
generate "${cpus[1]}" 53 udp "$FLOWS"
generate "${cpus[0]}" 443 syn "$SHARED"
generate "${cpus[1]}" 443 syn "$SHARED"
push_all >"$LAB_TMP/pushed" 2>"$LAB_TMP/pushed.err" &
pusher=$!

kills=0 takeovers=0
agent_start '[baseline]' 'seconds = 3' '[learn]' 'min_interval = 1' 'interval = 2' \
	'[canary]' 'evaluations = 100' 'seconds = 1' || give_up "the agent starts"
while kill -0 "${senders[0]}" 2>/dev/null; do
	sleep "$AGENT_SECS" &
	wait $!
	agent_get /readyz >/dev/null && takeovers=$((takeovers + 1))
	agent_stop KILL
	kills=$((kills + 1))
	agent_start || break
done
wait "${senders[@]}"
sent_all=$?
: >"$LAB_TMP/stop"
wait "$pusher"
read -r pushes refused busy_us pushed_us <"$LAB_TMP/pushed"
read -r sent counted received bytes full after < <(snapshot)
bytes=$((bytes - bytes0)) full=$((full - full0))
now=$(jq -nc --argjson a "$before" --argjson b "$after" '$b | with_entries(.key as $k |
	.value |= if type == "array" then [., $a[$k]] | transpose | map(.[0] - .[1]) else . - $a[$k] end)')
[ "$sent_all" = 0 ] || give_up "frames are sent"

made=$(made .frames)
sent=$((sent - sent0 + made - full)) counted=$((counted - counted0)) received=$((received - received0))
remark "$made frames made, $full refused by the full ring of the wire; $sent packets sent, $received received, $counted counted"
remark "$now"
remark "$pushes models pushed, $((pushes * 10000000 / pushed_us)) in 10 s, $((busy_us / pushes)) us each; the agent killed $kills times"

# is FILTER: of what was counted; beside it stand $made, $full, $bytes, and $odd by kind.
is() {
	jq -e --argjson made "$made" --argjson full "$full" --argjson bytes "$bytes" \
		--argjson odd "$(jq -sc 'map(.odd | to_entries[]) | group_by(.key) |
			map({ (.[0].key): map(.value) | add }) | add' "$LAB_TMP"/sent.*)" "$1" <<<"$now" >/dev/null
}

[ "$received" = "$sent" ] && [ "$sent" -ge $((made - full)) ]
check "each packet sent was received" echo "$sent sent, $received received"
[ "$counted" = "$sent" ] && is ".packets == $counted"
check "... and counted" echo "$sent sent, $counted counted"
# The interface leaves out the Ethernet header of what the client's stack says by itself.
is ".bytes == \$bytes + 14 * ($sent - (\$made - \$full))"
check "... with every byte" echo "$bytes bytes received"
is '.parsed + .not_ip + .not_transport + .truncated == .packets'
check "each is parsed, or counted by the reason why not"
is '.pass + .alert + .drop + .redirect == .packets'
check "each has one verdict"
# Which of the frames were refused is not known.
is '.not_ip as $n | .not_transport as $t | .truncated as $c | .fragments_unjoined as $f |
	[[$n, $odd.not_ip], [$t, $odd.not_transport], [$c, $odd.truncated], [$f, $odd.fragments_unjoined]] |
	all(.[0] <= .[1] and .[0] >= .[1] - $full and .[1] > 0)'
check "... and the reasons are the right ones" made .odd
is '.errors == 0 and .no_model == 0'
check "none without a model, none in error"
is '.by_cpu | map(select(. >= $made / 10)) | length == 2'
check "two CPUs have seen them"
[ "$refused" = 0 ]
check "each push succeeded" cat "$LAB_TMP/pushed.err"
# Within a tenth. Where a push takes longer than that, they went on without a pause.
[ $((pushes * PUSH_US * 10)) -ge $((pushed_us * 9)) ] || [ $((busy_us * 10)) -ge $((pushed_us * 9)) ]
check "... every 100 ms" echo "$pushes in $pushed_us us, of which pushing took $busy_us"
[ "$kills" -ge 2 ] && [ "$takeovers" = "$kills" ] && agent_get /readyz >/dev/null
check "the agent took over after each kill" echo "$takeovers of $kills"
[ "$(status .prog_id)" = "$program" ] && [ "$(status .attached)" = true ] && [ "$(pins)" = "$pins" ]
check "program and maps are the same" pins
agent_stop TERM && in_srv "$SENTROID" detach "$LAB_IF" >/dev/null && [ ! -e "$SENTROID_BPFFS" ]
check "detach"
check_done
