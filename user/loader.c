// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <xdp/libxdp.h>

#include "dataplane.h"
#include "egress.h"
#include "loader.h"
#include "paths.h"
#include "pins.h"
#include "program.h"

/* What libbpf and libxdp had to say last: shown only when something failed, since both are loud about
 * fallbacks that harm nobody. */
static char last_warning[256];
/* Why libxdp goes without its dispatcher: it tries one, and says only in its log what came of that. */
static int dispatcher_error;

/* The errno that strerror() calls by this name, 0: none. */
static int errno_of(const char *text)
{
	for (int e = 1; e < 134; e++)
		if (!strcmp(strerror(e), text))
			return e;
	return 0;
}

static void note_dispatcher(const char *format, va_list args)
{
	char line[256], *reason;

	if (!strstr(format, "check for dispatcher program failed"))
		return;
	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	reason = strstr(line, "failed: ");
	if (reason)
		dispatcher_error = errno_of(reason + strlen("failed: "));
}

static void remember(const char *format, va_list args)
{
	char line[256];

	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	if (*line)
		snprintf(last_warning, sizeof(last_warning), "%s", line);
}

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN)
		remember(format, args);
	return 0;
}

static int print_libxdp(enum libxdp_print_level level, const char *format, va_list args)
{
	if (level == LIBXDP_WARN)
		remember(format, args);
	else
		note_dispatcher(format, args);
	return 0;
}

static int pin_all(const struct sentroid *skel, const char *ifname)
{
	char path[320], dir[256];
	struct bpf_map *map;
	int err;

	sen_pin_dir(dir, sizeof(dir), ifname);
	bpf_object__for_each_map(map, skel->obj) {
		if (bpf_map__is_internal(map))
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
		.egress = result->egress ? 1 + made_hook : 0,
	};
	__u32 zero = 0;

	return bpf_map_update_elem(bpf_map__fd(skel->maps.meta), &zero, &m, BPF_ANY) ? -errno : 0;
}

static int write_policy(const struct sentroid *skel, enum sen_mode mode)
{
	struct sen_policy policy = sen_policy_defaults;
	__u32 zero = 0;

	policy.mode = mode;
	memset(policy.action, SEN_VERDICT_DROP, sizeof(policy.action));
	policy.action[SEN_CLASS_NONE] = SEN_VERDICT_PASS;
	policy.action[SEN_CLASS_UNKNOWN] = SEN_VERDICT_ALERT;
	return bpf_map_update_elem(bpf_map__fd(skel->maps.policy), &zero, &policy, BPF_ANY) ?
		       -errno :
		       0;
}

/* Hardware address in the low 48 bits, 0 where the interface has none. */
static __u64 own_mac(const char *ifname)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { 0 };
	__u64 mac = 0;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
	if (fd >= 0 && !ioctl(fd, SIOCGIFHWADDR, &request) &&
	    request.ifr_hwaddr.sa_family == ARPHRD_ETHER)
		for (int i = 0; i < 6; i++)
			mac = mac << 8 | (__u8)request.ifr_hwaddr.sa_data[i];
	if (fd >= 0)
		close(fd);
	return mac;
}

/* What is attached now: is our program one of a dispatcher's, and natively? */
static void inspect(unsigned int ifindex, enum xdp_attach_mode mode, struct sen_attach_result *r)
{
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex(ifindex);

	r->native = mode == XDP_MODE_NATIVE;
	if (libxdp_get_error(mp))
		return;
	r->dispatcher = !xdp_multiprog__is_legacy(mp);
	r->no_dispatcher = r->dispatcher ? 0 : dispatcher_error;
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
	skel->rodata->sen_own_mac = o->egress ? 0 : own_mac(ifname);
	skel->rodata->sen_frags = frags;
	if (!err)
		err = bpf_program__set_autoload(skel->progs.sentroid_egress, o->egress);
	return err;
}

/* The program is on the interface: model, policy, the way out, pins. */
static int complete(struct sentroid *skel, const char *ifname, unsigned int ifindex,
		    const struct sen_attach_options *o, struct sen_attach_result *result)
{
	bool made_hook = false;
	int err = write_policy(skel, o->policy);

	if (!err && o->model)
		err = sen_model_slot_set(bpf_map__fd(skel->maps.models), SEN_SLOT_ACTIVE, o->model);
	if (!err && o->egress)
		err = sen_egress_attach(ifindex, bpf_program__fd(skel->progs.sentroid_egress),
					&made_hook);
	if (err)
		return err;
	result->egress = o->egress;
	err = write_meta(skel, ifindex, result, made_hook);
	if (!err)
		err = pin_all(skel, ifname);
	if (err && o->egress)
		sen_egress_detach(ifindex, made_hook);
	return err;
}

/* Open, configure, load, attach in one way; all or nothing. */
static int attach_once(const char *ifname, unsigned int ifindex, enum xdp_attach_mode mode,
		       bool frags, const struct sen_attach_options *o,
		       struct sen_attach_result *result)
{
	struct sentroid *skel = sentroid__open();
	struct xdp_program *prog = NULL;
	int err;

	if (!skel)
		return -errno;
	err = prepare(skel, ifname, o, frags);
	if (err)
		goto cleanup;
	prog = xdp_program__from_bpf_obj(skel->obj, "xdp");
	err = libxdp_get_error(prog);
	if (err)
		goto cleanup;
	err = xdp_program__set_xdp_frags_support(prog, frags);
	if (!err)
		err = xdp_program__attach(prog, ifindex, mode, 0);
	if (err)
		goto cleanup;
	result->prog_id = xdp_program__id(prog);
	result->frags = frags;
	inspect(ifindex, mode, result);
	err = complete(skel, ifname, ifindex, o, result);
	if (err)
		xdp_program__detach(prog, ifindex, mode, 0);
cleanup:
	if (prog && !libxdp_get_error(prog))
		xdp_program__close(prog);
	sentroid__destroy(skel);
	return err;
}

/* In one mode, for long frames too where that can be. */
static int attach_as(const char *ifname, unsigned int ifindex, enum xdp_attach_mode mode,
		     const struct sen_attach_options *o, struct sen_attach_result *result)
{
	int err = -ENOTSUP;

	if (frags_possible())
		err = attach_once(ifname, ifindex, mode, true, o, result);
	return err ? attach_once(ifname, ifindex, mode, false, o, result) : 0;
}

static const char *mode_name(enum xdp_attach_mode mode)
{
	return mode == XDP_MODE_NATIVE ? "native" : "skb";
}

static int explain(int err, const char *ifname, enum xdp_attach_mode mode, struct sen_why *why)
{
	const char *hint = NULL, *text = strerror(-err);

	if (err == -EACCES)
		text = "this kernel's verifier refuses the program", hint = last_warning;
	else if (err == -EPERM)
		hint = "run it as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON";
	else if (err == -EBUSY || err == -EEXIST)
		text = "another XDP program holds the interface",
		hint = "see `bpftool net`; take it off, or use a kernel where both can share";
	else if (err == -EOPNOTSUPP && mode == XDP_MODE_NATIVE)
		text = "the driver has no native XDP", hint = "attach with --mode skb";
	else if (*last_warning)
		hint = last_warning;
	return sen_why(why, err, hint, "attaching XDP program (%s): %s: %s", mode_name(mode),
		       ifname, text);
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

static int precheck(const char *ifname, unsigned int *ifindex, struct sen_why *why)
{
	if (sen_check_ifname(ifname, why))
		return -EINVAL;
	if (geteuid())
		return sen_why(why, -EPERM, "run it as root",
			       "attaching XDP program: %s: not permitted", ifname);
	*ifindex = if_nametoindex(ifname);
	if (!*ifindex)
		return sen_why(why, -ENODEV, "ip link shows the interfaces that there are",
			       "attaching XDP program: %s: no such interface", ifname);
	if (sen_pins_exist(ifname))
		return sen_why(
			why, -EEXIST, "sentroid detach IFACE takes it off",
			"attaching XDP program: %s: Sentroid is attached, or left pins in %s",
			ifname, sen_pin_root());
	return refuse_foreign(ifname, *ifindex, why);
}

/* Native where the driver can, generic where it cannot: only a lack of support falls back. */
static int attach_auto(const char *ifname, unsigned int ifindex, const struct sen_attach_options *o,
		       struct sen_attach_result *result, struct sen_why *why)
{
	int err = attach_as(ifname, ifindex, XDP_MODE_NATIVE, o, result);

	if (!err)
		return 0;
	if (err != -EOPNOTSUPP && err != -EINVAL)
		return explain(err, ifname, XDP_MODE_NATIVE, why);
	snprintf(result->note, sizeof(result->note),
		 "native XDP not possible (%s): attached in skb mode, which is slower",
		 *last_warning ? last_warning : strerror(-err));
	result->no_native = -err;
	err = attach_as(ifname, ifindex, XDP_MODE_SKB, o, result);
	return err ? explain(err, ifname, XDP_MODE_SKB, why) : 0;
}

int sen_loader_attach(const char *ifname, const struct sen_attach_options *options,
		      struct sen_attach_result *result, struct sen_why *why)
{
	enum xdp_attach_mode mode;
	unsigned int ifindex = 0;
	int err;

	libbpf_set_print(print_libbpf);
	libxdp_set_print(print_libxdp);
	*last_warning = '\0';
	dispatcher_error = 0;
	memset(result, 0, sizeof(*result));
	err = precheck(ifname, &ifindex, why);
	if (err)
		return err;
	err = sen_pins_make(ifname, why);
	if (err)
		return err;
	if (options->mode == SEN_ATTACH_AUTO) {
		err = attach_auto(ifname, ifindex, options, result, why);
	} else {
		mode = options->mode == SEN_ATTACH_SKB ? XDP_MODE_SKB : XDP_MODE_NATIVE;
		err = attach_as(ifname, ifindex, mode, options, result);
		if (err)
			explain(err, ifname, mode, why);
	}
	if (err)
		sen_pins_remove(ifname);
	return err;
}

/* The way out first: where the meta map says that we have it. */
static void detach_egress(const char *dir, unsigned int ifindex)
{
	struct sen_meta m = { 0 };
	char path[320];
	__u32 zero = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/meta", dir);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return;
	if (!bpf_map_lookup_elem(fd, &zero, &m) && m.magic == SEN_ABI_MAGIC && m.egress)
		sen_egress_detach(ifindex, m.egress == 2);
	close(fd);
}

/* Take our program off, whether alone or among a dispatcher's; one that is gone already is no error. */
static int detach_program(const char *ifname, unsigned int ifindex)
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
	detach_egress(dir, ifindex);
	mode = xdp_program__is_attached(prog, ifindex);
	err = mode == XDP_MODE_UNSPEC ? 0 : xdp_program__detach(prog, ifindex, mode, 0);
	xdp_program__close(prog);
	return err;
}

int sen_loader_detach(const char *ifname, struct sen_why *why)
{
	unsigned int ifindex = if_nametoindex(ifname);
	int err = sen_check_ifname(ifname, why); /* with ".." others' pins would be removed */

	libbpf_set_print(print_libbpf);
	libxdp_set_print(print_libxdp);
	if (err)
		return err;
	if (geteuid())
		return sen_why(why, -EPERM, "run it as root",
			       "detaching XDP program: %s: not permitted", ifname);
	if (!sen_pins_exist(ifname))
		return sen_why(why, -ENOENT, ifindex ? "bpftool net shows what is attached" : NULL,
			       "detaching XDP program: %s: Sentroid is not attached", ifname);
	err = ifindex ? detach_program(ifname, ifindex) : 0;
	if (err)
		return sen_why(why, err, *last_warning ? last_warning : NULL,
			       "detaching XDP program: %s: %s", ifname, strerror(-err));
	sen_pins_remove(ifname);
	return 0;
}
