// SPDX-License-Identifier: BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

static const char replacement[] = "\xef\xbf\xbd";

/* Bytes of a character that begins so, 0 where none does. */
static size_t length_by(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : 3 + (first >= 0xf0);
}

/* Bytes of the character at s, 0 where none is (RFC 3629: none in more bytes than it takes, no surrogates). */
static size_t character(const unsigned char *s)
{
	size_t n = length_by(*s);

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ||
	    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

char *sen_utf8_mended(const char *text)
{
	char *copy = text ? malloc(strlen(text) * strlen(replacement) + 1) : NULL, *out = copy;

	while (copy && *text) {
		size_t n = character((const unsigned char *)text);

		memcpy(out, n ? text : replacement, n ? n : strlen(replacement));
		out += n ? n : strlen(replacement);
		text += n ? n : 1;
	}
	if (copy)
		*out = '\0';
	return copy;
}
