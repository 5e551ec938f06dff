// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cancel.h"
#include "fsutil.h"

#define TEMPORARY_TRIES 100

static int file_error(struct sen_why *why, int err, const char *what, const char *path)
{
	const char *hint = NULL;

	if (err == -EACCES || err == -EPERM)
		hint = "check the owner and mode of the path, or run as root";
	else if (err == -ENOSPC || err == -EDQUOT)
		hint = "free some space on that file system";
	else if (err == -EROFS)
		hint = "the file system is mounted read-only";
	return sen_why(why, err, hint, "%s: %s: %s", what, path, strerror(-err));
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= n;
	}
	return 0;
}

/* A rename is on disk only when the folder is. */
static int sync_folder_of(const char *path)
{
	char copy[PATH_MAX];
	int fd, err = 0;

	if (strlen(path) >= sizeof(copy))
		return -ENAMETOOLONG;
	strcpy(copy, path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Some file systems cannot sync a folder; the rename itself has happened. */
	if (fsync(fd) && errno != EINVAL && errno != ENOTSUP)
		err = -errno;
	close(fd);
	return err;
}

int sen_open_temporary(const char *path, mode_t mode, char *tmp, size_t size)
{
	for (unsigned int i = 0; i < TEMPORARY_TRIES; i++) {
		int fd;

		if ((size_t)snprintf(tmp, size, "%s.tmp.%d.%u", path, getpid(), i) >= size)
			return -ENAMETOOLONG;
		fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

/* Fill, sync and close a temporary file; it is removed on failure. */
static int fill_temporary(int fd, const char *tmp, const void *data, size_t len)
{
	int err = write_all(fd, data, len);

	if (!err && fsync(fd))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	if (err)
		unlink(tmp);
	return err;
}

/* A rename would put a plain file in the place of a link; /dev/stdout is one. */
static const char *behind_links(const char *path, char real[PATH_MAX])
{
	struct stat st;

	return !lstat(path, &st) && S_ISLNK(st.st_mode) && realpath(path, real) ? real : path;
}

/* As sen_open_temporary(), for what is to replace a plain file or nothing. */
static int open_successor(const char *path, char *tmp, size_t size, struct sen_why *why)
{
	struct stat st;
	int fd;

	/* A rename would put a plain file in the place of /dev/null. */
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return sen_why(why, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL, NULL,
			       "write: %s: not a regular file", path);
	fd = sen_open_temporary(path, 0644, tmp, size);
	return fd < 0 ? file_error(why, fd, "write", path) : fd;
}

int sen_check_writable(const char *path, struct sen_why *why)
{
	char tmp[PATH_MAX], real[PATH_MAX];
	int fd = open_successor(behind_links(path, real), tmp, sizeof(tmp), why);

	if (fd < 0)
		return fd;
	close(fd);
	unlink(tmp);
	return 0;
}

int sen_write_atomic(const char *path, const void *data, size_t len, struct sen_why *why)
{
	char tmp[PATH_MAX], real[PATH_MAX];
	int fd, err;

	path = behind_links(path, real);
	fd = open_successor(path, tmp, sizeof(tmp), why);
	if (fd < 0)
		return fd;
	err = fill_temporary(fd, tmp, data, len);
	if (!err && rename(tmp, path)) {
		err = -errno;
		unlink(tmp);
	}
	if (err)
		return file_error(why, err, "write", path);
	err = sync_folder_of(path);
	return err ? file_error(why, err, "sync the folder of", path) : 0;
}

int sen_write_once(const char *path, const void *data, size_t len, struct sen_why *why)
{
	char tmp[PATH_MAX];
	int fd = sen_open_temporary(path, 0444, tmp, sizeof(tmp)), err;

	if (fd < 0)
		return file_error(why, fd, "write", path);
	err = fill_temporary(fd, tmp, data, len);
	if (err)
		return file_error(why, err, "write", path);
	/* A rename would replace what is there, a link does not. */
	if (link(tmp, path))
		err = -errno;
	unlink(tmp);
	if (err)
		return file_error(why, err, "write", path);
	err = sync_folder_of(path);
	return err ? file_error(why, err, "sync the folder of", path) : 0;
}

/* To a file that ends at `end`. */
static int append(int fd, off_t end, const char *line, bool durable)
{
	char *copy;
	int len = asprintf(&copy, "%s\n", line), err;

	if (len < 0)
		return -ENOMEM;
	err = write_all(fd, copy, len);
	if (!err && durable && fsync(fd))
		err = -errno;
	/* Half a line would garble the next one. */
	if (err && ftruncate(fd, end))
		err = -EIO;
	free(copy);
	return err;
}

int sen_write_line(int fd, const char *line)
{
	struct stat st;

	return fstat(fd, &st) ? -errno : append(fd, st.st_size, line, false);
}

int sen_append_line(const char *path, const char *line, struct sen_why *why)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	struct stat st = { 0 };
	int err;

	if (fd < 0 || fstat(fd, &st))
		err = -errno;
	else
		err = append(fd, st.st_size, line, true);
	if (!err && !st.st_size)
		err = sync_folder_of(path);
	if (fd >= 0)
		close(fd);
	return err ? file_error(why, err, "append to", path) : 0;
}

/* Read what fd holds, up to max bytes and one more that tells of too many. */
static int read_all(int fd, size_t max, char **data, size_t *len)
{
	size_t size = 0, used = 0;
	char *buf = NULL, *more;
	ssize_t n;

	do {
		if (used + 1 >= size) {
			size = size ? size * 2 : 65536;
			more = realloc(buf, size);
			if (!more) {
				free(buf);
				return -ENOMEM;
			}
			buf = more;
		}
		n = read(fd, buf + used, size - used - 1);
		if (n > 0)
			used += n;
	} while ((n > 0 && used <= max) || (n < 0 && errno == EINTR));

	if (n < 0 || used > max) {
		int err = n < 0 ? -errno : -EFBIG;

		free(buf);
		return err;
	}
	buf[used] = '\0';
	*data = buf;
	*len = used;
	return 0;
}

int sen_read_file(const char *path, size_t max, char **data, size_t *len, struct sen_why *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return file_error(why, -errno, "read", path);
	err = read_all(fd, max, data, len);
	close(fd);
	if (err == -EFBIG)
		return sen_why(why, err, NULL, "read: %s: larger than %zu bytes", path, max);
	return err ? file_error(why, err, "read", path) : 0;
}

int sen_make_dirs(const char *path, struct sen_why *why)
{
	char part[PATH_MAX];
	struct stat st;
	char *p;

	if (!*path || strlen(path) >= sizeof(part))
		return file_error(why, *path ? -ENAMETOOLONG : -ENOENT, "create folder", path);
	strcpy(part, path);
	for (p = part + 1;; p++) {
		char c = *p;

		if (c && c != '/')
			continue;
		*p = '\0';
		if (mkdir(part, 0750) && errno != EEXIST) {
			int err = -errno;

			/* An existing folder on a read-only file system is no failure. */
			if (stat(part, &st) || !S_ISDIR(st.st_mode))
				return file_error(why, err, "create folder", part);
		}
		*p = c;
		if (!c)
			break;
	}
	if (stat(path, &st))
		return file_error(why, -errno, "create folder", path);
	return S_ISDIR(st.st_mode) ? 0 : file_error(why, -ENOTDIR, "create folder", path);
}

static void hex_of(const unsigned char *md, unsigned int n, char hex[65])
{
	for (unsigned int i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", md[i]);
}

int sen_sha256_hex(const void *data, size_t len, char hex[65])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	if (!EVP_Digest(data, len, md, &n, EVP_sha256(), NULL) || n != 32)
		return -EIO;
	hex_of(md, n, hex);
	return 0;
}

static int digest_stream(FILE *in, EVP_MD_CTX *ctx, const atomic_bool *cancel, char hex[65])
{
	unsigned char md[EVP_MAX_MD_SIZE], block[65536];
	unsigned int n = 0;
	size_t got;

	if (!ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL))
		return -ENOMEM;
	while ((got = fread(block, 1, sizeof(block), in))) {
		if (sen_cancelled(cancel))
			return -ECANCELED;
		if (!EVP_DigestUpdate(ctx, block, got))
			return -EIO;
	}
	if (ferror(in))
		return -errno;
	if (!EVP_DigestFinal_ex(ctx, md, &n) || n != 32)
		return -EIO;
	hex_of(md, n, hex);
	return 0;
}

int sen_sha256_file(const char *path, const atomic_bool *cancel, char hex[65], struct sen_why *why)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	FILE *in = fopen(path, "re");
	int err = in ? digest_stream(in, ctx, cancel, hex) : -errno;

	if (in)
		fclose(in);
	EVP_MD_CTX_free(ctx);
	return err ? file_error(why, err, "read", path) : 0;
}
