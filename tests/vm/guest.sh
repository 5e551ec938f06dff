#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs as the init of a VM, out of the initramfs: what must hold on every kernel. TAP goes to the
# second serial port, the first is the kernel's console. At the end the machine is switched off.

export PATH=/bin HOME=/tmp SENTROID_BPFFS=/sys/fs/bpf/sentroid
number=0 agent_pid=

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t bpf bpf /sys/fs/bpf
mount -t securityfs securityfs /sys/kernel/security
# The port's own line discipline would add carriage returns.
stty -F /dev/ttyS1 raw -echo
exec </dev/null >/dev/ttyS1 2>&1
trap 'echo "1..$number"; sync; poweroff -f' EXIT
cd /sentroid || exit
# shellcheck disable=SC1091 # checked by itself
. tests/net/lab.sh
# shellcheck disable=SC1091
. tests/net/models.sh

# --- checks --------------------------------------------------------------------------------------

# try NAME COMMAND...: a TAP line, and what the command had to say if it failed.
try() {
	local name=$1 rc=0
	shift
	number=$((number + 1))
	"$@" >/tmp/said 2>&1 || rc=$?
	case $rc in
	0) echo "ok $number - $name" ;;
	77) echo "ok $number # SKIP $name: $(tail -n 1 /tmp/said)" ;;
	*)
		echo "not ok $number - $name"
		tail -n 60 /tmp/said | sed 's/^/# /'
		;;
	esac
	return "$rc"
}

# is WHAT FOUND WANTED
is() {
	[ "$2" = "$3" ] && return
	echo "$1: $2, not $3"
	return 1
}

# grows WHAT BEFORE AFTER [BY]
grows() {
	[ "$3" -ge $(($2 + ${4:-1})) ] && return
	echo "$1: $2 before, $3 after"
	return 1
}

sentroid() { in_srv build/sentroid "$@"; }

# status FIELD [IFACE]
status() { sentroid status "${2:-$LAB_IF}" --json | jq -cr ".interfaces[0]$1"; }

# soon COMMAND...: within ten seconds; what the kernel frees, it frees in the background.
soon() {
	for _ in {1..50}; do
		"$@" >/dev/null 2>&1 && return
		sleep 0.2
	done
	"$@"
}

# --- alone ---------------------------------------------------------------------------------------

# With the verifier's own words where it refuses one, which test_insns does not give.
loads() {
	SENTROID_UPDATE=1 build/tests/bpf/test_insns && return
	bpftool prog loadall build/sentroid.bpf.o /sys/fs/bpf/tried
	return 1
}

figures() { sed -n 's/^\([^#].*\)/# insns \1/p' tests/bpf/verifier.txt; }

attaches() {
	sentroid attach "$LAB_IF" --mode native --policy alert &&
		is mode "$(status .mode)" native && is attached "$(status .attached)" true
}

# But for the tags that a veth takes off.
degraded_otherwise() { status '.degraded | map(select(startswith("no VLAN tags") | not))'; }

# Nothing that these kernels have is gone without.
in_full() {
	sentroid status "$LAB_IF"
	is frags "$(status .frags)" true &&
		is degraded "$(degraded_otherwise)" '[]'
}

under_dispatcher() { is dispatcher "$(status .dispatcher)" true; }

# Packets of each kind, and every byte of what they carry.
passes() {
	local before
	before=$(status .packets)
	in_cli ping -c 5 -i 0.2 -W 2 "$LAB_SRV4" && in_cli ping -6 -c 2 -W 2 "$LAB_SRV6" || return
	in_cli wget -q -O /tmp/page "http://$LAB_SRV4/page" && cmp /tmp/page /tmp/www/page || return
	grows packets "$before" "$(status .packets)" 20
}

serve() {
	mkdir -p /tmp/www && head -c 300000 /dev/urandom >/tmp/www/page || return
	in_srv_bg busybox httpd -f -p 80 -h /tmp/www
	soon in_cli wget -q -O /dev/null "http://$LAB_SRV4/page"
}

starts_agent() {
	mkdir /tmp/state
	in_srv_bg build/sentroidd -i "$LAB_IF" --listen none --state-dir /tmp/state
	agent_pid=$LAB_PID
	soon agent_runs || { cat "$LAB_TMP/log/sentroidd.log"; return 1; }
}

agent_runs() { is agent "$(status .agent.pid)" "$agent_pid"; }

scan_is_flagged() {
	local before
	before=$(status .alerts)
	lab_have nmap || { echo "no nmap"; return 77; }
	attack_portscan 1-600 && grows alerts "$before" "$(status .alerts)" 100
}

# shellcheck disable=SC2016 # jq's own variable
scan_is_reported() {
	soon jq -es --arg from "$LAB_ATTACKER" 'any(.[]; .class == "scan" and .source == $from)' \
		"/tmp/state/$LAB_IF/alerts.jsonl"
}

takes_model() {
	local id
	id=$(status .prog_id)
	jq -c '.version = 4711' models/default.json | sign >/tmp/pushed.json
	in_cli_bg ping -q -c 20 -i 0.1 -W 2 "$LAB_SRV4"
	local ping_pid=$LAB_PID
	sentroid model push "$LAB_IF" /tmp/pushed.json --state-dir /tmp/pushed || return
	is version "$(status .model.version)" 4711 && is "program id" "$(status .prog_id)" "$id" ||
		return
	wait "$ping_pid" || { echo "pings were lost"; return 1; }
}

stops_agent() {
	kill "$agent_pid" && wait "$agent_pid" && is attached "$(status .attached)" true
}

# An object of ours, by the name of a program or of a map.
none_left() { ! bpftool prog show | grep -q 'name sentroid' && ! bpftool map show | grep -q 'name flows_sets'; }

detaches() {
	sentroid detach "$LAB_IF" && soon none_left || return
	is "XDP program" "$(in_srv ip -j -d link show "$LAB_IF" | jq -c '.[0].xdp.prog')" null &&
		is pins "$(ls "$SENTROID_BPFFS" 2>/dev/null)" ""
}

# Without native XDP; and says that, and why.
degrades() {
	ip -n "$LAB_SRV" link add plain0 type dummy && ip -n "$LAB_SRV" link set plain0 up &&
		sentroid attach plain0 && is mode "$(status .mode plain0)" skb || return
	sentroid status plain0
	is degraded "$(status .degraded[0] plain0)" \
		"no native XDP (Operation not supported): skb mode, which is slower" || return
	sentroid detach plain0
}

# vlan_is_seen FLOWS: with the way out in view, both ways of a VLAN are one flow.
vlan_is_seen() {
	sentroid attach "$LAB_IF" --egress --flows 1024 && sentroid status "$LAB_IF" &&
		in_cli ping -q -c 3 -i 0.2 -W 2 "$LAB_VLAN4" && is flows "$(lab_echoes)" "$1" && sentroid detach "$LAB_IF"
}

# Tags are beside the frames, on the way in and on the way out.
vlan_beside() {
	[ -e /sys/module/8021q ] || { echo "no module 8021q: fetched without"; return 77; }
	lab_vlan 7 && vlan_is_seen '[[0,3,3]]'
}

# They are in the frames that come in.
vlan_inside() {
	if [ ! -e /sys/module/8021q ] || ! lab_have ethtool; then echo "no VLANs, or no ethtool"; return 77; fi
	in_srv ethtool -K "$LAB_IF" rxvlan off && in_cli ethtool -K "$LAB_CLI_IF" txvlan off &&
		vlan_is_seen '[[7,3,3]]'
}

# --- beside another ------------------------------------------------------------------------------

other() { in_srv xdp-loader "$1" "$LAB_IF" "${@:2}"; }
other_loads() { other load -m native -P "$1" -s xdp build/other.bpf.o; }
other_seen() { bpftool -j map dump name other_count | jq '.[0].formatted.value'; }

# member NAME: its id, under the dispatcher.
member() { other status | awk -v name="$1" '$1 == "=>" && $3 == name { print $4 }'; }

# both_count [PACKETS]: that ours counts at least
both_count() {
	local ours theirs
	ours=$(status .packets) theirs=$(other_seen)
	in_cli ping -q -c 5 -i 0.2 -W 2 "$LAB_SRV4" &&
		grows "our packets" "$ours" "$(status .packets)" "${1:-5}" &&
		grows "their packets" "$theirs" "$(other_seen)" 5
}

both_members() {
	other status
	is "our id" "$(member sentroid)" "$(status .prog_id)" && [ -n "$(member other)" ] &&
		sentroid status "$LAB_IF" && under_dispatcher && is attached "$(status .attached)" true
}

# The other is there first, and runs first.
after_other() {
	other_loads 10 && sentroid attach "$LAB_IF" && both_members && both_count
}

# The other comes later, and runs later.
before_other() {
	local id
	sentroid attach "$LAB_IF" && id=$(status .prog_id) && other_loads 90 && both_members && both_count &&
		is "our id" "$(status .prog_id)" "$id"
}

# Ours goes, the other stays what it was.
leaves_other() {
	local id theirs
	id=$(member other) theirs=$(other_seen)
	sentroid detach "$LAB_IF" && soon none_left || return
	other status
	is "their id" "$(member other)" "$id" && in_cli ping -q -c 5 -i 0.2 -W 2 "$LAB_SRV4" &&
		grows "their packets" "$theirs" "$(other_seen)" 5
}

# The other goes, ours stays what it was.
is_left() {
	local id packets
	id=$(status .prog_id) packets=$(status .packets)
	other unload -i "$(member other)" || return
	is attached "$(status .attached)" true && is "our id" "$(status .prog_id)" "$id" &&
		in_cli ping -q -c 5 -i 0.2 -W 2 "$LAB_SRV4" &&
		grows "our packets" "$packets" "$(status .packets)" 5
}

beside_other() {
	try "is loaded after another program, runs after it" after_other
	try "comes off and leaves the other as it was" leaves_other
	try "... which can be taken off" other unload -a
	try "is loaded before another program, runs before it" before_other
	try "comes off and leaves the later one as it was" leaves_other
	try "can be put back beside it, with egress" again
	try "says that the other takes no long frames" tells_frags
	try "the other comes off and leaves Sentroid as it was" is_left
	try "comes off as the last" detaches
}

# And the answers are seen on their way out.
again() { sentroid attach "$LAB_IF" --egress && both_members && both_count 10; }

# The other program here has no frags.
tells_frags() { is frags "$(status .frags)" false && grep 'another XDP program' <<<"$(status .degraded)"; }

# --- locked down ---------------------------------------------------------------------------------

is_locked_down() { grep -F '[confidentiality]' /sys/kernel/security/lockdown; }

# By the kernel's word: our program is on the interface itself, or a dispatcher is that calls it.
says_which() {
	local id
	id=$(in_srv ip -j -d link show "$LAB_IF" | jq '.[0].xdp.prog.id')
	sentroid status "$LAB_IF"
	if [ "$id" = "$(status .prog_id)" ]; then
		is dispatcher "$(status .dispatcher)" false && grep 'no dispatcher (' <<<"$(status .degraded)"
	else
		is dispatcher "$(status .dispatcher)" true && is degraded "$(degraded_otherwise)" '[]'
	fi
}

pings_count() {
	local before
	before=$(status .packets)
	in_cli ping -c 5 -i 0.2 -W 2 "$LAB_SRV4" && grows packets "$before" "$(status .packets)" 5
}

locked_down() {
	try "is locked down" is_locked_down
	try "attaches natively" attaches || return
	try "says whether a dispatcher is in force" says_which && status '| "# dispatcher \(.dispatcher)"'
	try "traffic passes, and is counted" pings_count
	try "comes off without a trace" detaches
}

# --- all of it -----------------------------------------------------------------------------------

read -r uptime _ </proc/uptime
echo "# kernel $(uname -r)"
echo "# boot $uptime s"
# In the order in which they stand on each other.
insmods() {
	local name file
	for name in llc stp garp mrp 8021q veth dummy sch_ingress cls_bpf; do
		file=/modules/$(uname -r)/$name.ko
		[ ! -e "$file" ] || insmod "$file" || return
	done
}

try "modules" insmods
if grep -q lockdown= /proc/cmdline; then
	try "a network in namespaces" lab_up && locked_down
	exit
fi
try "every program passes the verifier" loads && figures
try "a network in namespaces" lab_up || exit
try "a server answers" serve
try "attaches natively" attaches || exit
try "runs under the dispatcher" under_dispatcher
try "has all that it can have" in_full
try "traffic passes, and is counted" passes
try "the agent takes over" starts_agent
try "a scan is flagged" scan_is_flagged
try "the agent reports the scan" scan_is_reported
try "takes a model while traffic flows" takes_model
try "the agent ends, detection goes on" stops_agent
try "comes off without a trace" detaches
try "falls back to skb mode" degrades
try "both ways of a VLAN are one flow, without its tag" vlan_beside
try "... and with it" vlan_inside
if lab_have xdp-loader; then
	beside_other
else
	try "runs beside another program" eval 'echo "no xdp-loader (package xdp-tools)"; exit 77'
fi
read -r uptime _ </proc/uptime
echo "# all of it $uptime s"
