/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A registry for MLflow to look at: its file store, as mlflow/store/tracking/file_store.py and
 * mlflow/store/model_registry/file_store.py of MLflow 2 read it. One experiment an interface, one run and
 * one registered version for each model. Existing files of the same names are replaced.
 */
#ifndef SENTROID_MLFLOW_H
#define SENTROID_MLFLOW_H

#include "registry.h"

/* Into DIR, which is made if need be; *runs (may be NULL): how many were written. */
int sen_mlflow_export(struct sen_registry *r, const char *ifname, const char *dir,
		      unsigned int *runs, struct sen_why *why);

#endif
