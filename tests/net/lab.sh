#!/usr/bin/env bash
# The traffic laboratory: a server and a client namespace joined by a veth pair, real servers,
# benign users and attackers. Sourced by the demo and by the network tests:
#
#     . tests/net/lab.sh
#     lab_trap; lab_up || exit; lab_servers_up
#     benign_start 30; attack_portscan; benign_wait
#
# Everything lives in the two namespaces and one temporary directory, and lab_down removes it all.

LAB_LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# A driver started by this lab sources this file again, so what its parent set up is kept.
: "${LAB_TMP:=}" "${LAB_SRV:=}" "${LAB_CLI:=}"
: "${LAB_QUEUES:=1}" # of each end of the wire, one for each CPU that is to receive at once
LAB_IF=sen0
LAB_CLI_IF=sen1
LAB_SRV4=10.77.0.1
LAB_SRV6=fd77::1
LAB_CLI4=10.77.0.2
LAB_VLAN4=10.78.0.1
LAB_USERS=(10.77.0.2 10.77.0.20 10.77.0.21 10.77.0.22 10.77.0.23)
LAB_ATTACKER=10.77.0.66
export LAB_LIB LAB_TMP LAB_SRV LAB_CLI LAB_IF LAB_CLI_IF LAB_SRV4 LAB_SRV6 LAB_CLI4 LAB_ATTACKER

lab_note() { printf 'lab: %s\n' "$*" >&2; }
lab_have() { command -v "$1" >/dev/null 2>&1; }

# --- running things inside -----------------------------------------------------------------------
# Not `ip netns exec`: that remounts /sys and hides the bpffs with the pinned maps.

in_srv() { nsenter --net="/run/netns/$LAB_SRV" -- "$@"; }
in_cli() { nsenter --net="/run/netns/$LAB_CLI" -- "$@"; }

# Sets LAB_PID. Output goes to a log in the temporary directory, never to the terminal.
in_srv_bg() { lab_bg "$LAB_SRV" "$@"; }
in_cli_bg() { lab_bg "$LAB_CLI" "$@"; }

lab_bg() {
	local ns=$1
	shift
	# nsenter executes the program in its own place, so $! is the program's pid.
	nsenter --net="/run/netns/$ns" -- "$@" </dev/null >>"$LAB_TMP/log/${1##*/}.log" 2>&1 &
	LAB_PID=$!
	printf '%s %s\n' "$LAB_PID" "$(lab_born "$LAB_PID")" >>"$LAB_TMP/pids"
}

# Waits in the background's place: bash delays traps during a foreground command but not during
# `wait`, so an interrupted run is cleaned up at once.
in_cli_wait() {
	in_cli_bg "$@"
	wait "$LAB_PID" 2>/dev/null
}

# Runs a function of this library inside the client namespace, in a shell of its own.
# shellcheck disable=SC2016
lab_driver() { in_cli_bg bash -c '. "$LAB_LIB/lab.sh"; "$@"' lab "$@"; }

# A pid alone may have been given to another process meanwhile; pid and start time may not.
lab_born() {
	local stat rest
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || { echo 0; return 0; }
	rest=${stat##*) }
	# shellcheck disable=SC2086
	set -- $rest
	echo "${20}"
}

# Packets that have arrived at the server's interface so far.
# shellcheck disable=SC2016
lab_rx() { in_srv awk -v i="$LAB_IF:" '$1 == i { print $3 }' /proc/net/dev; }

# --- up ------------------------------------------------------------------------------------------

# Returns 77 where a laboratory cannot be had at all.
lab_up() {
	[ "$(id -u)" = 0 ] || { lab_note "needs root"; return 77; }
	if ! lab_have ip || ! lab_have nsenter; then
		lab_note "needs iproute2 and util-linux"
		return 77
	fi
	[ -z "$LAB_TMP" ] || { lab_note "already up"; return 1; }
	LAB_TMP=$(mktemp -d "${TMPDIR:-/tmp}/sen-lab.XXXXXX") || return 1
	mkdir "$LAB_TMP/log"
	: >"$LAB_TMP/pids"
	local srv=sen-srv-$$ cli=sen-cli-$$
	# Named only once made: lab_down must not delete a namespace that somebody else had.
	ip netns add "$srv" 2>/dev/null || { lab_note "cannot make namespace $srv"; lab_down; return 77; }
	LAB_SRV=$srv
	ip netns add "$cli" 2>/dev/null || { lab_note "cannot make namespace $cli"; lab_down; return 77; }
	LAB_CLI=$cli
	if ! lab_wire || ! lab_address; then
		lab_note "cannot join the namespaces"
		lab_down
		return 1
	fi
	lab_offloads
}

lab_wire() {
	# Both ends are born inside, so the host never has the interfaces.
	ip -n "$LAB_SRV" link add "$LAB_IF" address 02:77:00:00:00:01 \
		numtxqueues "$LAB_QUEUES" numrxqueues "$LAB_QUEUES" type veth \
		peer name "$LAB_CLI_IF" address 02:77:00:00:00:02 \
		numtxqueues "$LAB_QUEUES" numrxqueues "$LAB_QUEUES" netns "$LAB_CLI" || return
	# Hosts hand their rp_filter down, and a strict one hides spoofed sources from the server's stack.
	in_srv sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		"net.ipv4.conf.$LAB_IF.rp_filter=0" || return
	ip -n "$LAB_SRV" link set lo up && ip -n "$LAB_CLI" link set lo up &&
		ip -n "$LAB_SRV" link set "$LAB_IF" up && ip -n "$LAB_CLI" link set "$LAB_CLI_IF" up
}

lab_address() {
	local a
	ip -n "$LAB_SRV" addr add "$LAB_SRV4/24" dev "$LAB_IF" &&
		ip -n "$LAB_CLI" addr add "$LAB_CLI4/24" dev "$LAB_CLI_IF" &&
		ip -n "$LAB_SRV" addr add "$LAB_SRV6/64" dev "$LAB_IF" nodad &&
		ip -n "$LAB_CLI" addr add fd77::2/64 dev "$LAB_CLI_IF" nodad || return
	for a in "${LAB_USERS[@]:1}" "$LAB_ATTACKER"; do
		ip -n "$LAB_CLI" addr add "$a/32" dev "$LAB_CLI_IF" || return
	done
	# Neighbours for a horizontal scan to find.
	for a in {101..116}; do
		ip -n "$LAB_SRV" addr add "10.77.0.$a/32" dev "$LAB_IF" || return
	done
}

# lab_vlan ID: a VLAN of its own between the two, where the kernel has VLANs; the server's address is
# LAB_VLAN4.
lab_vlan() {
	lab_vlan_end "$LAB_SRV" "$LAB_IF" "$1" "$LAB_VLAN4" && lab_vlan_end "$LAB_CLI" "$LAB_CLI_IF" "$1" 10.78.0.2
}

lab_vlan_end() {
	ip -n "$1" link add link "$2" name "vlan$3" type vlan id "$3" &&
		ip -n "$1" addr add "$4/24" dev "vlan$3" && ip -n "$1" link set "vlan$3" up
}

# Of each flow of echoes that the program knows: its VLAN, and the packets from either side.
lab_echoes() {
	bpftool -j map dump pinned "$SENTROID_BPFFS/$LAB_IF/flows" |
		jq -c '[.[].formatted.value | select(.key.proto == 1) | [.key.vlan, .packets[]]]'
}

# veth hands over what the sender's stack left undone: checksums that no hardware will fill in, and
# segments of up to 64 KB. A program in XDP would then see wrong checksums and far fewer, impossibly
# large packets, and native and generic mode would see different ones. Without these offloads each
# packet crosses as it would on a wire. GRO goes too, because generic mode runs after it.
lab_offloads() {
	lab_have ethtool || { lab_note "no ethtool: offloads stay on, packets may be larger than the MTU"; return 0; }
	in_srv ethtool -K "$LAB_IF" tx off tso off gso off gro off >/dev/null 2>&1 || true
	in_cli ethtool -K "$LAB_CLI_IF" tx off tso off gso off gro off >/dev/null 2>&1 || true
}

# --- servers, each of them optional ----------------------------------------------------------------

# Starts what there is and waits, for at most five seconds each, until it listens.
lab_servers_up() {
	lab_server nginx tcp 80 lab_nginx
	lab_server sshd tcp 22 lab_sshd
	lab_server dnsmasq udp 53 lab_dnsmasq
	lab_server iperf3 tcp 5201 lab_iperf3
}

lab_server() {
	local name=$1 proto=$2 port=$3
	lab_have "$name" || { lab_note "no $name: skipped"; return 0; }
	if ! "$4" || ! lab_listening "$proto" "$port"; then lab_note "$name does not listen: skipped"; fi
}

lab_listening() {
	local try=0
	until lab_serves "$@"; do
		((try++ < 100)) || return 1
		sleep 0.05
	done
}

# lab_serves PROTO PORT: whether a server listens there.
lab_serves() { [ -n "$(in_srv ss -Hln "--$1" "sport = :$2" 2>/dev/null)" ]; }

# Servers write pid files, logs and login records below /run and /var/log, and sshd insists on
# /run/sshd. In a mount namespace of their own they do so without a trace on the host.
lab_private() {
	# shellcheck disable=SC2016
	in_srv_bg unshare --mount -- sh -c '
		mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && mount -t tmpfs tmpfs /var/log || exit
		[ ! -f "$LAB_TMP/shadow" ] || mount --bind "$LAB_TMP/shadow" /etc/shadow || exit
		exec "$@"' lab "$@"
}

lab_nginx() {
	local dir=$LAB_TMP/nginx size
	mkdir -p "$dir/www"
	for size in 1 4 16 64 256 1024; do
		head -c "${size}k" /dev/zero | tr '\0' x >"$dir/www/${size}k"
	done
	cat >"$dir/nginx.conf" <<-CONF
		daemon off; user root; worker_processes 1;
		pid $dir/pid;
		error_log $dir/error.log;
		events { worker_connections 512; }
		http {
		    access_log off;
		    client_body_temp_path $dir/body; proxy_temp_path $dir/proxy; scgi_temp_path $dir/scgi;
		    fastcgi_temp_path $dir/fastcgi; uwsgi_temp_path $dir/uwsgi;
		    keepalive_timeout 5s;
		    server { listen 80; listen [::]:80; root $dir/www; }
		}
	CONF
	lab_private "$(command -v nginx)" -p "$dir" -c "$dir/nginx.conf"
}

lab_sshd() {
	local dir=$LAB_TMP/ssh sshd
	sshd=$(command -v sshd)
	mkdir -p "$dir"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/host" && ssh-keygen -q -t ed25519 -N '' -f "$dir/user" || return
	cp "$dir/user.pub" "$dir/authorized_keys"
	# A root account of the laboratory's own, for this sshd alone: hosts often lock root's, which
	# refuses keys as well, and no guess may meet a real password. No password has this hash, yet
	# every guess costs a whole crypt(3).
	# shellcheck disable=SC2016
	(umask 077 && printf 'root:$6$laboratory$%086d:19000:0:99999:7:::\n' 0 >"$LAB_TMP/shadow")
	cat >"$dir/sshd_config" <<-CONF
		Port 22
		HostKey $dir/host
		AuthorizedKeysFile $dir/authorized_keys
		PidFile none
		UsePAM no
		UseDNS no
		StrictModes no
		PermitRootLogin yes
		PasswordAuthentication yes
		PermitUserRC no
		PrintMotd no
		PrintLastLog no
		LoginGraceTime 20
		MaxStartups 100:30:200
	CONF
	# From 9.8 on sshd shuts out a guesser after a few tries; older ones do not know the option.
	if "$sshd" -t -f "$dir/sshd_config" -o PerSourcePenalties=no 2>/dev/null; then
		echo 'PerSourcePenalties no' >>"$dir/sshd_config"
	fi
	lab_private "$sshd" -D -f "$dir/sshd_config" -E "$LAB_TMP/log/sshd.log"
}

lab_dnsmasq() {
	cat >"$LAB_TMP/dnsmasq.conf" <<-CONF
		keep-in-foreground
		user=root
		group=root
		listen-address=$LAB_SRV4,$LAB_SRV6
		bind-interfaces
		no-resolv
		no-hosts
		pid-file=$LAB_TMP/dnsmasq.pid
		log-facility=$LAB_TMP/log/dnsmasq.log
		address=/lab.test/$LAB_SRV4
		address=/lab.test/$LAB_SRV6
	CONF
	lab_private "$(command -v dnsmasq)" "--conf-file=$LAB_TMP/dnsmasq.conf"
}

lab_iperf3() { lab_private "$(command -v iperf3)" -s -p 5201; }

# --- down ----------------------------------------------------------------------------------------

# Cleans up however the calling script ends.
lab_trap() {
	trap lab_down EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# Safe when half built, and twice.
lab_down() {
	# In a condition, because there `set -e` of the calling script does not end it halfway.
	lab_clear || true
}

lab_clear() {
	[ -n "$LAB_TMP" ] || return 0
	local saved
	# A second Ctrl-C must not leave it half done.
	saved=$(trap -p INT TERM HUP)
	trap '' INT TERM HUP
	lab_kill
	[ -z "$LAB_SRV" ] || ip netns del "$LAB_SRV" 2>/dev/null
	[ -z "$LAB_CLI" ] || ip netns del "$LAB_CLI" 2>/dev/null
	rm -rf -- "$LAB_TMP"
	LAB_TMP='' LAB_SRV='' LAB_CLI=''
	trap - INT TERM HUP
	eval "$saved"
}

# What was started and is still the same process, and whatever it left behind in our namespaces.
lab_pids() {
	local pid born ns
	while read -r pid born; do
		[ "$born" != 0 ] && [ "$(lab_born "$pid")" = "$born" ] && echo "$pid"
	done <"$LAB_TMP/pids"
	for ns in $LAB_SRV $LAB_CLI; do ip netns pids "$ns" 2>/dev/null; done
	return 0
}

lab_kill() {
	local sig pid alive
	for sig in TERM KILL; do
		# Repeated, because what dies may just have started something.
		for _ in {1..20}; do
			alive=
			while read -r pid; do
				[ "$pid" != $$ ] || continue
				alive=1
				kill -"$sig" "$pid" 2>/dev/null
			done < <(lab_pids | sort -un)
			[ -n "$alive" ] || break 2
			sleep 0.05
		done
	done
	while read -r pid _; do wait "$pid" 2>/dev/null; done <"$LAB_TMP/pids"
	return 0
}

# shellcheck source-path=SCRIPTDIR source=benign.sh
. "$LAB_LIB/benign.sh"
# shellcheck source-path=SCRIPTDIR source=attacks.sh
. "$LAB_LIB/attacks.sh"
