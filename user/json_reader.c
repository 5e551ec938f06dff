// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "json_reader.h"

#define KEYS_MAX 64 /* of an object: finding duplicates compares all with all */

int sen_refuse(const struct sen_reader *r, int err, const char *fmt, ...)
{
	char text[192];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return sen_why(r->why, err, NULL, "model: %s: %s", r->name, text);
}

const cJSON *sen_json_get(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

int sen_read_number(const struct sen_reader *r, const cJSON *object, const char *where,
		    const char *key, double low, double high, double *out)
{
	const cJSON *item = sen_json_get(object, key);

	if (!cJSON_IsNumber(item))
		return sen_refuse(r, -ERANGE, "%s%s: missing or not a number", where, key);
	if (!(item->valuedouble >= low && item->valuedouble <= high))
		return sen_refuse(r, -ERANGE, "%s%s: %g is not within %g to %g", where, key,
				  item->valuedouble, low, high);
	*out = item->valuedouble;
	return 0;
}

int sen_read_unsigned(const struct sen_reader *r, const cJSON *object, const char *where,
		      const char *key, double high, uint64_t *out)
{
	double v = 0;
	int err = sen_read_number(r, object, where, key, 0, high, &v);

	if (err)
		return err;
	if (v != floor(v))
		return sen_refuse(r, -ERANGE, "%s%s: %g is not a whole number", where, key, v);
	*out = v;
	return 0;
}

int sen_read_string(const struct sen_reader *r, const cJSON *object, const char *where,
		    const char *key, char *out, size_t size)
{
	const cJSON *item = sen_json_get(object, key);

	if (!cJSON_IsString(item))
		return sen_refuse(r, -ERANGE, "%s%s: missing or not a string", where, key);
	if (strlen(item->valuestring) >= size)
		return sen_refuse(r, -ERANGE, "%s%s: longer than %zu bytes", where, key, size - 1);
	strcpy(out, item->valuestring);
	return 0;
}

int sen_check_array(const struct sen_reader *r, const cJSON *array, const char *where, int low,
		    int high)
{
	int n = cJSON_GetArraySize(array);

	if (!cJSON_IsArray(array))
		return sen_refuse(r, -ERANGE, "%s: missing or not an array", where);
	if (n < low || n > high)
		return sen_refuse(r, -ERANGE, "%s: %d entries, not %d to %d", where, n, low, high);
	return 0;
}

int sen_read_numbers(const struct sen_reader *r, const cJSON *array, const char *where, int n,
		     double low, double high, double *out)
{
	int err = sen_check_array(r, array, where, n, n);
	const cJSON *item;
	int i = 0;

	if (err)
		return err;
	cJSON_ArrayForEach(item, array) {
		double v = item->valuedouble;

		if (!cJSON_IsNumber(item) || !(v >= low && v <= high))
			return sen_refuse(r, -ERANGE, "%s[%d]: not a number within %g to %g", where,
					  i, low, high);
		out[i++] = v;
	}
	return 0;
}

/* Keys twice in an object mean one thing to this reader and another to the next; numbers beyond the
 * doubles would come back as something else. */
int sen_check_tree(const struct sen_reader *r, const cJSON *item)
{
	int keys = 0, err;

	if (cJSON_IsNumber(item) && !isfinite(item->valuedouble))
		return sen_refuse(r, -ERANGE, "%s: a number is not finite",
				  item->string ? item->string : "in an array");
	for (const cJSON *child = item->child; child; child = child->next) {
		if (cJSON_IsObject(item)) {
			if (++keys > KEYS_MAX)
				return sen_refuse(r, -ERANGE, "an object has more than %d keys",
						  KEYS_MAX);
			for (const cJSON *c = child->next; c; c = c->next)
				if (!strcmp(c->string, child->string))
					return sen_refuse(r, -EBADMSG,
							  "the key \"%.40s\" occurs twice",
							  c->string);
		}
		err = sen_check_tree(r, child);
		if (err)
			return err;
	}
	return 0;
}
