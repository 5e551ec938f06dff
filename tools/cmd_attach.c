// SPDX-License-Identifier: BSD-2-Clause
/* sentroid attach: the model is read and checked before anything is touched. */
#include <signal.h>
#include <stdio.h>

#include "command.h"
#include "loader.h"

struct options {
	const char *model; /* NULL: the shipped one */
	struct sen_attach_options attach;
};

enum {
	KEY_MODE = 0x100,
	KEY_MODEL,
	KEY_POLICY,
	KEY_EGRESS,
	KEY_FLOWS,
	KEY_ALLOW
};

static const struct argp_option option_list[] = {
	{ "mode", KEY_MODE, "MODE", 0,
	  "auto (the default: native, or skb where the driver has no native XDP), native or skb",
	  0 },
	{ "model", KEY_MODEL, "FILE", 0, "Model to put in force instead of the shipped one", 0 },
	{ "policy", KEY_POLICY, "POLICY", 0,
	  "observe: only count; alert: report what is flagged (the default); enforce: also drop flows that a labelled class names; enforce-learned: that by models that the agent has learned here; see sentroid policy --help",
	  0 },
	{ "egress", KEY_EGRESS, 0, 0,
	  "See what leaves the interface, too, so that handshakes and answers count on an end host",
	  0 },
	{ "flows", KEY_FLOWS, "N", 0, "Room for so many flows, rounded up to a power of two", 0 },
	{ "allow", KEY_ALLOW, "PREFIX", 0,
	  "What this host or network begins is not judged; may be given more than once, see sentroid allow --help",
	  0 },
	{ 0 },
};

static int on_option(int key, const char *value, void *input)
{
	static const char *const modes[] = { "auto", "native", "skb", NULL };
	struct options *o = input;
	unsigned int choice;
	int err;

	switch (key) {
	case KEY_MODE:
		err = parse_choice("--mode", value, modes, &choice);
		if (!err)
			o->attach.mode = (enum sen_attach_mode[]){ SEN_ATTACH_AUTO,
								   SEN_ATTACH_NATIVE,
								   SEN_ATTACH_SKB }[choice];
		return err;
	case KEY_MODEL:
		o->model = value;
		return 0;
	case KEY_POLICY:
		err = parse_choice("--policy", value, sen_policy_words, &choice);
		if (!err)
			o->attach.policy = choice;
		return err;
	case KEY_EGRESS:
		o->attach.egress = true;
		return 0;
	case KEY_FLOWS:
		return parse_count("--flows", value, 1, SEN_FLOWS_MAX, &o->attach.flows);
	case KEY_ALLOW:
		return parse_prefixes("--allow", value, &o->attach.allow);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct syntax syntax = {
	.name = "attach",
	.args = "IFACE",
	.doc = "Load the packet program, attach it to an interface and pin it with its maps, so that "
	       "it goes on by itself. All of it is done or nothing.",
	.least = 1,
	.most = 1,
	.options = option_list,
	.option = on_option,
};

/* Stopped halfway it would leave a program without pins, which detach does not find. */
static void hold_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void report(const char *ifname, const struct options *o,
		   const struct sen_attach_result *result)
{
	const struct sen_model_flat *model = o->attach.model;
	char digest[DIGEST_HEX];

	digest_text(model->digest, digest);
	printf("%s: attached in %s mode, %s, program %u, model %u (%.*s), policy %s\n", ifname,
	       result->native ? "native" : "skb",
	       result->dispatcher ? "under the dispatcher" : "single program", result->prog_id,
	       model->version, DIGEST_SHORT, digest, sen_policy_words[o->attach.policy]);
	if (*result->note)
		note("%s: %s", ifname, result->note);
}

int cmd_attach(int argc, char **argv)
{
	static struct sen_model_flat model;
	struct options o = { .attach = { .mode = SEN_ATTACH_AUTO,
					 .policy = sen_policy_defaults.mode,
					 .model = &model } };
	struct sen_attach_result result;
	const char *arg[SYNTAX_ARGS];
	struct sen_why why = { 0 };

	if (parse_line(&syntax, argc, argv, &o, arg))
		return EXIT_USAGE;
	if (!is_root("attaching XDP program", arg[0]))
		return EXIT_FAILED;
	if (load_model(o.model, &model, &why))
		return fail(&why);
	hold_signals();
	if (sen_loader_attach(arg[0], &o.attach, &result, &why))
		return fail(&why);
	report(arg[0], &o, &result);
	return EXIT_DONE;
}
