#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What goes wrong at the agent's start: one clear line, a non-zero exit, and nothing changed.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=agent.sh
. tests/net/agent.sh

# shellcheck disable=SC2119
agent_tools || skip_all "tools are missing"
agent_begin errors || exit
lab_trap
trap agent_end EXIT
lab_up || exit
: >"$LAB_TMP/empty.conf"
mkdir "$LAB_TMP/state"

# refused NAME CODE PATTERN ARGUMENT...: the agent ends with this code and one line that matches (a hint
# may follow), and leaves no program and no pins behind.
refused() {
	local name=$1 code=$2 pattern=$3 got lines
	shift 3
	in_srv timeout 20 "$SENTROIDD" "$@" >/dev/null 2>"$LAB_TMP/err"
	got=$?
	lines=$(grep -vc '^hint: ' "$LAB_TMP/err")
	[ "$got" = "$code" ] && [ "$lines" = 1 ] && grep -Eq "^sentroidd: .*$pattern" "$LAB_TMP/err"
	check "$name" "exit code $got: $(cat "$LAB_TMP/err")"
	[ ! -e "$SENTROID_BPFFS/$LAB_IF" ] && ! ip -n "$LAB_SRV" link show "$LAB_IF" | grep -q xdp
	check "$name: nothing is attached"
}

good=(-i "$LAB_IF" -c "$LAB_TMP/empty.conf" --state-dir "$LAB_TMP/state" --listen 127.0.0.1:9967)
# with OPTION VALUE: the good arguments but for one.
with() {
	local n
	args=("${good[@]}")
	for ((n = 0; n < ${#args[@]}; n++)); do
		[ "${args[n]}" != "$1" ] || args[n + 1]=$2
	done
}

with -i nothere0
refused "an unknown interface" 1 'nothere0: no such interface' "${args[@]}"

printf '[baseline]\nseconds = soon\n' >"$LAB_TMP/bad.conf"
with -c "$LAB_TMP/bad.conf"
refused "a bad value in the configuration" 1 'bad.conf:2' "${args[@]}"
printf '[learn]\nspeed = 9\n' >"$LAB_TMP/bad.conf"
refused "an unknown setting" 1 'bad.conf:2' "${args[@]}"
with -c "$LAB_TMP/missing.conf"
refused "a missing configuration" 1 'missing.conf' "${args[@]}"

with --listen nonsense
refused "a bad address to listen on" 2 'nonsense' "${args[@]}"
in_srv_bg python3 -c 'import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 9967)); s.listen(); time.sleep(60)'
taken=$LAB_PID
for ((try = 0; try < 50; try++)); do lab_serves tcp 9967 && break; sleep 0.1; done
refused "a port in use" 1 '127.0.0.1:9967' "${good[@]}"
kill "$taken"

mkdir "$LAB_TMP/small"
mount -t tmpfs -o size=16k tmpfs "$LAB_TMP/small" || skip_all "cannot mount a small file system"
trap 'umount "$LAB_TMP/small" 2>/dev/null; agent_end' EXIT
head -c 65536 /dev/zero >"$LAB_TMP/small/filler" 2>/dev/null
with --state-dir "$LAB_TMP/small"
refused "a full disk" 1 "small.*[Nn]o space left" "${args[@]}"
rm "$LAB_TMP/small/filler"
mount -o remount,ro "$LAB_TMP/small"
refused "a read-only state folder" 1 "small.*[Rr]ead-only" "${args[@]}"

# Pins that are not ours, or of another version, are left alone.
mkdir -p "$SENTROID_BPFFS/$LAB_IF"
bpftool map create "$SENTROID_BPFFS/$LAB_IF/meta" type array key 4 value 8 entries 1 name foreign
in_srv timeout 20 "$SENTROIDD" "${good[@]}" >/dev/null 2>"$LAB_TMP/err"
[ $? = 1 ] && [ "$(grep -vc '^hint: ' "$LAB_TMP/err")" = 1 ]
check "pins of another version are refused" "$(cat "$LAB_TMP/err")"
[ -e "$SENTROID_BPFFS/$LAB_IF/meta" ] && ! ip -n "$LAB_SRV" link show "$LAB_IF" | grep -q xdp
check "and left as they were"
rm -r "${SENTROID_BPFFS:?}/${LAB_IF:?}"
check_done
