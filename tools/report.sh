#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Figures of docs/figures.md and the page build/report.html, from the captures of ../shared/data: models are
# trained on what precedes the attacks of the timeline, one for each seed, and tried on the rest.
#
# usage: tools/report.sh     BUILD_DIR, SENTROID_DATA (captures, packed or unpacked), SEEDS

set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."

build=${BUILD_DIR:-build}
data=${SENTROID_DATA:-../shared/data}
read -ra seeds <<<"${SEEDS:-1 2 3 4 5}"
until_s=1397
out=$build/report
sentroid=$build/sentroid

fail() {
	echo "report.sh: $*" >&2
	exit 1
}

# Where the captures are to be read, unpacked once where they are packed.
captures() {
	if [[ -e $data/dev/timeline.pcap ]]; then
		echo "$data/dev"
	elif [[ -x $data/unpack.sh ]]; then
		"$data/unpack.sh" "$build/data" >/dev/null || fail "unpacking $data failed"
		echo "$build/data/dev"
	else
		fail "no captures in $data: the figures in docs/figures.md stay as they are"
	fi
}

train() {
	local to=$1
	shift
	"$sentroid" train "$@" -o "$to" >/dev/null || fail "training $to failed"
}

# evaluate NAME MODEL [OPTION...]: the timeline behind the prefix that models are trained on.
evaluate() {
	local name=$1 model=$2
	shift 2
	"$sentroid" eval --labels "$dev/timeline.labels.csv.gz" "$dev/timeline.pcap" --model "$model" \
		--from $until_s --json "$@" >"$out/$name.json" || fail "evaluating $model failed"
}

# flagged MODEL FILE...: flows and flagged flows of captures, each on its own.
flagged() {
	local model=$1 file
	shift
	for file; do
		"$sentroid" replay "$file" --model "$model" --json || fail "replaying $file failed"
	done | jq -s '{flows: map(.flows) | add, flagged: map(.flagged) | add}'
}

# Two networks and their normal traffic: what a model of one says of the other, and of captures of its own
# that it has not seen.
cross() {
	local home=("$dev"/benign/iot_sentinel/*.pcap) office=("$dev"/benign/hatboy_*.pcap)
	local -A set=([home]="${home[*]}" [office]="${office[*]}") half=() rest=()
	local name file i
	for name in home office; do
		i=0
		for file in ${set[$name]}; do
			if ((i++ % 2)); then rest[$name]+=" $file"; else half[$name]+=" $file"; fi
		done
		# shellcheck disable=SC2086 # names of captures have no spaces
		train "$out/$name.model" --normal ${half[$name]}
	done
	# shellcheck disable=SC2086
	{
		flagged "$out/home.model" ${rest[home]} | jq '.on = "home devices | home devices, other ones"'
		flagged "$out/home.model" ${set[office]} | jq '.on = "home devices | office"'
		flagged "$out/office.model" ${rest[office]} | jq '.on = "office | office, other captures"'
		flagged "$out/office.model" ${set[home]} | jq '.on = "office | home devices"'
	} | jq -s . >"$out/cross"
}

# Names of attacks from sources that the model has not seen: each source in turn is kept from those that the
# names are learnt from. Captures that hold much else would teach wrong names. A class of which nothing is left
# then can only be named if it is one of the built-in ones.
naming() {
	local file class left_out other args builtin
	builtin=$(sed -n '/SEN_ATTACK_CLASSES(X) /,/^$/s/.*X([A-Z_]*, "\([a-z_]*\)".*/\1/p' include/sentroid/names.h)
	local -A class_of=()
	while IFS=$'\t' read -r file class _ _ _ packets _ _ malicious _; do
		[[ $file == attack/* ]] && ((malicious * 100 >= packets * 85)) && class_of[$file]=$class
	done <"$dev/LABELS.tsv"
	for left_out in "${!class_of[@]}"; do
		args=()
		class=$(grep -x "${class_of[$left_out]}" <<<"$builtin") || true
		for other in "${!class_of[@]}"; do
			[[ $other != "$left_out" ]] || continue
			args+=(--attack "${class_of[$other]}=$dev/$other")
			[[ ${class_of[$other]} != "${class_of[$left_out]}" ]] || class=${class_of[$other]}
		done
		[[ -n $class ]] || continue
		train "$out/naming.model" --normal "$dev/timeline.pcap" --until $until_s "${args[@]}"
		evaluate naming "$out/naming.model"
		jq --arg s "$left_out" --arg c "$class" \
			'.sources[] | select(.source == $s) | .class = $c' "$out/naming.json"
	done | jq -s 'sort_by(.class, .source)' >"$out/naming"
}

# What an agent that learns all the way says of each packet: normal ones before the first attack, which are those that
# it learns the network from, normal ones from there on, and attacks.
learning() {
	"$sentroid" replay "$dev/timeline.pcap" --learn --packets "$out/learning.csv" --json >"$out/learning.json" ||
		fail "replaying $dev/timeline.pcap with --learn failed"
	zcat "$dev/timeline.labels.csv.gz" | awk -F, '
		NR == FNR { attack[$1] = $2; next }
		FNR > 1 { begun += attack[$1]; of = attack[$1] ? "attack" : begun ? "later" : "earlier"; n[of]++; flagged[of] += $3 }
		END { for (of in n) printf "{\"of\": \"%s\", \"packets\": %d, \"flagged\": %d}\n", of, n[of], flagged[of] }
	' - "$out/learning.csv" | jq -s --slurpfile run "$out/learning.json" '{by: map({key: .of, value: .}) | from_entries,
		learner: $run[0].learner | {promoted, refused, rolled_back}}' >"$out/learning"
}

((EUID == 0)) || fail "captures go through the packet program: run it as root"
for tool in jq zstd gnuplot; do
	command -v "$tool" >/dev/null || fail "needs $tool: run 'make deps'"
done
dev=$(captures)
rm -rf "$out"
mkdir -p "$out"

for seed in "${seeds[@]}"; do
	train "$out/$seed.model" --normal "$dev/timeline.pcap" --until $until_s --seed "$seed"
	report=()
	[[ $seed != "${seeds[0]}" ]] || report=(--report "$build/report.html")
	evaluate "seed-$seed" "$out/$seed.model" "${report[@]}"
done
evaluate shipped models/default.json
cross
naming
learning

jq -rs -f tools/figures.jq --slurpfile shipped "$out/shipped.json" --slurpfile cross "$out/cross" \
	--slurpfile naming "$out/naming" --slurpfile learning "$out/learning" --arg until $until_s "$out"/seed-*.json >"$out/figures.md"
mv "$out/figures.md" docs/figures.md
echo "docs/figures.md, $build/report.html"
