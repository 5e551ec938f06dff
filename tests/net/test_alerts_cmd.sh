#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What an operator sees of attacks: `sentroid alerts` while the agent runs, as they come, through the rotation
# of its file, and after the agent has ended, in good order or not.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=agent.sh
. tests/net/agent.sh

agent_tools nmap python3 || skip_all "tools are missing"
agent_lab alerts || exit
journal=$LAB_TMP/state/$LAB_IF/alerts.jsonl
out=$LAB_TMP/out err=$LAB_TMP/err

# alerts ARGUMENT...: the command; its output in $out, errors in $err.
alerts() { in_srv "$SENTROID" alerts "$@" --state-dir "$LAB_TMP/state" >"$out" 2>"$err"; }
# shellcheck disable=SC2317 # called by check
said() { cat "$out" "$err"; }
# told SECONDS COMMAND...: until it succeeds.
told() {
	local end=$((SECONDS + $1))
	until "${@:2}"; do
		((SECONDS < end)) || return 1
		sleep 0.2
	done
}
# has FILTER ARGUMENT...: true of one of the alerts.
has() { alerts "${@:2}" --json && jq -e "any(.alerts[]; $1)" "$out" >/dev/null; }
# follow NAME ARGUMENT...: as they come, into a file.
follow() {
	# shellcheck disable=SC2016
	in_srv_bg sh -c 'name=$1 && shift && exec "$@" >"$name"' sh "$LAB_TMP/$1" "$SENTROID" alerts --follow \
		--state-dir "$LAB_TMP/state" "${@:2}"
	FOLLOWER=$LAB_PID
}
# shellcheck disable=SC2317 # called by told
followed() { jq -se "any(.[]; $1)" "$LAB_TMP/lines" >/dev/null; }
ends_well() { kill -INT "$1" && wait "$1"; }
scan=".class == \"scan\" and .source == \"$LAB_ATTACKER\" and .certain"

in_srv "$SENTROID" attach "$LAB_IF" >/dev/null
alerts "$LAB_IF"
[ $? = 1 ] && grep -q "^sentroid: alerts: $LAB_IF: none are kept under" "$err"
check "before any agent there is nothing to tell" said

# --- while the agent runs ------------------------------------------------------------------------

agent_start '[alerts]' 'idle = 600' || give_up "the agent starts"
alerts "$LAB_IF" && [ "$(<"$out")" = "No alerts." ] && [ ! -s "$err" ]
check "no alerts" said
follow lines "$LAB_IF" --json
lines=$FOLLOWER
follow rows
rows=$FOLLOWER
attack_portscan 1-200
told 5 has "$scan and .state == \"open\"" "$LAB_IF" --open --since 10m
check "a scan is among the open ones" said
alerts "$LAB_IF" --json && [ "$(jq -S '.alerts | sort_by(.id)' "$out")" = "$(api alerts | jq -S '.alerts | sort_by(.id)')" ]
check "... as the agent tells of it" said
alerts "$LAB_IF" && grep -Eq "^20[^ ]*Z +open +scan! +$LAB_ATTACKER +$LAB_SRV4 .*tries many ports" "$out"
check "... in words" said
alerts -n 1 && grep -Eq "^TIME +STATE +CLASS +INTERFACE" "$out" && [ "$(wc -l <"$out")" = 2 ]
check "of all interfaces, the latest one" said
told 5 followed "$scan and .state == \"open\""
check "it is told as it comes" cat "$LAB_TMP/lines"

# --- put away ------------------------------------------------------------------------------------

mv "$journal" "$journal.1"
kill -HUP "$AGENT_PID"
told 5 test -e "$journal"
attack_arpspoof 2
told 5 followed '.class == "arp_spoof" and .state == "open"'
check "what comes after the rotation is told, too" cat "$LAB_TMP/lines"
has "$scan and .state == \"open\"" && has '.class == "arp_spoof" and .state == "open"'
check "... and what is open from before is still known" said
agent_stop TERM
told 5 followed "$scan and .state == \"closed\""
check "... and that it is closed, as the agent ends" cat "$LAB_TMP/lines"
ends_well "$lines" && ends_well "$rows"
check "Ctrl-C ends it well"
grep -Eq '^20[^ ]*Z +open +scan!' "$LAB_TMP/rows" && grep -Eq '^20[^ ]*Z +closed +scan!' "$LAB_TMP/rows" &&
	[ "$(grep -c '^TIME' "$LAB_TMP/rows")" = 1 ]
check "... which for people was a table" cat "$LAB_TMP/rows"

# --- without an agent ----------------------------------------------------------------------------

has "$scan and .state == \"closed\"" "$LAB_IF" && ! has '.state == "open"' "$LAB_IF"
check "without an agent nothing is open" said
gzip "$journal" && mv "$journal.gz" "$journal.2.gz" && ! has "$scan" "$LAB_IF" && has "$scan" "$LAB_IF" --since 1h &&
	! has "$scan" --since 1h --open
check "--since finds what was put away, packed, too" said
# shellcheck disable=SC2119
agent_start || give_up "the agent starts again"
attack_portscan 1-200
told 5 has "$scan and .state == \"open\"" "$LAB_IF"
check "another scan" said
agent_stop KILL
has "$scan and .state == \"lost\"" "$LAB_IF"
check "an agent that is killed has lost sight of it" said
printf '%s\n' 'no alert' '{"event":"open"}' >>"$journal"
has "$scan" "$LAB_IF" && grep -qx 'note: 2 lines of alerts.jsonl are skipped: not an alert' "$err"
check "lines that are no alerts are counted" said

# --- wrong -----------------------------------------------------------------------------------------

for value in 0 1x 1h30m ''; do
	alerts "$LAB_IF" "--since=$value"
	[ $? = 2 ] && grep -q "^sentroid: alerts: --since: '$value' is not" "$err"
	check "--since '$value' is wrong usage" said
done
alerts sen-none
[ $? = 1 ] && grep -q '^sentroid: alerts: sen-none: none are kept' "$err"
check "no such interface" said
check_done
