// SPDX-License-Identifier: BSD-2-Clause
/* sentroid label: what samples are taken for, and what operators say they are. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "endpoint.h"
#include "label.h"
#include "label_command.h"
#include "paths.h"

static int has_samples(const struct dirent *entry)
{
	return !sen_check_ifname(entry->d_name, NULL);
}

/* The only interface with samples. */
static int find_only(const char *state_dir, char ifname[64], struct sen_why *why)
{
	struct dirent **names;
	char path[PATH_MAX];
	int found = 0, n = scandir(state_dir, &names, has_samples, alphasort);
	int err = n < 0 && errno != ENOENT ? -errno : 0;

	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s/" SEN_STORE_FILE, state_dir, names[i]->d_name);
		if (access(path, F_OK))
			err = errno == EACCES ? -EACCES : err;
		else if (!found++)
			snprintf(ifname, 64, "%.63s", names[i]->d_name);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	/* What may not be looked at may have some. */
	if (err)
		return path_error(why, err, "samples", state_dir);
	if (found == 1)
		return 0;
	if (found)
		return sen_why(why, -EINVAL, NULL, "samples: %d interfaces have some: name one",
			       found);
	return sen_why(why, -ENOENT, "sentroidd -i IFACE collects them",
		       "samples: none are kept under %s", state_dir);
}

int samples_of(const char *state_dir, const char *ifname, struct sen_store **out,
	       struct sen_class_names *names, struct sen_why *why)
{
	struct sen_store_limits limits = { sen_config_defaults.store_samples,
					   sen_config_defaults.store_days };
	char path[PATH_MAX], only[64];
	int err;

	if (ifname) {
		err = sen_check_ifname(ifname, why);
	} else {
		err = find_only(state_dir, only, why);
		ifname = only;
	}
	if (err)
		return err;
	class_names_of(state_dir, ifname, names);
	snprintf(path, sizeof(path), "%s/%s/" SEN_STORE_FILE, state_dir, ifname);
	return sen_store_visit(path, &limits, out, why);
}

int parse_label(const char *text, const struct sen_class_names *names, struct sen_relabel *out)
{
	unsigned int label = SEN_LABEL_NONE;

	out->automatic = !strcmp(text, "auto");
	if (!out->automatic && sen_label_parse(text, names, &label, &out->class_id))
		return -EINVAL;
	out->label = (enum sen_label)label;
	return 0;
}

const char *flow_text(const struct sen_record *r, char text[FLOW_TEXT])
{
	const struct protoent *known = getprotobynumber(r->proto);
	char src[SEN_ADDR_TEXT], dst[SEN_ADDR_TEXT];

	sen_addr_format(r->src, src);
	sen_addr_format(r->dst, dst);
	if (r->proto == SEN_PROTO_ARP)
		snprintf(text, FLOW_TEXT, "%s > %s arp", src, dst);
	else if (r->sport || r->dport)
		snprintf(text, FLOW_TEXT, "%s:%u > %s:%u %.9s", src, r->sport, dst, r->dport,
			 known ? known->p_name : "?");
	else
		snprintf(text, FLOW_TEXT, "%s > %s %.9s", src, dst, known ? known->p_name : "?");
	return text;
}

int samples_option(int key, const char *value, void *input)
{
	struct samples_options *o = input;

	switch (key) {
	case KEY_STATE_DIR:
		o->state_dir = value;
		return 0;
	case 'i':
		o->ifname = value;
		return 0;
	case 'o':
		o->out = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- set ---- */

static int parse_ids(const char *const *arg, struct sen_relabel *changes, size_t *n)
{
	char *end;

	for (*n = 0; *n < SYNTAX_ARGS - 1 && arg[*n + 1]; (*n)++) {
		changes[*n].id = strtoll(arg[*n], &end, 10);
		if (*end || end == arg[*n] || changes[*n].id < 1)
			return usage_error("'%s' is not a number of a sample", arg[*n]);
	}
	return 0;
}

/* Classes are those of the model in force, too: they can be read only where its samples are. */
static int parse_what(const char *text, const struct sen_class_names *names,
		      struct sen_relabel *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (parse_label(text, names, &changes[i]))
			return usage_error(
				"'%s' is neither benign, attack, a class that is built in "
				"or of the model in force, none nor auto",
				text);
	return 0;
}

static int label_set(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "interface", 'i', "IFACE", 0, "Whose samples, where there are several", 0 },
		STATE_DIR_OPTION,
		{ 0 },
	};
	static const struct syntax syntax = {
		.name = "label set",
		.args = "ID... benign|CLASS|none|auto",
		.doc = "Say what samples are. It outranks what rules and scores say, and counts from the next "
		       "training on; `auto` takes it back. Without a class known, say attack.",
		.least = 2,
		.most = SYNTAX_ARGS,
		.options = options,
		.option = samples_option,
	};
	struct samples_options o = { .state_dir = sen_config_defaults.state_dir };
	struct sen_relabel changes[SYNTAX_ARGS] = { 0 };
	const char *arg[SYNTAX_ARGS];
	struct sen_class_names names;
	struct sen_store *store = NULL;
	struct sen_why why = { 0 };
	size_t n;
	long done;

	if (parse_line(&syntax, argc, argv, &o, arg) || parse_ids(arg, changes, &n))
		return EXIT_USAGE;
	done = samples_of(o.state_dir, o.ifname, &store, &names, &why);
	if (!done && parse_what(arg[n], &names, changes, n)) {
		sen_store_close(store);
		return EXIT_USAGE;
	}
	if (!done)
		done = sen_store_relabel(store, changes, n, false, &why);
	sen_store_close(store);
	if (done < 0)
		return fail(&why);
	printf("%ld sample%s labelled %s\n", done, done == 1 ? "" : "s", arg[n]);
	return EXIT_DONE;
}

int cmd_label(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "list", "[IFACE] [--all] [--label LABEL] [--by ORIGIN] [-n N] [--json]",
		  "the samples that are most worth a look, or all", label_list },
		{ "set", "ID... benign|CLASS|none|auto", "say what samples are", label_set },
		{ "import", "FILE.csv", "the same for many", label_import },
		{ "export", "[IFACE] [-o FILE.csv]", "all samples with their labels",
		  label_export },
		{ 0 },
	};

	return run_command("label", "See what samples are taken for, and say what they are.",
			   commands, argc, argv);
}
