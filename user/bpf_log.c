// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <xdp/libxdp.h>

#include "bpf_log.h"

static struct {
	char last[256];
	bool no_native;
	bool no_dispatcher_file;
	int dispatcher_error;
} heard;

/* The errno that strerror() calls by this name, 0: none. */
static int errno_of(const char *text)
{
	for (int e = 1; e < 134; e++)
		if (!strcmp(strerror(e), text))
			return e;
	return 0;
}

static void format_line(char line[256], const char *format, va_list args)
{
	vsnprintf(line, 256, format, args);
	line[strcspn(line, "\n")] = '\0';
}

static void note_dispatcher(const char *format, va_list args)
{
	char line[256], *reason;

	if (!strstr(format, "check for dispatcher program failed"))
		return;
	format_line(line, format, args);
	reason = strstr(line, "failed: ");
	if (reason)
		heard.dispatcher_error = errno_of(reason + strlen("failed: "));
}

static void remember(const char *format, va_list args)
{
	char line[256];

	format_line(line, format, args);
	if (!*line)
		return;
	snprintf(heard.last, sizeof(heard.last), "%s", line);
	if (strstr(line, "driver does not support XDP in native mode"))
		heard.no_native = true;
	if (strstr(line, "open BPF file") && strstr(line, "xdp-dispatcher.o"))
		heard.no_dispatcher_file = true;
}

static int on_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN)
		remember(format, args);
	return 0;
}

static int on_libxdp(enum libxdp_print_level level, const char *format, va_list args)
{
	if (level == LIBXDP_WARN)
		remember(format, args);
	else
		note_dispatcher(format, args);
	return 0;
}

void sen_bpf_log_begin(void)
{
	memset(&heard, 0, sizeof(heard));
	libbpf_set_print(on_libbpf);
	libxdp_set_print(on_libxdp);
}

const char *sen_bpf_log_last(void)
{
	return heard.last;
}

bool sen_bpf_log_no_native(void)
{
	return heard.no_native;
}

bool sen_bpf_log_no_dispatcher_file(void)
{
	return heard.no_dispatcher_file;
}

int sen_bpf_log_dispatcher_error(void)
{
	return heard.dispatcher_error;
}
