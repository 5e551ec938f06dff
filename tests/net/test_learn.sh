#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Learning as an operator steers it: trainings asked for, a pause, uploads, labels, and what is left of
# it all when the agent is killed.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=agent.sh
. tests/net/agent.sh

BASELINE=12

agent_tools sqlite3 python3 nmap || skip_all "tools are missing"
agent_begin learn || exit
# shellcheck disable=SC2317 # called by the trap
clean_up() {
	trap '' INT TERM HUP
	umount -l "$LAB_TMP/state" 2>/dev/null
	agent_end
}
lab_trap
trap clean_up EXIT
lab_up || exit
lab_servers_up
state=$LAB_TMP/state
mkdir "$state" && mount -t tmpfs -o size=12m tmpfs "$state" || exit
own=$state/$LAB_IF

learn() { in_srv "$SENTROID" learn "$1" --state-dir "$state" "${@:2}" 2>&1; }
labels() { in_srv "$SENTROID" label "$1" --state-dir "$state" "${@:2}" 2>&1; }
learner() { learn status --json "$LAB_IF" | jq -r ".[0]$1"; }
# learner_until SECONDS FILTER
learner_until() {
	local end=$((SECONDS + $1))
	until [ "$(learner "$2")" = true ]; do
		((SECONDS < end)) || return 1
		sleep 0.3
	done
}
samples() { sqlite3 -cmd '.timeout 5000' "$own/samples.db" "SELECT count(*) FROM samples ${1:+WHERE $1}"; }

[[ $(learn status) == *"none runs under"* ]]
check "without an agent there is one clear line" learn status
# Long intervals: nothing is trained here but what is asked for.
configuration=('[baseline]' "seconds = $BASELINE" '[train]' 'target_fpr = 0.01' 'threshold_margin = 1'
	'[learn]' 'min_interval = 3' 'interval = 7200' 'samples = 100000' '[canary]' 'evaluations = 0')
agent_start "${configuration[@]}" || give_up "the agent starts"
[[ $(learn now "$LAB_IF") == *"learning is in state 'baseline'"* ]]
check "no training is asked for amid the baseline" learn now "$LAB_IF"
learn status | grep -Eq '^  needed +[0-9]+ of [0-9]{3} samples for the first model$' &&
	learn status | grep -q "^  model     none of its own; sentroid model show $LAB_IF "
check "... whose status says what is there of what the first model needs" learn status
benign_start $((BASELINE + 40)) 7
sleep "$BASELINE"
# So short a baseline may make a first candidate that the gate refuses.
learner_until 40 '.state == "active"' || give_up "a model after the baseline"
# least_interval SECONDS: between two trainings, from now on.
least_interval() {
	sed -i "s/min_interval = .*/min_interval = $1/" "$LAB_TMP/agent.conf"
	kill -HUP "$AGENT_PID"
}
least_interval 3600

# --- trainings asked for ---------------------------------------------------------------------------

trainings() { learner '| .promoted + .refused + .failed'; }
before=$(trainings)
[[ $(learn now) == "$LAB_IF: a training is asked for" ]]
check "learn now" learn now
learner_until 45 "| .promoted + .refused > $before and (.training | not)"
check "a training follows at once, whatever the least interval" learn status
before=$(trainings)
learn now --full "$LAB_IF" >/dev/null
learner_until 45 "| .promoted + .refused > $before and (.training | not)"
check "learn now --full" learn status
[ "$(stat -c %a "$own/control.sock")" = 600 ] && [ "$(stat -c %a "$own/samples.db")" = 600 ]
check "the control socket and the samples are root's alone" ls -l "$own"
[ "$(in_srv curl -s -o /dev/null -w '%{http_code}' -X POST "http://127.0.0.1:$AGENT_PORT/learn/now")" = 404 ] &&
	[ "$(in_srv curl -s -o /dev/null -w '%{http_code}' -X POST "http://127.0.0.1:$AGENT_PORT/api/v1/status")" = 405 ]
check "nothing is asked for over TCP"

# --- a pause ---------------------------------------------------------------------------------------

learn pause "$LAB_IF" >/dev/null && [ "$(learner .state)" = paused ] && [[ $(learn now) == *"state 'paused'"* ]]
check "learn pause" learn status
learn resume "$LAB_IF" >/dev/null && learner_until 5 '.state == "active"'
check "learn resume" learn status
[[ $(learn resume) == *"state 'active'"* ]]
check "there is nothing to resume then" learn status

# --- uploads ---------------------------------------------------------------------------------------

# capture FILE N: a capture of its own, of N small UDP flows.
capture() {
	python3 - "$1" "$2" <<'PYTHON'
import struct, sys
out = open(sys.argv[1], "wb")
n = int(sys.argv[2])
out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
for i in range(n):
    for back in (False, True):
        data = b"x" * (40 + 3 * n)
        ports = (9000, 20000 + i) if back else (20000 + i, 9000)
        udp = struct.pack(">HHHH", *ports, 8 + len(data), 0) + data
        ends = (bytes([10, 1, 0, 1]), bytes([10, 1, 0, 2]))
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), i, 0, 64, 17, 0)
        ip += (ends[1] + ends[0]) if back else (ends[0] + ends[1])
        frame = bytes(12) + b"\x08\x00" + ip + udp
        at = i * 0.4 + (0.01 if back else 0)
        out.write(struct.pack("<IIII", int(at), int(at % 1 * 1e6), len(frame), len(frame)) + frame)
PYTHON
}

before=$(trainings)
mkdir "$LAB_TMP/captures"
for n in {1..9}; do
	capture "$LAB_TMP/captures/$n.pcap" $((20 + n))
	learn upload "$LAB_TMP/captures/$n.pcap" -i "$LAB_IF" --label benign >/dev/null || break
done
[ "$n" = 9 ] && learner_until 40 '.uploads == 9'
check "nine uploads are analysed and counted" learn status
[ "$(samples "origin = 4 AND label = 1 AND upload > 0")" -gt 100 ]
check "their samples have the label they came with" samples "upload > 0"
cp "$LAB_TMP/captures/3.pcap" "$LAB_TMP/captures/other-name.pcap"
learn upload "$LAB_TMP/captures/other-name.pcap" -i "$LAB_IF" >/dev/null
echo "this is no capture" >"$own/uploads/notes.txt"
# log_until SECONDS TEXT...: until the agent has said all of them.
log_until() {
	local end=$((SECONDS + $1)) text
	for text in "${@:2}"; do
		until [[ $(agent_log) == *"$text"* ]]; do
			((SECONDS < end)) || return 1
			sleep 0.3
		done
	done
}
log_until 45 "other-name.pcap is known already" "notes.txt rejected" &&
	[ "$(learner .uploads)" = 9 ] && [ "$(trainings)" = "$before" ]
check "the same one again does not count, nor what is no capture" agent_log
grep -q . "$own/uploads/rejected/notes.txt.reason" && [ -f "$own/uploads/rejected/notes.txt" ] && [ ! -e "$own/uploads/notes.txt" ]
check "what is no capture is put aside with the reason" ls -R "$own/uploads"

# The least interval holds for uploads, too. It is not lowered sooner: another reason to train would take
# the nine.
capture "$own/uploads/tenth.pcap" 55
learner_until 60 "| .uploads == 10" && [ "$(trainings)" = "$before" ]
check "the tenth, dropped into the folder, waits for the least interval" learn status
least_interval 1
learner_until 60 "| .promoted + .refused > $before and (.training | not) and .uploads == 0"
check "and then sets off one training" learn status
[ "$(find "$own/uploads/archive" -type f -name '20*Z-*.pcap' | wc -l)" = 10 ] && [ -z "$(ls "$own/uploads/stored")" ]
check "all ten are archived with a time stamp" ls -R "$own/uploads"
after=$(trainings)
learn upload "$LAB_TMP/captures/5.pcap" -i "$LAB_IF" >/dev/null
log_until 45 " 5.pcap is known already" && [ "$(learner .uploads)" = 0 ]
check "one that has been trained on does not count again" agent_log
sleep 2
[ "$(trainings)" = "$after" ]
check "and sets off nothing" learn status

# --- labels ----------------------------------------------------------------------------------------

attack_portscan 1-1000
sleep 2
labels list --all --by rule --label scan --json | jq -e 'length > 0 and all(.confidence == 1 and .source == $a and (.reason | test("ports")))' \
	--arg a "$LAB_ATTACKER" >/dev/null
check "a scan is labelled by its rule, with the reason" labels list --all --by rule
labels list --json | jq -e 'length > 0 and all(.by == "none" or .by == "score")' >/dev/null
check "what is uncertain is up for review" labels list
one=$(labels list --all --label benign --json -n 1 | jq '.[0].id')
[[ $(labels set "$one" brute_force) == "1 sample labelled brute_force" ]] &&
	[ "$(samples "id = $one AND origin = 3 AND label = 2 AND stratum > 2")" = 1 ]
check "an operator outranks that" labels list --all --by operator
labels set "$one" auto >/dev/null && [ "$(samples "id = $one AND origin <> 3 AND label = 1")" = 1 ]
check "and takes it back" labels list --all -n 3
[[ $(labels set 99999999 benign) == *"there is none"* && $(labels set 1 nonsense) == *"neither benign"* ]]
check "what there is not is refused" labels set 99999999 benign
labels export -o "$LAB_TMP/labels.csv"
head -1 "$LAB_TMP/labels.csv" | grep -q '^id,label,by,confidence,time,score,model,proto,src,' &&
	[ "$(wc -l <"$LAB_TMP/labels.csv")" -gt 500 ]
check "labels are exported" head -3 "$LAB_TMP/labels.csv"
[[ $(labels import "$LAB_TMP/labels.csv") == "0 of "* ]]
check "imported as they are they change nothing" labels import "$LAB_TMP/labels.csv"
printf 'label,id\nbenign,%s\nnonsense,%s\n' "$one" "$one" >"$LAB_TMP/bad.csv"
printf 'label,id\nscan,%s\nbenign,99999999\n' "$one" >"$LAB_TMP/good.csv"
[[ $(labels import "$LAB_TMP/bad.csv") == *"bad.csv:3: not a label: 'nonsense'"* ]] &&
	[ "$(samples 'origin = 3')" = 0 ] && [[ $(labels import "$LAB_TMP/good.csv") == "1 of 2 samples"* ]] &&
	[ "$(samples "id = $one AND origin = 3 AND label = 2")" = 1 ]
check "a list is taken whole or not at all" labels list --all --by operator

# --- a full disk -----------------------------------------------------------------------------------

# A journal that has grown before would do for a while.
sqlite3 "$own/samples.db" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
dd if=/dev/zero of="$state/junk" bs=4k 2>/dev/null
attack_portscan 1001-2000
log_until 45 "new samples are not kept: sample store" && [ "$(agent_get /readyz)" = ready ]
check "where no sample can be written it says so, and goes on" agent_log
rm "$state/junk"
attack_portscan 2001-3000
log_until 45 "new samples are kept again"
check "and keeps them again when there is room" agent_log
[ "$(agent_log | grep -c 'new samples are not kept')" = 1 ]
check "it is said once" agent_log

learn upload "$LAB_TMP/labels.csv" -i "$LAB_IF" >/dev/null
log_until 45 "labels.csv analysed" && [ "$(samples "upload > 0 AND reason = 'labelled so where it was seen' AND label = 2")" -gt 0 ]
check "exported samples are a log that can be uploaded" agent_log

# --- killed ----------------------------------------------------------------------------------------

for pid in "${BENIGN_PIDS[@]}"; do kill "$pid" 2>/dev/null; done
benign_wait
sleep 2
kept=$(samples)
agent_stop KILL
[ "$(sqlite3 "$own/samples.db" 'PRAGMA integrity_check')" = ok ] && [ "$(samples)" -ge "$kept" ] && [ "$kept" -gt 500 ]
check "killed, it leaves its samples whole" samples
[[ $(learn status "$LAB_IF") == *"no agent runs there"* ]]
check "a socket left behind is no agent" learn status "$LAB_IF"
# Damage is put aside, and detection goes on.
printf 'no database' | dd of="$own/samples.db" conv=notrunc status=none
agent_start || give_up "the agent starts"
[[ $(agent_log) == *"the samples could not be read and were moved to"* ]] && [ "$(samples)" -ge 0 ] &&
	[ "$(learner .state)" = active ]
check "a damaged file is moved aside, and learning goes on" agent_log
agent_stop TERM
[ ! -e "$own/control.sock" ]
check "stopped, it takes its socket away" ls "$own"

check_done
