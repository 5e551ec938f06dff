#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Sentroid at work, from end to end, on a network of its own: two namespaces joined by a veth pair,
# real servers, users and attackers. "make demo" runs it; it needs root and takes two to three
# minutes. Nothing of it stays.
#
# The exit code is 1 if an attack was missed, a packet lost or the program replaced.

cd "$(dirname "$0")/.." || exit 2
# shellcheck source-path=SCRIPTDIR/../tests/net source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR/../tests/net source=agent.sh
. tests/net/agent.sh

BASELINE=45 # seconds of ordinary use to learn from
ORDINARY=30 # ... under the first model
AFTER=15    # ... after the attacks
WHOLE=$((BASELINE + ORDINARY + AFTER + 45))

die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

# --- what is printed -----------------------------------------------------------------------------

bold='' red='' green='' plain='' tty=
if [ -t 1 ]; then
	tty=1
	if [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
		bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
	fi
fi

# thousands N: 1234567 as 1,234,567.
thousands() {
	local n=$1 text=
	while [ ${#n} -gt 3 ]; do
		text=,${n: -3}$text
		n=${n::-3}
	done
	echo "$n$text"
}

# fixed X DIGITS
fixed() { LC_ALL=C printf "%.$2f" "$1"; }

headline() {
	ticker
	printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

# say TEXT [COLOUR]: with the seconds since the beginning.
say() {
	ticker
	printf '  %5.1f s  %s%s%s\n' "$(since_start)" "${2:-}" "$1" "${2:+$plain}"
}

since_start() {
	local now=${EPOCHREALTIME//[.,]/}
	printf '%d.%d' $(((now - BEGUN) / 1000000)) $(((now - BEGUN) / 100000 % 10))
}

# A line that is overwritten by the next; only for somebody who watches.
ticker() { [ -z "$tty" ] || printf '\r\e[K%s' "$*"; }

now() { echo "${EPOCHREALTIME/,/.}"; }

# --- what happens meanwhile ----------------------------------------------------------------------

# What the agent has logged since the last time, in its own words.
news() {
	local line
	while read -r line <&7; do
		line=${line#sentroidd: }
		line=${line#*"$LAB_IF: "}
		case $line in
		'alert '*' opened: '*) say "ALERT  ${line#*opened: }" "$red" ;;
		'model '*' promoted '*) say "MODEL  ${line#model }" "$green" ;;
		'drift: '* | *refused* | *'rolled back'* | *'settled'* | 'training '* | *'baseline begins'*) say "       $line" ;;
		esac
	done
}

progress() {
	local line
	line=$(api status | jq -r '.interfaces[0] | "\(.packets) packets, \(.flows.used) flows, \(.learner.benign) benign samples, model \(.model.version)"')
	ticker "           $line"
}

# during SECONDS
during() {
	local end=$((SECONDS + $1)) n=0
	while ((SECONDS < end)); do
		sleep 0.25
		news
		((n++ % 4)) || [ -z "$tty" ] || progress
	done
	ticker
}

# --- attacks -------------------------------------------------------------------------------------

ATTACKS=() SPANS=() MISSED=0

# attack CLASS CULPRIT FILTER TEXT COMMAND...: FILTER finds its packets, CULPRIT is whom to blame.
attack() {
	local class=$1 culprit=$2 filter=$3 text=$4 pid rc begun alert
	shift 4
	headline "Attack: $text"
	first_packet_watch "$filter" || die "tcpdump does not start: $(cat "$LAB_TMP/first.err")"
	begun=$(now)
	"$@" &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.1
		news
	done
	wait "$pid"
	rc=$?
	during 2
	SPANS+=("$begun-$(now)")
	[ "$rc" = 0 ] || say "could not be run: $1 returned $rc" "$red"
	alert=$(alert_of "$class" "$begun" "$culprit")
	conclude "$class" "$rc" "$alert"
	first_packet_done
}

# The row of the closing table, and the counts of the alert as they are by now.
conclude() {
	local class=$1 rc=$2 alert=$3 first delay
	if [ "$rc" != 0 ] || [ "$alert" = null ] || [ -z "$alert" ] || ! first=$(first_packet); then
		MISSED=$((MISSED + 1))
		say "MISSED $class" "$red"
		ATTACKS+=("$(printf '%-14s %s' "$class" MISSED)")
		return
	fi
	delay=$(jq -r --argjson first "$first" '.at - $first | if . < 0 then 0 else . end' <<<"$alert")
	say "       $(jq -r 'def n($s): "\(.) \($s)" + if . == 1 then "" else "s" end;
		"\(.class) by now: \(.events | n("sample")) of \(.sources | n("source")) at \(.targets | n("target")), highest score \(.score)"' <<<"$alert")"
	ATTACKS+=("$(printf '%-14s %6.2f s   %-22s %-22s %8s' "$class" "$(fixed "$delay" 2)" \
		"$(jq -r '.source // "\(.sources) sources"' <<<"$alert")" \
		"$(jq -r '.target // "\(.targets) addresses"' <<<"$alert")" \
		"$(thousands "$(jq -r .events <<<"$alert")")")")
}

# --- the show ------------------------------------------------------------------------------------

# shellcheck disable=SC2317
finish() {
	local rc=$?
	ticker
	agent_end
	[ "$rc" -lt 128 ] || echo "interrupted, cleaned up" >&2
	exit "$rc"
}

set_up() {
	headline "A network of two hosts"
	lab_up || die "no laboratory here"
	lab_servers_up
	count_begin || die "no queue to count packets with"
	say "server $LAB_SRV4 on $LAB_IF, users and an attacker behind $LAB_CLI_IF"
	local attached
	attached=$(in_srv "$SENTROID" attach "$LAB_IF" --mode native) || die "not attached"
	say "${attached#*: }"
	read -r SENT0 COUNTED0 RECEIVED0 < <(count_settled)
	PROGRAM0=$(status .prog_id) MODEL0=$(status .model.version) DIGEST0=$(status .model.digest)
	agent_start '[baseline]' "seconds = $BASELINE" '[learn]' 'samples = 800' 'min_interval = 20' \
		'[canary]' 'evaluations = 200' 'seconds = 3' ||
		die "the agent does not start: $(agent_log)"
	exec 7<"$LAB_TMP/log/sentroidd.log"
	say "agent: pid $AGENT_PID"
}

learn() {
	headline "Ordinary use, to learn from: $BASELINE s of $(serving)"
	benign_start "$WHOLE" 1
	during "$BASELINE"
	local end=$((SECONDS + 20))
	until [ "$(agent_says .learner.state)" = active ]; do
		((SECONDS < end)) || die "no model after the baseline: $(agent_says .learner.note)"
		sleep 0.2
	done
	news
	LEARNED=$(now)
}

# What there is of the users' programs.
serving() {
	local list=()
	! lab_serves tcp 80 || list+=("web pages")
	! lab_serves tcp 5201 || list+=("transfers")
	! lab_serves tcp 22 || list+=("logins")
	! lab_serves udp 53 || list+=("names")
	local IFS=,
	echo "${list[*]}, ping" | sed 's/,\([^ ]\)/, \1/g'
}

show_attacks() {
	attack scan "$LAB_ATTACKER" "src host $LAB_ATTACKER" "port scan: nmap -sS, 1000 ports" \
		attack_portscan 1-1000 "$LAB_SRV4" 400
	attack syn_flood any 'tcp[tcpflags] == tcp-syn and not src net 10.77.0.0/24' \
		"SYN flood: hping3, 20,000 packets from random sources" attack_synflood 20000
	attack brute_force "$LAB_ATTACKER" "src host $LAB_ATTACKER and dst port 22" \
		"password guesses: ssh, eight at a time" attack_bruteforce 6
	attack arp_spoof "$LAB_ATTACKER_MAC" "arp and ether src $LAB_ATTACKER_MAC" \
		"ARP spoofing: the server's and a user's address claimed" attack_arpspoof 4
}

stop_traffic() {
	local pid
	for pid in "${BENIGN_PIDS[@]}"; do kill "$pid" 2>/dev/null; done
	benign_wait
}

# --- the closing table ---------------------------------------------------------------------------

row() { printf '  %-28s %s\n' "$1" "$2"; }

good_or_bad() {
	if [ "$1" = 0 ]; then echo "$green$2$plain"; else echo "$red$2$plain"; fi
}

closing() {
	local sent counted received lost program model digest alarms minutes line
	read -r sent counted received < <(count_settled)
	((sent -= SENT0, counted -= COUNTED0, received -= RECEIVED0))
	lost=$((sent > counted ? sent - counted : counted - sent))
	((received == sent)) || lost=$((lost + (sent > received ? sent - received : received - sent)))
	program=$(kernel_program) model=$(status .model.version) digest=$(status .model.digest)
	alarms=$(false_alarms "$LEARNED" "${SPANS[@]}")
	minutes=$(jq -n --argjson a "$LEARNED" --argjson b "$ENDED" '($b - $a) / 60')

	headline "Result"
	row "packets sent" "$(thousands "$sent") (left the client's queue)"
	row "packets received" "$(thousands "$received") (server's interface), $(thousands "$counted") counted by the program"
	row "lost" "$(good_or_bad "$lost" "$lost")"
	row "program" "$(good_or_bad $((program != PROGRAM0)) "$PROGRAM0 before, $program after")"
	row "model" "version $MODEL0 (${DIGEST0:0:12}) -> $model (${digest:0:12}), $(agent_says .learner.promoted) promoted"
	row "false alarms" "$(grep -c . <<<"$alarms") in $(fixed "$minutes" 1) min of ordinary use after learning: $(jq -n --argjson n "$(grep -c . <<<"$alarms")" --argjson m "$minutes" '$n / $m * 10 | round / 10') a minute"
	[ -z "$alarms" ] || jq -r '"\(.class) from \(.source // "many sources") to \(.target // "many targets"): \(.reason)"' <<<"$alarms" |
		while read -r line; do row "" "$line"; done
	printf '\n  %-14s %-10s %-22s %-22s %8s\n' attack "noticed in" source target samples
	printf '  %s\n' "${ATTACKS[@]}"
	echo
	printf '  %s\n' "Counted without segmentation offloads: each is one packet of the wire, not a bundle of 64 KB." \
		"\"Noticed in\" is from the first packet of the attack to its alert."
	((!lost && !MISSED && program == PROGRAM0 && model != MODEL0))
}

# What the interface runs now, by the kernel's word; below a dispatcher the command has to look.
kernel_program() {
	if [ "$(status .dispatcher)" = true ]; then
		[ "$(status .attached)" != true ] || status .prog_id
	else
		ip -n "$LAB_SRV" -j -d link show "$LAB_IF" | jq -r '.[0].xdp.prog.id // 0'
	fi
}

take_off() {
	agent_stop TERM
	in_srv "$SENTROID" detach "$LAB_IF" >/dev/null && [ ! -e "$SENTROID_BPFFS/$LAB_IF" ]
}

[ "$(id -u)" = 0 ] || die "needs root: sudo make demo"
agent_tools tcpdump nmap hping3 ssh || die "install what is missing: make deps"
agent_begin demo || die "build first: make"
printf -v BEGUN '%s' "${EPOCHREALTIME//[.,]/}"
lab_trap
trap finish EXIT

set_up
learn
headline "Ordinary use under the model, which goes on learning: $ORDINARY s"
during "$ORDINARY"
show_attacks
headline "Ordinary use again: $AFTER s"
during "$AFTER"
ENDED=$(now)
stop_traffic
closing
verdict=$?
take_off || { echo "  not taken off cleanly" >&2; verdict=1; }
[ "$verdict" = 0 ] || agent_log | tail -n 20 | sed 's/^/  agent: /' >&2
exit "$verdict"
