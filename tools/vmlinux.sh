#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Regenerate vmlinux.h from a kernel's BTF, keeping only the types listed here and what they
# are made of. A whole dump has 130,000 lines, nearly all of them noise in review and in every
# compile. Run it after adding a name to the lists below.
#
# usage: tools/vmlinux.sh [BTF-FILE]

set -euo pipefail

btf=${1:-/sys/kernel/btf/vmlinux}
out=$(cd "$(dirname "$0")/.." && pwd)/vmlinux.h

kernel='
	__u8 __u16 __u32 __u64 __s8 __s16 __s32 __s64
	u8 u16 u32 u64 s8 s16 s32 s64
	__be16 __be32 __sum16 __wsum bool
	xdp_action bpf_map_type bpf_spin_lock bpf_timer
'

# An anonymous enum is named by any one of its constants.
constants='
	true IPPROTO_TCP
	BPF_ANY BPF_F_MMAPABLE BPF_RB_NO_WAKEUP BPF_RB_AVAIL_DATA
'

# What is fixed, by protocol standards or as the kernel's interface to BPF programs, must not be
# relocated. That could change nothing, but a program would fail to load on any kernel whose BTF
# happens to lack the header, and where two relocated fields of a context share an address the
# verifier refuses the access.
headers='
	xdp_md __sk_buff
	ethhdr vlan_hdr arphdr
	iphdr ipv6hdr ipv6_opt_hdr frag_hdr in6_addr
	tcphdr udphdr sctphdr icmphdr icmp6hdr
'

fail() {
	echo "vmlinux.sh: $*" >&2
	exit 1
}

PATH=$PATH:/usr/sbin:/sbin
command -v bpftool >/dev/null || fail "bpftool is missing: run 'make deps'"
command -v python3 >/dev/null || fail "python3 is missing: run 'make deps'"
[[ -r $btf ]] || fail "cannot read $btf: the kernel needs CONFIG_DEBUG_INFO_BTF=y"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

bpftool btf dump file "$btf" format c >"$tmp/full.h"

cat >"$tmp/prune.py" <<'PYTHON'
import re
import sys

full = open(sys.argv[1]).read()
kernel, constants, headers = (arg.split() for arg in sys.argv[2:])

# bpftool separates definitions by blank lines, and sorts them so that each one follows
# whatever it is made of. Keeping that order keeps the result valid and deterministic.
guard, push, *blocks, pop, end = full.strip().split("\n\n")

tags, typedefs, by_constant = {}, {}, {}  # name -> index in blocks
for i, block in enumerate(blocks):
    tag = re.match(r"(?:struct|union|enum) (\w+) \{", block)
    typedef = re.match(r"typedef [^()]* \**(\w+)(?:\[\w+\])*;$", block)
    if tag:
        tags[tag[1]] = i
    elif typedef:
        typedefs[typedef[1]] = i
    elif block.startswith("enum {"):
        by_constant.update((c, i) for c in re.findall(r"^\t(\w+) =", block, re.M))

def find(names, index):
    for name in names:
        if name not in index:
            sys.exit(f"vmlinux.sh: this kernel's BTF has no {name}")
    return {index[name] for name in names}

def closure(todo):
    """The blocks in todo and all they need, and declarations of what they only point at."""
    needed, pointed_at = set(), set()
    while todo:
        i = todo.pop()
        needed.add(i)
        body = blocks[i].split("{", 1)[-1]
        for kind, name, pointer in re.findall(r"\b(struct|union|enum) (\w+)( \*)?", body):
            if pointer and kind != "enum":
                pointed_at.add(f"{kind} {name};")
            elif name in tags:
                todo.add(tags[name])
        # A type's name is followed by a declarator, a member's name never is.
        words = re.findall(r"\b(\w+) (?=[\w*(])", body)
        todo |= {typedefs[word] for word in words if word in typedefs}
        todo -= needed
    return needed, sorted(pointed_at)

def text(indices):
    return [blocks[i] for i in sorted(indices)]

types = {**tags, **typedefs}
relocated, opaque = closure(find(kernel, types) | find(constants, by_constant))
fixed, _ = closure(find(headers, types))
print("\n\n".join([guard, push, *opaque, *text(relocated), pop, *text(fixed - relocated), end]))
PYTHON

{
	cat <<-EOF
		/* SPDX-License-Identifier: GPL-2.0-only */
		/*
		 * The kernel types that the BPF programs use: made by tools/vmlinux.sh, which prunes what
		 * "bpftool btf dump file $btf format c" prints on Linux $(uname -r | cut -d. -f1,2).
		 * Do not edit: add what is missing to the lists in that script, and run it again.
		 */
	EOF
	python3 "$tmp/prune.py" "$tmp/full.h" "$kernel" "$constants" "$headers"
} >"$tmp/vmlinux.h"

cp "$tmp/vmlinux.h" "$out"
echo "$out: $(wc -l <"$out") lines"
