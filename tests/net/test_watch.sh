#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# A model that goes bad after its promotion: traffic that it has never seen begins as it comes into force,
# and no rule explains what it flags. The watch goes back to the version before by itself, once; learning
# rests, also for the next agent, until an operator resumes it; the history says why. Nothing is dropped
# before there is a model that was learned here.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=agent.sh
. tests/net/agent.sh

BASELINE=8
SECONDS_AHEAD=45

# shellcheck disable=SC2119
agent_tools || skip_all "tools are missing"
agent_lab watch || exit
lab_servers_up
lab_serves tcp 80 || skip_all "nginx is missing"
benign_can burst || skip_all "wrk is missing"

model() { in_srv "$SENTROID" model "$1" "$LAB_IF" "${@:2}" --state-dir "$LAB_TMP/state"; }
entry() { model show "$1" --json 2>/dev/null | jq -r "$2"; }
learn() { in_srv "$SENTROID" learn "$1" "$LAB_IF" --state-dir "$LAB_TMP/state" 2>&1; }

calm() {
	local user
	for user in 1 2 3; do
		benign_one dns "$SECONDS_AHEAD" $user
		benign_one ping "$SECONDS_AHEAD" $((user + 3))
	done
}
odd() {
	local user
	for user in 1 2 3; do
		benign_one burst "$SECONDS_AHEAD" $((user + 6))
		benign_one web "$SECONDS_AHEAD" $((user + 9))
	done
}
hush() {
	local pid
	for pid in "${BENIGN_PIDS[@]}"; do kill "$pid" 2>/dev/null; done
	benign_wait
}

# The calm part of the network only; nothing is trained but what is asked for, and no canary.
agent_start '[attach]' 'policy = enforce-learned' '[baseline]' "seconds = $BASELINE" '[train]' 'centroids = 4' '[learn]' 'min_interval = 3600' \
	'interval = 7200' 'samples = 100000' '[canary]' 'evaluations = 0' '[watch]' 'seconds = 20' 'factor = 1' ||
	give_up "the agent starts"
[ "$(status '| "\(.policy) \(.model.learned)"')" = "enforce-learned false" ]
check "nothing is enforced by the model to start with" status .
calm
agent_until 30 '.learner.state == "active"' || give_up "a model after the baseline"
first=$(agent_says .learner.version)
[ "$(status '| "\(.model.version) \(.model.learned) \(.drops)"')" = "$first true 0" ]
check "the first one that is learned here may" status .
learn now >/dev/null
agent_until 10 ".learner.version > $first"
check "a second version comes into force" agent_log
second=$(agent_says .learner.version)

# --- it goes bad -----------------------------------------------------------------------------------

odd
agent_until 20 "| .learner.version == $first and .learner.rolled_back == 1"
check "the watch goes back to the version before by itself" agent_log
[ "$(status .model.version)" = "$first" ] && [ "$(agent_says .learner.state)" = paused ]
check "... and learning rests" agent_says .learner
[ "$(entry "$first" .stage)" = Production ] && [ "$(entry "$second" .stage)" = Archived ] &&
	[ "$(entry "$second" '.reason | test("^version '"$second"' flagged [0-9.]+% of evaluations$")')" = true ]
check "the history says why" model show "$second"
sleep 3
[ "$(status .model.version)" = "$first" ] && [ "$(agent_says .learner.rolled_back)" = 1 ]
check "once, though the traffic is as odd for the version before" agent_log

# --- and after -------------------------------------------------------------------------------------

agent_stop KILL
# shellcheck disable=SC2119
agent_start && [ "$(agent_says .learner.state)" = paused ] && [ "$(status .model.version)" = "$first" ]
check "the next agent rests on" agent_log
learn resume >/dev/null && agent_until 5 '.learner.state == "active"'
check "learn resume" agent_says .learner
hush
agent_stop TERM

# --- the first model, with none before it ----------------------------------------------------------

in_srv "$SENTROID" detach "$LAB_IF" >/dev/null && rm -rf "$LAB_TMP/state"
# shellcheck disable=SC2119
agent_start || give_up "an agent without a past starts"
start=$(status .model.digest)
calm
agent_until 30 '.learner.state == "active"' || give_up "a model after its baseline"
odd
agent_until 20 '.learner.state == "baseline"'
check "the first model goes bad: the baseline begins again" agent_log
[ "$(status '| "\(.policy) \(.model.learned)"')" = "enforce-learned false" ]
check "... and nothing is enforced until it is over" status .
[ "$(status .model.digest)" = "$start" ] && [ "$(agent_says .learner.rolled_back)" = 1 ]
check "... and the model to start with is in force again" status .model
hush
agent_stop TERM
check_done
