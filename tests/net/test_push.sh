#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A hundred models pushed while 200,000 packets a second and more go through: the program stays, no
# packet is lost, and no packet is judged by a mix of two models.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=agent.sh
. tests/net/agent.sh

PUSHES=100
RATE=260000 # packets a second
LEAST=200000
FLOWS=1000 # each is judged anew after every push
TRIES=4    # a busy machine may starve the receiver until the sender's ring is full

tools=$(realpath "${BUILD_DIR:-build}/tests/net") || skip_all "build the tests first: make tests"
livegen=$tools/livegen modelmix=$tools/modelmix
agent_tools sed || skip_all "tools are missing"
agent_lab push || exit

a=$LAB_TMP/a.json b=$LAB_TMP/b.json
"$modelmix" make "$a" "$b" || give_up "two models are made"
in_srv "$SENTROID" attach "$LAB_IF" --mode native --model "$a" >/dev/null
check "attach natively"
program=$(status .prog_id)
xdp() { ip -n "$LAB_SRV" -j -d link show "$LAB_IF" | jq -c '.[0].xdp'; }
attached=$(xdp)
# What the client's own stack says meanwhile (neighbour discovery) passes this queue; the generator's
# frames do not.
count_begin || exit

# Pushes at even distances, the two models in turn. Prints how many succeeded.
push_all() {
	local n done_=0 file
	for ((n = 1; n <= PUSHES; n++)); do
		file=$b
		((n % 2)) || file=$a
		in_srv "$SENTROID" model push "$LAB_IF" "$file" --state-dir "$LAB_TMP/state" >/dev/null && done_=$((done_ + 1))
		sleep 0.02
	done
	echo "$done_"
}

# One run: packets for as long as it takes to push. Sets pushed, late, made, dropped, pps, sent,
# counted, received.
run() {
	local sent0 counted0 received0 watcher sender
	in_srv_bg "$modelmix" watch "$LAB_IF" "$a" "$b"
	watcher=$LAB_PID
	read -r sent0 counted0 received0 < <(count_settled)
	in_cli_bg "$livegen" --ifname "$LAB_CLI_IF" --dst "02:77:00:00:00:01/$LAB_SRV4" --udp --port 9 \
		--flows "$FLOWS" --rate "$RATE" --seconds 60
	sender=$LAB_PID
	sleep 0.5
	pushed=$(push_all)
	late=no
	kill -INT "$sender" 2>/dev/null || late=yes
	wait "$sender" || return
	read -r sent counted received < <(count_settled)
	kill -TERM "$watcher" && wait "$watcher" || return
	made=$(found livegen .frames) dropped=$(found livegen .dropped) pps=$(found livegen .pps)
	events=$(found modelmix .)
	sent=$((sent - sent0 + made)) counted=$((counted - counted0)) received=$((received - received0))
}

# found NAME FILTER: in the line of JSON that a program has written last.
found() { grep '^{' "$LAB_TMP/log/$1.log" | tail -n 1 | jq -c "$2"; }
is_so() { jq -e "$1" <<<"$events" >/dev/null; }

for ((try = 1; try <= TRIES; try++)); do
	run || give_up "packets are sent and events read"
	remark "try $try: $sent packets sent, $made of them at $pps a second, $dropped refused by the full ring of the wire, $counted counted, $received received"
	remark "events: $events"
	# Whatever else went wrong is no reason to try again.
	[ "$dropped" != 0 ] || [ "$pps" -lt "$LEAST" ] || [ "$late" = yes ] || break
	if [ "$pushed" != "$PUSHES" ] || [ "$counted" != $((sent - dropped)) ]; then break; fi
done

[ "$pushed" = "$PUSHES" ] && [ "$late" = no ]
check "$PUSHES models pushed while packets went through" echo "pushed $pushed; packets had ended: $late"
# How fast the packets are made is the machine's affair.
if [ "$pps" -ge "$LEAST" ]; then
	check "at $LEAST packets a second or more"
else
	check_skip "at $LEAST packets a second or more: this machine sent $pps in $TRIES tries"
fi
[ "$dropped" = 0 ] && [ "$received" = "$sent" ]
check "each packet sent was received" echo "$sent sent, $received received"
[ "$counted" = "$sent" ]
check "... and counted by the program" echo "$sent sent, $counted counted"
[ "$(status .prog_id)" = "$program" ] && [ "$(status .attached)" = true ] && [ "$(xdp)" = "$attached" ]
check "the program was not replaced" xdp

is_so '.events | min >= 1000'
check "both models have judged" echo "$events"
# On a busy machine packets come in bursts, with several pushes between two of them.
is_so ".changes >= $PUSHES / 10"
check "... and took turns" echo "$events"
is_so '.alike < (.events | add) / 100'
check "... and never say the same" echo "$events"
is_so '.wrong == 0 and .swapped == 0 and .foreign == 0'
check "every score is that of the model that the event names" cat "$LAB_TMP/log/modelmix.log"

[ "$(status .flows.used)" -ge $((FLOWS * 9 / 10)) ]
check "the flows were kept through all that" status .flows
in_srv "$SENTROID" detach "$LAB_IF" >/dev/null && [ ! -e "$SENTROID_BPFFS" ]
check "detach"
check_done
