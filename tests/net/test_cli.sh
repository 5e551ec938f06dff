#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The operator's command from attach to detach: status, models, versions on disk, and what it refuses on the
# way, which must give one clear line, a non-zero exit, and change nothing.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=cli.sh
. tests/net/cli.sh

cli_begin ping

# json FILTER: of what `status --json` says of the interface.
json() { in_srv "$sentroid" status "$LAB_IF" --json | jq -r ".interfaces[0]$1"; }
shown_by_bpftool() {
	in_srv bpftool -j net | jq -e --arg d "$LAB_IF" --arg m "$1" \
		'.[0].xdp[] | select(.devname == $d and .mode == $m)' >/dev/null
}

# Ids of the program and of all its maps, those inside `models` too.
objects() {
	local prog
	prog=$(json .prog_id)
	echo "prog $prog"
	{
		bpftool -j prog show id "$prog" | jq '.map_ids[]'
		# Two CPUs' worth of bytes, or a number, by the version of bpftool.
		bpftool map dump pinned "$pins/models" | sed -n 's/.*inner_map_id:* *\([0-9]*\).*/\1/p'
	} | sort -un | sed 's/^/map /'
}

# The kernel frees in the background.
all_gone() {
	local kind id try
	for try in {1..50}; do
		while read -r kind id; do
			bpftool "$kind" show id "$id" >/dev/null 2>&1 && { sleep 0.1; continue 2; }
		done <<<"$1"
		return 0
	done
	out="still there after $try tries: $kind $id"
	return 1
}

detached_wholly() {
	[ "$rc" = 0 ] && [ "$(xdp_id)" = none ] && [ ! -e "$SENTROID_BPFFS" ] && all_gone "$1"
}

# --- attached natively ---------------------------------------------------------------------------

run attach "$LAB_IF" --model "$m/1.json" --policy observe --flows 5000
says "$LAB_IF: attached in native mode"
check "attach"
attached=$out
[ "$(json ' | [has("name", "mode", "dispatcher", "prog_id", "policy", "model", "shadow", "packets", "bytes",
	"alerts", "drops", "events_lost", "flows", "agent")] | all')" = true ]
check "status --json has every field"
test "$(json .mode)" = native
check "status --json: mode"
test "$(json .policy)" = observe
check "status --json: policy"
test "$(json .flows.capacity)" = 8192
check "status --json: flows rounded up"
test "$(json '.model | "\(.version) \(.digest)"')" = "1 $(digest_of "$m/1.json")"
check "status --json: model"
test "$(json '.agent | "\(.running) \(.pid)"')" = "false null"
check "status --json: no agent"
grep -q "program $(json .prog_id)," <<<"$attached"
check "attach says the program's id"
grep -q "model 1 ($(digest_of "$m/1.json" | cut -c -12))" <<<"$attached"
check "attach says the model"
case $(json .dispatcher) in
true)
	grep -q "under the dispatcher" <<<"$attached"
	check "attach says that it is under a dispatcher"
	;;
*)
	grep -q "single program" <<<"$attached"
	check "attach says that it is a single program"
	test "$(xdp_id)" = "$(json .prog_id)"
	check "the interface has this program"
	;;
esac
shown_by_bpftool driver
check "bpftool net shows it in the driver"

packets=$(json .packets) bytes=$(json .bytes)
in_cli ping -q -c 5 -i 0.1 -W 1 "$LAB_SRV4" >/dev/null
[ "$(json .packets)" -ge $((packets + 5)) ] && [ "$(json .bytes)" -ge $((bytes + 5 * 98)) ]
check "counters move"
test "$(json .flows.used)" -ge 1
check "flows are counted"
run status "$LAB_IF"
says "native mode" && says "version 1" && says "observe"
check "status in words"
run status
[ "$(wc -l <<<"$out")" = 2 ] && says "$LAB_IF"
check "status as a table"

# The sum over CPUs of a field that bpftool calls by its name.
dumped() { bpftool -j map dump pinned "$pins/stats" | jq "[.[0].formatted.values[].value.$1] | add"; }
least=$(json .packets) middle=$(dumped packets) most=$(json .packets)
[ "$middle" -ge "$least" ] && [ "$middle" -le "$most" ] && [ "$(dumped flows_untracked)" = 0 ]
check "bpftool map dump of stats has named fields"

# --- models --------------------------------------------------------------------------------------

refuses "attach: attached already" 1 "attached" attach "$LAB_IF" --model "$m/2.json"
models_refused "model push" model push "$LAB_IF"
refuses "model promote: the shadow slot is empty" 1 "no model in the shadow slot" model promote "$LAB_IF"

before=$(json .prog_id)
run model push "$LAB_IF" "$m/2.json" --state-dir "$LAB_TMP/state"
says "model 2 ($(digest_of "$m/2.json" | cut -c -12))"
check "model push"
run model show "$LAB_IF"
says "model 2 in force" && says "$(digest_of "$m/2.json")" && says "2024-01-01" &&
	says "20.0 to 40.0" && says "worm 1" && says "flow_is_udp"
check "model show"
run model show "$LAB_IF" --json
[ "$(jq -c "[.version, .digest, .threshold, (.members | length), .members[0].centroids,
	.members[1].classes.worm, .quantizer[0].scale]" <<<"$out")" = "[2,\"$(digest_of "$m/2.json")\",2,2,2,1,20000]" ]
check "model show --json"
run model push --shadow "$LAB_IF" "$m/3.json" && in_cli ping -q -c 3 -i 0.1 -W 1 "$LAB_SRV4" >/dev/null
test "$(json ' | "\(.model.version) \(.shadow.version) \(.shadow_scores | add >= 1)"')" = "2 3 true"
check "model push --shadow"
run model clear-shadow "$LAB_IF"
says "model 3 (" && test "$(json ' | "\(.model.version) \(.shadow)"')" = "2 null"
check "model clear-shadow"
refuses "model clear-shadow: nothing there" 1 "no model in the shadow slot" model clear-shadow "$LAB_IF"
run model push --shadow "$LAB_IF" "$m/3.json"
run model promote "$LAB_IF" --state-dir "$LAB_TMP/state"
test "$(json ' | "\(.model.version) \(.shadow)"')" = "3 null"
check "model promote"
test "$(json .prog_id)" = "$before"
check "the program was not replaced meanwhile"
test ! -e "$LAB_TMP/state"
check "no registry is made by the way"

# --- versions on disk ----------------------------------------------------------------------------

run model list --state-dir "$LAB_TMP/state"
says "No models" && [ ! -e "$LAB_TMP/state" ]
check "model list without any"
run model rollback "$LAB_IF" --state-dir "$LAB_TMP/state"
[ "$rc" = 0 ] && [ "$(json .model.digest)" = "$(digest_of models/default.json)" ] && [ ! -e "$LAB_TMP/state" ]
check "model rollback where nothing was learned yet: to the shipped model"
refuses "model rollback: nothing before that" 1 "the shipped model is in force" model rollback "$LAB_IF" --state-dir "$LAB_TMP/state"
kept=$LAB_TMP/state/$LAB_IF/models
mkdir -p "$kept"
for v in 1 2; do cp "$m/$v.json" "$kept/00000$v.json"; done
for v in 1 2; do run model push "$LAB_IF" "$kept/00000$v.json" --state-dir "$LAB_TMP/state"; done
refuses "model list: an interface without any" 1 "sen-none: none are kept" model list sen-none --state-dir "$LAB_TMP/state"
stages() { in_srv "$sentroid" model list --json --state-dir "$LAB_TMP/state" | jq -c 'map([.version, .stage, .in_force])'; }
test "$(stages)" = '[[1,"Archived",false],[2,"Production",true]]'
check "a pushed version goes into production"
run model list "$LAB_IF" --state-dir "$LAB_TMP/state"
[ "$(wc -l <<<"$out")" = 3 ] && says "Production" && says "Archived"
check "model list"
run model push "$LAB_IF" "$m/3.json" --state-dir "$LAB_TMP/state"
run model rollback "$LAB_IF" --state-dir "$LAB_TMP/state"
says "model 2 (" && [ "$(json .model.version)" = 2 ]
check "model rollback of an unknown model: the one in production"
run model rollback "$LAB_IF" --state-dir "$LAB_TMP/state"
says "model 1 (" && [ "$(json .model.digest)" = "$(digest_of "$m/1.json")" ]
check "model rollback"
test "$(stages)" = '[[1,"Production",true],[2,"Archived",false]]'
check "... is recorded"
refuses "model rollback: nothing before the first" 1 "no earlier version" \
	model rollback "$LAB_IF" --state-dir "$LAB_TMP/state"
run model push "$LAB_IF" "$kept/000002.json" --state-dir "$LAB_TMP/state"
cp "$m/changed.json" "$kept/000001.json"
refuses "model rollback: the file was changed" 1 "wrong digest" model rollback "$LAB_IF" --state-dir "$LAB_TMP/state"

# --- pins of another version, of somebody else ---------------------------------------------------

meta() { bpftool -j map dump pinned "$pins/meta" | jq -r '.[0].value | join(" ")'; }
read -ra bytes_of_meta <<<"$(meta)"
older=("${bytes_of_meta[@]}")
older[4]=0x63
set_meta() { bpftool map update pinned "$pins/meta" key 0 0 0 0 value "$@"; }
set_meta "${older[@]}"
for args in "model show $LAB_IF" "status $LAB_IF" "policy $LAB_IF alert" "model push $LAB_IF $m/1.json" "attach $LAB_IF --model $m/1.json"; do
	# shellcheck disable=SC2086
	refuses "${args%% "$LAB_IF"*}: pins of another version" 1 "$LAB_IF" $args
done
set_meta "${bytes_of_meta[@]}"

foreign_pins=$SENTROID_BPFFS/sen-foreign
mkdir "$foreign_pins"
bpftool map create "$foreign_pins/meta" type array key 4 value 8 entries 1 name other
refuses "model show: somebody else's pins" 1 "sen-foreign" model show sen-foreign
run status --json
[ "$rc" = 1 ] && one_clear_line && [ "$(jq -r ".interfaces[].name" <<<"$out")" = "$LAB_IF" ]
check "status: shows the others all the same, and fails"
rm "$foreign_pins/meta"
refuses "model show: an empty folder" 1 "sen-foreign" model show sen-foreign
rmdir "$foreign_pins"

# --- off again -----------------------------------------------------------------------------------

ours=$(objects)
run detach "$LAB_IF"
detached_wholly "$ours"
check "detach leaves no program, no pin, no map"
test "$(wc -l <<<"$ours")" -gt 10
check "... of which there were many"

run attach "$LAB_IF" --mode skb --model "$m/1.json"
says "$LAB_IF: attached in skb mode"
check "attach --mode skb"
packets=$(json .packets)
in_cli ping -q -c 3 -i 0.1 -W 1 "$LAB_SRV4" >/dev/null
test "$(json .packets)" -ge $((packets + 3))
check "skb mode counts"
shown_by_bpftool generic
check "bpftool net shows it as generic"
test "$(json .policy)" = alert
check "the policy is alert where none is given"
ours=$(objects)
run detach "$LAB_IF"
detached_wholly "$ours"
check "detach from skb mode"

run attach "$LAB_IF" --model "$m/1.json"
in_srv ip link set dev "$LAB_IF" xdpdrv off
run status --json
[ "$rc" = 1 ] && one_clear_line && [[ $err == *"no longer attached"* ]] && [ "$(jq .interfaces[0].attached <<<"$out")" = false ]
check "status tells of a program that is gone"
run detach "$LAB_IF"
[ "$rc" = 0 ] && [ ! -e "$SENTROID_BPFFS" ]
check "detach when the program is gone"

# The first of those without native XDP that this kernel can make.
plain=
for type in dummy ifb bridge; do
	ip -n "$LAB_SRV" link add sen-plain type $type 2>/dev/null && { plain=1; break; }
done
if [ -n "$plain" ]; then
	ip -n "$LAB_SRV" link set sen-plain up
	refuses "attach --mode native: the driver cannot" 1 "no native XDP" \
		attach sen-plain --mode native --model "$m/1.json"
	run attach sen-plain --model "$m/1.json"
	[ "$rc" = 0 ] && [[ $out == *"in skb mode"* ]] && [ "$(wc -l <<<"$err")" = 1 ] &&
		[[ $err == "note: sen-plain: native XDP not possible ("* ]]
	check "attach falls back to skb mode and says why"
	ip -n "$LAB_SRV" link del sen-plain
	run detach sen-plain
	[ "$rc" = 0 ] && [ ! -e "$SENTROID_BPFFS" ]
	check "detach when the interface is gone"
else
	number=$((number + 1))
	echo "ok $number # SKIP no kind of interface without native XDP"
fi
cli_done
