// SPDX-License-Identifier: BSD-2-Clause
/*
 * Model files of any content: read or refused, and what is read can be put into the packet path and comes
 * back from its own text unchanged. Every input that is JSON is tried with a digest that fits, too; else
 * hardly any would get past it.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_internal.h"
#include "require.h"
#include "sentroid/score.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What bpf/ relies on when it walks a model. */
static void check_flat(const struct sen_model_flat *flat)
{
	struct sen_vector vector;
	struct sen_lanes lanes;
	struct sen_score score;

	REQUIRE(flat->scoring >= 1 && flat->scoring <= flat->members);
	REQUIRE(flat->members <= SEN_MEMBERS_MAX);
	for (__u32 e = 0; e < flat->members; e++)
		REQUIRE(flat->member[e].count >= 1 && flat->member[e].count <= SEN_CENTROIDS_MAX);
	for (int d = 0; d < SEN_DIMS; d++)
		REQUIRE(flat->quantizer[d].scale > 0);
	for (int d = 0; d < SEN_DIMS; d++)
		vector.v[d] = (d * 97 + flat->version) % (SEN_LG_MAX + 1);
	sen_quantize(flat->quantizer, &vector, &lanes);
	score = sen_score(flat, &lanes);
	REQUIRE(score.class_id < SEN_CLASS_MAX);
	REQUIRE(score.score >= SEN_ONE || score.class_id == SEN_CLASS_NONE);
}

static void check_model(struct sen_model *m)
{
	static struct sen_model_flat before, after;
	struct sen_model *back = NULL;
	char *text, *again;

	REQUIRE(!sen_model_flatten(m, &before, NULL));
	check_flat(&before);
	text = sen_model_print(m);
	REQUIRE(text);
	REQUIRE(!sen_model_parse(text, strlen(text), "back", &back, NULL));
	REQUIRE(!memcmp(m, back, sizeof(*m)));
	REQUIRE(!sen_model_flatten(back, &after, NULL));
	again = sen_model_print(back);
	REQUIRE(again && !strcmp(text, again));
	/* The digest is of the text, which may have been laid out in another way. */
	memcpy(before.digest, after.digest, sizeof(before.digest));
	REQUIRE(!memcmp(&before, &after, sizeof(before)));
	free(again);
	free(text);
	sen_model_free(back);
}

static void try_text(const char *text, size_t len)
{
	struct sen_model *m = NULL;
	struct sen_why why = { 0 };
	int err = sen_model_parse(text, len, "fuzz", &m, &why);

	REQUIRE(!err == !!m);
	REQUIRE(!err || why.text[0]);
	if (m)
		check_model(m);
	sen_model_free(m);
}

static void try_signed(const char *text, size_t len)
{
	cJSON *root = cJSON_ParseWithLength(text, len);
	char hex[2 * SEN_DIGEST_BYTES + 1], *out;

	if (cJSON_IsObject(root) && !sen_json_digest(root, hex)) {
		cJSON_DeleteItemFromObjectCaseSensitive(root, "digest");
		cJSON_AddStringToObject(root, "digest", hex);
		out = cJSON_PrintUnformatted(root);
		if (out)
			try_text(out, strlen(out));
		free(out);
	}
	cJSON_Delete(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_text((const char *)data, size);
	try_signed((const char *)data, size);
	return 0;
}
