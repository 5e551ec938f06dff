#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Agents come and go, detection stays: kill -9 under load, a new agent that takes over, two agents on
# one interface, SIGHUP, SIGTERM, and detach, which leaves nothing behind.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=agent.sh
. tests/net/agent.sh

BASELINE=12
RATE=30000 # packets a second of the load
FLOWS=500

agent_tools bpftool hping3 nmap python3 || skip_all "tools are missing"
agent_lab takeover || exit
lab_servers_up
count_begin || exit
state=$LAB_TMP/state
journal=$state/$LAB_IF/alerts.jsonl

in_srv "$SENTROID" attach "$LAB_IF" >/dev/null
check "attach"
program=$(status .prog_id)

# The sum over CPUs of a counter of the packet path.
counter() {
	bpftool -j map dump pinned "$SENTROID_BPFFS/$LAB_IF/stats" |
		jq "[.[0].formatted.values[].value.$1] | add"
}
models() { in_srv "$SENTROID" model list "$LAB_IF" --json --state-dir "$state"; }
# What is pinned, told by the inodes of the objects.
pins() { find "$SENTROID_BPFFS/$LAB_IF" -printf '%P %i\n' | sort; }
in_force() { status '.model | "\(.version) \(.digest)"'; }

# --- something to take over ----------------------------------------------------------------------

# So short a baseline says little of what is rare: a threshold without much room above it.
agent_start '[baseline]' "seconds = $BASELINE" '[train]' 'target_fpr = 0.01' 'threshold_margin = 1' \
	'[learn]' 'min_interval = 2' '[canary]' 'evaluations = 200' 'seconds = 2' || give_up "the agent starts"
benign_start $((BASELINE + 65)) 7
sleep "$BASELINE"
agent_until 60 '.learner.state == "active"' || give_up "a model after the baseline"
model=$(in_force)
attack_portscan 1-1000
sleep 1
grep -q '"class":"scan"' "$journal"
check "a model is trained, an alert is written down" agent_log

# --- kill -9 under load --------------------------------------------------------------------------

for pid in "${BENIGN_PIDS[@]}"; do kill "$pid" 2>/dev/null; done
benign_wait
# UDP over many flows in turn, through the client's stack, which waits where the wire is full.
load() { in_cli_bg python3 -c "$LOAD" "$LAB_SRV4" "$FLOWS" "$RATE" "$1"; }
LOAD='
import socket, sys, time
server, flows, rate, secs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(flows)]
start, sent = time.time(), 0
while time.time() < start + secs:
    while sent < (time.time() - start) * rate:
        try:
            sockets[sent % flows].sendto(b"load", (server, 5353))
        except OSError:
            pass
        sent += 1
    time.sleep(0.001)
'
full_ring() { ip -n "$LAB_CLI" -s -j link show "$LAB_CLI_IF" | jq '.[0].stats64.tx.dropped'; }

# Before Linux 6.16 the stack does not wait: a busy machine may starve the receiver until the ring of
# the wire is full, whatever agents do. Then once more.
for _ in 1 2 3; do
	dropped=$(full_ring)
	read -r sent0 counted0 received0 < <(count_settled)
	load 6
	load=$LAB_PID
	sleep 1.5
	lines=$(wc -l <"$journal") history=$(models) before=$(pins)
	flows=$(status .flows.used) opened=$(counter flows_new)
	agent_stop KILL
	dead=$(status .agent.running)

	packets=$(counter packets) flagged=$(counter flagged)
	attack_synflood 5000
	packets_after=$(counter packets) flagged_after=$(counter flagged)

	started=$EPOCHREALTIME
	agent_start
	up=$?
	agent_get /readyz >/dev/null
	ready=$?
	took=$(jq -n --argjson a "$started" --argjson b "$EPOCHREALTIME" '$b - $a')
	flows_after=$(status .flows.used) opened_after=$(counter flows_new)

	wait "$load"
	read -r sent counted received < <(count_settled)
	((sent -= sent0, counted -= counted0, received -= received0))
	dropped=$(($(full_ring) - dropped))
	remark "$sent packets sent, $dropped refused by the full ring of the wire, $received received, $counted counted"
	[ "$dropped" != 0 ] || break
done

[ "$dead" = false ]
check "kill -9 ends the agent"
[ $((packets_after - packets)) -ge 20000 ]
check "packets are counted without it" echo "$packets, then $packets_after"
[ $((flagged_after - flagged)) -ge 50 ]
check "an attack is flagged without it" echo "$flagged, then $flagged_after"
[ "$up" = 0 ] && [ "$ready" = 0 ] && jq -en --argjson t "$took" '$t < 2' >/dev/null
check "a new agent is ready within 2 s" echo "healthy $up, ready $ready after $took s"
remark "a new agent is ready after $(printf %.2f "$took") s"
[ "$sent" -ge $((RATE * 3)) ] && [ "$received" = "$sent" ] && [ "$counted" = "$sent" ]
check "no packet is lost over all that"
[ "$(status .prog_id)" = "$program" ] && [ "$(pins)" = "$before" ]
check "program and maps are the same" pins
# Of the load; those of the attack come on top, those of the users end. None is opened twice.
[ "$flows" -ge "$FLOWS" ] && [ "$flows_after" -ge "$FLOWS" ] && [ $((opened_after - opened)) -lt $((5000 + FLOWS / 2)) ]
check "the flow table is kept" echo "$flows flows, then $flows_after; opened $opened, then $opened_after"
[ "$(in_force)" = "$model" ] && [[ $(agent_log) == *"takes over with model ${model%% *}, in force already"* ]]
check "the model in force is kept" agent_log
[ "$(models)" = "$history" ] && [ -n "$history" ]
check "its history is kept" models
[ "$(head -n "$lines" "$journal" | wc -l)" = "$lines" ] && [ "$lines" -ge 1 ] &&
	[ "$(agent_says .learner.history)" = true ] && jq -es 'length > 0' "$journal" >/dev/null
check "... and the alerts written down" cat "$journal"
jq -es 'group_by([.run, .id]) | length > 0 and all((map(.event) | . == unique) and (map(.first) | unique | length == 1))' \
	"$journal" >/dev/null
check "... by run and id, which no two share, with one beginning each" cat "$journal"
[ "$(agent_says .learner.state)" = active ]
check "it goes on learning, without another baseline" agent_says .learner
begun=$EPOCHREALTIME
attack_portscan 1-1000
sleep 1
[ "$(alert_of scan "$begun" "$LAB_ATTACKER" | jq -r .class)" = scan ]
check "... and naming attacks" api alerts

# --- two agents ----------------------------------------------------------------------------------

# stderr of an agent that is to give up, and its exit code.
second() {
	in_srv timeout 10 "$SENTROIDD" -i "$LAB_IF" -c "$LAB_TMP/agent.conf" --listen none "$@" 2>"$LAB_TMP/second.err"
	rc=$?
	mapfile -t lines <"$LAB_TMP/second.err"
}
second --state-dir "$LAB_TMP/state2"
[ "$rc" = 1 ] && [[ ${lines[0]} == "sentroidd: "*"$LAB_IF"*"$AGENT_PID"* && ${lines[1]:-} =~ ^("sentroidd: hint: ".*)?$ ]] &&
	[ "${#lines[@]}" -le 2 ] && [ ! -e "$LAB_TMP/state2" ]
check "a second agent is refused in one line that names the first" cat "$LAB_TMP/second.err"
agent_get /readyz >/dev/null && [ "$(status .agent.pid)" = "$AGENT_PID" ] && [ "$(in_force)" = "$model" ]
check "... which does not notice"

# --- SIGHUP, SIGTERM -----------------------------------------------------------------------------

# logs TEXT: within two seconds.
logs() {
	local try
	for try in {1..40}; do
		[[ $(agent_log) != *"$1"* ]] || return 0
		sleep 0.05
	done
	echo "not within $try tries: $1" >&2
	return 1
}
printf '[learn]\nenabled = no\n' >"$LAB_TMP/agent.conf"
kill -HUP "$AGENT_PID"
logs "configuration read again" && agent_until 5 '.learner.state == "off"'
check "SIGHUP reads the configuration again" agent_says .learner
[[ $(agent_log) != *"[attach] takes effect"* ]]
check "... without a word of what has not changed" agent_log
printf '[learn]\nenabled = no\n[attach]\npolicy = observe\n' >"$LAB_TMP/agent.conf"
kill -HUP "$AGENT_PID"
logs "[attach] takes effect at the next attaching" && [ "$(status .policy)" = alert ]
check "... and says that what is attached stays as it is" agent_log
printf '[learn]\nenabled = perhaps\n' >"$LAB_TMP/agent.conf"
kill -HUP "$AGENT_PID"
logs "agent.conf:2:" && logs "goes on as before" && [ "$(agent_says .learner.state)" = off ] && agent_get /readyz >/dev/null
check "... and goes on with the old one where the new one is wrong" agent_log

agent_stop TERM && [ "$(status .agent.running)" = false ]
check "SIGTERM ends it, with exit code 0"
packets=$(counter packets)
in_cli ping -q -c 3 -i 0.1 -W 1 "$LAB_SRV4" >/dev/null
[ "$(status .attached)" = true ] && [ "$(status .prog_id)" = "$program" ] && [ "$(counter packets)" -ge $((packets + 3)) ] &&
	[ "$(pins)" = "$before" ]
check "... and the program goes on"

# --- detach --------------------------------------------------------------------------------------

# Ids of all that is pinned, and of the models inside the maps.
objects() {
	local pin
	for pin in "$SENTROID_BPFFS/$LAB_IF"/*; do
		bpftool -j map show pinned "$pin" 2>/dev/null | jq -r 'select(.max_entries) | "map \(.id)"'
		bpftool -j prog show pinned "$pin" 2>/dev/null | jq -r 'select(.tag) | "prog \(.id)", "map \(.map_ids[])"'
		bpftool -j link show pinned "$pin" 2>/dev/null | jq -r 'select(.prog_id) | "link \(.id)"'
	done
	bpftool map dump pinned "$SENTROID_BPFFS/$LAB_IF/models" | sed -n 's/.*inner_map_id:* *\([0-9]*\).*/map \1/p'
}
# The kernel frees in the background.
still_there() {
	local kind id
	while read -r kind id; do
		! bpftool "$kind" show id "$id" >/dev/null 2>&1 || echo "$kind $id"
	done <<<"$1"
}
all=$(objects | sort -u)
[ "$(grep -c map <<<"$all")" -ge 10 ] && [[ $all == *"prog $program"* ]] && [ "$(still_there "$all")" = "$all" ]
check "there is much to remove" echo "$all"
in_srv "$SENTROID" detach "$LAB_IF" >/dev/null && [ ! -e "$SENTROID_BPFFS" ]
check "detach removes the pins" ls -R "$SENTROID_BPFFS"
for _ in {1..50}; do
	left=$(still_there "$all")
	[ -n "$left" ] || break
	sleep 0.1
done
[ -z "$left" ] && [ "$(ip -n "$LAB_SRV" -j -d link show "$LAB_IF" | jq '.[0].xdp')" = null ]
check "... and no program and no map is left" echo "$left"
! in_srv bpftool net show 2>/dev/null | grep -qi sentroid
check "... nor anything on the interface" in_srv bpftool net show
check_done
