// SPDX-License-Identifier: BSD-2-Clause
#include <stdarg.h>
#include <stdio.h>

#include "why.h"

int sen_why(struct sen_why *w, int err, const char *hint, const char *fmt, ...)
{
	va_list args;

	if (!w)
		return err;
	va_start(args, fmt);
	vsnprintf(w->text, sizeof(w->text), fmt, args);
	va_end(args);
	snprintf(w->hint, sizeof(w->hint), "%s", hint ? hint : "");
	return err;
}
