#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What `sentroid train` and `sentroid replay` make of input that is not as usual: many files, pipes, bad
# names, stamps that are missing, results that cannot be written.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=../net/agent.sh
. tests/net/agent.sh

sentroid=$(realpath "${BUILD_DIR:-build}/sentroid") traffic=$(realpath "${BUILD_DIR:-build}/tests/golden/traffic") ||
	exit 1
((EUID == 0)) || skip_all "captures are replayed as root"
for tool in jq python3; do command -v $tool >/dev/null || skip_all "needs $tool"; done
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2

# run ARGUMENT...: output and errors into files, the exit code into rc.
run() {
	"$sentroid" "$@" >out 2>err
	rc=$?
}
# shellcheck disable=SC2317 # called by check
said() {
	echo "exit code $rc"
	cat out err
}

# --- training: what goes on record ---------------------------------------------------------------

# Flow tables are read faster than captures. Names as long as a file system takes them.
inputs=()
for i in {101..228}; do
	name=$(printf '%0250d.log' "$i")
	inputs+=("$name")
	printf '{"ts":%d.5,"id.orig_h":"10.0.0.1","id.orig_p":1,"id.resp_h":"10.0.0.2","id.resp_p":80,"proto":"tcp"}\n' \
		"$i" >"$name"
done
run train --flow-table -k 2 --members 1 -o m.json "${inputs[@]/#/--normal=}"
[ "$rc" = 0 ] && cmp <(jq -r '.training.inputs[]' m.json) <(sha256sum "${inputs[@]}" | sed 's/\(.*\)  \(.*\)/\2 sha256:\1/')
check "all of 128 inputs are on record, each with its digest" said
run train --flow-table -k 2 --members 1 -o n.json "${inputs[@]/#/--normal=}" --normal "${inputs[0]}"
[ "$rc" = 2 ] && [ ! -e n.json ] && grep -q "more than 128" err
check "one more is refused" said
jq -e '.training.command | test(" --flow-table$")' m.json >/dev/null
check "that it was of flow tables is on record, too" said

sed 's/}$/,"label":"Malicious","detailed-label":"worm"}/' "${inputs[@]}" >attacks.log
run eval --flow-table --model m.json --json attacks.log
[ "$rc" = 0 ] && [ "$(jq -c '[.tpr_at_fpr[], (.classes[] | .flows, ."recall_at_fpr_0.01")]' out)" = '[null,null,128,null]' ]
check "eval: without benign rows no rate is made up" said
run eval --flow-table --model m.json attacks.log
[ "$rc" = 0 ] && grep -Eq '^worm +128 +[0-9.]+% +- +-$' out
check "... in words" said

printf 'Flow Duration,Tot Fwd Pkts,Tot Bwd Pkts,Label\n1000,1,1,BENIGN\n' >table.csv
run eval --flow-table --model m.json --json table.csv
[ "$rc" = 1 ] && [ ! -s out ] && grep -qx "sentroid: reading flow table: table.csv: of CICFlowMeter, not of Zeek conn.log" err
check "eval: a model knows the kind of flow tables that it is for" said
run train --flow-table -k 2 --members 1 -o n.json attacks.log table.csv
[ "$rc" = 1 ] && [ ! -e n.json ] && grep -q "table.csv: of CICFlowMeter, not of Zeek conn.log" err
check "train: all flow tables are of one kind" said
for option in --until=7 --subspace=0.5; do
	run train --flow-table -k 2 --members 1 $option -o n.json "${inputs[0]}"
	[ "$rc" = 2 ] && [ ! -e n.json ] && grep -q -- "${option%=*}.* for captures" err
	check "train --flow-table $option: refused" said
done

# --- training: pipes, names ----------------------------------------------------------------------

"$traffic" 1 benign@0+60 >normal.pcap && "$traffic" 2 scan@0+10 >scan.pcap || exit 1
small=(-k 4 --members 1)
run train "${small[@]}" --normal normal.pcap -o m.json
cp m.json plain.json
run train "${small[@]}" --normal <(cat normal.pcap) --attack scan=<(cat scan.pcap) -o m.json
[ "$rc" = 0 ] && [ "$(grep -c "^note: /dev/fd/[0-9]*: not a regular file: .* without a digest$" err)" = 2 ] &&
	[ "$(jq -c '.members[0].centroids' m.json)" = "$(jq -c '.members[0].centroids' plain.json)" ] &&
	jq -e '.training.inputs | length == 2 and all(test("no digest"))' m.json >/dev/null
check "a pipe is trained on as the file would be, and goes on record without a digest" said
run train "${small[@]}" --normal - -o m.json <normal.pcap
[ "$rc" = 0 ] && [ "$(jq -c '.members[0].centroids' m.json)" = "$(jq -c '.members[0].centroids' plain.json)" ]
check "so is standard input" said
run train "${small[@]}" --normal . -o m.json
[ "$rc" = 1 ] && grep -q "Is a directory" err
check "a folder is no capture" said
for name in a,b "two words" $'a\xff'; do
	run train "${small[@]}" --normal normal.pcap --attack "$name=scan.pcap" -o none.json
	[ "$rc" = 2 ] && [ ! -e none.json ] && LC_ALL=C grep -q -- "--attack: .*: not a name for a class" err
	check "a bad name of a class is called that: ${name@Q}" said
done
run train "${small[@]}" --normal normal.pcap --attack a23456789012345678901234=scan.pcap -o none.json
[ "$rc" = 2 ] && [ ! -e none.json ] && grep -q "a23456789012345678901234: more than the 23 bytes of a name" err
check "and one that is too long, too long" said
for class in benign none attack unknown auto normal custom_40; do
	run train "${small[@]}" --normal normal.pcap --attack $class=scan.pcap -o none.json
	[ "$rc" = 2 ] && [ ! -e none.json ] && grep -q "^sentroid: train: --attack: '$class' has a meaning of its own" err
	check "a class cannot be called $class, which means something else as a label" said
done
head -c 24 scan.pcap >empty.pcap
run train "${small[@]}" --normal normal.pcap --attack flood=scan.pcap --attack scan=empty.pcap -o none.json
[ "$rc" = 1 ] && [ ! -e none.json ] && grep -qx "sentroid: training: empty.pcap: no sample of scan in it" err
check "a class without a sample is refused" said
run train "${small[@]}" --normal normal.pcap --attack scan=scan.pcap --attack scan=empty.pcap -o none.json
[ "$rc" = 0 ] && rm none.json
check "... but not for one of its captures" said
run train "${small[@]}" --normal empty.pcap --attack scan=scan.pcap -o none.json
[ "$rc" = 1 ] && [ ! -e none.json ] && grep -qx "sentroid: training: empty.pcap: no sample of normal traffic in it" err
check "normal traffic without a sample is refused by the name of its file" said
run train "${small[@]}" --normal normal.pcap --until 0 -o none.json
[ "$rc" = 2 ] && [ ! -e none.json ] && grep -q -- "--until: 0: not a number from" err
check "--until 0 is not taken for all of the capture" said
many=()
for c in {a..z} {A..Z}; do many+=(--attack "$c=scan.pcap"); done
run train "${small[@]}" --normal normal.pcap "${many[@]}" -o m.json
[ "$rc" = 1 ] && grep -q "no room for the class" err
check "and too many are called too many" said

# --- training: subspaces -------------------------------------------------------------------------

for again in 1 2; do
	run train -k 4 --members 3 --subspace 0.4 --normal normal.pcap -o subspace$again.json
done
[ "$rc" = 0 ] && [ "$(jq -r .digest subspace1.json)" = "$(jq -r .digest subspace2.json)" ] &&
	jq -e '(.training.command | test(" --subspace 0.4$")) and ([.members[].features] | unique | length == 3) and
		(.features | length) as $all | all(.members[]; (.features | length) == ($all * 0.4 | round))' subspace1.json >/dev/null
check "train --subspace: members see shares of the features, drawn by the seed, and the model says so" said
run replay scan.pcap --model subspace1.json --json
[ "$rc" = 0 ] && jq -e '.flagged > 100' out >/dev/null
check "... and such a model flags a scan" said
for share in 0 1.5 half; do
	run train "${small[@]}" --subspace $share --normal normal.pcap -o m.json
	[ "$rc" = 2 ] && grep -q -- "--subspace: $share: not a number from" err
	check "train --subspace $share: refused" said
done

# --- replay: stamps that are missing -------------------------------------------------------------

# unstamp FROM TO: in the capture on stdin frames have the time 0 from one on and before another.
unstamp() {
	python3 -c '
import struct, sys
data, at, number = bytearray(sys.stdin.buffer.read()), 24, 0
while at < len(data):
    if int(sys.argv[1]) <= number < int(sys.argv[2]):
        data[at:at + 8] = bytes(8)
    at, number = at + 16 + struct.unpack_from("<I", data, at + 8)[0], number + 1
sys.stdout.buffer.write(data)' "$1" "$2"
}
# span FILE...: "START SECONDS PARTS", the flows of the parts as if learned.
span() {
	run replay --model plain.json --json --learn --flows flows.csv "$1" && jq -r \
		'"\(.first_ts * 1000 | round) \((.last_ts - .first_ts) * 1000 | round) \([.parts[].flows] | @json)"' out
}
usual=$(span normal.pcap)
unstamp 1000 1080 <normal.pcap >missing.pcap
[ "$(span missing.pcap)" = "$usual" ] && [ "$(jq .stamps_missing out)" = 80 ]
check "frames without a stamp do not make the capture begin in 1970" said
! awk -F, 'NR > 1 && ($1 < 1700000000 || $2 < $1) { print; bad = 1 } END { exit !bad }' flows.csv
check "... nor their flows" said
unstamp 0 2 <normal.pcap >missing.pcap
read -r start _ <<<"$usual"
read -r later _ parts < <(span missing.pcap)
((later >= start && later < start + 1000)) && jq -e --argjson parts "$parts" '.flows == ($parts | add)' out >/dev/null
check "... not even where the first ones have none" said

# --- replay: policy ------------------------------------------------------------------------------

run train "${small[@]}" --normal normal.pcap --attack scan=scan.pcap -o named.json
# dropped MODEL ARGUMENT...: "POLICY PACKETS FLOWS", and whether that is all or part of what is flagged.
dropped() {
	run replay scan.pcap --model "$@" --json && jq -r \
		'"\(.policy) \(.dropped_packets > 0) \(.dropped_flows > 0) \(.dropped_flows <= .flagged)"' out
}
[ "$(dropped named.json --policy enforce)" = "enforce true true true" ] &&
	[ "$(jq .dropped_packets out)" -ge "$(jq .dropped_flows out)" ]
check "replay --policy enforce counts what would have been dropped" said
[ "$(dropped named.json)" = "alert false false true" ] && [ "$(dropped named.json --policy observe)" = "observe false false true" ]
check "... and nothing else does, alert being the default" said
[ "$(dropped plain.json --policy enforce)" = "enforce false false true" ] && [ "$(jq .flagged out)" -gt 100 ]
check "... nor are novelties dropped" said
run replay scan.pcap --model named.json --policy enforce
[ "$rc" = 0 ] && grep -Eq '^policy +enforce: [1-9][0-9]* packets of [1-9][0-9]* flows dropped$' out
check "... in words" said
run replay scan.pcap --policy panic
[ "$rc" = 2 ] && grep -q "'panic' is not observe, alert, enforce or enforce-learned" err
check "replay: no such policy" said

# --- outputs that would replace inputs -----------------------------------------------------------

printf 'frame,label,class\n' >labels.csv
for i in {1..200}; do echo "$i,0,benign"; done >>labels.csv
cp plain.json model.json
ln -s normal.pcap link.pcap
sums=$(sha256sum ./*)
# refused FILE SAID ARGUMENT...: wrong usage, and no file has changed or come up.
refused() {
	run "${@:3}"
	[ "$rc" = 2 ] && grep -q -- ": $1: $2" err && sha256sum ./* | grep -v " ./\(out\|err\)$" | cmp - <(grep -v " ./\(out\|err\)$" <<<"$sums")
	check "${*:3}: refused" said
}
for option in --flows --packets; do
	refused $option "normal.pcap is an input, too" replay $option normal.pcap --model model.json scan.pcap normal.pcap
	refused $option "./link.pcap is an input, too" replay $option ./link.pcap normal.pcap
	refused $option "model.json is an input, too" replay $option model.json --model ./model.json normal.pcap
	refused $option "labels.csv is an input, too" replay $option labels.csv --config labels.csv normal.pcap
	refused $option "normal.pcap is a capture, which would be replaced" replay $option normal.pcap scan.pcap
done
refused --flows "normal.pcap is an input, too" replay --flows normal.pcap - <link.pcap
for file in labels.csv model.json normal.pcap; do
	refused --report "$file is an input, too" eval --report $file --labels labels.csv --model model.json normal.pcap
done
refused --report "scan.pcap is a capture" eval --report scan.pcap --labels labels.csv normal.pcap
refused -o "normal.pcap is an input, too" train --normal normal.pcap -o normal.pcap
refused -o "./scan.pcap is an input, too" train --attack c=scan.pcap --normal normal.pcap -o ./scan.pcap
refused -o "scan.pcap is a capture" train --normal normal.pcap -o scan.pcap
refused -o "table.csv is an input, too" train --flow-table -o table.csv table.csv
refused -o "table.csv is a flow table" train --flow-table --normal attacks.log -o table.csv
rm link.pcap

# --- names that are not UTF-8 --------------------------------------------------------------------

bad=$'caf\xe9.pcap'
cp scan.pcap "$bad"
run train "${small[@]}" --normal "$bad" -o bad.json
[ "$rc" = 0 ] && python3 -c 'import json; assert json.load(open("bad.json"))["training"]["inputs"][0].startswith("caf\ufffd.pcap ")'
check "train: a file whose name is not UTF-8 goes on record as one that can be read" said
run replay scan.pcap --model plain.json --json
frames=$(jq .packets out)
{
	echo frame,label,class
	for ((i = 1; i <= frames; i++)); do printf '%d,1,Web Attack \x96 XSS\n' "$i"; done
} >bad.csv
run eval --model named.json --labels bad.csv "$bad" --json
[ "$rc" = 0 ] && python3 -c 'import json
e = json.load(open("out"))
assert e["inputs"][0]["file"] == "caf\ufffd.pcap" and list(e["classes"]) == ["Web Attack \ufffd XSS"]'
check "eval: nor are bytes that are not UTF-8 in its JSON" said
run eval --model named.json --labels bad.csv "$bad"
[ "$rc" = 0 ] && LC_ALL=C grep -Eaq '^flow +[0-9]+ +0 +[0-9]+ +0$' out && LC_ALL=C grep -Eaq '^Web Attack . XSS +[0-9]+ +scan [1-9][0-9]*' out
check "eval: the confusion at the threshold, and what was named what" said
if command -v gnuplot >/dev/null; then
	run eval --model named.json --labels bad.csv "$bad" --report page.html
	[ "$rc" = 0 ] && python3 -c '
page = open("page.html", encoding="utf-8").read()
assert "Web Attack \ufffd XSS" in page and "<th>true positives</th>" in page and "<td>scan " in page'
	check "eval --report: nor in its page" said
else
	check_skip "eval --report: needs gnuplot"
fi
printf 'Flow Duration,Tot Fwd Pkts,Tot Bwd Pkts,Label\n1000,1,1,BENIGN\n1000,1,1,Web Attack \x96 XSS\n' >bad.csv
for i in {1..50}; do printf '%d,%d,1,BENIGN\n' $((i * 1000)) $((i % 7)); done >>bad.csv
run train --flow-table -k 2 --members 1 -o bad.json bad.csv && run eval --flow-table --model bad.json --json bad.csv
[ "$rc" = 0 ] && python3 -c 'import json; assert list(json.load(open("out"))["classes"]) == ["Web Attack \ufffd XSS"]'
check "eval --flow-table: nor in that JSON" said

# --- outputs that cannot be written --------------------------------------------------------------

# Told before the captures are looked at: these are not there.
for out in none/x .; do
	run train --normal none.pcap -o $out
	[ "$rc" = 1 ] && grep -q "^sentroid: write: $out: " err
	check "train -o $out" said
	run eval --report $out --labels none.csv none.pcap
	[ "$rc" = 1 ] && grep -q "^sentroid: write: $out: " err
	check "eval --report $out" said
done

# --- replay: captures that are not as usual ------------------------------------------------------

# pcapng INTERFACES: the capture on stdin as pcapng, where interface 0 is Ethernet, 1 is Wi-Fi and 2 is Ethernet
# with another snapshot length; its packets go round them.
pcapng() {
	python3 -c '
import struct, sys
data, at, number, order = sys.stdin.buffer.read(), 24, 0, [int(i) for i in sys.argv[1]]
def block(kind, body):
    size = struct.pack("<I", len(body) + 12)
    sys.stdout.buffer.write(struct.pack("<I", kind) + size + body + size)
block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))
for link, snaplen in (1, 65535), (105, 65535), (1, 262144):
    block(1, struct.pack("<HHI", link, 0, snaplen))
while at < len(data):
    seconds, micro, there, original = struct.unpack_from("<4I", data, at)
    stamp = seconds * 1000000 + micro
    packet = data[at + 16:at + 16 + there] + bytes(-there % 4)
    block(6, struct.pack("<5I", order[number % len(order)], stamp >> 32, stamp & 0xffffffff, there, original) + packet)
    at, number = at + 16 + there, number + 1' "$1"
}
run replay --model plain.json --flows flows.csv --packets packets.csv scan.pcap
mv flows.csv usual.flows && mv packets.csv usual.packets
pcapng 02 <scan.pcap | gzip >mixed.pcapng
run replay --model plain.json --flows flows.csv --packets packets.csv mixed.pcapng
[ "$rc" = 0 ] && [ ! -s err ] && cmp flows.csv usual.flows && cmp packets.csv usual.packets
check "interfaces with other snapshot lengths are read as any other" said
pcapng 012 <scan.pcap >mixed.pcapng
run replay --model plain.json --packets packets.csv --json mixed.pcapng
[ "$rc" = 0 ] && [ "$(grep -c "interface 1: link type 105 (IEEE802_11)" err)" = 1 ] &&
	cmp <(cut -d, -f1 packets.csv) <(cut -d, -f1 usual.packets | awk 'NR == 1 || NR % 3 != 0')
check "those of Wi-Fi are told and left out, the others keep their numbers" said
all=$(($(wc -l <usual.packets) - 1))
awk -v n="$all" 'BEGIN { print "frame,label,class"; for (i = 1; i <= n; i++) print i (i % 3 == 2 ? ",1,scan" : ",0,benign") }' \
	>mixed.labels
run eval --model plain.json --labels mixed.labels --json mixed.pcapng
[ "$rc" = 0 ] && jq -e '.packet.malicious == 0 and .packet.benign > 100' out >/dev/null
check "... and labels by frame fit: none of those that are left out counts" said
pcapng 1 <scan.pcap >wifi.pcapng
run replay --model plain.json wifi.pcapng
[ "$rc" = 1 ] && grep -q "^sentroid: reading capture: wifi.pcapng: link type 105 (IEEE802_11)" err
check "a capture of nothing else is refused" said
head -c 60 scan.pcap >cut.pcap
for command in "replay --model plain.json" "train ${small[*]} -o none.json --normal" "eval --model plain.json --labels mixed.labels"; do
	# shellcheck disable=SC2086 # words by intent
	run $command cut.pcap
	[ "$rc" = 1 ] && grep -q "^sentroid: reading capture: cut.pcap: not one frame of it can be read" err
	check "${command%% *}: a capture that is damaged before its first frame is an error" said
done
run replay --model plain.json empty.pcap
[ "$rc" = 0 ] && grep -q "empty.pcap: no packets" err
check "one that holds no packets is none" said

# --- replay: results that cannot be written ------------------------------------------------------

replay=("$sentroid" replay --model plain.json normal.pcap)
"${replay[@]}" --flows good.csv --packets packets.csv >out 2>err
rc=$?
[ "$rc" = 0 ] && [ "$(wc -l <good.csv)" -gt 100 ] && [ "$(wc -l <packets.csv)" -gt 1000 ]
check "both files of a replay" said
for option in --flows --packets; do
	mkdir results
	echo old >results/it.csv
	# As if the file system were full.
	(trap '' XFSZ && ulimit -f 4 && exec "${replay[@]}" $option results/it.csv) >out 2>err
	rc=$?
	[ "$rc" = 1 ] && grep -q "^sentroid: writing: results/it.csv: " err && [ "$(cat results/*)" = old ]
	check "$option: a failed run leaves the file that was there, and no other" said
	rm -r results
done
"${replay[@]}" --packets packets.new --flows . >out 2>err
rc=$?
[ "$rc" = 1 ] && grep -q "Is a directory" err && [ -z "$(ls packets.new* 2>/dev/null)" ]
check "nor does one that cannot write the other of its files leave half of its results" said
"${replay[@]}" --flows /dev/stdout 2>err | head -n "$(wc -l <good.csv)" | cmp - good.csv && [ -L /dev/stdout ]
check "--flows /dev/stdout" said
"${replay[@]}" --flows /dev/fd/3 3>&1 >out 2>err | cmp - good.csv
check "--flows to a pipe" said
ln -s linked.csv link.csv
"${replay[@]}" --flows link.csv >out 2>err && [ -L link.csv ] && cmp linked.csv good.csv
check "--flows through a symbolic link" said
for other in good.csv ./good.csv; do
	cp good.csv before.csv
	"${replay[@]}" --flows good.csv --packets $other >out 2>err
	rc=$?
	[ "$rc" = 2 ] && grep -q "good.csv: one would replace the other" err && cmp before.csv good.csv
	check "--flows good.csv --packets $other: refused" said
done
"${replay[@]}" --flows new.csv --packets ./new.csv >out 2>err
rc=$?
[ "$rc" = 2 ] && grep -q "one would replace the other" err && [ ! -e new.csv ]
check "... and a file that is not there yet" said
for option in --flows --packets; do
	"${replay[@]}" $option - >out 2>err
	rc=$?
	[ "$rc" = 2 ] && grep -q -- "$option: - is no file" err && [ ! -e ./- ]
	check "$option -: refused" said
done

"${replay[@]}" --config missing.conf >out 2>err
rc=$?
[ "$rc" = 1 ] && grep -qx "sentroid: configuration: missing.conf: No such file or directory" err
check "replay: no such configuration" said
printf '[learn]\nsamples = few\n' >bad.conf
"${replay[@]}" --config bad.conf >out 2>err
rc=$?
[ "$rc" = 1 ] && grep -q "^note: bad.conf: line 2: " err && grep -q "^sentroid: configuration: bad.conf: not read" err
check "replay: a configuration with a bad line" said

# Amid a capture that goes on.
mkdir stopped
mkfifo slow.pcap
for signal in INT TERM; do
	env --default-signal=INT "${replay[@]:0:4}" slow.pcap --flows stopped/it.csv --packets stopped/packets.csv \
		>out 2>err &
	running=$!
	exec 9>slow.pcap
	cat normal.pcap >&9
	kill -$signal $running
	wait $running
	rc=$?
	exec 9>&-
	[ "$rc" -gt 128 ] && [ -z "$(ls stopped)" ]
	check "a replay that is stopped by SIG$signal leaves nothing behind" said
done
check_done
