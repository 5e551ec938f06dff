#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The policy of an attached interface, shown and changed while traffic flows: nothing else changes with it,
# and no agent takes it back.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=agent.sh
. tests/net/agent.sh
# shellcheck source-path=SCRIPTDIR source=models.sh
. tests/net/models.sh

agent_tools bpftool sha256sum ping || skip_all "tools are missing"
agent_lab policy || exit

# Flags every flow, and names it: far from what scores, near to what names.
jq '.version = 4711 | .members |= map(if .weight > 0 then .radii[] = 1 else .radii[] = 600 end)' models/default.json |
	sign >"$LAB_TMP/strict.json"

run() {
	in_srv "$SENTROID" "$@" >"$LAB_TMP/out" 2>"$LAB_TMP/err"
	rc=$?
	out=$(<"$LAB_TMP/out")
}
# shellcheck disable=SC2317 # called by check
said() { echo "exit code $rc"; cat "$LAB_TMP/out" "$LAB_TMP/err"; }
knobs() { bpftool -j map dump pinned "$SENTROID_BPFFS/$LAB_IF/policy" | jq -c '.[0].formatted.value | del(.mode)'; }
pins() { find "$SENTROID_BPFFS/$LAB_IF" -printf '%P %i\n' | sort; }
pings() { in_cli ping -q -c 3 -i 0.2 -W 1 "$LAB_SRV4" >/dev/null; }

run attach "$LAB_IF" --policy observe --model "$LAB_TMP/strict.json"
check "attach" said
run policy "$LAB_IF"
[ "$rc" = 0 ] && [ "$out" = "$LAB_IF: policy observe" ]
check "policy" said
run policy "$LAB_IF" --json
[ "$rc" = 0 ] && [ "$(jq -c . <<<"$out")" = "{\"name\":\"$LAB_IF\",\"policy\":\"observe\"}" ]
check "policy --json" said

before=$(pins; knobs)
pings && [ "$(status '| "\(.alerts) \(.drops)"')" = "0 0" ]
check "what is flagged passes under observe" status .
run policy "$LAB_IF" enforce
[ "$rc" = 0 ] && [ "$out" = "$LAB_IF: policy enforce" ] && [ "$(status .policy)" = enforce ] && [ "$(pins; knobs)" = "$before" ]
check "policy enforce: maps and the other knobs stay" said
# Flows that are known are judged again within a second of their traffic.
pings
sleep 1.2
! pings && [ "$(status .drops)" -ge 3 ]
check "... and what is flagged and has a name is dropped" status .

agent_start '[attach]' 'policy = observe' && [ "$(status .agent.pid)" = "$AGENT_PID" ] && kill -HUP "$AGENT_PID" && sleep 0.3 &&
	[ "$(status .policy)" = enforce ]
check "an agent that takes over leaves the policy as it is" agent_log
run policy "$LAB_IF" alert --json
[ "$(jq -r .policy <<<"$out")" = alert ] && drops=$(status .drops) && pings &&
	[ "$(status '| "\(.policy) \(.drops)"')" = "alert $drops" ] && [ "$(status .alerts)" -ge 3 ]
check "policy alert, under the agent's eyes: nothing is dropped from then on" said
agent_stop TERM && [ "$(status .policy)" = alert ]
check "... nor does the agent's end change it" status .
in_srv "$SENTROID" detach "$LAB_IF" >/dev/null && [ ! -e "$SENTROID_BPFFS" ]
check "detach" ls -R "$SENTROID_BPFFS"

# Where it attaches itself it goes by its configuration.
agent_start '[attach]' 'policy = observe' 'egress = yes' 'flows = 5000' &&
	[ "$(status '| "\(.policy) \(.egress) \(.flows.capacity)"')" = "observe true 8192" ]
check "an agent that attaches does it as its configuration says" agent_log
agent_stop TERM && in_srv "$SENTROID" detach "$LAB_IF" >/dev/null
check_done
