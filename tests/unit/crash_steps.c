// SPDX-License-Identifier: BSD-2-Clause
/* The linker puts __wrap_*() in front of the system calls, where --wrap tells it to: in test_crash alone. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/types.h>
#include <unistd.h>

#include "crash_steps.h"

static unsigned int steps_left; /* until the end; 0: none is meant to come */

void crash_at(unsigned int step)
{
	steps_left = step;
}

/* True if this is the step. */
static bool last_step(void)
{
	return steps_left && !--steps_left;
}

void crash_step(void)
{
	if (last_step())
		_exit(CRASHED);
}

int __real_open(const char *path, int flags, mode_t mode);
ssize_t __real_write(int fd, const void *data, size_t len);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __real_link(const char *from, const char *to);
int __real_unlink(const char *path);
int __real_unlinkat(int fd, const char *path, int flags);
int __real_truncate(const char *path, off_t len);

int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);
int __wrap_unlink(const char *path);
int __wrap_unlinkat(int fd, const char *path, int flags);
int __wrap_truncate(const char *path, off_t len);

int __wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & O_CREAT)
		mode = va_arg(args, mode_t);
	va_end(args);
	if (flags & O_CREAT)
		crash_step();
	return __real_open(path, flags, mode);
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	if (!last_step())
		return __real_write(fd, data, len);
	if (__real_write(fd, data, len / 2) < 0)
		_exit(1);
	_exit(CRASHED);
}

int __wrap_fsync(int fd)
{
	crash_step();
	return __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
	crash_step();
	return __real_rename(from, to);
}

int __wrap_link(const char *from, const char *to)
{
	crash_step();
	return __real_link(from, to);
}

int __wrap_unlink(const char *path)
{
	crash_step();
	return __real_unlink(path);
}

int __wrap_unlinkat(int fd, const char *path, int flags)
{
	crash_step();
	return __real_unlinkat(fd, path, flags);
}

int __wrap_truncate(const char *path, off_t len)
{
	crash_step();
	return __real_truncate(path, len);
}
