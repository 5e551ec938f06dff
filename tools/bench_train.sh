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

# The aims; a machine that is busy or slow may miss those of time.
jq -rn --slurpfile own "$dir/own" --slurpfile theirs "$dir/theirs" '
	$own[0] as $a | $theirs[0] as $b |
	def aim($name; $met): "\(if $met == null then "SKIP" elif $met then "pass" else "FAIL" end)\t\($name)";
	aim("an update under 20 ms"; $a.update_ms < 20),
	aim("a training from scratch under 2 s"; $a.full_ms < 2000),
	aim("the distance within 2% of that of scikit-learn";
		if $b.kmeans_inertia then $a.kmeans_inertia <= 1.02 * $b.kmeans_inertia else null end)' |
	tee "$dir/aims"
! grep -q ^FAIL "$dir/aims"
