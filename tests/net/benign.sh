#!/usr/bin/env bash
# Benign users of the laboratory. Sourced by lab.sh.
#
# A driver is a function user_NAME SECONDS SEED [ADDRESS] that runs inside the client namespace, ends
# by itself, and adds one line of counts to benign.log in the temporary directory.

BENIGN_PIDS=()

# benign_start SECONDS [SEED]: the whole mix in the background.
benign_start() {
	local secs=$1 seed=${2:-1} mix user
	mix=('web 10.77.0.2' 'web 10.77.0.20' 'web 10.77.0.21' 'burst 10.77.0.2' 'transfer 10.77.0.22'
		'shell 10.77.0.20' 'shell 10.77.0.21' 'dns 10.77.0.2' 'dns 10.77.0.23' 'ping 10.77.0.20' 'neigh -')
	for user in "${mix[@]}"; do
		benign_one "${user% *}" "$secs" "$seed" "${user#* }" || lab_note "benign ${user% *}: skipped"
		seed=$((seed + 1))
	done
}

# benign_one NAME SECONDS [SEED [ADDRESS]]: one driver in the background. Returns 77 if its tool or
# its server is missing.
benign_one() {
	benign_can "$1" || return 77
	lab_driver "user_$1" "$2" "${3:-1}" "${4:-$LAB_CLI4}"
	BENIGN_PIDS+=("$LAB_PID")
}

# benign_wait: until every driver has ended.
benign_wait() {
	local pid
	for pid in ${BENIGN_PIDS[@]+"${BENIGN_PIDS[@]}"}; do wait "$pid" 2>/dev/null || true; done
	BENIGN_PIDS=()
	return 0
}

# benign_report: what each driver that has ended did, as "NAME ADDRESS ok=N failed=N".
benign_report() { [ ! -f "$LAB_TMP/benign.log" ] || sort "$LAB_TMP/benign.log"; }

benign_can() {
	case $1 in
	web) lab_have curl && lab_serves tcp 80 ;;
	burst) lab_have wrk && lab_serves tcp 80 ;;
	transfer) lab_have iperf3 && lab_serves tcp 5201 ;;
	shell) lab_have ssh && lab_serves tcp 22 ;;
	dns) lab_have dig && lab_serves udp 53 ;;
	ping) lab_have ping ;;
	neigh) true ;;
	*) false ;;
	esac
}

# --- what drivers share --------------------------------------------------------------------------

# Seeded, so that the same arguments give the same sequence of actions.
user_begin() {
	USER_END=$((SECONDS + $1))
	RANDOM=$2
	USER_OK=0 USER_FAILED=0
}

user_more() { ((SECONDS < USER_END)); }

# between LOW HIGH: a whole number in REPLY. Not by command substitution: a subshell would draw from
# a copy of the generator and repeat itself.
between() { REPLY=$(($1 + RANDOM % ($2 - $1 + 1))); }

# think LOW HIGH: milliseconds of doing nothing, but not past the end.
think() {
	local left=$(((USER_END - SECONDS) * 1000)) t
	between "$1" "$2"
	((REPLY < left)) || REPLY=$left
	((REPLY > 0)) || return 0
	printf -v t '%d.%03d' $((REPLY / 1000)) $((REPLY % 1000))
	sleep "$t"
}

act() {
	if "$@" >/dev/null 2>&1; then
		USER_OK=$((USER_OK + 1))
	else
		USER_FAILED=$((USER_FAILED + 1))
	fi
}

user_end() { printf '%s %s ok=%d failed=%d\n' "$1" "$2" "$USER_OK" "$USER_FAILED" >>"$LAB_TMP/benign.log"; }

# --- the drivers ---------------------------------------------------------------------------------

# A page and the few files it needs over one connection, then reading time. One page in eight by IPv6.
user_web() {
	local addr=$3 sizes=(1k 1k 4k 4k 16k 16k 64k 64k 256k 1024k) urls host n
	user_begin "$1" "$2"
	while user_more; do
		host=$LAB_SRV4
		local opts=(--interface "$addr")
		((RANDOM % 8)) || { host="[$LAB_SRV6]" opts=(); }
		between 1 6
		urls=(-o /dev/null "http://$host/16k")
		for ((n = REPLY; n > 0; n--)); do
			urls+=(-o /dev/null "http://$host/${sizes[RANDOM % ${#sizes[@]}]}")
		done
		act curl -sf --max-time 5 ${opts[@]+"${opts[@]}"} "${urls[@]}"
		think 300 2500
	done
	user_end web "$addr"
}

# A program that calls a service: some connections, a few hundred requests a second, for a second.
# wrk as such would be a flood, so every connection waits before its next request.
user_burst() {
	echo 'function delay() return 15 end' >"$LAB_TMP/pace.lua"
	user_begin "$1" "$2"
	while user_more; do
		think 3000 7000
		user_more || break
		between 2 6
		act timeout 5 wrk -t1 -c"$REPLY" -d1s -s "$LAB_TMP/pace.lua" "http://$LAB_SRV4/4k"
	done
	user_end burst "$LAB_CLI4"
}

user_transfer() {
	local addr=$3 opts
	user_begin "$1" "$2"
	while user_more; do
		between 20 50
		opts=(-b "${REPLY}M")
		case $((RANDOM % 3)) in
		0) opts=(-u -l 1200 -b 20M) ;;
		1) opts+=(-R) ;;
		esac
		act timeout 6 iperf3 -c "$LAB_SRV4" -p 5201 -B "$addr" -t 1 "${opts[@]}"
		think 1500 5000
	done
	user_end transfer "$addr"
}

user_shell() {
	local addr=$3 cmds=('uname -a' 'cat /proc/loadavg' 'ls -l /usr/bin' 'cat /proc/meminfo' 'sleep 1; date' 'df')
	user_begin "$1" "$2"
	while user_more; do
		act timeout 8 ssh -F none -b "$addr" -i "$LAB_TMP/ssh/user" -o IdentitiesOnly=yes -o BatchMode=yes \
			-o ConnectTimeout=5 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
			"root@$LAB_SRV4" "${cmds[RANDOM % ${#cmds[@]}]}"
		think 1500 5000
	done
	user_end shell "$addr"
}

user_dns() {
	local addr=$3 names=(www mail files db api cdn time printer) types=(A A A AAAA TXT)
	user_begin "$1" "$2"
	while user_more; do
		act dig +time=1 +tries=1 -b "$addr" "@$LAB_SRV4" "${names[RANDOM % ${#names[@]}]}.lab.test" \
			"${types[RANDOM % ${#types[@]}]}"
		think 100 1200
	done
	user_end dns "$addr"
}

user_ping() {
	local addr=$3
	user_begin "$1" "$2"
	while user_more; do
		between 1 4
		if ((RANDOM % 4)); then
			act ping -q -n -c "$REPLY" -i 0.5 -W 1 -I "$addr" "$LAB_SRV4"
		else
			act ping -q -n -c "$REPLY" -i 0.5 -W 1 "$LAB_SRV6"
		fi
		think 500 3000
	done
	user_end ping "$addr"
}

# Neighbour entries of hosts that talk all the time hardly ever expire: forget some, so that there
# is ARP to learn from.
user_neigh() {
	user_begin "$1" "$2"
	while user_more; do
		think 1500 4000
		if ((RANDOM % 2)); then
			act ip neigh flush dev "$LAB_CLI_IF"
		else
			act ip -n "$LAB_SRV" neigh flush dev "$LAB_IF"
		fi
	done
	user_end neigh -
}
