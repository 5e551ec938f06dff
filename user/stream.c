// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "stream.h"

#define PACKED_BYTES 65536
#define GZIP_WINDOW  (15 + 16) /* zlib: the largest window, gzip's header and trailer */

struct sen_stream {
	int fd;
	/* From what was read to what is handed out; NULL: as it is. 1 and bytes at *out, 0 where more
	 * must be read, negative on damage. */
	int (*unpack)(struct sen_stream *s, char *out, size_t room, size_t *made);
	z_stream gzip;
	ZSTD_DStream *zstd;
	bool inside; /* of a member or frame: the end may not come here */
	const char *fault;
	size_t head_at, head_n; /* what is left in `head` */
	uint8_t head[SEN_STREAM_HEAD];
	size_t at, n; /* what is left in `packed` */
	unsigned char packed[PACKED_BYTES];
};

/* Read on into the empty buffer. Bytes, 0 at the end, or -1. */
static ssize_t refill(struct sen_stream *s)
{
	ssize_t got;

	do
		got = read(s->fd, s->packed, sizeof(s->packed));
	while (got < 0 && errno == EINTR);
	s->at = 0;
	s->n = got > 0 ? got : 0;
	return got;
}

static int plain(struct sen_stream *s, char *out, size_t room, size_t *made)
{
	*made = s->n < room ? s->n : room;
	memcpy(out, s->packed + s->at, *made);
	s->at += *made;
	s->n -= *made;
	return 0;
}

/* Files are padded, to whole blocks of a tape for example. Whether more than that was read. */
static bool skip_padding(struct sen_stream *s)
{
	for (; s->n && !s->packed[s->at]; s->n--)
		s->at++;
	return s->n;
}

/* Members follow one another, as after `cat a.gz b.gz`. */
static int gunzip(struct sen_stream *s, char *out, size_t room, size_t *made)
{
	int err;

	*made = 0;
	if (!s->inside && !skip_padding(s))
		return 0;
	s->gzip.next_in = s->packed + s->at;
	s->gzip.avail_in = s->n;
	s->gzip.next_out = (unsigned char *)out;
	s->gzip.avail_out = room;
	err = inflate(&s->gzip, Z_NO_FLUSH);
	s->inside = err != Z_STREAM_END;
	if (err == Z_STREAM_END)
		err = inflateReset(&s->gzip);
	s->at += s->n - s->gzip.avail_in;
	s->n = s->gzip.avail_in;
	*made = room - s->gzip.avail_out;
	return err == Z_OK || err == Z_BUF_ERROR ? 0 : -1;
}

// NOLINTNEXTLINE(readability-non-const-parameter): zstd writes through it
static int unzstd(struct sen_stream *s, char *out, size_t room, size_t *made)
{
	ZSTD_inBuffer in = { s->packed + s->at, s->n, 0 };
	ZSTD_outBuffer to = { out, room, 0 };
	size_t left = ZSTD_decompressStream(s->zstd, &to, &in);

	s->at += in.pos;
	s->n -= in.pos;
	s->inside = left != 0;
	*made = to.pos;
	return ZSTD_isError(left) ? -1 : 0;
}

/* At the end of the file the decoder may still hold something back. */
static ssize_t unpack_some(struct sen_stream *s, char *out, size_t room)
{
	size_t made = 0;

	while (!made && !s->fault) {
		ssize_t got = s->n ? 1 : refill(s);

		if (got < 0)
			return -1;
		if (!got && !s->inside)
			return 0;
		if (s->unpack(s, out, room, &made))
			s->fault = "the packed data are damaged";
		else if (!got && !made)
			s->fault = "the packed data end early";
	}
	if (made)
		return (ssize_t)made;
	errno = EBADMSG;
	return -1;
}

static ssize_t read_some(void *cookie, char *out, size_t room)
{
	struct sen_stream *s = cookie;
	size_t n = s->head_n < room ? s->head_n : room;

	if (!n)
		return unpack_some(s, out, room);
	memcpy(out, s->head + s->head_at, n);
	s->head_at += n;
	s->head_n -= n;
	return (ssize_t)n;
}

/* What goes wrong here does so again when the rest is read, and is told there. */
static void unpack_head(struct sen_stream *s)
{
	ssize_t got;

	while (s->head_n < sizeof(s->head)) {
		got = unpack_some(s, (char *)s->head + s->head_n, sizeof(s->head) - s->head_n);
		if (got <= 0)
			return;
		s->head_n += (size_t)got;
	}
}

static int choose(struct sen_stream *s)
{
	static const unsigned char gzip[] = { 0x1f, 0x8b, 8 }, zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };

	s->unpack = plain;
	if (s->n >= sizeof(gzip) && !memcmp(s->packed, gzip, sizeof(gzip))) {
		s->unpack = gunzip;
		return inflateInit2(&s->gzip, GZIP_WINDOW) == Z_OK ? 0 : -ENOMEM;
	}
	if (s->n >= sizeof(zstd) && !memcmp(s->packed, zstd, sizeof(zstd))) {
		s->unpack = unzstd;
		s->zstd = ZSTD_createDStream();
		return s->zstd ? 0 : -ENOMEM;
	}
	return 0;
}

/* A short first read, as from a pipe, must not hide what it begins with. */
static int read_head(struct sen_stream *s)
{
	while (s->n < 4) {
		ssize_t got = read(s->fd, s->packed + s->n, sizeof(s->packed) - s->n);

		if (got < 0 && errno != EINTR)
			return -errno;
		if (!got)
			break;
		s->n += got > 0 ? (size_t)got : 0;
	}
	return 0;
}

static int close_stream(void *cookie)
{
	struct sen_stream *s = cookie;

	if (s->unpack == gunzip)
		inflateEnd(&s->gzip);
	ZSTD_freeDStream(s->zstd);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
	return 0;
}

static int open_file(struct sen_stream *s, const char *path, FILE **file)
{
	static const cookie_io_functions_t functions = { .read = read_some, .close = close_stream };
	int err;

	s->fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) :
				    fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	if (s->fd < 0)
		return -errno;
	err = read_head(s);
	if (!err)
		err = choose(s);
	if (err)
		return err;
	unpack_head(s);
	*file = fopencookie(s, "r", functions);
	if (!*file)
		return -ENOMEM;
	setvbuf(*file, NULL, _IOFBF, PACKED_BYTES);
	return 0;
}

int sen_stream_open(const char *path, FILE **file, struct sen_stream **stream, struct sen_why *why)
{
	struct sen_stream *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return sen_why(why, -ENOMEM, NULL, "opening: %s: out of memory", path);
	s->fd = -1;
	err = open_file(s, path, file);
	if (err) {
		close_stream(s);
		return sen_why(why, err, NULL, "opening: %s: %s", path, strerror(-err));
	}
	*stream = s;
	return 0;
}

const char *sen_stream_fault(const struct sen_stream *s)
{
	return s->fault;
}

uint8_t *sen_stream_head(struct sen_stream *s, size_t *n)
{
	*n = s->head_n;
	return s->head;
}
