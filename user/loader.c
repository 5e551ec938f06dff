// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xdp/libxdp.h>

#include "attachment.h"
#include "bpf_log.h"
#include "model_slot.h"
#include "device.h"
#include "egress.h"
#include "loader.h"
#include "paths.h"
#include "pins.h"
#include "program.h"

/* One way to attach, and how far it came: what failed is told by the step. */
struct attempt {
	const char *ifname;
	unsigned int ifindex;
	enum xdp_attach_mode mode;
	bool frags;
	bool single; /* libxdp's dispatcher cannot be had: leave it out */
	const struct sen_attach_options *options;
	struct sen_attach_result *result;
	const char *step; /* STEP_ATTACH, or another */
};

static const char STEP_ATTACH[] = "attaching XDP program";
static const char hint_capabilities[] =
	"root needs CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON and CAP_SYS_ADMIN for it";

static int pin_all(const struct sentroid *skel, const char *ifname)
{
	char path[320], dir[256];
	struct bpf_map *map;
	int err;

	sen_pin_dir(dir, sizeof(dir), ifname);
	bpf_object__for_each_map(map, skel->obj) {
		if (bpf_map__is_internal(map) || !bpf_map__autocreate(map))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, bpf_map__name(map));
		err = bpf_map__pin(map, path);
		if (err)
			return err;
	}
	snprintf(path, sizeof(path), "%s/prog", dir);
	if (bpf_obj_pin(bpf_program__fd(skel->progs.sentroid), path))
		return -errno;
	if (!bpf_program__autoload(skel->progs.sentroid_egress))
		return 0;
	snprintf(path, sizeof(path), "%s/egress", dir);
	return bpf_obj_pin(bpf_program__fd(skel->progs.sentroid_egress), path) ? -errno : 0;
}

static int write_meta(const struct sentroid *skel, unsigned int ifindex,
		      const struct sen_attach_result *result, bool made_hook)
{
	struct sen_meta m = {
		.magic = SEN_ABI_MAGIC,
		.abi = SEN_ABI_VERSION,
		.features = SEN_FEATURES_VERSION,
		.ifindex = ifindex,
		.event_size = sizeof(struct sen_event),
		.flow_size = sizeof(struct sen_flow),
		.model_size = sizeof(struct sen_model_flat),
		.stats_size = sizeof(struct sen_stats),
		.flow_capacity = bpf_map__max_entries(skel->maps.flows),
		.native = result->native,
		.no_native = result->no_native,
		.dispatcher = result->dispatcher,
		.no_dispatcher = result->no_dispatcher,
		.prog_id = result->prog_id,
		.attached_s = time(NULL),
		.frags = result->frags,
		.untagged = skel->rodata->sen_tags_stripped,
		.egress = result->egress ? 1 + made_hook : 0,
		.netns = sen_netns_here(),
	};
	__u32 zero = 0;

	return bpf_map_update_elem(bpf_map__fd(skel->maps.meta), &zero, &m, BPF_ANY) ? -errno : 0;
}

static int write_policy(const struct sentroid *skel, enum sen_mode mode)
{
	struct sen_policy policy = sen_policy_of(mode);
	__u32 zero = 0;

	return bpf_map_update_elem(bpf_map__fd(skel->maps.policy), &zero, &policy, BPF_ANY) ?
		       -errno :
		       0;
}

/* What is attached now: is our program one of a dispatcher's, and natively? */
static void inspect(unsigned int ifindex, enum xdp_attach_mode mode, struct sen_attach_result *r)
{
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex(ifindex);

	r->native = mode == XDP_MODE_NATIVE;
	if (libxdp_get_error(mp))
		return;
	r->dispatcher = !xdp_multiprog__is_legacy(mp);
	if (!r->dispatcher && !r->no_dispatcher)
		r->no_dispatcher = sen_bpf_log_dispatcher_error();
	xdp_multiprog__close(mp);
}

/* Frames in several buffers need a helper of kernel 5.18, and every member of a dispatcher to agree. */
static bool frags_possible(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_get_buff_len, NULL) == 1;
}

static int prepare(struct sentroid *skel, const char *ifname, const struct sen_attach_options *o,
		   bool frags)
{
	int err = sen_program_configure(skel, o->flows);

	/* With the way out in view, our own ARP questions are seen. */
	skel->rodata->sen_own_mac = o->egress ? 0 : sen_device_mac(ifname);
	skel->rodata->sen_tags_stripped = sen_device_untags(ifname);
	skel->rodata->sen_frags = frags;
	if (!err)
		err = bpf_program__set_autoload(skel->progs.sentroid_egress, o->egress);
	return err;
}

/* The way out, if it is wanted; *made_hook is what it takes to undo it. */
static int attach_egress(struct sentroid *skel, struct attempt *a, bool *made_hook)
{
	int err;

	if (!a->options->egress)
		return 0;
	a->step = "attaching TC program for egress";
	err = sen_egress_attach(a->ifindex, bpf_program__fd(skel->progs.sentroid_egress),
				made_hook);
	a->result->egress = !err;
	return err;
}

/* The program is on the interface: model, policy, the way out, pins. */
static int complete(struct sentroid *skel, struct attempt *a)
{
	const struct sen_attach_options *o = a->options;
	bool made_hook = false;
	int err;

	a->step = "writing policy";
	err = write_policy(skel, o->policy);
	if (!err) {
		a->step = "writing allow list";
		err = sen_allow_add_all(&(struct sen_allow){ bpf_map__fd(skel->maps.allow4),
							     bpf_map__fd(skel->maps.allow6) },
					&o->allow);
	}
	if (!err && o->model) {
		a->step = "putting model in force";
		err = sen_model_slot_set(bpf_map__fd(skel->maps.models), SEN_SLOT_ACTIVE, o->model);
	}
	if (!err)
		err = attach_egress(skel, a, &made_hook);
	if (err)
		return err;
	a->step = "pinning maps";
	err = write_meta(skel, a->ifindex, a->result, made_hook);
	if (!err)
		err = pin_all(skel, a->ifname);
	if (err && o->egress)
		sen_egress_detach(a->ifindex, made_hook);
	return err;
}

/* libxdp takes this from the environment only. */
static int attach_program(struct xdp_program *prog, const struct attempt *a)
{
	static const char variable[] = "LIBXDP_SKIP_DISPATCHER";
	int err;

	if (!a->single)
		return xdp_program__attach(prog, a->ifindex, a->mode, 0);
	setenv(variable, "1", 1);
	err = xdp_program__attach(prog, a->ifindex, a->mode, 0);
	unsetenv(variable);
	return err;
}

/* Open, configure, load, attach in one way; all or nothing. */
static int attach_once(struct attempt *a)
{
	struct sentroid *skel = sentroid__open();
	struct xdp_program *prog = NULL;
	int err;

	if (!skel)
		return -errno;
	a->step = STEP_ATTACH;
	err = prepare(skel, a->ifname, a->options, a->frags);
	if (err)
		goto cleanup;
	prog = xdp_program__from_bpf_obj(skel->obj, "xdp");
	err = libxdp_get_error(prog);
	if (err)
		goto cleanup;
	err = xdp_program__set_xdp_frags_support(prog, a->frags);
	if (!err)
		err = attach_program(prog, a);
	if (err)
		goto cleanup;
	a->result->prog_id = xdp_program__id(prog);
	a->result->frags = a->frags;
	inspect(a->ifindex, a->mode, a->result);
	err = complete(skel, a);
	if (err)
		xdp_program__detach(prog, a->ifindex, a->mode, 0);
cleanup:
	if (prog && !libxdp_get_error(prog))
		xdp_program__close(prog);
	sentroid__destroy(skel);
	return err;
}

/* Under the dispatcher, or by itself where libxdp's file of it is missing. */
static int attach_shared(struct attempt *a)
{
	int err = attach_once(a);

	if (!err || a->single || a->step != STEP_ATTACH || !sen_bpf_log_no_dispatcher_file())
		return err;
	a->single = true;
	a->result->no_dispatcher = ENOENT;
	return attach_once(a);
}

/* Whether an attempt may have failed because of frags. Each attempt passes the verifier anew, which takes
 * a second: not for what would fail without them too. */
static bool may_lack_frags(const struct attempt *a, int err)
{
	return a->frags && a->step == STEP_ATTACH && (err == -EOPNOTSUPP || err == -EINVAL) &&
	       !sen_bpf_log_no_native();
}

/* In one mode, for long frames too where that can be. */
static int attach_as(struct attempt *a, enum xdp_attach_mode mode)
{
	int err;

	a->mode = mode;
	a->frags = frags_possible();
	err = attach_shared(a);
	if (!may_lack_frags(a, err))
		return err;
	a->frags = false;
	return attach_shared(a);
}

static const char *mode_name(enum xdp_attach_mode mode)
{
	return mode == XDP_MODE_NATIVE ? "native" : "skb";
}

static int explain(int err, const struct attempt *a, struct sen_why *why)
{
	const char *last = sen_bpf_log_last(), *hint = *last ? last : NULL, *text = strerror(-err);

	if (a->step != STEP_ATTACH)
		return sen_why(why, err, hint, "%s: %s: %s", a->step, a->ifname, text);
	if (err == -EACCES)
		text = "this kernel's verifier refuses the program";
	else if (err == -EPERM)
		hint = hint_capabilities;
	else if (err == -EBUSY || err == -EEXIST)
		text = "another XDP program holds the interface",
		hint = "see `bpftool net`; take it off, or use a kernel where both can share";
	else if (err == -EOPNOTSUPP && a->mode == XDP_MODE_NATIVE)
		text = "the driver has no native XDP", hint = "attach with --mode skb";
	return sen_why(why, err, hint, "%s (%s): %s: %s", a->step, mode_name(a->mode), a->ifname,
		       text);
}

/* A program of somebody else's that is not under libxdp's dispatcher leaves no room for ours. */
static int refuse_foreign(const char *ifname, unsigned int ifindex, struct sen_why *why)
{
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex(ifindex);
	struct xdp_program *main_prog;
	int err = 0;

	if (libxdp_get_error(mp))
		return 0;
	if (xdp_multiprog__is_legacy(mp)) {
		main_prog = xdp_multiprog__main_prog(mp);
		err = sen_why(why, -EBUSY,
			      "take it off first (bpftool net), or load it through libxdp to share",
			      "attaching XDP program: %s: held by XDP program %s (id %u)", ifname,
			      main_prog ? xdp_program__name(main_prog) : "?",
			      main_prog ? xdp_program__id(main_prog) : 0);
	}
	xdp_multiprog__close(mp);
	return err;
}

/* Programs and models are found by their ids, which takes CAP_SYS_ADMIN. Attached without it, the program
 * could not be taken off again. */
static int refuse_powerless(const char *ifname, struct sen_why *why)
{
	__u32 id;

	if (!bpf_prog_get_next_id(0, &id) || errno != EPERM)
		return 0;
	return sen_why(why, -EPERM, hint_capabilities, "attaching XDP program: %s: not permitted",
		       ifname);
}

/* Whatever frames begin with would be read as an Ethernet header. */
static int refuse_no_ethernet(const char *ifname, struct sen_why *why)
{
	unsigned int kind = sen_device_kind(ifname);

	if (kind == ARPHRD_ETHER || kind == ARPHRD_LOOPBACK)
		return 0;
	return sen_why(
		why, -EPROTONOSUPPORT,
		"attach to the Ethernet interface that its packets come through",
		"attaching XDP program: %s: its frames have no Ethernet header (link type %u)",
		ifname, kind);
}

static int precheck(const char *ifname, unsigned int *ifindex, struct sen_why *why)
{
	if (sen_check_ifname(ifname, why))
		return -EINVAL;
	if (geteuid())
		return sen_why(why, -EPERM, "run it as root",
			       "attaching XDP program: %s: not permitted", ifname);
	if (refuse_powerless(ifname, why))
		return -EPERM;
	*ifindex = if_nametoindex(ifname);
	if (!*ifindex)
		return sen_why(why, -ENODEV, "ip link shows the interfaces that there are",
			       "attaching XDP program: %s: no such interface", ifname);
	if (sen_pins_exist(ifname))
		return sen_pins_refuse(ifname, why);
	if (refuse_no_ethernet(ifname, why))
		return -EPROTONOSUPPORT;
	return refuse_foreign(ifname, *ifindex, why);
}

/* Native where the driver can, generic where it cannot: only a lack of support falls back. */
static int attach_auto(struct attempt *a)
{
	int err = attach_as(a, XDP_MODE_NATIVE);

	if (!err || a->step != STEP_ATTACH || (err != -EOPNOTSUPP && err != -EINVAL))
		return err;
	snprintf(a->result->note, sizeof(a->result->note),
		 "native XDP not possible (%s): attached in skb mode, which is slower",
		 *sen_bpf_log_last() ? sen_bpf_log_last() : strerror(-err));
	a->result->no_native = -err;
	return attach_as(a, XDP_MODE_SKB);
}

static int attach_wanted(struct attempt *a)
{
	switch (a->options->mode) {
	case SEN_ATTACH_NATIVE:
		return attach_as(a, XDP_MODE_NATIVE);
	case SEN_ATTACH_SKB:
		return attach_as(a, XDP_MODE_SKB);
	default:
		return attach_auto(a);
	}
}

int sen_loader_attach(const char *ifname, const struct sen_attach_options *options,
		      struct sen_attach_result *result, struct sen_why *why)
{
	struct attempt a = { .ifname = ifname, .options = options, .result = result };
	int err;

	sen_bpf_log_begin();
	memset(result, 0, sizeof(*result));
	err = precheck(ifname, &a.ifindex, why);
	if (err)
		return err;
	err = sen_pins_make(ifname, why);
	if (err)
		return err;
	err = attach_wanted(&a);
	if (err) {
		explain(err, &a, why);
		sen_pins_remove(ifname);
	}
	return err;
}

/* What was written down at attach; without that, the interface of this name has to do. */
static void read_meta(const char *ifname, struct sen_meta *out)
{
	char path[320], dir[256];
	struct sen_meta m = { 0 };
	__u32 zero = 0;
	int fd;

	*out = (struct sen_meta){ .ifindex = if_nametoindex(ifname), .netns = sen_netns_here() };
	sen_pin_dir(dir, sizeof(dir), ifname);
	snprintf(path, sizeof(path), "%s/meta", dir);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return;
	/* Earlier versions wrote all but the namespace, in the same places. */
	if (!bpf_map_lookup_elem(fd, &zero, &m) && m.magic == SEN_ABI_MAGIC) {
		m.netns = m.abi < SEN_ABI_NETNS ? out->netns : m.netns;
		*out = m;
	}
	close(fd);
}

/* Take our program off, whether alone or among a dispatcher's, and the way out before it; what is gone
 * already is no error. Where it is is known by the interface's index: the name may be another one's. */
static int detach_program(const char *ifname, const struct sen_meta *m)
{
	struct xdp_program *prog;
	enum xdp_attach_mode mode;
	char path[320], dir[256];
	int err;

	sen_pin_dir(dir, sizeof(dir), ifname);
	snprintf(path, sizeof(path), "%s/prog", dir);
	prog = xdp_program__from_pin(path);
	if (libxdp_get_error(prog))
		return access(path, F_OK) ? 0 : libxdp_get_error(prog);
	if (m->egress)
		sen_egress_detach(m->ifindex, m->egress == 2);
	mode = xdp_program__is_attached(prog, m->ifindex);
	err = mode == XDP_MODE_UNSPEC ? 0 : xdp_program__detach(prog, m->ifindex, mode, 0);
	xdp_program__close(prog);
	return err;
}

/* From here it can neither be seen nor be taken off there. */
static int refuse_elsewhere(const char *ifname, const struct sen_meta *m, struct sen_why *why)
{
	char path[PATH_MAX] = "PATH", hint[PATH_MAX + 64];

	if (m->netns == sen_netns_here() || sen_netns_is_gone(m->netns))
		return 0;
	if (!sen_netns_path(m->netns, path, sizeof(path)))
		strcpy(path, "PATH");
	snprintf(hint, sizeof(hint), "nsenter --net=%s sentroid detach %s", path, ifname);
	return sen_why(why, -EXDEV, hint,
		       "detaching XDP program: %s: it is in another network namespace", ifname);
}

int sen_loader_detach(const char *ifname, struct sen_why *why)
{
	struct sen_meta meta;
	int err = sen_check_ifname(ifname, why); /* with ".." others' pins would be removed */

	sen_bpf_log_begin();
	if (err)
		return err;
	if (geteuid())
		return sen_why(why, -EPERM, "run it as root",
			       "detaching XDP program: %s: not permitted", ifname);
	if (!sen_pins_exist(ifname))
		return sen_why(why, -ENOENT,
			       if_nametoindex(ifname) ? "bpftool net shows what is attached" : NULL,
			       "detaching XDP program: %s: Sentroid is not attached", ifname);
	read_meta(ifname, &meta);
	err = refuse_elsewhere(ifname, &meta, why);
	if (err)
		return err;
	err = meta.netns == sen_netns_here() ? detach_program(ifname, &meta) : 0;
	if (err)
		return sen_why(why, err, *sen_bpf_log_last() ? sen_bpf_log_last() : NULL,
			       "detaching XDP program: %s: %s", ifname, strerror(-err));
	sen_pins_remove(ifname);
	return 0;
}
