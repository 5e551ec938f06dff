// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>

#include "model_slot.h"

/* A frozen map that holds the model; its descriptor, or a negative errno. */
static int model_map(const struct sen_model_flat *model)
{
	__u32 zero = 0;
	int fd, err;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "sen_model", sizeof(zero), sizeof(*model), 1, NULL);
	if (fd < 0)
		return -errno;
	if (!bpf_map_update_elem(fd, &zero, model, BPF_ANY) && !bpf_map_freeze(fd))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int sen_model_slot_set(int models_fd, enum sen_slot slot, const struct sen_model_flat *model)
{
	__u32 key = slot;
	int fd = model_map(model), err = 0;

	if (fd < 0)
		return fd;
	if (bpf_map_update_elem(models_fd, &key, &fd, BPF_ANY))
		err = -errno;
	close(fd);
	return err;
}

/* The model map of a slot. Between reading its id and opening it somebody may have put another one
 * there, and the id is gone: then once more. */
static int open_slot(int models_fd, enum sen_slot slot)
{
	__u32 key = slot, id;
	int fd;

	for (int tries = 0; tries < 100; tries++) {
		if (bpf_map_lookup_elem(models_fd, &key, &id))
			return -errno;
		fd = bpf_map_get_fd_by_id(id);
		if (fd >= 0)
			return fd;
		if (errno != ENOENT)
			return -errno;
	}
	return -EAGAIN;
}

int sen_model_slot_get(int models_fd, enum sen_slot slot, struct sen_model_flat *out)
{
	int fd = open_slot(models_fd, slot), err = 0;
	__u32 zero = 0;

	if (fd < 0)
		return fd;
	if (bpf_map_lookup_elem(fd, &zero, out))
		err = -errno;
	close(fd);
	return err;
}

int sen_model_slot_clear(int models_fd, enum sen_slot slot)
{
	__u32 key = slot;

	return bpf_map_delete_elem(models_fd, &key) && errno != ENOENT ? -errno : 0;
}
