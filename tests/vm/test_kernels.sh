#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Boots Debian's kernels under QEMU, as many at a time as there are CPUs, each with what was built here,
# and shows what guest.sh found there; the newest once more, locked down; then the instructions that each
# kernel's verifier processed, side by side.
#
# VM_SECONDS bounds a machine's life; VM_ACCEL=kvm is faster where the host has it.

set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2

build=${BUILD_DIR:-build}
dir=$build/vm
series=(6.1 6.12)
most_insns=500000 # half of what any kernel allows

skip() {
	echo "1..0 # SKIP $*"
	exit 77
}

# boot KERNEL MACHINE [PARAMETER]: the guest's ports are files: what it prints is not mixed with what the
# kernel prints.
boot() {
	# Timers of other tests on the same host come first.
	timeout --foreground -k 5 "${VM_SECONDS:-300}" nice -n 10 qemu-system-x86_64 \
		-machine pc -accel "${VM_ACCEL:-tcg}" -cpu max -smp 1 -m 1024 -nodefaults -no-user-config \
		-display none -no-reboot -kernel "$dir/$1/vmlinuz" -initrd "$dir/initramfs.cpio" \
		-append "console=ttyS0 quiet panic=-1 rdinit=/init ${3:-}" \
		-serial "file:$dir/$2.console" -serial "file:$dir/$2.tap" \
		>"$dir/$2.qemu" 2>&1
}

# told MACHINE: its lines, numbered on and with the machine's name in them.
told() {
	local line results=0
	while read -r line; do
		if [[ $line =~ ^(ok|not ok)\ [0-9]+(.*) ]]; then
			number=$((number + 1)) results=$((results + 1))
			[[ ${BASH_REMATCH[1]} == ok ]] || failed=1
			echo "${BASH_REMATCH[1]} $number${BASH_REMATCH[2]/- /- $1: }"
		elif [[ $line == "1.."* ]]; then
			planned=${line#1..}
		else
			echo "# $1: ${line#\# }"
		fi
	done <"$dir/$1.tap"
	((results))
}

result() {
	number=$((number + 1))
	echo "$1 $number - $2"
	[[ $1 == ok ]] || failed=1
}

# live KERNEL MACHINE [PARAMETER]: from boot to end, which then is in MACHINE.end: exit code and seconds.
live() {
	local start=$SECONDS rc=0
	rm -f "$dir/$2".{console,tap,qemu,end}
	boot "$@" || rc=$?
	echo "$rc $((SECONDS - start))" >"$dir/$2.end"
}

# Each machine has one CPU, and takes one here.
live_all() {
	local machine room
	room=$(nproc)
	for machine in "${machines[@]}"; do
		((room-- > 0)) || wait -n
		# shellcheck disable=SC2086 # words
		live $machine &
	done
	wait
}

# report MACHINE
report() {
	local name=$1 planned='' rc seconds
	read -r rc seconds <"$dir/$name.end"
	if [[ -s $dir/$name.tap ]] && told "$name" && [[ -n $planned ]] && ((rc == 0)); then
		result ok "$name: runs to its end ($seconds s)"
		return
	fi
	result "not ok" "$name: runs to its end (exit code $rc after $seconds s)"
	tail -n 30 "$dir/$name.qemu" "$dir/$name.console" 2>/dev/null | tr -d '\r' | sed 's/^/# /'
}

# A line a program: what tests/bpf/verifier.txt knows for the kernel it was made on, then each kernel's.
figures() {
	local kernel
	for kernel in "${have[@]}"; do
		sed -n "s/^# insns /$kernel /p" "$dir/$kernel.tap"
	done | awk -v kernels="${have[*]}" -v known="tests/bpf/verifier.txt" '
		BEGIN {
			while ((getline line < known) > 0)
				if (split(line, word, " ") == 2 && word[1] != "#")
					budget[word[1]] = word[2]
			n = split(kernels, kernel, " ")
			printf "%-28s %9s", "instructions verified", "known"
			for (i = 1; i <= n; i++)
				printf " %9s", kernel[i]
			print ""
		}
		{ insns[$1, $2] = $3; if (!($2 in seen)) { seen[$2] = 1; order[++programs] = $2 } }
		END {
			for (p = 1; p <= programs; p++) {
				printf "%-28s %9s", order[p], order[p] in budget ? budget[order[p]] : "-"
				for (i = 1; i <= n; i++)
					printf " %9s", (kernel[i], order[p]) in insns ? insns[kernel[i], order[p]] : "-"
				print ""
			}
		}'
}

[[ $(uname -m) == x86_64 ]] || skip "the kernels fetched are for x86-64"
command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64 (package qemu-system-x86)"
[[ -x $build/sentroid && -x $build/tests/bpf/test_insns ]] || skip "not built: make all tests"
mkdir -p "$dir" || exit

number=0 failed=0 have=() lacking=()
for kernel in "${series[@]}"; do
	if why=$(tests/vm/kernels.sh "$dir" "$kernel" 2>&1); then have+=("$kernel"); else lacking+=("$why"); fi
done
((${#have[@]})) || skip "$(printf "%s; " "${lacking[@]}")"
clang -O2 -g -target bpf -D__TARGET_ARCH_x86 -I. -c tests/vm/other.bpf.c -o "$dir/other.bpf.o" || exit
why=$(tests/vm/initramfs.sh "$dir" 2>&1) || { (($? == 77)) && skip "$why"; echo "$why"; exit 1; }

for why in "${lacking[@]}"; do
	number=$((number + 1))
	echo "ok $number # SKIP $why"
done
machines=()
for kernel in "${have[@]}"; do machines+=("$kernel $kernel"); done
# As Secure Boot leaves many hosts.
machines+=("${have[-1]} ${have[-1]}-lockdown lockdown=confidentiality")
live_all
for kernel in "${have[@]}" "${have[-1]}-lockdown"; do report "$kernel"; done

figures >"$dir/figures"
sed 's/^/# /' "$dir/figures"
if awk -v most="$most_insns" 'NR > 1 { for (i = 3; i <= NF; i++) if ($i > most) exit 1 }' "$dir/figures"; then
	result ok "no program needs more than half of what a verifier allows"
else
	result "not ok" "no program needs more than half of what a verifier allows"
fi
echo "1..$number"
exit "$failed"
