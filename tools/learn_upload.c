// SPDX-License-Identifier: BSD-2-Clause
/* sentroid learn upload: copies of captures into the folder that the agent watches. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "fsutil.h"
#include "label.h"
#include "learn_command.h"
#include "paths.h"
#include "uploads.h"

enum {
	KEY_INTERFACE = 0x100,
	KEY_LABEL
};

struct upload {
	const char *state_dir, *ifname, *label;
};

static int on_option(int key, const char *value, void *input)
{
	struct upload *u = input;

	switch (key) {
	case KEY_STATE_DIR:
		u->state_dir = value;
		return 0;
	case KEY_INTERFACE:
	case 'i':
		u->ifname = value;
		return 0;
	case KEY_LABEL:
		u->label = value;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int check_label(const struct upload *u)
{
	struct sen_class_names names;
	unsigned int label, class_id;

	if (!u->label)
		return 0;
	class_names_of(u->state_dir, u->ifname, &names);
	if (sen_label_parse(u->label, &names, &label, &class_id) || label == SEN_LABEL_NONE)
		return usage_error("--label: '%s' is neither benign, attack nor a class", u->label);
	return 0;
}

static int copy_bytes(int in, int out)
{
	char block[65536];
	ssize_t n;

	while ((n = read(in, block, sizeof(block))) > 0)
		if (write(out, block, (size_t)n) != n)
			return errno ? -errno : -ENOSPC;
	return n < 0 || fsync(out) ? -errno : 0;
}

static const char *name_of(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

/* The agent passes over names that begin with a dot. */
static int copy_in(const char *file, const char *folder, struct sen_why *why)
{
	const char *name = name_of(file);
	char hidden[PATH_MAX], path[PATH_MAX];
	int in = open(file, O_RDONLY | O_CLOEXEC), out = -1, err;

	snprintf(hidden, sizeof(hidden), "%s/.%.200s.%d", folder, name, getpid());
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (in >= 0)
		out = open(hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	err = out < 0 ? -errno : copy_bytes(in, out);
	if (out >= 0 && close(out) && !err)
		err = -errno;
	if (in >= 0)
		close(in);
	/* Never over another file that still waits there. */
	if (!err && (link(hidden, path) || unlink(hidden)))
		err = -errno;
	if (!err)
		return 0;
	if (out >= 0)
		unlink(hidden);
	return sen_why(why, err,
		       err == -EEXIST ? "one of that name waits to be analysed: try again shortly" :
					NULL,
		       "upload: %s: %s", file, strerror(-err));
}

static int upload(const struct upload *u, const char *file, struct sen_why *why)
{
	char folder[PATH_MAX - 320];
	struct stat st;
	int err = sen_check_ifname(u->ifname, why);

	if (err)
		return err;
	snprintf(folder, sizeof(folder), "%s/%s", u->state_dir, u->ifname);
	if (stat(folder, &st))
		return sen_why(why, -errno, "sentroidd -i IFACE makes it when it first runs",
			       "upload: state folder: %s: %s", folder, strerror(errno));
	if (stat(file, &st) || !S_ISREG(st.st_mode))
		return sen_why(why, -EINVAL, NULL, "upload: %s: not a readable file", file);
	if (*name_of(file) == '.')
		return sen_why(why, -EINVAL, "give it another name",
			       "upload: %s: the agent passes over names that begin with a dot",
			       file);
	snprintf(folder, sizeof(folder), "%s/%s/" SEN_UPLOADS_FOLDER "%s%s", u->state_dir,
		 u->ifname, u->label ? "/" : "", u->label ? u->label : "");
	err = sen_make_dirs(folder, why);
	return err ? err : copy_in(file, folder, why);
}

int learn_upload(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "interface", KEY_INTERFACE, "IFACE", 0, "Whose model is to learn from it", 0 },
		{ NULL, 'i', "IFACE", 0, "The same", 0 },
		{ "label", KEY_LABEL, "LABEL", 0,
		  "What all of it is: benign, attack, or a class (scan, syn_flood, ...); without, every "
		  "sample is labelled by rules and by its score",
		  0 },
		STATE_DIR_OPTION,
		{ 0 },
	};
	static const struct syntax syntax = {
		.name = "learn upload",
		.args = "FILE... --interface IFACE [--label LABEL]",
		.doc = "Give the agent captures to learn from. They are copied into its folder `uploads`, "
		       "analysed at once, counted if they are new, and trained on when there are enough.",
		.least = 1,
		.most = SYNTAX_ARGS,
		.options = options,
		.option = on_option,
	};
	struct upload u = { .state_dir = sen_config_defaults.state_dir };
	const char *arg[SYNTAX_ARGS];
	struct sen_why why = { 0 };

	if (parse_line(&syntax, argc, argv, &u, arg))
		return EXIT_USAGE;
	if (!u.ifname)
		return usage_error("--interface IFACE is needed");
	if (check_label(&u))
		return EXIT_USAGE;
	for (int i = 0; i < SYNTAX_ARGS && arg[i]; i++) {
		if (upload(&u, arg[i], &why))
			return fail(&why);
		printf("%s: %s is to be analysed\n", u.ifname, arg[i]);
	}
	return EXIT_DONE;
}
