#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Install what is missing to build, test and demonstrate Sentroid on Debian or Ubuntu.
# With nothing missing it returns at once, without touching the network.
#
# usage: tools/deps.sh [build|test|optional|lint ...]     (default: build test optional)

set -euo pipefail
export LC_ALL=C

# One word for each need; alternatives are separated by "|", the preferred one first.
declare -A group=(
	[build]='
		gcc libc6-dev make clang llvm pkg-config|pkgconf bpftool|linux-tools-generic
		libbpf-dev libxdp-dev libelf-dev libcjson-dev libmicrohttpd-dev libinih-dev
		libpcap-dev libssl-dev libsystemd-dev libsqlite3-dev libcurl4-openssl-dev zlib1g-dev libzstd-dev
		libcmocka-dev'
	[test]='
		nginx|nginx-light|nginx-full|nginx-extras curl wrk iperf3 openssh-server
		openssh-client sshpass dnsmasq-base bind9-dnsutils iputils-ping nmap hping3
		arping|dsniff iproute2 ethtool tcpdump jq sqlite3 python3-minimal procps'
	[optional]='prometheus qemu-system-x86 xz-utils xdp-tools gnuplot-nox|gnuplot'
	[lint]='clang-format clang-tidy cppcheck shellcheck'
)

# Tests start these by hand inside network namespaces; the host itself must never run them.
servers=(nginx.service ssh.service ssh.socket iperf3.service prometheus.service)
new_servers=()

policy=/usr/sbin/policy-rc.d
policy_saved=$policy.before-sentroid
policy_mark='# Put here by deps.sh of Sentroid for the time of an installation.'

fail() {
	echo "deps.sh: $*" >&2
	exit 1
}

# Prints those of the given needs of which no alternative is installed.
missing() {
	local need name
	for need in "$@"; do
		for name in ${need//|/ }; do
			[[ -n ${installed[$name]:-} ]] && continue 2
		done
		# Where it is not packaged, libxdp may have been built from source.
		[[ $need == libxdp-dev ]] && pkg-config --exists libxdp 2>/dev/null && continue
		echo "$need"
	done
}

# Prints the first alternative of a need that apt can install.
available() {
	local name
	for name in ${1//|/ }; do
		if [[ $(apt-cache policy "$name" 2>/dev/null) == *'Candidate: '[!\(]* ]]; then
			echo "$name"
			return
		fi
	done
	return 1
}

ours() {
	grep -qsF "$policy_mark" "$policy"
}

# Packages ask policy-rc.d whether they may start their servers: no. The mark tells our file from
# the host's own even after a run that was killed outright and could not put things back.
hold_services() {
	ours || [[ ! -e $policy ]] || mv -f "$policy" "$policy_saved"
	printf '#!/bin/sh\n%s\nexit 101\n' "$policy_mark" >"$policy"
	chmod 755 "$policy"

	local name
	for name in "${servers[@]}"; do
		[[ -e /lib/systemd/system/$name ]] || new_servers+=("$name")
	done
}

release_services() {
	if [[ -e $policy_saved ]]; then
		mv -f "$policy_saved" "$policy"
	elif ours; then
		rm -f "$policy"
	fi

	# Nor may they come up at the next boot.
	command -v systemctl >/dev/null || return 0
	local name
	for name in "${new_servers[@]}"; do
		[[ -e /lib/systemd/system/$name ]] || continue
		systemctl disable --quiet "$name" 2>/dev/null || true
	done
}

# dpkg has a line or three for each package: they are of interest only after a failure.
apt_install() {
	local log status=0
	log=$(mktemp)
	apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --yes --no-remove \
		--no-install-recommends "$@" </dev/null >"$log" 2>&1 || status=$?
	((status == 0)) || tail -n 20 "$log" >&2
	rm -f "$log"
	return "$status"
}

required=() optional=()
(($#)) || set -- build test optional
for name in "$@"; do
	[[ -n ${group[$name]:-} ]] || fail "no such group: $name (use build, test, optional, lint)"
	read -ra words -d '' <<<"${group[$name]}" || true
	case $name in
	optional) optional+=("${words[@]}") ;;
	*) required+=("${words[@]}") ;;
	esac
done

declare -A installed=()
if command -v dpkg-query >/dev/null; then
	while read -r name status; do
		[[ $status == installed ]] && installed[$name]=1
	done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n')
fi

mapfile -t need < <(missing "${required[@]}")
mapfile -t want < <(missing "${optional[@]}")
lacking=("${need[@]}" "${want[@]}")
((${#lacking[@]})) || exit 0

list=${lacking[*]}
list=${list//|/ or }
command -v apt-get >/dev/null || fail "no apt-get here: install these by hand: $list"
if ((EUID)); then
	((${#need[@]})) || exit 0
	fail "must be root to install: $list"
fi

# The services' policy is one file for the whole host: one run at a time.
exec 9<"$0"
flock 9

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
apt-get -qq -o DPkg::Lock::Timeout=300 update ||
	echo "deps.sh: note: apt-get update failed, going on with the package lists at hand" >&2

install=()
for name in "${need[@]}"; do
	if package=$(available "$name"); then
		install+=("$package")
		continue
	fi
	case $name in
	libxdp-dev) fail "this release has no libxdp-dev (Debian 12 and Ubuntu 23.04 are the first" \
		"with it): build and install xdp-tools' lib/libxdp from source, then run this again" ;;
	*) fail "apt knows no package ${name//|/ or }: enable the distribution's main and universe" \
		"components, or install it by hand" ;;
	esac
done

trap release_services EXIT
trap 'exit 130' INT TERM HUP
hold_services

if ((${#install[@]})); then
	echo "installing: ${install[*]}"
	apt_install "${install[@]}" || fail "could not install: ${install[*]} (apt's own words are above)"
fi

for name in "${want[@]}"; do
	echo "installing, optional: ${name//|/ or }"
	package=$(available "$name") && apt_install "$package" ||
		echo "deps.sh: note: optional ${name//|/ or } is not available, what needs it is skipped" >&2
done
