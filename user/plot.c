// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plot.h"

#define SVG_MAX (32u << 20)

extern char **environ;

/* Files in memory: the script that gnuplot reads, and what it writes to either output. */
struct streams {
	int in, out, err;
};

static void close_streams(struct streams *s)
{
	if (s->in >= 0)
		close(s->in);
	if (s->out >= 0)
		close(s->out);
	if (s->err >= 0)
		close(s->err);
}

static int open_streams(struct streams *s, const char *script)
{
	size_t len = strlen(script);

	s->in = memfd_create("script", MFD_CLOEXEC);
	s->out = memfd_create("figure", MFD_CLOEXEC);
	s->err = memfd_create("errors", MFD_CLOEXEC);
	if (s->in < 0 || s->out < 0 || s->err < 0)
		return -errno;
	if (write(s->in, script, len) != (ssize_t)len || lseek(s->in, 0, SEEK_SET) < 0)
		return -EIO;
	return 0;
}

/* Whole file into memory, NUL behind it. */
static char *read_back(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = size >= 0 && size < SVG_MAX ? malloc(size + 1) : NULL;

	if (!text || pread(fd, text, size, 0) != size) {
		free(text);
		return NULL;
	}
	text[size] = '\0';
	return text;
}

static int run_gnuplot(const struct streams *s, int *status)
{
	/* -d: no settings of the user's own. */
	char name[] = "gnuplot", option[] = "-d", from[] = "-";
	char *argv[] = { name, option, from, NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int err = posix_spawn_file_actions_init(&actions);

	if (err)
		return -err;
	err = posix_spawn_file_actions_adddup2(&actions, s->in, STDIN_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, s->out, STDOUT_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, s->err, STDERR_FILENO);
	if (!err)
		err = posix_spawnp(&pid, name, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (err)
		return -err;
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* gnuplot shows the line, points at the place, and says in a third line what it is about. */
static int explain(const struct streams *s, struct sen_why *why)
{
	char *text = read_back(s->err), *line = text, *said = NULL, *next;

	for (; line && *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		if (line[strspn(line, " ^\t")])
			said = line;
	}
	sen_why(why, -EBADMSG, NULL, "drawing figures: gnuplot: %.160s", said ? said : "failed");
	free(text);
	return -EBADMSG;
}

static void cut_out(char *text, const char *what)
{
	char *at = strstr(text, what);

	if (at)
		memmove(at, at + strlen(what), strlen(at + strlen(what)) + 1);
}

static int take_svg(const struct streams *s, char **svg, struct sen_why *why)
{
	char *text = read_back(s->out), *begin = text ? strstr(text, "<svg") : NULL;

	if (!begin || !strstr(begin, "</svg>")) {
		free(text);
		return explain(s, why);
	}
	memmove(text, begin, strlen(begin) + 1);
	cut_out(text, "xmlns:xlink=\"http://www.w3.org/1999/xlink\"");
	*svg = text;
	return 0;
}

int sen_plot_svg(const char *script, char **svg, struct sen_why *why)
{
	struct streams s = { -1, -1, -1 };
	int status = 0, err = open_streams(&s, script);

	if (!err)
		err = run_gnuplot(&s, &status);
	if (err)
		sen_why(why, err, err == -ENOENT ? "install gnuplot (Debian: gnuplot-nox)" : NULL,
			"drawing figures: gnuplot: %s", strerror(-err));
	else if (status)
		err = explain(&s, why);
	else
		err = take_svg(&s, svg, why);
	close_streams(&s);
	return err;
}
