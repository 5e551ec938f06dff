#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Programs and interfaces that go from under Sentroid: taken off by another tool, removed and made anew,
# renamed, in another network namespace, not there yet. Nobody says that it watches when it does not, nobody says
# detached while a program is left, and what can be attached again is.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=agent.sh
. tests/net/agent.sh

agent_tools jq || skip_all "tools are missing"
agent_lab gone || exit
err=$LAB_TMP/stderr
: >"$err"
printf '%s\n' '[attach]' 'policy = observe' 'egress = yes' 'flows = 4096' >"$LAB_TMP/agent.conf"

# shellcheck disable=SC2317 # called by check
said() { cat "$err"; agent_log; }
page() { in_srv curl -s -o /dev/null -w '%{http_code}' --max-time 3 "http://127.0.0.1:$AGENT_PORT$1"; }
# answers PATH CODE: within a few seconds.
answers() {
	local end=$((SECONDS + 8))
	until [ "$(page "$1")" = "$2" ]; do
		((SECONDS < end)) || return 1
		sleep 0.2
	done
}
# is_said WORDS: in the log, within a few seconds.
is_said() {
	local end=$((SECONDS + 8))
	until agent_log | grep -q "$1"; do
		((SECONDS < end)) || return 1
		sleep 0.2
	done
}
attached_metric() { agent_get /metrics | sed -n "s/^sentroid_attached{interface=\"$LAB_IF\"} //p"; }
programs() { in_srv ip -d link show "$1" | grep -c 'prog/xdp'; }
as_configured() {
	[ "$(status .attached)" = true ] && [ "$(status .policy)" = observe ] &&
		[ "$(status .egress)" = true ] && [ "$(status .flows.capacity)" = 4096 ]
}
born_again() {
	ip -n "$LAB_SRV" link del "$LAB_IF" 2>/dev/null
	ip -n "$LAB_SRV" link add "$LAB_IF" type veth peer name sen-peer
}

# --- taken off by another tool -------------------------------------------------------------------

# shellcheck disable=SC2119
agent_start || give_up "the agent starts"
answers /readyz 200 && as_configured
check "the agent attaches" said
in_srv ip link set dev "$LAB_IF" xdp off
answers /readyz 503 && [ "$(page /healthz)" = 200 ] && [ "$(attached_metric)" = 0 ] && is_said "no longer on the interface"
check "the program is taken off by another tool: not ready, not attached, and a line about it" said
agent_stop TERM
# shellcheck disable=SC2119
agent_start && answers /readyz 200 && as_configured
check "an agent that starts then attaches it as it was" said

# --- removed and made anew -----------------------------------------------------------------------

ip -n "$LAB_SRV" link del "$LAB_IF"
answers /readyz 503 && [ "$(attached_metric)" = 0 ]
check "the interface is removed: not ready" said
born_again && answers /readyz 200 && as_configured && [ "$(attached_metric)" = 1 ]
check "one of its name is made: attached as it was" said
in_srv "$SENTROID" policy "$LAB_IF" alert >/dev/null && in_srv "$SENTROID" allow "$LAB_IF" 192.0.2.1 >/dev/null &&
	born_again && sleep 1.5 && answers /readyz 200 && [ "$(status .policy)" = alert ] &&
	[ "$(status .allow | jq -c .)" = '["192.0.2.1"]' ]
check "... at once, too, and with the policy and the allow list of meanwhile" said

# --- renamed -------------------------------------------------------------------------------------

in_srv ip link set dev "$LAB_IF" name sen-renamed
sleep 1.5
[ "$(page /readyz)" = 200 ] && [ "$(status .attached)" = true ]
check "renamed: still attached" said
agent_stop TERM
in_srv "$SENTROID" detach "$LAB_IF" >/dev/null 2>"$err" && [ ! -e "$SENTROID_BPFFS" ] &&
	[ "$(programs sen-renamed)" = 0 ] && ! tc -n "$LAB_SRV" filter show dev sen-renamed egress | grep -q sentroid
check "... and detach by the old name takes it off" said

# --- another network namespace -------------------------------------------------------------------

in_srv ip link set dev sen-renamed name "$LAB_IF"
in_srv "$SENTROID" attach "$LAB_IF" >/dev/null
in_cli "$SENTROID" detach "$LAB_IF" >/dev/null 2>"$err"
[ $? = 1 ] && grep -q "it is in another network namespace" "$err" &&
	grep -q "nsenter --net=/run/netns/$LAB_SRV sentroid detach $LAB_IF" "$err" &&
	[ "$(status .attached)" = true ]
check "detach from another network namespace is refused, and says where to go" said
in_cli "$SENTROID" status "$LAB_IF" 2>"$err" | grep -q "in another network namespace, /run/netns/$LAB_SRV" && [ ! -s "$err" ]
check "status from there says so, too" said
in_cli "$SENTROIDD" -i "$LAB_IF" -c "$LAB_TMP/agent.conf" --state-dir "$LAB_TMP/state" >/dev/null 2>"$err"
[ $? = 1 ] && grep -q "attached in another network namespace" "$err"
check "an agent there does not take it for its own" said
in_srv "$SENTROID" detach "$LAB_IF" >/dev/null 2>"$err" && [ ! -e "$SENTROID_BPFFS" ] && [ "$(programs "$LAB_IF")" = 0 ]
check "detach where it is" said
dead=$LAB_SRV-dead
ip netns add "$dead" && ip -n "$dead" link add sen-dead type veth peer name sen-peer &&
	nsenter --net="/run/netns/$dead" "$SENTROID" attach sen-dead --mode skb >/dev/null 2>"$err"
in_srv "$SENTROID" detach sen-dead >/dev/null 2>"$err"
[ $? = 1 ] && grep -q "/run/netns/$dead" "$err" && ip netns del "$dead" && sleep 0.5 &&
	in_srv "$SENTROID" detach sen-dead >/dev/null 2>"$err" && [ ! -e "$SENTROID_BPFFS" ]
check "pins of a namespace that is no more can be removed from anywhere" said
ip netns del "$dead" 2>/dev/null

# --- not there yet -------------------------------------------------------------------------------

late() { in_srv curl -s --max-time 3 "http://127.0.0.1:$AGENT_PORT/readyz"; }
late_metric() { agent_get /metrics | sed -n 's/^sentroid_attached{interface="sen-late"} //p'; }
say_late() { agent_log | grep -c "sen-late: $1"; }
in_srv_bg "$SENTROIDD" -i sen-late -i "$LAB_IF" -c "$LAB_TMP/agent.conf" --state-dir "$LAB_TMP/state" \
	--listen "127.0.0.1:$AGENT_PORT"
AGENT_PID=$LAB_PID
agent_answers && [ "$(agent_says '.attached')" = true ] && [ "$(agent_says .name)" = "$LAB_IF" ]
check "one of two interfaces does not exist: the other is watched" said
sleep 1.5
answers /readyz 503 && [ "$(late)" = "sen-late: no such interface" ] && [ "$(late_metric)" = 0 ] &&
	[ "$(attached_metric)" = 1 ] && [ "$(say_late 'no such interface')" = 1 ] && [ ! -e "$LAB_TMP/state/sen-late" ]
check "... which is not ready, and says of it once that it is waited for" said
ip -n "$LAB_SRV" link add sen-late type veth peer name sen-late-peer && answers /readyz 200 &&
	[ "$(late_metric)" = 1 ] && [ "$(programs sen-late)" = 1 ] && [ "$(say_late 'has appeared')" = 1 ] &&
	[ "$(api status | jq -c '[.interfaces[].attached]')" = '[true,true]' ]
check "it appears: watched, too" said
agent_stop TERM
in_srv "$SENTROID" detach sen-late >/dev/null && in_srv "$SENTROID" detach "$LAB_IF" >/dev/null &&
	ip -n "$LAB_SRV" link del sen-late
in_srv timeout 10 "$SENTROIDD" -i sen-late -i sen-later -c "$LAB_TMP/agent.conf" --state-dir "$LAB_TMP/state" \
	--listen none >/dev/null 2>"$err"
[ $? = 1 ] && grep -q "no such interface" "$err" && ! grep -q "waits for" "$err"
check "where none exists there is nothing to wait for" said
check_done
