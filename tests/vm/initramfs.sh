#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Make the initramfs of the VM tests: the built programs, the tools of this host that the tests need,
# the libraries of both, and the modules of every kernel.
#
# usage: tests/vm/initramfs.sh DIR     DIR/*/{release,modules} from kernels.sh -> DIR/initramfs.cpio

set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
PATH=$PATH:/usr/sbin:/sbin

build=${BUILD_DIR:-build}

needed=(bash ip nsenter bpftool jq)
welcome=(nmap xdp-loader ethtool)

fail() {
	echo "initramfs: $*" >&2
	exit "${rc:-1}"
}

# put PROGRAM AT: the program and what the dynamic linker will look for.
put() {
	local lib
	install -D -m 755 "$1" "$root$2" || return
	for lib in $(ldd "$1" 2>/dev/null | grep -o '/[^ ]*'); do
		[[ -e $root$lib ]] || install -D -m 755 "$lib" "$root$lib" || return
	done
}

# Installed or not: apt may be able to give it all the same.
find_busybox() {
	local deb
	command -v busybox && return
	[[ -x $dir/busybox ]] && { echo "$dir/busybox"; return; }
	(cd "$dir" && timeout 60 apt-get -qq download busybox-static >/dev/null 2>&1) || return
	deb=$(echo "$dir"/busybox-static_*.deb)
	dpkg-deb --fsys-tarfile "$deb" | tar -x -O --wildcards '*/bin/busybox' >"$dir/busybox" &&
		chmod 755 "$dir/busybox" && rm "$deb" && echo "$dir/busybox"
}

put_tools() {
	local box tool path
	box=$(find_busybox) || rc=77 fail "no busybox, and apt cannot download it"
	for tool in "${needed[@]}" "${welcome[@]}"; do
		path=$(command -v "$tool") && { put "$path" "/bin/$tool" || return; continue; }
		[[ " ${needed[*]} " != *" $tool "* ]] || rc=77 fail "no $tool here"
	done
	put "$box" /bin/busybox || return
	for tool in $("$box" --list); do
		[[ -e $root/bin/$tool ]] || ln -s busybox "$root/bin/$tool"
	done
}

# Laid out like the source tree, where the programs find the shipped model.
put_sentroid() {
	local at=$root/sentroid file
	for file in sentroid sentroidd tests/bpf/test_insns; do
		put "$build/$file" "/sentroid/build/$file" || return
	done
	mkdir -p "$at/tests/bpf" "$at/models" &&
		cp -r tests/net tests/vm "$at/tests" &&
		cp models/default.json "$at/models" &&
		cp "$build"/*.bpf.o "$dir"/*.bpf.o "$at/build"
}

# libxdp opens its dispatcher, nmap its list of services, at the places where they were installed.
put_data() {
	local file
	for file in /usr/lib/*/bpf/xdp-dispatcher.o /usr/lib*/bpf/xdp-dispatcher.o \
		/usr/local/lib/bpf/xdp-dispatcher.o /usr/share/nmap/nmap-{services,payloads}; do
		[[ ! -e $file ]] || install -D -m 644 "$file" "$root$file" || return
	done
}

put_modules() {
	local kernel
	for kernel in "$dir"/*/release; do
		mkdir -p "$root/modules/$(<"$kernel")" &&
			cp "${kernel%/release}"/modules/*.ko "$root/modules/$(<"$kernel")" || return
	done
}

pack() {
	local cpio=(cpio)
	command -v cpio >/dev/null || cpio=("$root/bin/busybox" cpio)
	(cd "$root" && find . | "${cpio[@]}" -o -H newc 2>/dev/null) >"$dir/initramfs.cpio"
}

(($# == 1)) || fail "usage: tests/vm/initramfs.sh DIR"
mkdir -p "$1" && dir=$(realpath "$1") || exit
root=$dir/root
rm -rf "$root"
mkdir -p "$root"/{proc,sys,dev,run,tmp,etc} || exit
for part in put_tools put_sentroid put_data put_modules; do
	"$part" || fail "cannot copy what belongs there"
done
ln -s sentroid/tests/vm/guest.sh "$root/init" || exit
pack || fail "cannot pack it"
