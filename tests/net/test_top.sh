#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# `sentroid top`: during an attack the attacker stands out, with nothing but the packet program at work; on a
# terminal it is a screen that leaves no trace.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=agent.sh
. tests/net/agent.sh

agent_tools nmap python3 || skip_all "tools are missing"
agent_lab top || exit
out=$LAB_TMP/out err=$LAB_TMP/err

top() { in_srv "$SENTROID" top "$LAB_IF" "$@" >"$out" 2>"$err"; }
# shellcheck disable=SC2317 # called by check
said() { cat "$out" "$err"; }
# told SECONDS COMMAND...: until it succeeds.
told() {
	local end=$((SECONDS + $1))
	until "${@:2}"; do
		((SECONDS < end)) || return 1
	done
}
# shows FILTER: true of a snapshot.
shows() { top --once --json --interval 0.5 && jq -e "$1" "$out" >/dev/null; }

top --once
[ $? = 1 ] && grep -q "^sentroid: opening pinned maps: $LAB_IF: Sentroid is not attached" "$err"
check "not attached" said
top --interval 0
[ $? = 2 ] && grep -q '^sentroid: top: --interval' "$err"
check "wrong usage" said
in_srv "$SENTROID" attach "$LAB_IF" --flows 4096 >/dev/null
top --once --interval 0.2 && grep -Eq "^$LAB_IF: [0-9.]+ packets/s, [0-9.]+ [KM]?i?B/s, .* 0.0 drops/s$" "$out" &&
	grep -q "^flows .* of 4096, model [0-9]* ([0-9a-f]*), policy alert$" "$out"
check "attached: its head" said

# --- something to see ----------------------------------------------------------------------------

in_cli_bg ping -q -i 0.02 -W 1 "$LAB_SRV4"
ping=$LAB_PID
echoes=".source == \"$LAB_CLI4\" and .target == \"$LAB_SRV4\" and .protocol == 1"
told 10 shows ".per_second.packets > 20 and .per_second.bytes > 0 and .flows.used > 0 and
	any(.top[]; $echoes and (.flagged | not) and .packets_per_second > 20 and .packets > 20)"
check "the flow of a ping, by its rate" said
attack_portscan 1-900 "$LAB_SRV4" 100 &
scan=$!
told 10 shows "any(.top[]; .flagged and .score >= 1 and .class != \"\" and .source == \"$LAB_ATTACKER\" and
	.target == \"$LAB_SRV4\" and .target_port > 0 and .packets_per_second > 0)"
check "who scans is shown" said
shows '.per_second.flagged > 0 and .per_second.evaluations > 0 and (.top | length) > 1' &&
	jq -e '.top as $t | [$t[].flagged] == ([$t[].flagged] | sort | reverse)' "$out" >/dev/null
check "... before all that is not flagged" said
top -n 3 --interval 0.5 && [ "$(wc -l <"$out")" = 7 ] &&
	sed 1,4d "$out" | grep -Eq "^ +[0-9.]+  [a-z_]+ .* $LAB_ATTACKER:[0-9]+ > $LAB_SRV4:[0-9]+ tcp$"
check "in a pipe it is one table, of so many rows" said

# --- on a terminal -------------------------------------------------------------------------------

# Runs a command on a terminal of 60 columns and 10 rows, and types KEY once there is a table.
TERMINAL='
import fcntl, os, pty, struct, sys, termios
pid, fd = pty.fork()
if not pid:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", 10, 60, 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
seen, typed = b"", False
while True:
    try:
        some = os.read(fd, 65536)
    except OSError:
        break
    if not some:
        break
    seen += some
    if not typed and b"PACKETS/S" in seen and b"\x1b[J" in seen:
        print("raw" if not termios.tcgetattr(fd)[3] & termios.ECHO else "echoes")
        os.write(fd, sys.argv[1].encode())
        typed = True
sys.stdout.flush()
sys.stdout.buffer.write(seen.replace(b"\x1b", b"<"))
sys.exit(os.WEXITSTATUS(os.waitpid(pid, 0)[1]))
'
screen() { in_srv timeout 20 python3 -c "$TERMINAL" "$1" "$SENTROID" top "$LAB_IF" --interval 0.3 >"$out" 2>"$err"; }
# Lines between the codes: none is longer than the screen is wide.
narrow() { tr -d '\r' <"$out" | sed 's/<\[[?0-9]*[A-Za-z]//g' | awk 'length > 60 { exit 1 }'; }
for key in q $'\003'; do
	screen "$key" && grep -q '^raw$' "$out" && grep -q '<\[?1049h<\[?25l' "$out" && grep -q '<\[?25h<\[?1049l' "$out" && narrow
	check "on a terminal, until $(printf %q "$key")" said
done
kill "$ping" 2>/dev/null
wait "$ping" 2>/dev/null
wait "$scan"
in_srv "$SENTROID" detach "$LAB_IF" >/dev/null
check_done
