#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Models made by hand. Sourced by tests that push some of their own.

# sign: the digest into a model on stdin, over the object without white space and time of making.
sign() {
	local model body
	model=$(jq -c .) && body=$(jq -c 'del(.digest, .created)' <<<"$model") || return
	jq -c --arg d "$(printf %s "$body" | sha256sum | cut -d ' ' -f 1)" '.digest = $d' <<<"$model"
}

# model VERSION: a small one, of the features of these sources.
model() {
	local features version
	features=$(sed -n '/define SEN_FEATURES(X)/,/^$/s/^\tX([A-Z0-9_]*, "\([a-z0-9_]*\)".*/\1/p' \
		include/sentroid/feature.h | jq -Rnc '[inputs]')
	version=$(sed -n 's/^#define SEN_FEATURES_VERSION //p' include/sentroid/feature.h)
	jq -nc --argjson f "$features" --argjson v "$1" --argjson fv "$version" '{
		format: 1, version: $v, parent: 0, created: "2024-01-01T00:00:00Z", features_version: $fv,
		features: $f, quantizer: {scale: [$f[] | 20000], bias: [$f[] | 0]},
		thresholds: {alert: 2}, classes: ["worm"],
		training: {command: "by hand", inputs: [], samples: 1, seed: "1", target_fpr: 0,
			holdout_fpr: 0, inertia: 0},
		members: [
			{weight: 1, features: $f, centroids: [[$f[] | 10], [$f[] | 60]], radii: [40, 20],
				mass: [1, 1], classes: ["", ""]},
			{weight: 0, features: $f, centroids: [[$f[] | 100]], radii: [30], mass: [1],
				classes: ["worm"]}]}' | sign
}

digest_of() { jq -r .digest "$1"; }
