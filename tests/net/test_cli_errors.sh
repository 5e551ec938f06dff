#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the operator's command refuses before anything is attached: wrong usage, bad models, too few rights,
# somebody else's program. Each must give one clear line, a non-zero exit, and change nothing.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=cli.sh
. tests/net/cli.sh

cli_begin clang setpriv unshare

# --- wrong usage ---------------------------------------------------------------------------------

refuses "no command" 2 "no command"
refuses "unknown command" 2 "frobnicate" frobnicate
refuses "unknown option" 2 "--frobnicate" --frobnicate
refuses "unknown model command" 2 "frobnicate" model frobnicate
refuses "attach: no interface" 2 "IFACE" attach
refuses "attach: extra argument" 2 "extra" attach "$LAB_IF" extra --model "$m/1.json"
refuses "attach: unknown option" 2 "--frobnicate" attach "$LAB_IF" --frobnicate
refuses "attach: option without its value" 2 "--mode" attach "$LAB_IF" --mode
refuses "attach: bad mode" 2 "fast" attach "$LAB_IF" --mode fast
refuses "attach: bad policy" 2 "panic" attach "$LAB_IF" --policy panic
for n in 0 -1 12x 4294967297 99999999 ''; do
	refuses "attach: --flows '$n'" 2 "--flows" attach "$LAB_IF" --model "$m/1.json" "--flows=$n"
done
refuses "policy: no interface" 2 "IFACE" policy
refuses "policy: no such policy" 2 "panic" policy "$LAB_IF" panic
refuses "policy: extra argument" 2 "extra" policy "$LAB_IF" alert extra
refuses "detach: extra argument" 2 "extra" detach "$LAB_IF" extra
refuses "status: extra argument" 2 "extra" status "$LAB_IF" extra
refuses "top: no interface" 2 "IFACE" top
refuses "model push: no file" 2 "FILE" model push "$LAB_IF"

helps() {
	local words
	for words in "" attach detach policy allow status alerts top model "model push" "model show" "model list" \
		"model verify" "model rollback" "model promote" "model clear-shadow"; do
		# shellcheck disable=SC2086
		run $words --help
		says "Usage: sentroid${words:+ $words} " || return
		# shellcheck disable=SC2086
		run $words --version
		says "sentroid " || return
	done
}
helps
check "every command has --help and --version"
run_as sh -c "'$sentroid' --help >/dev/full"
[ "$rc" = 1 ] && one_clear_line
check "a full disk behind stdout is an error"

# --- nothing attached ----------------------------------------------------------------------------

run status --json
[ "$rc" = 0 ] && [ "$(jq -c .interfaces <<<"$out")" = "[]" ]
check "status --json without anything attached"
refuses "attach: unknown interface" 1 "sen-none" attach sen-none --model "$m/1.json"
for args in "detach $LAB_IF" "policy $LAB_IF" "policy $LAB_IF enforce" "status $LAB_IF" "top $LAB_IF" "model show $LAB_IF" "model push $LAB_IF $m/1.json" \
	"model promote $LAB_IF" "model clear-shadow $LAB_IF" "model rollback $LAB_IF --state-dir $LAB_TMP/state"; do
	# shellcheck disable=SC2086
	refuses "${args%% "$LAB_IF"*}: not attached" 1 "not attached" $args
done

mkdir -p "$LAB_TMP/learner/$LAB_IF"
touch "$LAB_TMP/.hidden.pcap"
refuses "learn upload: a name that the agent passes over" 1 ".hidden.pcap: the agent passes over names that begin with a dot" \
	learn upload "$LAB_TMP/.hidden.pcap" -i "$LAB_IF" --state-dir "$LAB_TMP/learner"
long=$(printf 'n%.0s' {1..255})
touch "$LAB_TMP/$long"
run learn upload "$LAB_TMP/$long" -i "$LAB_IF" --state-dir "$LAB_TMP/learner"
[ "$rc" = 0 ] && [ -f "$LAB_TMP/learner/$LAB_IF/uploads/$long" ]
check "learn upload of the longest name that there is"

models_refused "attach --model" attach "$LAB_IF" --model
models_refused "model verify" model verify

run model verify "$m/1.json"
says "version 1, sha256 $(digest_of "$m/1.json")"
check "model verify of a good file"

# --- permissions, bpffs --------------------------------------------------------------------------

# The build may lie where ordinary users cannot go.
install -m 755 "$sentroid" "$LAB_TMP/sentroid"
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups "$LAB_TMP/sentroid")
powerless=(setpriv --bounding-set=-all --inh-caps=-all "$sentroid")
refuses_as "attach: not root" 1 "not permitted" "${nobody[@]}" attach "$LAB_IF" --model "$m/1.json"
refuses_as "detach: not root" 1 "not permitted" "${nobody[@]}" detach "$LAB_IF"
refuses_as "policy: not root" 1 "not permitted" "${nobody[@]}" policy "$LAB_IF" alert
refuses_as "top: not root" 1 "not permitted" "${nobody[@]}" top "$LAB_IF"
refuses_as "status: not root" 1 "not permitted" "${nobody[@]}" status
mkdir -p "$LAB_TMP/state/$LAB_IF/models" "$LAB_TMP/state/eth9"
chmod 700 "$LAB_TMP/state/$LAB_IF"
for shut in "$LAB_TMP/state/$LAB_IF" "$LAB_TMP/state"; do
	chmod 700 "$shut"
	for args in alerts "alerts $LAB_IF" "label list" "label export" "learn status" "model list" "model list $LAB_IF" \
		"model show $LAB_IF 1" "model diff $LAB_IF 1 2" "model export $LAB_IF $LAB_TMP/mlflow" "learn status $LAB_IF"; do
		# shellcheck disable=SC2086
		refuses_as "$args: not root" 1 "not permitted" "${nobody[@]}" $args --state-dir "$LAB_TMP/state"
	done
done
rm -r "$LAB_TMP/state"
for args in alerts "alerts $LAB_IF" "label list" "learn status" "model list $LAB_IF" "model show $LAB_IF 1" "model diff $LAB_IF 1 2" \
	"model export $LAB_IF $LAB_TMP/mlflow"; do
	# shellcheck disable=SC2086
	refuses "$args: nothing kept" 1 ": " $args --state-dir "$LAB_TMP/state"
done
test ! -e "$LAB_TMP/state" && test ! -e "$LAB_TMP/mlflow"
check "... and no folder made by asking"
refuses_as "attach: root without capabilities" 1 "not permitted" \
	"${powerless[@]}" attach "$LAB_IF" --model "$m/1.json"
# It could attach, but find neither its model nor its program by their ids any more, and leave it there.
refuses_as "attach: root without CAP_SYS_ADMIN" 1 "not permitted" setpriv --bounding-set=-sys_admin --inh-caps=-all \
	"$sentroid" attach "$LAB_IF" --model "$m/1.json"
refuses_as "attach: pins outside of bpffs" 1 "not a bpf file system" \
	env SENTROID_BPFFS="$LAB_TMP/none/here" "$sentroid" attach "$LAB_IF" --model "$m/1.json"
test ! -e "$LAB_TMP/none"
check "... and no folder made there"

# In a mount namespace of its own, so that nobody else's pins vanish.
# shellcheck disable=SC2016
run_as unshare --mount sh -c 'while umount /sys/fs/bpf 2>/dev/null; do :; done
	"$0" attach "$1" --model "$2" >/dev/null && stat -f -c %T /sys/fs/bpf && "$0" detach "$1"' \
	"$sentroid" "$LAB_IF" "$m/1.json"
says "bpf_fs" && [ "$(xdp_id)" = none ]
check "attach mounts bpffs where it is not mounted"

# --- somebody else's program ---------------------------------------------------------------------

foreign=$SENTROID_BPFFS/foreign
mkdir "$SENTROID_BPFFS" || exit
echo '__attribute__((section("xdp"), used)) int foreign(void *ctx) { return 2; }' |
	clang -target bpf -O2 -g -x c -c - -o "$LAB_TMP/foreign.o" &&
	bpftool prog load "$LAB_TMP/foreign.o" "$foreign" type xdp &&
	in_srv ip link set dev "$LAB_IF" xdpdrv pinned "$foreign" || exit
for mode in auto native skb; do
	refuses "attach --mode $mode: a foreign program is there" 1 "held by XDP program foreign" \
		attach "$LAB_IF" --mode $mode --model "$m/1.json"
done
refuses "detach: leaves a foreign program alone" 1 "not attached" detach "$LAB_IF"
test "$(xdp_id)" = "$(bpftool -j prog show pinned "$foreign" | jq .id)"
check "... which is still attached"
in_srv ip link set dev "$LAB_IF" xdpdrv off
# With the folder of the pins one level deeper ".." names the one of the foreign program.
export SENTROID_BPFFS=$SENTROID_BPFFS/deeper
mkdir "$SENTROID_BPFFS"
for name in .. . '' a/b; do
	refuses "detach '$name': not a name" 1 "not a name" detach "$name"
done
test -e "$foreign"
check "... and others' pins are left alone"
rmdir "$SENTROID_BPFFS"
export SENTROID_BPFFS=${SENTROID_BPFFS%/deeper}
rm -r "$SENTROID_BPFFS"
cli_done
