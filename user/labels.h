/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of each frame of a capture: a CSV, plain or gzipped, with the columns `frame` (from 1),
 * `label` (0 benign, 1 malicious), `class`, and where there is one `source` or `source_file`. Columns
 * are found by their names; others are passed over.
 */
#ifndef SENTROID_LABELS_H
#define SENTROID_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "why.h"

struct sen_labels;

struct sen_frame_label {
	bool malicious;
	uint16_t class_index;  /* below sen_labels_classes() */
	uint16_t source_index; /* below sen_labels_sources() */
};

/* -EINVAL: a column is missing, a number is none, a frame has two labels, no line at all; `why` names
 * file and line. Free with sen_labels_free(). */
int sen_labels_read(const char *path, struct sen_labels **out, struct sen_why *why);
void sen_labels_free(struct sen_labels *l);

/* False where a frame has no label. */
bool sen_labels_get(const struct sen_labels *l, uint64_t frame, struct sen_frame_label *out);
/* The highest frame that has a label, and how many have one. */
uint64_t sen_labels_last(const struct sen_labels *l);
size_t sen_labels_count(const struct sen_labels *l);

size_t sen_labels_classes(const struct sen_labels *l);
const char *sen_labels_class(const struct sen_labels *l, unsigned int index);
/* 1 where the file has no column of sources: all is of one, named "". */
size_t sen_labels_sources(const struct sen_labels *l);
const char *sen_labels_source(const struct sen_labels *l, unsigned int index);

#endif
