// SPDX-License-Identifier: BSD-2-Clause
/* sentroid policy: what flagged packets meet, shown, or changed while the program runs. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "dataplane.h"

static const struct syntax syntax = {
	.name = "policy",
	.args = "IFACE [observe|alert|enforce|enforce-learned]",
	.doc = "Show what flagged packets meet on an interface, or change it from the next packet on. "
	       "Nothing is detached, counters and flows stay.\v"
	       "observe: only count; alert: report what is flagged; enforce: also drop flows that a "
	       "labelled class names; enforce-learned: that by the word of models that the agent has "
	       "learned here, alert by that of others. Normal flows to a host under attack can be "
	       "among these: `sentroid replay --policy enforce` counts them on a capture of your own.",
	.least = 1,
	.most = 2,
	.options = json_options,
	.option = on_json_option,
};

static int print_json(const char *ifname, unsigned int mode)
{
	cJSON *object = cJSON_CreateObject();
	struct sen_why why = { 0 };
	char *text;

	cJSON_AddStringToObject(object, "name", ifname);
	cJSON_AddStringToObject(object, "policy", sen_policy_word(mode));
	text = cJSON_PrintUnformatted(object);
	cJSON_Delete(object);
	if (!text) {
		sen_why(&why, -ENOMEM, NULL, "policy: %s: printing: out of memory", ifname);
		return fail(&why);
	}
	puts(text);
	cJSON_free(text);
	return EXIT_DONE;
}

/* Into *policy what is in force in the end; `wanted` is NULL where that is only to be shown. */
static int apply(const char *ifname, const unsigned int *wanted, struct sen_policy *policy,
		 struct sen_why *why)
{
	struct sen_dataplane *dp = NULL;
	int err = sen_dataplane_open(ifname, &dp, why);

	if (err)
		return err;
	err = sen_dataplane_policy(dp, policy);
	if (!err && wanted) {
		policy->mode = *wanted; /* the other knobs stay */
		err = sen_dataplane_set_policy(dp, policy);
	}
	sen_dataplane_close(dp);
	return err ? sen_why(why, err, NULL, "policy: %s: %s", ifname, strerror(-err)) : 0;
}

int cmd_policy(int argc, char **argv)
{
	const char *arg[SYNTAX_ARGS];
	struct sen_policy policy;
	struct sen_why why = { 0 };
	unsigned int wanted;
	bool json = false;

	if (parse_line(&syntax, argc, argv, &json, arg) ||
	    (arg[1] && parse_choice("POLICY", arg[1], sen_policy_words, &wanted)))
		return EXIT_USAGE;
	if (!is_root("policy", arg[0]))
		return EXIT_FAILED;
	if (apply(arg[0], arg[1] ? &wanted : NULL, &policy, &why))
		return fail(&why);
	if (json)
		return print_json(arg[0], policy.mode);
	printf("%s: policy %s\n", arg[0], sen_policy_word(policy.mode));
	return EXIT_DONE;
}
