// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "dataplane.h"
#include "deadlines.h"
#include "model_slot.h"
#include "paths.h"

enum map_id {
	META,
	POLICY,
	STATS,
	MODELS,
	EVENTS,
	FLOWS_SETS,
	FLOWS,
	SOURCES_SETS,
	TARGETS_SETS,
	PAIRS_SETS,
	DIST_HIST,
	FEAT_HIST,
	ALLOW4,
	ALLOW6,
	MAP_COUNT
};

static const char *const map_names[MAP_COUNT] = {
	[META] = "meta",
	[POLICY] = "policy",
	[STATS] = "stats",
	[MODELS] = "models",
	[EVENTS] = "events",
	[FLOWS_SETS] = "flows_sets",
	[FLOWS] = "flows",
	[SOURCES_SETS] = "sources_sets",
	[TARGETS_SETS] = "targets_sets",
	[PAIRS_SETS] = "pairs_sets",
	[DIST_HIST] = "dist_hist",
	[FEAT_HIST] = "feat_hist",
	[ALLOW4] = "allow4",
	[ALLOW6] = "allow6",
};

struct sen_dataplane {
	char ifname[64];
	char dir[256];
	int fd[MAP_COUNT];
	__u32 elements[MAP_COUNT];
	int lock_fd;
	struct sen_meta meta;
};

const char *sen_pin_root(void)
{
	const char *root = getenv("SENTROID_BPFFS");

	return root && *root ? root : "/sys/fs/bpf/sentroid";
}

static int open_maps(struct sen_dataplane *dp, struct sen_why *why)
{
	char path[320];

	for (int i = 0; i < MAP_COUNT; i++) {
		snprintf(path, sizeof(path), "%s/%s", dp->dir, map_names[i]);
		dp->fd[i] = bpf_obj_get(path);
		if (dp->fd[i] >= 0)
			continue;
		if (errno == EPERM || errno == EACCES)
			return sen_why(why, -EPERM, "run it as root",
				       "opening pinned maps: %s: not permitted", dp->ifname);
		if (i == META && access(dp->dir, F_OK))
			return sen_why(why, -ENOENT, "sentroid attach IFACE attaches it",
				       "opening pinned maps: %s: Sentroid is not attached",
				       dp->ifname);
		return sen_why(why, -EPROTO, "sentroid detach IFACE removes them",
			       "opening pinned maps: %s: %s is missing: pins of another version",
			       dp->ifname, map_names[i]);
	}
	return 0;
}

/* Sizes first: a map of another size must not be read into our structures at all. */
static int check_sizes(struct sen_dataplane *dp)
{
	static const size_t sizes[MAP_COUNT] = {
		[META] = sizeof(struct sen_meta),
		[POLICY] = sizeof(struct sen_policy),
		[STATS] = sizeof(struct sen_stats),
		[FLOWS_SETS] = sizeof(struct sen_set),
		[FLOWS] = sizeof(struct sen_flow),
		[SOURCES_SETS] = sizeof(struct sen_set),
		[TARGETS_SETS] = sizeof(struct sen_set),
		[PAIRS_SETS] = sizeof(struct sen_set),
		[DIST_HIST] = sizeof(struct sen_score_hist),
		[FEAT_HIST] = sizeof(struct sen_feature_hist),
	};

	for (int i = 0; i < MAP_COUNT; i++) {
		struct bpf_map_info info = { 0 };
		__u32 len = sizeof(info);

		if (bpf_obj_get_info_by_fd(dp->fd[i], &info, &len))
			return -errno;
		if (sizes[i] && info.value_size != sizes[i])
			return -EPROTO;
		dp->elements[i] = info.max_entries;
	}
	return 0;
}

static int check_meta(struct sen_dataplane *dp)
{
	const struct sen_meta *m = &dp->meta;
	__u32 zero = 0;

	if (bpf_map_lookup_elem(dp->fd[META], &zero, &dp->meta))
		return -errno;
	return m->magic == SEN_ABI_MAGIC && m->abi == SEN_ABI_VERSION &&
			       m->features == SEN_FEATURES_VERSION &&
			       m->event_size == sizeof(struct sen_event) &&
			       m->flow_size == sizeof(struct sen_flow) &&
			       m->model_size == sizeof(struct sen_model_flat) &&
			       m->stats_size == sizeof(struct sen_stats) ?
		       0 :
		       -EPROTO;
}

int sen_dataplane_open(const char *ifname, struct sen_dataplane **out, struct sen_why *why)
{
	struct sen_dataplane *dp;
	int err = sen_check_ifname(ifname, why);

	if (err)
		return err;
	dp = calloc(1, sizeof(*dp));
	if (!dp)
		return sen_why(why, -ENOMEM, NULL, "opening pinned maps: %s: out of memory",
			       ifname);
	memset(dp->fd, -1, sizeof(dp->fd));
	dp->lock_fd = -1;
	snprintf(dp->ifname, sizeof(dp->ifname), "%s", ifname);
	snprintf(dp->dir, sizeof(dp->dir), "%s/%s", sen_pin_root(), ifname);

	err = open_maps(dp, why);
	if (err)
		goto fail;
	err = check_sizes(dp);
	if (!err)
		err = check_meta(dp);
	if (err) {
		sen_why(why, err, "sentroid detach IFACE, then attach again with this version",
			"taking over pinned maps: %s: they belong to another version or program",
			ifname);
		goto fail;
	}
	*out = dp;
	return 0;
fail:
	sen_dataplane_close(dp);
	return err;
}

void sen_dataplane_close(struct sen_dataplane *dp)
{
	if (!dp)
		return;
	for (int i = 0; i < MAP_COUNT; i++)
		if (dp->fd[i] >= 0)
			close(dp->fd[i]);
	if (dp->lock_fd >= 0)
		close(dp->lock_fd);
	free(dp);
}

const char *sen_dataplane_ifname(const struct sen_dataplane *dp)
{
	return dp->ifname;
}

const struct sen_meta *sen_dataplane_meta(const struct sen_dataplane *dp)
{
	return &dp->meta;
}

int sen_dataplane_events_fd(const struct sen_dataplane *dp)
{
	return dp->fd[EVENTS];
}

/* Sum a per-CPU array of one element that is nothing but 64-bit counters. */
static int sum_cpus(int fd, void *out, size_t size)
{
	int cpus = libbpf_num_possible_cpus();
	__u64 *sum = out, *all;
	__u32 zero = 0;
	int err = 0;

	if (cpus < 0)
		return cpus;
	all = calloc(cpus, size);
	if (!all)
		return -ENOMEM;
	memset(out, 0, size);
	if (bpf_map_lookup_elem(fd, &zero, all))
		err = -errno;
	for (size_t i = 0; !err && i < cpus * size / 8; i++)
		sum[i % (size / 8)] += all[i];
	free(all);
	return err;
}

int sen_stats_sum(int stats_fd, struct sen_stats *out)
{
	return sum_cpus(stats_fd, out, sizeof(*out));
}

int sen_dataplane_stats(const struct sen_dataplane *dp, struct sen_stats *out)
{
	return sen_stats_sum(dp->fd[STATS], out);
}

int sen_score_hist_sum(int dist_hist_fd, struct sen_score_hist *out)
{
	return sum_cpus(dist_hist_fd, out, sizeof(*out));
}

int sen_dataplane_score_hist(const struct sen_dataplane *dp, struct sen_score_hist *out)
{
	return sen_score_hist_sum(dp->fd[DIST_HIST], out);
}

int sen_feature_hist_sum(int feat_hist_fd, struct sen_feature_hist *out)
{
	return sum_cpus(feat_hist_fd, out, sizeof(*out));
}

int sen_dataplane_feature_hist(const struct sen_dataplane *dp, struct sen_feature_hist *out)
{
	return sen_feature_hist_sum(dp->fd[FEAT_HIST], out);
}

/* The packet path's clock, in units of deadlines. */
static __u16 now_units(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ((__u64)ts.tv_sec * 1000000000ull + ts.tv_nsec) >>
	       (SEN_TICK_SHIFT + SEN_DEADLINE_SHIFT);
}

/* NULL with errno set; sets_unmap() after use. */
static struct sen_set *sets_map(const struct sen_dataplane *dp, enum map_id map, int access)
{
	void *sets = mmap(NULL, dp->elements[map] * sizeof(struct sen_set), access, MAP_SHARED,
			  dp->fd[map], 0);

	return sets == MAP_FAILED ? NULL : sets;
}

static void sets_unmap(const struct sen_dataplane *dp, enum map_id map, struct sen_set *sets)
{
	munmap(sets, dp->elements[map] * sizeof(*sets));
}

int sen_dataplane_flow_usage(const struct sen_dataplane *dp, struct sen_flow_usage *out)
{
	struct sen_set *sets = sets_map(dp, FLOWS_SETS, PROT_READ);

	if (!sets)
		return -errno;
	out->used = sen_deadlines_alive(sets, dp->elements[FLOWS_SETS], now_units());
	out->capacity = dp->meta.flow_capacity;
	sets_unmap(dp, FLOWS_SETS, sets);
	return 0;
}

static void visit_set(const struct sen_set *set, const struct sen_flow *flows, __u32 n,
		      sen_flow_fn fn, void *ctx)
{
	for (int way = 0; way < SEN_WAYS; way++) {
		__u32 entry = (set->entry[way] & ~SEN_SET_LOCKED) - 1;
		struct sen_flow copy;

		if (!set->tag[way] || entry >= n)
			continue;
		copy = flows[entry];
		fn(ctx, entry, &copy);
	}
}

int sen_dataplane_each_flow(const struct sen_dataplane *dp, sen_flow_fn fn, void *ctx)
{
	__u32 n = dp->elements[FLOWS];
	size_t size = n * sizeof(struct sen_flow);
	struct sen_set *sets = sets_map(dp, FLOWS_SETS, PROT_READ);
	const struct sen_flow *flows;
	int err = 0;

	if (!sets)
		return -errno;
	flows = mmap(NULL, size, PROT_READ, MAP_SHARED, dp->fd[FLOWS], 0);
	if (flows == MAP_FAILED)
		err = -errno;
	for (__u32 i = 0; !err && i < dp->elements[FLOWS_SETS]; i++)
		visit_set(&sets[i], flows, n, fn, ctx);
	if (!err)
		munmap((void *)flows, size);
	sets_unmap(dp, FLOWS_SETS, sets);
	return err;
}

int sen_dataplane_refresh(struct sen_dataplane *dp)
{
	static const enum map_id tables[] = { FLOWS_SETS, SOURCES_SETS, TARGETS_SETS, PAIRS_SETS };

	for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++) {
		struct sen_set *sets = sets_map(dp, tables[t], PROT_READ | PROT_WRITE);

		if (!sets)
			return -errno;
		sen_deadlines_refresh(sets, dp->elements[tables[t]], now_units());
		sets_unmap(dp, tables[t], sets);
	}
	return 0;
}

int sen_dataplane_policy(const struct sen_dataplane *dp, struct sen_policy *out)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(dp->fd[POLICY], &zero, out) ? -errno : 0;
}

int sen_dataplane_set_policy(struct sen_dataplane *dp, const struct sen_policy *policy)
{
	__u32 zero = 0;

	return bpf_map_update_elem(dp->fd[POLICY], &zero, policy, BPF_ANY) ? -errno : 0;
}

struct sen_allow sen_dataplane_allow(const struct sen_dataplane *dp)
{
	return (struct sen_allow){ dp->fd[ALLOW4], dp->fd[ALLOW6] };
}

int sen_dataplane_push(struct sen_dataplane *dp, enum sen_slot slot,
		       const struct sen_model_flat *model, struct sen_why *why)
{
	int err = sen_model_slot_set(dp->fd[MODELS], slot, model);

	if (!err)
		return 0;
	return sen_why(why, err, err == -EPERM ? "run it as root" : NULL,
		       "pushing model %u: %s: %s", model->version, dp->ifname, strerror(-err));
}

int sen_dataplane_model(const struct sen_dataplane *dp, enum sen_slot slot,
			struct sen_model_flat *out)
{
	return sen_model_slot_get(dp->fd[MODELS], slot, out);
}

int sen_dataplane_clear(struct sen_dataplane *dp, enum sen_slot slot)
{
	return sen_model_slot_clear(dp->fd[MODELS], slot);
}

/* Pid of a line of /proc/locks ("1: FLOCK  ADVISORY  WRITE PID MAJOR:MINOR:INODE 0 EOF") that is about the
 * given file; 0: it is about another. */
static int lock_line_pid(char *line, const char *file)
{
	char *fields[6], *rest = NULL, *word = strtok_r(line, " ", &rest);
	size_t n;

	for (n = 0; word && n < 6; n++, word = strtok_r(NULL, " ", &rest))
		fields[n] = word;
	if (n < 6 || strcmp(fields[1], "FLOCK") || strcmp(fields[5], file))
		return 0;
	return (int)strtol(fields[4], NULL, 10);
}

/* The process that holds the lock on the pins' folder; 0: none. */
static int lock_holder(const char *dir)
{
	char line[256], file[64];
	struct stat st;
	int pid = 0;
	FILE *f;

	if (stat(dir, &st))
		return 0;
	snprintf(file, sizeof(file), "%02x:%02x:%lu", major(st.st_dev), minor(st.st_dev),
		 (unsigned long)st.st_ino);
	f = fopen("/proc/locks", "re");
	if (!f)
		return 0;
	while (!pid && fgets(line, sizeof(line), f))
		pid = lock_line_pid(line, file);
	fclose(f);
	return pid;
}

int sen_dataplane_claim(struct sen_dataplane *dp, struct sen_why *why)
{
	int fd = open(dp->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (fd < 0)
		return sen_why(why, -errno, NULL, "claiming interface: %s: %s", dp->ifname,
			       strerror(errno));
	if (!flock(fd, LOCK_EX | LOCK_NB)) {
		dp->lock_fd = fd;
		return 0;
	}
	err = errno == EWOULDBLOCK ? -EBUSY : -errno;
	close(fd);
	return sen_why(why, err, "one agent an interface; stop the other first",
		       "claiming interface: %s: the agent with pid %d holds it", dp->ifname,
		       lock_holder(dp->dir));
}

int sen_dataplane_agent(const struct sen_dataplane *dp)
{
	return lock_holder(dp->dir);
}
