// SPDX-License-Identifier: BSD-2-Clause
/* sentroid status: reads the pinned maps and asks the kernel what is attached; changes nothing. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"

static const struct syntax syntax = {
	.name = "status",
	.args = "[IFACE]",
	.doc = "Show what is attached and what it has counted: one interface in full, or all of them "
	       "in a table.\vThe exit code is 1 if an interface has lost its program, or has pins "
	       "that cannot be read.",
	.most = 1,
	.options = json_options,
	.option = on_json_option,
};

static int read_model(const struct sen_dataplane *dp, enum sen_slot slot, struct status_model *out)
{
	static struct sen_model_flat flat;
	int err = sen_dataplane_model(dp, slot, &flat);

	memset(out, 0, sizeof(*out));
	if (err)
		return err == -ENOENT ? 0 : err;
	out->present = true;
	out->learned = flat.learned;
	out->version = flat.version;
	out->parent = flat.parent;
	out->created_s = flat.created_s;
	digest_text(flat.digest, out->digest);
	return 0;
}

static int read_maps(const struct sen_dataplane *dp, struct status *s)
{
	const struct sen_allow allow = sen_dataplane_allow(dp);
	int err = sen_dataplane_stats(dp, &s->stats);

	if (!err)
		err = sen_allow_list(&allow, &s->allow);

	if (!err)
		err = sen_dataplane_policy(dp, &s->policy);
	if (!err)
		err = sen_dataplane_flow_usage(dp, &s->flows);
	for (int slot = 0; !err && slot < SEN_SLOT_COUNT; slot++)
		err = read_model(dp, slot, &s->model[slot]);
	return err;
}

static int collect(const char *ifname, struct status *s, struct sen_why *why)
{
	struct sen_dataplane *dp = NULL;
	int err = sen_dataplane_open(ifname, &dp, why);

	if (err)
		return err;
	memset(s, 0, sizeof(*s));
	snprintf(s->name, sizeof(s->name), "%s", ifname);
	s->meta = *sen_dataplane_meta(dp);
	s->agent = sen_dataplane_agent(dp);
	s->frags = s->meta.frags;
	s->attachment = sen_attachment_look(&s->meta, &s->frags);
	err = read_maps(dp, s);
	if (err)
		sen_why(why, err, NULL, "reading pinned maps: %s: %s", ifname, strerror(-err));
	sen_dataplane_close(dp);
	return err;
}

/* What is still counted in the maps is shown all the same, so this goes to stderr beside it. */
static int complain_of_lost(const struct status *s, size_t n)
{
	struct sen_why why = { 0 };
	int code = EXIT_DONE;

	for (size_t i = 0; i < n; i++) {
		if (s[i].attachment != SEN_ATTACHMENT_GONE)
			continue;
		sen_why(&why, -ENOENT, "sentroid detach removes the pins; then attach again",
			"status: %s: program %u is no longer attached: taken off by somebody else, or "
			"the interface is gone",
			s[i].name, s[i].meta.prog_id);
		code = fail(&why);
	}
	return code;
}

static int print_json(const struct status *s, size_t n)
{
	struct sen_why why = { 0 };

	if (!status_print_json(s, n))
		return EXIT_DONE;
	sen_why(&why, -ENOMEM, NULL, "status: printing: out of memory");
	return fail(&why);
}

static int show_one(const char *ifname, bool json)
{
	struct sen_why why = { 0 };
	struct status s;
	int code = EXIT_DONE;

	if (collect(ifname, &s, &why))
		return fail(&why);
	if (json)
		code = print_json(&s, 1);
	else
		status_print(&s);
	return code ? code : complain_of_lost(&s, 1);
}

static int is_interface(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Names of pin folders, sorted; none where nothing was ever attached. */
static int find_interfaces(struct dirent ***names, int *n, struct sen_why *why)
{
	*n = scandir(sen_pin_root(), names, is_interface, alphasort);
	if (*n >= 0)
		return 0;
	*names = NULL;
	*n = 0;
	if (errno == ENOENT)
		return 0;
	return sen_why(why, -errno, NULL, "status: %s: %s", sen_pin_root(), strerror(errno));
}

/* Interfaces that cannot be read are told and left out. */
static int collect_all(struct dirent *const *names, int found, struct status *s, size_t *n)
{
	struct sen_why why = { 0 };
	int code = EXIT_DONE;

	*n = 0;
	for (int i = 0; i < found; i++) {
		if (collect(names[i]->d_name, &s[*n], &why))
			code = fail(&why);
		else
			(*n)++;
	}
	return code;
}

static void free_names(struct dirent **names, int n)
{
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static int show_all(bool json)
{
	struct dirent **names;
	struct sen_why why = { 0 };
	struct status *s;
	int code, found;
	size_t n;

	if (find_interfaces(&names, &found, &why))
		return fail(&why);
	s = calloc(found + 1, sizeof(*s));
	if (!s) {
		free_names(names, found);
		sen_why(&why, -ENOMEM, NULL, "status: all interfaces: out of memory");
		return fail(&why);
	}
	code = collect_all(names, found, s, &n);
	free_names(names, found);
	if (json)
		code |= print_json(s, n);
	else
		status_print_all(s, n);
	code |= complain_of_lost(s, n);
	free(s);
	return code;
}

int cmd_status(int argc, char **argv)
{
	const char *arg[SYNTAX_ARGS];
	bool json = false;

	if (parse_line(&syntax, argc, argv, &json, arg))
		return EXIT_USAGE;
	if (!is_root("status", arg[0] ? arg[0] : "all interfaces"))
		return EXIT_FAILED;
	return arg[0] ? show_one(arg[0], json) : show_all(json);
}
