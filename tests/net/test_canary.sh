#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A candidate's way into force through the real agent and the real shadow slot: it runs beside the
# model in force, survives the end of the agent, is refused for what only live traffic shows, and gives
# way to an operator; the history says why.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=agent.sh
. tests/net/agent.sh

BASELINE=10
SECONDS_AHEAD=170

agent_tools python3 || skip_all "tools are missing"
agent_lab canary || exit
lab_servers_up
lab_serves tcp 80 || skip_all "nginx is missing"
in_srv "$SENTROID" attach "$LAB_IF" --mode native >/dev/null
check "attach"
shipped=$(status .model.version)

model() { in_srv "$SENTROID" model "$1" "$LAB_IF" "${@:2}" --state-dir "$LAB_TMP/state"; }
# entry VERSION FILTER: of the record of a version.
entry() { model show "$1" --json 2>/dev/null | jq -r "$2"; }
# reason_of VERSION EVENT: why the last such was. The agent may have measured the version since.
reason_of() { entry "$1" '[.history[] | select(.event == "'"$2"'")] | last | .reason'; }

configure() {
	printf '%s\n' '[baseline]' "seconds = $BASELINE" '[learn]' 'min_interval = 2' 'interval = 5' \
		'[watch]' 'seconds = 1' '[canary]' 'evaluations = 50' "$@" >"$LAB_TMP/agent.conf"
}

# until_true SECONDS COMMAND...
until_true() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.2
	done
}
# shellcheck disable=SC2317 # called by until_true
staged() { candidate=$(agent_says .learner.candidate.version) && [ "$candidate" != null ] && [ -n "$candidate" ]; }
# shellcheck disable=SC2317
shadowed() { staged && [ "$(status .shadow.version)" = "$candidate" ]; }
# shellcheck disable=SC2317
stage_is() { [ "$(entry "$1" .stage)" = "$2" ]; }
# shellcheck disable=SC2317
in_force() { [ "$(status .model.version)" = "$1" ]; }

# --- into the canary, and through ----------------------------------------------------------------

configure 'seconds = 20'
# shellcheck disable=SC2119
agent_start || give_up "the agent starts"
benign_start "$SECONDS_AHEAD" 3
until_true 30 shadowed
check "the first model trained runs in the shadow slot" agent_log
in_force "$shipped" && stage_is "$candidate" Staging
check "... and is staged, while the one before stays in force" model list
in_words() { in_srv "$SENTROID" learn status "$LAB_IF" --state-dir "$LAB_TMP/state"; }
in_words | grep -Eq "^  candidate version $candidate on trial, [0-9]+ evaluations so far$" && ! in_words | grep -q "^  needed"
check "... which learn status tells in words" in_words

agent_stop KILL
# shellcheck disable=SC2119
agent_start && until_true 20 shadowed
check "the next agent goes on with it" agent_log
until_true 60 in_force "$candidate" && stage_is "$candidate" Production
check "it comes into force" agent_log
first=$candidate
[ "$(entry "$first" '.metrics.canary_evaluations >= 50')" = true ] &&
	[ "$(entry "$first" '[.history[].event] | join(" ") | startswith("created measured staged measured promoted")')" = true ]
check "the record tells of the gate and of the canary" model show "$first"
# The next candidate may have moved in already, and leaves in turn.
# shellcheck disable=SC2317
vacant() { [ "$(status .shadow)" = null ]; }
until_true 40 vacant
check "the shadow slot is empty again" status .shadow

# --- refused live --------------------------------------------------------------------------------

# No two models score alike: so little difference is none that a candidate can have.
configure 'seconds = 1' 'agreement = 1' 'extra = 0.0001' 'shift = 0.1'
sed -i 's/^seconds = '"$BASELINE"'$/seconds = 1/' "$LAB_TMP/agent.conf"
before=$(agent_says .learner.refused)
# shellcheck disable=SC2317
refused() { (($(agent_says .learner.refused) > before)); }
in_srv "$SENTROID" learn now "$LAB_IF" --full --state-dir "$LAB_TMP/state" >/dev/null 2>&1
kill -HUP "$AGENT_PID"
until_true 40 refused
check "a candidate that live traffic speaks against is refused" agent_log
last=$(model list --json | jq '[.[] | select(.stage == "Archived" and (.reason | startswith("refused: live")))] | max_by(.version).version')
[ "$last" != null ] && [[ $(reason_of "$last" archived) == "refused: live"* ]]
check "... and its record says why" model list

# --- the operator's word -------------------------------------------------------------------------

model promote "$first" >/dev/null && in_force "$first" &&
	[ "$(reason_of "$first" promoted)" = "promoted by the operator" ]
check "an operator puts a version in force" model show "$first"
# shellcheck disable=SC2317
bounded() { [ "$(agent_says .learner.reference)" = "$first" ] && [ "$(agent_says .learner.version)" = "$first" ]; }
until_true 10 bounded
check "... which the agent goes on from, and is bound by" agent_says .learner
for pid in "${BENIGN_PIDS[@]}"; do kill "$pid" 2>/dev/null; done
benign_wait
agent_stop TERM
model prune --keep 1 >/dev/null && model export "$LAB_TMP/mlruns" >/dev/null &&
	[ -f "$LAB_TMP/mlruns/models/sentroid-$LAB_IF/version-$first/meta.yaml" ]
check "versions are pruned and exported" model list
check_done
