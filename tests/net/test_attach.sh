#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Attaching where something is missing or in the way: what can be done without is, and said; what cannot
# fails by its own name and leaves nothing behind.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=agent.sh
. tests/net/agent.sh

agent_tools bpftool unshare mount ethtool || skip_all "tools are missing"
agent_lab attach || exit

xdp() { ip -n "$LAB_SRV" -j -d link show "$LAB_IF" | jq -c '.[0].xdp'; }
err=$LAB_TMP/err
said() { cat "$err"; }
hooks() { tc -n "$LAB_SRV" qdisc show dev "$1" clsact; }
filters() { tc -n "$LAB_SRV" filter show dev "$1" "$2"; }
nothing_left() { [ ! -e "$SENTROID_BPFFS" ] && [ "$(xdp)" = null ]; }

# --- the file of libxdp's dispatcher -------------------------------------------------------------

# Out of sight in a mount namespace of its own.
without_dispatcher() {
	# shellcheck disable=SC2016
	in_srv unshare --mount -- sh -c '
		for file in /usr/lib/*/bpf/xdp-dispatcher.o /usr/lib*/bpf/xdp-dispatcher.o /usr/local/lib/bpf/xdp-dispatcher.o; do
			[ ! -e "$file" ] || mount -t tmpfs tmpfs "${file%/*}" || exit
		done
		exec "$@"' sh "$SENTROID" "$@"
}
without_dispatcher attach "$LAB_IF" --mode native >"$LAB_TMP/out" 2>"$err"
check "attach without xdp-dispatcher.o" said
[ "$(status .dispatcher)" = false ] && [ "$(status .attached)" = true ] &&
	[[ $(status '.degraded[0]') == "no dispatcher (libxdp's xdp-dispatcher.o is not installed)"* ]]
check "... as a single program, and status says why" in_srv "$SENTROID" status "$LAB_IF"
in_cli ping -q -c 3 -i 0.1 -W 1 "$LAB_SRV4" >/dev/null && [ "$(status .packets)" -ge 3 ]
check "... which sees packets" status .packets
without_dispatcher detach "$LAB_IF" >/dev/null 2>"$err" && nothing_left
check "... and comes off" said

# --- no Ethernet -----------------------------------------------------------------------------------

# Frames of such an interface begin with IP, which would be read as an Ethernet header.
if ip -n "$LAB_SRV" tuntap add dev sen-tun mode tun 2>/dev/null; then
	for mode in auto native skb; do
		in_srv "$SENTROID" attach sen-tun --mode $mode >/dev/null 2>"$err"
		[ $? = 1 ] && [[ $(said) == "sentroid: attaching XDP program: sen-tun: its frames have no Ethernet header"* ]] &&
			nothing_left
		check "attach --mode $mode to a tunnel without Ethernet: refused" said
	done
	ip -n "$LAB_SRV" link del sen-tun
else
	check_skip "no tun device can be made"
fi
in_srv "$SENTROID" attach lo >/dev/null 2>"$err" && in_srv "$SENTROID" detach lo >/dev/null
check "attach to the loopback interface, which has one" said

# --- jumbo frames --------------------------------------------------------------------------------

# Longer than a page: in several buffers.
ip -n "$LAB_SRV" link set "$LAB_IF" mtu 9000 && ip -n "$LAB_CLI" link set "$LAB_CLI_IF" mtu 9000
for mode in native skb; do
	in_srv "$SENTROID" attach "$LAB_IF" --mode $mode >/dev/null 2>"$err" && [ "$(status .mode)" = $mode ]
	check "attach --mode $mode at an MTU of 9000" said
	in_cli ping -q -c 1 -W 1 "$LAB_SRV4" >/dev/null # neighbours are known from here on
	packets=$(status .packets) bytes=$(status .bytes)
	in_cli ping -q -M "do" -s 8000 -c 5 -i 0.1 -W 1 "$LAB_SRV4" >/dev/null
	check "... where echoes of 8000 bytes come back"
	packets=$(($(status .packets) - packets)) bytes=$(($(status .bytes) - bytes))
	[ "$packets" -ge 5 ] && [ "$bytes" -ge $((5 * 8042)) ] && [ "$bytes" -le $((5 * 8042 + (packets - 5) * 120)) ]
	check "... and are counted with all their bytes" echo "$packets packets, $bytes bytes"
	in_srv "$SENTROID" detach "$LAB_IF" >/dev/null 2>"$err" && nothing_left
	check "... and detach" said
done

# --- the place of the egress filter --------------------------------------------------------------

# Someone else has the very priority and handle.
tc -n "$LAB_SRV" qdisc add dev "$LAB_IF" clsact
tc -n "$LAB_SRV" filter add dev "$LAB_IF" egress prio 0x534e handle 1 protocol all bpf bytecode '1,6 0 0 0,'
in_srv "$SENTROID" attach "$LAB_IF" --egress >/dev/null 2>"$err"
[ $? = 1 ] && [[ $(said) == "sentroid: attaching TC program for egress: $LAB_IF: "* ]]
check "attach --egress with the place taken: the step is named" said
nothing_left && tc -n "$LAB_SRV" filter show dev "$LAB_IF" egress | grep -q bytecode
check "... nothing of ours is left, and the other's filter is"
tc -n "$LAB_SRV" qdisc del dev "$LAB_IF" clsact && in_srv "$SENTROID" attach "$LAB_IF" --egress >/dev/null 2>"$err" &&
	[ "$(status .egress)" = true ]
check "attach --egress once it is free" said
in_srv "$SENTROID" detach "$LAB_IF" >/dev/null && nothing_left && [ -z "$(hooks "$LAB_IF")" ]
check "detach takes the hook off that was made for it" hooks "$LAB_IF"

# --- others on the hook that was made for it -----------------------------------------------------

for way in egress ingress; do
	in_srv "$SENTROID" attach "$LAB_IF" --egress >/dev/null 2>"$err" &&
		tc -n "$LAB_SRV" filter add dev "$LAB_IF" $way prio 7 protocol all bpf bytecode '1,6 0 0 0,'
	check "attach --egress, and another filter beside it on $way" said
	in_srv "$SENTROID" detach "$LAB_IF" >/dev/null 2>"$err" && nothing_left && filters "$LAB_IF" $way | grep -q bytecode &&
		! filters "$LAB_IF" egress | grep -q sentroid
	check "... which detach leaves" filters "$LAB_IF" $way
	tc -n "$LAB_SRV" qdisc del dev "$LAB_IF" clsact
done

# Of the same name, but not the interface that it was attached to.
born_again() {
	ip -n "$LAB_SRV" link del sen-again 2>/dev/null
	ip -n "$LAB_SRV" link add sen-again type veth peer name sen-peer
}
born_again && in_srv "$SENTROID" attach sen-again --mode skb --egress >/dev/null 2>"$err" && born_again
tc -n "$LAB_SRV" qdisc add dev sen-again clsact &&
	tc -n "$LAB_SRV" filter add dev sen-again egress prio 0x534e handle 1 protocol all bpf bytecode '1,6 0 0 0,'
in_srv "$SENTROID" detach sen-again >/dev/null 2>"$err" && [ ! -e "$SENTROID_BPFFS" ] && filters sen-again egress | grep -q bytecode
check "detach from an interface that has gone: a new one of its name is left alone" said
ip -n "$LAB_SRV" link del sen-again

# --- VLAN tags -----------------------------------------------------------------------------------

# A veth hands them over beside the frame, as a card does that takes them off.
in_srv "$SENTROID" attach "$LAB_IF" --egress --flows 1024 >/dev/null 2>"$err" &&
	[[ $(status '.degraded[-1]') == "no VLAN tags: "*"ethtool -K $LAB_IF rxvlan off"* ]]
check "tags are taken off: status says so" status .degraded
vlans=1
lab_vlan 7 2>"$err" || { vlans= && remark "this kernel has no VLANs: $(said)"; }
# vlan_is_seen FLOWS: both ways of a VLAN are one flow.
vlan_is_seen() {
	[ -n "$vlans" ] || return 0
	in_cli ping -q -c 3 -i 0.1 -W 1 "$LAB_VLAN4" >/dev/null && [ "$(lab_echoes)" = "$1" ]
	check "... and both ways of a VLAN are one flow" lab_echoes
}
vlan_is_seen '[[0,3,3]]'
in_srv "$SENTROID" detach "$LAB_IF" >/dev/null
in_srv ethtool -K "$LAB_IF" rxvlan off >/dev/null && in_cli ethtool -K "$LAB_CLI_IF" txvlan off >/dev/null &&
	in_srv "$SENTROID" attach "$LAB_IF" --egress --flows 1024 >/dev/null 2>"$err" &&
	[[ $(status .degraded) != *"no VLAN tags"* ]]
check "tags are left on: nothing to say" status .degraded
vlan_is_seen '[[7,3,3]]'
in_srv "$SENTROID" detach "$LAB_IF" >/dev/null && nothing_left
check "detach"
check_done
