#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The allow list: a scanner of one's own is let alone, by the configuration and by the command, and others are not.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=agent.sh
. tests/net/agent.sh
# shellcheck source-path=SCRIPTDIR source=attacks.sh
. tests/net/attacks.sh

agent_tools nmap || skip_all "tools are missing"
agent_lab allow || exit

run() {
	in_srv "$SENTROID" "$@" >"$LAB_TMP/out" 2>"$LAB_TMP/err"
	rc=$?
	out=$(<"$LAB_TMP/out")
}
# shellcheck disable=SC2317 # called by check
said() { echo "exit code $rc"; cat "$LAB_TMP/out" "$LAB_TMP/err"; }
allowed() { status .allow | jq -c .; }
# The agent has read what the scan has left in its ring, and a second more.
settle() { sleep 2; }
scans() { api alerts | jq --arg a "$LAB_ATTACKER" '[.alerts[] | select(.source == $a)] | length'; }
# reread LINE...: the agent's configuration, from now on.
reread() {
	printf '%s\n' "$@" >"$LAB_TMP/agent.conf"
	kill -HUP "$AGENT_PID"
	sleep 0.5
}

agent_start '[attach]' "allow = $LAB_ATTACKER, 2001:db8::/32" 'allow = 192.0.2.0/24' &&
	[ "$(allowed)" = "[\"$LAB_ATTACKER\",\"192.0.2.0/24\",\"2001:db8::/32\"]" ]
check "what the configuration allows is on the list" agent_log
before=$(agent_says .packets)
attack_portscan 1-1000
settle
[ "$(scans)" = 0 ] && [ $(($(agent_says .packets) - before)) -ge 900 ] &&
	[ "$(agent_get /metrics | awk '/^sentroid_allowed_total/ { n += $2 } END { print n + 0 }')" -ge 900 ]
check "a scan of an allowed host is counted, and no alert" api alerts
run replay "$LAB_TMP/none.pcap" --allow "$LAB_ATTACKER/8"
[ "$rc" = 2 ]
check "replay --allow wants a prefix, too" said

run allow "$LAB_IF" 198.51.100.7 203.0.113.0/24
[ "$rc" = 0 ] && [ "$(wc -l <"$LAB_TMP/out")" = 5 ]
check "allow IFACE PREFIX... adds, and shows all" said
reread '[attach]' 'allow = 192.0.2.0/24, 192.0.3.0/24'
[ "$(allowed)" = '["192.0.2.0/24","192.0.3.0/24","198.51.100.7","203.0.113.0/24"]' ]
check "SIGHUP: what has gone from the configuration goes, what operators added stays" agent_log
reread '[attach]' 'allow = 192.0.2.0/24 192.0.3.0/33'
[ "$(allowed)" = '["192.0.2.0/24","192.0.3.0/24","198.51.100.7","203.0.113.0/24"]' ] && [[ $(agent_log) == *attach.allow* ]]
check "... and a bad line changes nothing" agent_log
attack_portscan 1001-2000
settle
[ "$(scans)" -ge 1 ]
check "a host that is no longer on the list is reported" api alerts

run allow "$LAB_IF" --remove 203.0.113.0/24 --json
[ "$rc" = 0 ] && [ "$(jq -c . <<<"$out")" = "{\"name\":\"$LAB_IF\",\"allow\":[\"192.0.2.0/24\",\"192.0.3.0/24\",\"198.51.100.7\"]}" ]
check "allow --remove, --json" said
before=$(allowed)
run allow "$LAB_IF" --remove 198.51.100.7 203.0.113.1
[ "$rc" = 1 ] && [[ $(<"$LAB_TMP/err") == *203.0.113.1* ]] && [ "$(allowed)" = "$before" ]
check "removing what is not there fails, and removes nothing else" said
for bad in 10.0.0.1/8 0.0.0.0/0 nonsense; do
	run allow "$LAB_IF" 198.51.100.9 "$bad"
	[ "$rc" = 2 ] && [[ $(<"$LAB_TMP/err") == *"$bad"* ]] && [ "$(allowed)" = "$before" ]
	check "allow $bad is wrong usage, and adds nothing" said
done
run allow sen-none
[ "$rc" = 1 ] && [[ $(<"$LAB_TMP/err") == *sen-none* ]]
check "allow on what is not attached" said

agent_stop TERM
in_srv "$SENTROID" detach "$LAB_IF" >/dev/null
run attach "$LAB_IF" --allow "$LAB_ATTACKER" --allow 192.0.2.1,192.0.2.2
[ "$rc" = 0 ] && [ "$(allowed)" = "[\"$LAB_ATTACKER\",\"192.0.2.1\",\"192.0.2.2\"]" ]
check "attach --allow" said
run status "$LAB_IF"
[[ $out == *"$LAB_ATTACKER and 2 more"* ]]
check "status says who" said
check_done
