#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the agent makes of a world that is not as it should be: one clear line, an exit code that is not
# zero, and nothing changed.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=agent.sh
. tests/net/agent.sh

agent_tools bpftool setpriv || skip_all "tools are missing"
agent_begin errors || exit
# shellcheck disable=SC2317 # called by the trap
clean_up() {
	trap '' INT TERM HUP
	umount "$LAB_TMP/full" "$LAB_TMP/readonly" 2>/dev/null
	agent_end
}
lab_trap
trap clean_up EXIT
lab_up || exit
state=$LAB_TMP/state conf=$LAB_TMP/agent.conf
: >"$conf"

# Everything that a failed start must leave as it was.
world() {
	find "$SENTROID_BPFFS" -printf '%P %i\n' 2>/dev/null | sort
	ip -n "$LAB_SRV" -j -d link show | jq -c '.[] | [.ifname, .xdp]'
	in_srv "$SENTROID" status --json 2>/dev/null | jq -c '.interfaces[] | [.name, .policy, .model, .agent]'
	find "$LAB_TMP" -path "$LAB_TMP/log" -prune -o -type d -printf '%P\n' | sort
	find "$state" -type f -exec sha256sum {} + 2>/dev/null | sort
}

# refuses NAME CODE TEXT ARGUMENT...: TEXT is part of what it must say, "FIRST...SECOND" for two lines.
refuses() {
	refuses_as "$1" "$2" "$3" "$SENTROIDD" "${@:4}"
}
refuses_as() {
	local name=$1 code=$2 text=$3 before
	shift 3
	before=$(world)
	in_srv timeout 10 "$@" >"$LAB_TMP/log/out" 2>"$LAB_TMP/log/err"
	rc=$?
	is_refused "$code" "$text" "$before"
	check "$name" explain "$before"
}
# Lines that each say where, and perhaps one hint.
is_refused() {
	local lines
	mapfile -t lines <"$LAB_TMP/log/err"
	[ "$rc" = "$1" ] && [ ! -s "$LAB_TMP/log/out" ] && [ "${#lines[@]}" -ge 1 ] && [ "${#lines[@]}" -le "${most:-2}" ] &&
		[[ ${lines[*]} == *"$2"* ]] && ! grep -qv '^sentroidd: ' "$LAB_TMP/log/err" &&
		[ "$(grep -c '^sentroidd: hint: ' "$LAB_TMP/log/err")" -le 1 ] && [ "$(world)" = "$3" ]
}
# shellcheck disable=SC2317 # called by check
explain() {
	echo "exit code $rc"
	cat "$LAB_TMP/log/out" "$LAB_TMP/log/err"
	diff <(echo "$1") <(world)
}
usual=(-i "$LAB_IF" -c "$conf" --state-dir "$state" --listen none)

# --- interface and options -----------------------------------------------------------------------

refuses "unknown interface" 1 "sen-none" -i sen-none -c "$conf" --state-dir "$state" --listen none
[ ! -e "$state/$LAB_IF" ]
check "... leaves no state behind" find "$state"
for name in . .. a/b '' an-interface-that-is-too-long; do
	refuses "interface '$name': not a name" 1 "not a name" -i "$name" -c "$conf" --state-dir "$state" --listen none
done
for listen in 127.0.0.1 :9966 127.0.0.1: 127.0.0.1:http localhost:9966 127.0.0.1:99999 ::1:9966 '[::1' ''; do
	refuses "listen address '$listen'" 2 "--listen: '$listen' is not an address and port" -i "$LAB_IF" -c "$conf" --state-dir "$state" --listen "$listen"
done
refuses "no interface" 2 "no interface given" -c "$conf"
refuses "extra argument" 2 "extra argument 'stray'" "${usual[@]}" stray
refuses "an address that is not this host's" 1 "192.0.2.1:9966" -i "$LAB_IF" -c "$conf" --state-dir "$state" \
	--listen 192.0.2.1:9966

# The build may lie where ordinary users cannot go.
install -m 755 "$SENTROIDD" "$LAB_TMP/sentroidd"
chmod 711 "$LAB_TMP"
refuses_as "not root" 1 "ermi" setpriv --reuid 65534 --regid 65534 --clear-groups "$LAB_TMP/sentroidd" "${usual[@]}"
refuses_as "root without capabilities" 1 "ermi" setpriv --bounding-set=-all --inh-caps=-all "$SENTROIDD" "${usual[@]}"

# --- configuration -------------------------------------------------------------------------------

# configuration NAME LINE LINES...: the line that is at fault.
configuration() {
	local name=$1 line=$2
	shift 2
	printf '%s\n' "$@" >"$LAB_TMP/bad.conf"
	most=3 refuses "configuration: $name" 1 "bad.conf:$line: " -i "$LAB_IF" -c "$LAB_TMP/bad.conf" --state-dir "$state" --listen none
}
configuration "unknown option" 2 '[agent]' 'colour = red'
configuration "unknown section" 2 '[nothing]' 'listen = none'
configuration "not a number" 3 '[baseline]' '# so long' 'seconds = soon'
configuration "out of range" 2 '[train]' 'target_fpr = 2'
configuration "not one of the words" 2 '[attach]' 'mode = fast'
configuration "not a setting at all" 2 '[agent]' 'something'
configuration "given twice" 3 '[learn]' 'samples = 500' 'samples = 600'
configuration "no section" 1 'samples = 500'
configuration "infinite" 2 '[drift]' 'psi = inf'
configuration "not a number at all" 2 '[drift]' 'psi = nan'
rm "$LAB_TMP/bad.conf"
refuses "configuration: no such file" 1 "missing.conf" -i "$LAB_IF" -c "$LAB_TMP/missing.conf" --state-dir "$state" --listen none
in_srv "$SENTROIDD" --print-config >"$LAB_TMP/log/defaults" && diff <(sed '/^$/d' packaging/sentroid.conf) <(sed '/^$/d' "$LAB_TMP/log/defaults") >/dev/null
check "the shipped configuration is what --print-config prints" diff packaging/sentroid.conf "$LAB_TMP/log/defaults"

# --- state folder --------------------------------------------------------------------------------

mkdir "$LAB_TMP/readonly" "$LAB_TMP/full"
mount -t tmpfs -o ro,size=1m tmpfs "$LAB_TMP/readonly" || give_up "a read-only folder"
refuses "state folder: read-only" 1 "Read-only file system" -i "$LAB_IF" -c "$conf" --state-dir "$LAB_TMP/readonly" --listen none
mount -t tmpfs -o size=64k tmpfs "$LAB_TMP/full" || give_up "a full folder"
mkdir -p "$LAB_TMP/full/$LAB_IF/models"
head -c 60k /dev/zero >"$LAB_TMP/full/filler" 2>/dev/null
refuses "state folder: full" 1 "No space left on device" -i "$LAB_IF" -c "$conf" --state-dir "$LAB_TMP/full" --listen none
: >"$LAB_TMP/file"
refuses "state folder: a file" 1 "$LAB_TMP/file" -i "$LAB_IF" -c "$conf" --state-dir "$LAB_TMP/file" --listen none
mkdir -p "$state/$LAB_IF/models"
printf '{"time":' >"$state/$LAB_IF/models/history.jsonl"
printf 'no model' >"$state/$LAB_IF/models/000001.json"
in_srv "$SENTROID" attach "$LAB_IF" >/dev/null || give_up "attach"
agent_start '[agent]' 'log_level = info'
check "a torn history does not keep it from its work" agent_log
agent_stop TERM
in_srv "$SENTROID" detach "$LAB_IF" >/dev/null
rm -r "$state"

# A disk that fills up later costs the history only.
umount "$LAB_TMP/full"
mount -t tmpfs -o size=160k tmpfs "$LAB_TMP/full" || give_up "a folder that fills up"
in_srv_bg "$SENTROIDD" -i "$LAB_IF" -c "$conf" --state-dir "$LAB_TMP/full" --listen "127.0.0.1:$AGENT_PORT"
AGENT_PID=$LAB_PID
agent_answers
cat /dev/zero >"$LAB_TMP/full/filler" 2>/dev/null
attack_portscan 1-1000
sleep 1.2
[ "$(alert_of scan 0 "$LAB_ATTACKER" | jq -r .class)" = scan ] && [[ $(agent_log) == *"not written down"*"No space left"* ]] &&
	agent_get /readyz >/dev/null
check "a disk that fills up does not keep it from raising alerts, and it says so" agent_log
agent_stop TERM
in_srv "$SENTROID" detach "$LAB_IF" >/dev/null
umount "$LAB_TMP/full" "$LAB_TMP/readonly"

# --- models, pins --------------------------------------------------------------------------------

# The shipped model is looked up beside the executable's folder; an installed one may be there.
if [ ! -e "$(strings "$SENTROIDD" | grep -m 1 '^/.*/default.json$')" ]; then
	mkdir "$LAB_TMP/bin"
	install -m 755 "$SENTROIDD" "$LAB_TMP/bin/sentroidd"
	refuses_as "no shipped model" 1 "default.json" "$LAB_TMP/bin/sentroidd" "${usual[@]}"
	[ ! -e "$SENTROID_BPFFS" ]
	check "... and nothing attached" ls -R "$SENTROID_BPFFS"
	mkdir "$LAB_TMP/models"
	head -c 500 models/default.json >"$LAB_TMP/models/default.json"
	refuses_as "a shipped model that is cut short" 1 "default.json" "$LAB_TMP/bin/sentroidd" "${usual[@]}"
fi

in_srv "$SENTROID" attach "$LAB_IF" >/dev/null || give_up "attach"
pins=$SENTROID_BPFFS/$LAB_IF
read -ra meta < <(bpftool -j map dump pinned "$pins/meta" | jq -r '.[0].value | join(" ")')
older=("${meta[@]}")
older[4]=0x63
set_meta() { bpftool map update pinned "$pins/meta" key 0 0 0 0 value "$@"; }
set_meta "${older[@]}"
refuses "pins of another version" 1 "another version" "${usual[@]}"
older=("${meta[@]}")
older[0]=0x63
set_meta "${older[@]}"
refuses "pins without our mark" 1 "$LAB_IF" "${usual[@]}"
set_meta "${meta[@]}"
mv "$pins/policy" "$SENTROID_BPFFS/policy"
refuses "a map is missing" 1 "policy" "${usual[@]}"
mv "$SENTROID_BPFFS/policy" "$pins/policy"
in_srv "$SENTROID" detach "$LAB_IF" >/dev/null

mkdir -p "$pins"
bpftool map create "$pins/meta" type array key 4 value 8 entries 1 name other
refuses "somebody else's pins" 1 "$LAB_IF" "${usual[@]}"
rm -r "$SENTROID_BPFFS"

mkdir "$SENTROID_BPFFS"
foreign() {
	echo '__attribute__((section("xdp"), used)) int foreign(void *ctx) { return 2; }' |
		"${CLANG:-clang}" -target bpf -O2 -g -x c -c - -o "$LAB_TMP/foreign.o" &&
		bpftool prog load "$LAB_TMP/foreign.o" "$SENTROID_BPFFS/foreign" type xdp &&
		in_srv ip link set dev "$LAB_IF" xdpdrv pinned "$SENTROID_BPFFS/foreign"
}
foreign || give_up "a foreign program"
refuses "a foreign program on the interface" 1 "held by XDP program foreign" "${usual[@]}"
in_srv ip link set dev "$LAB_IF" xdpdrv off
rm -r "$SENTROID_BPFFS"

# --- and then it works ---------------------------------------------------------------------------

rm -rf "$state"
agent_start '[agent]' 'log_level = info' && agent_get /readyz >/dev/null && [ "$(status .attached)" = true ]
check "nothing of all that keeps it from starting" agent_log
agent_stop TERM && in_srv "$SENTROID" detach "$LAB_IF" >/dev/null && [ ! -e "$SENTROID_BPFFS" ]
check "... nor from leaving without a trace" ls -R "$SENTROID_BPFFS"
check_done
