// SPDX-License-Identifier: BSD-2-Clause
/* sentroid allow: the hosts whose flows are not judged, shown, or changed while the program runs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "allow_command.h"
#include "command.h"
#include "dataplane.h"

struct options {
	bool remove, json;
};

static const struct argp_option option_list[] = {
	{ "remove", 'r', 0, 0, "Take the prefixes off the list", 0 },
	{ "json", 'j', 0, 0, "Print JSON", 0 },
	{ 0 },
};

static int on_option(int key, const char *value, void *input)
{
	struct options *o = input;

	(void)value;
	if (key == 'r')
		o->remove = true;
	else if (key == 'j')
		o->json = true;
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct syntax syntax = {
	.name = "allow",
	.args = "IFACE [PREFIX...]",
	.doc = "Put hosts or networks on the allow list of an interface, or take them off, and show it. "
	       "What a host of the list begins is counted as a flow and nothing more: it is neither "
	       "reported nor dropped, and teaches nothing. What others begin towards it is judged as "
	       "ever.\vIt is meant for scanners, monitoring and backups of one's own, whose address "
	       "nobody else can use here. A change reaches flows within a second of their traffic. "
	       "It is gone with a detach; [attach] allow in the agent's configuration stays.",
	.least = 1,
	.most = SYNTAX_ARGS,
	.options = option_list,
	.option = on_option,
};

cJSON *allow_json(const struct sen_prefixes *list)
{
	cJSON *array = cJSON_CreateArray();
	char text[SEN_PREFIX_TEXT];

	for (unsigned int i = 0; i < list->count; i++) {
		sen_prefix_text(&list->at[i], text);
		cJSON_AddItemToArray(array, cJSON_CreateString(text));
	}
	return array;
}

static int print_json(const char *ifname, const struct sen_prefixes *list)
{
	cJSON *object = cJSON_CreateObject();
	struct sen_why why = { 0 };
	char *text;

	cJSON_AddStringToObject(object, "name", ifname);
	cJSON_AddItemToObject(object, "allow", allow_json(list));
	text = cJSON_PrintUnformatted(object);
	cJSON_Delete(object);
	if (!text) {
		sen_why(&why, -ENOMEM, NULL, "allow list: %s: printing: out of memory", ifname);
		return fail(&why);
	}
	puts(text);
	cJSON_free(text);
	return EXIT_DONE;
}

static void print(const char *ifname, const struct sen_prefixes *list)
{
	char text[SEN_PREFIX_TEXT];

	if (!list->count)
		printf("%s: nothing is on the allow list\n", ifname);
	for (unsigned int i = 0; i < list->count; i++) {
		sen_prefix_text(&list->at[i], text);
		puts(text);
	}
}

/* Whether all of it can be done, before any of it is. */
static int check(const char *ifname, const struct sen_prefixes *now,
		 const struct sen_prefixes *change, bool remove, struct sen_why *why)
{
	struct sen_prefixes after = *now;
	char text[SEN_PREFIX_TEXT];

	for (unsigned int i = 0; i < change->count; i++) {
		sen_prefix_text(&change->at[i], text);
		if (remove && !sen_prefixes_have(now, &change->at[i]))
			return sen_why(why, -ENOENT, "sentroid allow IFACE shows what is",
				       "allow list: %s: %s is not on it", ifname, text);
		if (!remove && sen_prefixes_add(&after, &change->at[i]))
			return sen_why(why, -ENOSPC, "put hosts together in one prefix",
				       "allow list: %s: no room for %s, %u is the most", ifname,
				       text, SEN_ALLOW_MAX);
	}
	return 0;
}

static int change_list(const struct sen_allow *allow, const struct sen_prefixes *change,
		       bool remove)
{
	int err = 0;

	if (!remove)
		return sen_allow_add_all(allow, change);
	for (unsigned int i = 0; !err && i < change->count; i++)
		err = sen_allow_remove(allow, &change->at[i]);
	return err;
}

/* Into *now what is on the list in the end. */
static int apply(const char *ifname, const struct sen_prefixes *change, bool remove,
		 struct sen_prefixes *now, struct sen_why *why)
{
	struct sen_dataplane *dp = NULL;
	struct sen_allow allow;
	int err = sen_dataplane_open(ifname, &dp, why);

	if (err)
		return err;
	allow = sen_dataplane_allow(dp);
	err = sen_allow_list(&allow, now);
	if (!err && check(ifname, now, change, remove, why)) {
		sen_dataplane_close(dp);
		return -EINVAL;
	}
	if (!err)
		err = change_list(&allow, change, remove);
	if (!err)
		err = sen_allow_list(&allow, now);
	sen_dataplane_close(dp);
	return err ? sen_why(why, err, NULL, "allow list: %s: %s", ifname, strerror(-err)) : 0;
}

int cmd_allow(int argc, char **argv)
{
	static struct sen_prefixes change, now;
	const char *arg[SYNTAX_ARGS];
	struct options o = { 0 };
	struct sen_why why = { 0 };

	if (parse_line(&syntax, argc, argv, &o, arg))
		return EXIT_USAGE;
	for (unsigned int i = 1; i < SYNTAX_ARGS && arg[i]; i++)
		if (parse_prefixes("PREFIX", arg[i], &change))
			return EXIT_USAGE;
	if (o.remove && !change.count)
		return usage_error("--remove: no prefix is given");
	if (!is_root("allow list", arg[0]))
		return EXIT_FAILED;
	if (apply(arg[0], &change, o.remove, &now, &why))
		return fail(&why);
	if (o.json)
		return print_json(arg[0], &now);
	print(arg[0], &now);
	return EXIT_DONE;
}
