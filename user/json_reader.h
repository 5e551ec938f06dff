/* SPDX-License-Identifier: BSD-2-Clause */
/* Checked reads from a JSON tree, with messages that say where in which file. */
#ifndef SENTROID_JSON_READER_H
#define SENTROID_JSON_READER_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "why.h"

struct sen_reader {
	const char *name; /* of the file */
	struct sen_why *why;
};

__attribute__((format(printf, 3, 4))) int sen_refuse(const struct sen_reader *r, int err,
						     const char *fmt, ...);

/* Member of an object, NULL where there is none. */
const cJSON *sen_json_get(const cJSON *object, const char *key);

/* `where` is put before the key in messages. 0 or -ERANGE, of a missing member too. */
int sen_read_number(const struct sen_reader *r, const cJSON *object, const char *where,
		    const char *key, double low, double high, double *out);
int sen_read_unsigned(const struct sen_reader *r, const cJSON *object, const char *where,
		      const char *key, double high, uint64_t *out);
int sen_read_string(const struct sen_reader *r, const cJSON *object, const char *where,
		    const char *key, char *out, size_t size);
/* An array of low to high entries. */
int sen_check_array(const struct sen_reader *r, const cJSON *array, const char *where, int low,
		    int high);
/* An array of exactly n numbers within a range. */
int sen_read_numbers(const struct sen_reader *r, const cJSON *array, const char *where, int n,
		     double low, double high, double *out);

/* The tree as a whole: no key twice in an object, no number that is not finite. */
int sen_check_tree(const struct sen_reader *r, const cJSON *item);

#endif
