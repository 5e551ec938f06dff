// SPDX-License-Identifier: BSD-2-Clause
/* What is shown of a learner. */
#include "learner.h"

static cJSON *drift_json(const struct sen_drift_report *r)
{
	cJSON *o = cJSON_CreateObject();

	for (unsigned int dim = 0; dim < SEN_DRIFT_DIMS; dim++) {
		const struct sen_drift_move *m = &r->dim[dim];
		cJSON *f = cJSON_AddObjectToObject(o, sen_drift_name(dim));

		cJSON_AddNumberToObject(f, "psi", m->psi);
		cJSON_AddNumberToObject(f, "ks", m->ks);
		cJSON_AddNumberToObject(f, "p", m->p);
		cJSON_AddNumberToObject(f, "octaves", m->shift);
		cJSON_AddBoolToObject(f, "moved", m->moved);
		cJSON_AddNumberToObject(f, "windows", m->windows);
	}
	return o;
}

/* In the canary; null: there is none. */
static cJSON *candidate_json(const struct sen_learner_status *l)
{
	cJSON *o;

	if (!l->candidate)
		return cJSON_CreateNull();
	o = cJSON_CreateObject();
	cJSON_AddNumberToObject(o, "version", l->candidate);
	cJSON_AddNumberToObject(o, "evaluations", (double)l->canary_evaluations);
	cJSON_AddNumberToObject(o, "agreement", l->canary_agreement);
	cJSON_AddStringToObject(o, "waits", l->candidate_waits);
	return o;
}

cJSON *sen_learner_json(const struct sen_learner_status *l)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "state", sen_learner_state_name(l->state));
	cJSON_AddBoolToObject(o, "training", l->training);
	cJSON_AddBoolToObject(o, "history", l->history);
	cJSON_AddNumberToObject(o, "version", l->version);
	cJSON_AddNumberToObject(o, "benign", (double)l->benign);
	cJSON_AddNumberToObject(o, "attack", (double)l->attack);
	cJSON_AddNumberToObject(o, "skipped", (double)l->skipped);
	cJSON_AddNumberToObject(o, "fresh", (double)l->fresh);
	cJSON_AddNumberToObject(o, "reservoir", (double)l->reservoir);
	cJSON_AddNumberToObject(o, "unlabelled", (double)l->unlabelled);
	cJSON_AddNumberToObject(o, "attacks", (double)l->attacks);
	cJSON_AddNumberToObject(o, "uploads", l->uploads);
	cJSON_AddBoolToObject(o, "asked", l->asked);
	cJSON_AddNumberToObject(o, "next_s", (double)l->next_s);
	cJSON_AddNumberToObject(o, "needed", (double)l->needed);
	cJSON_AddNumberToObject(o, "promoted", (double)l->promoted);
	cJSON_AddNumberToObject(o, "refused", (double)l->refused);
	cJSON_AddNumberToObject(o, "failed", (double)l->failed);
	cJSON_AddNumberToObject(o, "rolled_back", (double)l->rolled_back);
	cJSON_AddNumberToObject(o, "drifts", (double)l->drifts);
	cJSON_AddNumberToObject(o, "reference", l->reference);
	cJSON_AddItemToObject(o, "candidate", candidate_json(l));
	cJSON_AddStringToObject(o, "drift_feature", l->drift_feature);
	cJSON_AddNumberToObject(o, "drift_psi", l->drift_psi);
	cJSON_AddItemToObject(o, "drift", drift_json(&l->drift));
	cJSON_AddItemToObject(o, "sample_drift", drift_json(&l->sample_drift));
	cJSON_AddNumberToObject(o, "missed_attack_ratio",
				l->labelled_error[SEN_PERFORMANCE_ATTACK]);
	cJSON_AddNumberToObject(o, "flagged_benign_ratio",
				l->labelled_error[SEN_PERFORMANCE_BENIGN]);
	cJSON_AddStringToObject(o, "note", l->note);
	return o;
}
