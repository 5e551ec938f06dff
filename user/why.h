/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a call failed, in words, beside its negative errno: the library fills it, the command prints it. */
#ifndef SENTROID_WHY_H
#define SENTROID_WHY_H

struct sen_why {
	char text[256]; /* "what failed: on what: why" */
	char hint[192]; /* what to do about it, or empty */
};

/* Put a message and a hint (may be NULL) into w (may be NULL). Returns err, so that callers can write
 * `return sen_why(w, -EINVAL, "...", "...", ...)`. An earlier, more precise message is replaced. */
__attribute__((format(printf, 4, 5))) int sen_why(struct sen_why *w, int err, const char *hint,
						  const char *fmt, ...);

#endif
