// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fsutil.h"
#include "journal.h"

/* On a full disk this may fail, but later lines need not. */
static void end_last_line(int fd)
{
	struct stat st;
	char last;

	if (!fstat(fd, &st) && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n')
		sen_write_line(fd, "");
}

int sen_journal_open(const char *path)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	end_last_line(fd);
	return fd;
}

int sen_journal_write(int fd, const cJSON *entry)
{
	char *line = cJSON_PrintUnformatted(entry);
	int err = line ? sen_write_line(fd, line) : -ENOMEM;

	free(line);
	return err;
}
