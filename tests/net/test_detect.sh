#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the detector is for: it learns ordinary use, then names each attack within two seconds of its
# first packet, and raises at most one alert a minute on ordinary use, before and after.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=agent.sh
. tests/net/agent.sh

BASELINE=45
BEFORE=15 # seconds of ordinary use before the attacks
AFTER=60  # ... and after

agent_tools tcpdump nmap hping3 ssh python3 || skip_all "tools are missing"
agent_lab detect || exit
lab_servers_up
if ! lab_serves tcp 80 || ! lab_serves tcp 22; then skip_all "nginx or sshd is missing"; fi
count_begin || exit

in_srv "$SENTROID" attach "$LAB_IF" --mode native >/dev/null
check "attach natively"
read -r sent0 counted0 received0 < <(count_settled)
program=$(status .prog_id)
agent_start '[baseline]' "seconds = $BASELINE" '[learn]' 'samples = 800' 'min_interval = 20' \
	'[canary]' 'evaluations = 200' 'seconds = 3' ||
	give_up "the agent starts"
benign_start $((BASELINE + BEFORE + AFTER + 110)) 1

sleep "$BASELINE"
agent_until 60 '.learner.state == "active"' || give_up "a model after the baseline"
check "a model is trained and put in force"
learned=$EPOCHREALTIME
[ "$(agent_says .alerts.by_class)" = '{}' ]
check "no alert while it learns" api alerts
sleep "$BEFORE"

spans=()

# tell ALERT FIRST: what there was instead.
# shellcheck disable=SC2317 # called by check
tell() {
	echo "$1; first packet at $2; all alerts:"
	api alerts | jq -c '.alerts[]'
}

# flagged NAME CLASS CULPRIT FILTER COMMAND...: FILTER finds the attack's packets.
flagged() {
	local name=$1 class=$2 culprit=$3 filter=$4 begun alert first='' delay pid end
	shift 4
	first_packet_watch "$filter" || give_up "tcpdump starts"
	begun=$EPOCHREALTIME
	"$@" &
	pid=$!
	end=$((SECONDS + 4))
	# Alerts are asked for while the attack runs: they have to be there by then.
	until alert=$(alert_of "$class" "$begun" "$culprit"); [ -n "$alert" ] && [ "$alert" != null ]; do
		# From the first packet on it has two seconds; until then the tool is only starting.
		if first=$(first_packet); then
			jq -en --argjson a "$first" --argjson b "$EPOCHREALTIME" '$b - $a < 2.5' >/dev/null || break
		else
			((SECONDS < end + 6)) || break
		fi
		sleep 0.1
	done
	wait "$pid"
	[ $? != 77 ] || skip_all "$1 cannot run here"
	spans+=("$begun-$EPOCHREALTIME")
	first=$(first_packet) && [ "${alert:-null}" != null ] &&
		delay=$(jq -n --argjson a "$alert" --argjson first "$first" '$a.at - $first') &&
		jq -en --argjson delay "$delay" '$delay < 2' >/dev/null
	check "$name is flagged as $class within 2 s" tell "${alert:-no answer}" "${first:-never}"
	first_packet_done
	remark "$name: after $(printf %.2f "${delay:-0}") s"
	sleep 2
}

flagged "a port scan" scan "$LAB_ATTACKER" "src host $LAB_ATTACKER" attack_portscan
flagged "a SYN flood" syn_flood any 'tcp[tcpflags] == tcp-syn and not src net 10.77.0.0/24' attack_synflood 20000
flagged "password guessing" brute_force "$LAB_ATTACKER" "src host $LAB_ATTACKER and dst port 22" attack_bruteforce 5
flagged "ARP spoofing" arp_spoof "$LAB_ATTACKER_MAC" "arp and ether src $LAB_ATTACKER_MAC" attack_arpspoof 3
flagged "a UDP flood" udp_flood any "udp dst port 4444" attack_udpflood 20000

in_force=$(agent_says .model.version)
sleep "$AFTER"
ended=$EPOCHREALTIME
alarms=$(false_alarms "$learned" "${spans[@]}")
count=$(grep -c . <<<"$alarms")
minutes=$(jq -n --argjson a "$learned" --argjson b "$ended" '($b - $a) / 60')
remark "$count false alarms in $(printf %.1f "$minutes") minutes; model $in_force after the attacks, $(agent_says .model.version) now"
jq -en --argjson n "$count" --argjson m "$minutes" '$n <= $m' >/dev/null
check "ordinary use raises at most one alert a minute" echo "$alarms"

# --- beside it -----------------------------------------------------------------------------------

[ "$(agent_says .learner.rolled_back)" = 0 ]
check "no model had to be taken back" agent_says .learner.note
[ "$(status .prog_id)" = "$program" ] && [ "$(status .attached)" = true ]
check "the program was not replaced"
for pid in "${BENIGN_PIDS[@]}"; do kill "$pid" 2>/dev/null; done
benign_wait
read -r sent counted received < <(count_settled)
remark "$((sent - sent0)) packets sent, $((received - received0)) received, $((counted - counted0)) counted"
[ $((sent - sent0)) = $((counted - counted0)) ] && [ $((sent - sent0)) = $((received - received0)) ]
check "no packet was lost, each was counted"
check_done
