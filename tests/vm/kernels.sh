#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Fetch the kernels that the VM tests boot. Nothing is installed: Debian's packages are downloaded
# through apt as it is configured here, and only the image and a few modules are kept of them.
#
# usage: tests/vm/kernels.sh DIR [SERIES ...]     (default: 6.1 6.12)
#
# Makes DIR/SERIES/{vmlinuz,release,modules/*.ko}; what is there already is kept. For each series
# that is not to be had one line on stderr says why, and the exit code is 77.

set -uo pipefail

# Debian's names of the packages carry the release of the kernel.
declare -A packages=(
	[6.1]='linux-image-6\.1\.0-[0-9]+-cloud-amd64'
	[6.12]='linux-image-6\.12\.[0-9]+\+deb[0-9]+-cloud-amd64'
)

# veth joins the namespaces, dummy has no native XDP, then what programs on egress need, and VLANs with what
# they stand on.
modules=(veth dummy sch_ingress cls_bpf llc stp garp mrp 8021q)

say() { echo "$*" >&2; }

# The newest first; a list of packages that is not quite fresh names some that are gone.
candidates() {
	apt-cache search --names-only "^${packages[$1]}\$" | cut -d ' ' -f 1 | sort -rV | head -n 3
}

# An image may come without any list of packages.
candidates_made() {
	[[ -n $(candidates "$1") ]] && return
	((EUID == 0)) && timeout 60 apt-get -qq update >/dev/null 2>&1
	[[ -n $(candidates "$1") ]]
}

# download DIR PACKAGE: apt has a warning when its own user cannot write to DIR, which harms nobody. A
# mirror that does not answer costs these seconds and the test, no more.
download() { (cd "$1" && timeout 120 apt-get -qq -o Acquire::http::Timeout=20 -o Acquire::Retries=1 download "$2" >apt.log 2>&1); }

# The cloud kernels' own formats: plain in 6.1, xz in 6.12.
expand() {
	case $1 in
	*.xz) xz -dq "$1" ;;
	*.zst) zstd -dq --rm "$1" ;;
	esac
}

# unpack PACKAGE_FILE INTO: in 6.12 the modules may lie below /usr.
unpack() {
	local patterns=('*/boot/vmlinuz-*') name file
	for name in "${modules[@]}"; do patterns+=("*/$name.ko*"); done
	mkdir -p "$2/all" "$2/modules" &&
		dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2/all" --wildcards "${patterns[@]}" || return
	file=$(echo "$2"/all/boot/vmlinuz-*)
	mv "$file" "$2/vmlinuz" && echo "${file##*/vmlinuz-}" >"$2/release" || return
	find "$2/all" -name '*.ko*' -exec mv -t "$2/modules" {} + || return
	for file in "$2"/modules/*; do expand "$file" || return; done
	rm -rf "$2/all"
}

# Made beside its place, so that one that was interrupted is not taken for a whole one.
fetch() {
	local series=$1 made=$dir/$1.new package
	rm -rf "$made"
	mkdir -p "$made" || return
	for package in $(candidates "$series"); do
		download "$made" "$package"
		case $? in
		0) ;;
		124) break ;;
		*) continue ;;
		esac
		if unpack "$(echo "$made/$package"_*.deb)" "$made"; then
			rm -f "$made"/*.deb "$made/apt.log"
			rm -rf "${dir:?}/$series"
			mv "$made" "$dir/$series"
			return
		fi
	done
	rm -rf "$made"
	return 1
}

(($#)) || { say "usage: tests/vm/kernels.sh DIR [SERIES ...]"; exit 2; }
dir=$1
shift
(($#)) || set -- 6.1 6.12
for tool in apt-get apt-cache dpkg-deb xz; do
	command -v "$tool" >/dev/null || { say "kernels: no $tool here"; exit 77; }
done

rc=0
for series in "$@"; do
	[[ -e $dir/$series/vmlinuz ]] && continue
	[[ -n ${packages[$series]:-} ]] || { say "kernels: no such series: $series"; exit 2; }
	if ! candidates_made "$series"; then
		say "kernel $series: apt offers none (Debian with its updates has one; apt-get update may help)"
		rc=77
	elif ! fetch "$series"; then
		say "kernel $series: cannot be downloaded (apt-get update may help)"
		rc=77
	fi
done
exit "$rc"
