// SPDX-License-Identifier: BSD-2-Clause
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "capture.h"
#include "command.h"
#include "flowtable.h"
#include "output.h"

/* Of a file that need not be there yet: alike, and in one folder. */
static bool is_same_name(const char *a, const char *b)
{
	const char *slash_a = strrchr(a, '/'), *slash_b = strrchr(b, '/');
	char folder_a[PATH_MAX], folder_b[PATH_MAX];
	struct stat sa, sb;

	if (strcmp(slash_a ? slash_a + 1 : a, slash_b ? slash_b + 1 : b) != 0)
		return false;
	snprintf(folder_a, sizeof(folder_a), "%.*s.", slash_a ? (int)(slash_a - a + 1) : 0, a);
	snprintf(folder_b, sizeof(folder_b), "%.*s.", slash_b ? (int)(slash_b - b + 1) : 0, b);
	return !stat(folder_a, &sa) && !stat(folder_b, &sb) && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

bool is_same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	if (is_same_name(a, b))
		return true;
	return !stat(a, &sa) && !stat(b, &sb) && S_ISREG(sa.st_mode) && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

int check_no_input(const char *option, const char *path, const char *const *inputs, size_t n)
{
	for (size_t i = 0; path && i < n; i++) {
		const char *input = inputs[i] && !strcmp(inputs[i], "-") ? "/dev/stdin" : inputs[i];

		if (input && is_same_file(path, input))
			return usage_error("%s: %s is an input, too", option, path);
	}
	return 0;
}

static bool is_capture(const char *path)
{
	struct sen_capture *c;
	struct sen_why why;

	if (sen_capture_open(path, NULL, NULL, &c, &why))
		return false;
	sen_capture_close(c);
	return true;
}

int check_no_recording(const char *option, const char *path)
{
	const char *kind = NULL;
	struct stat st;

	if (!path || stat(path, &st) || !S_ISREG(st.st_mode))
		return 0;
	if (is_capture(path))
		kind = "capture";
	else if (sen_flowtable_format(path))
		kind = "flow table";
	return kind ? usage_error("%s: %s is a %s, which would be replaced", option, path, kind) :
		      0;
}
