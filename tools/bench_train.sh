#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What training costs on one core, beside scikit-learn's MiniBatchKMeans on the same data
# ("make bench-train"). Without scikit-learn (Debian: python3-sklearn) it shows its own figures alone.

set -euo pipefail
cd "$(dirname "$0")/.."

dir=$(mktemp -d)
trap 'rm -rf -- "$dir"' EXIT

core() { if command -v taskset >/dev/null; then taskset -c 0 "$@"; else "$@"; fi; }

core "${BUILD_DIR:-build}/tests/bench/train" "$dir/rows" >"$dir/own"
core /usr/bin/python3 tests/bench/train.py "$dir/rows" >"$dir/theirs" || echo '{}' >"$dir/theirs"

jq -rn --slurpfile own "$dir/own" --slurpfile theirs "$dir/theirs" '
	$own[0] as $a | $theirs[0] as $b |
	def beside($key): if $b[$key] then "\($b[$key])" else "-" end;
	def ratio($key): if $b[$key] then "\($b[$key] / $a[$key] * 100 | round / 100)" else "-" end;
	["", "sentroid", "scikit-learn", "scikit-learn / sentroid"],
	["update, 10,000 x 16, 5 x 16 centroids, ms", "\($a.update_ms)", beside("update_ms"), ratio("update_ms")],
	["training from scratch, 100,000, ms", "\($a.full_ms)", "-", "-"],
	["one K-means of 16, 100,000, ms", "\($a.kmeans_ms)", beside("kmeans_ms"), ratio("kmeans_ms")],
	["its mean squared distance", "\($a.kmeans_inertia)", beside("kmeans_inertia"), ratio("kmeans_inertia")] |
	@tsv' | column -ts $'\t'
[ "$(cat "$dir/theirs")" != '{}' ] || echo "scikit-learn is not there: SKIP of the comparison"
