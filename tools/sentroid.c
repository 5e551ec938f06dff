// SPDX-License-Identifier: BSD-2-Clause
/* sentroid: the operator's command. Finds the subcommand and runs it. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xdp/libxdp.h>

#include "command.h"

static const char doc[] = "Detect anomalies in network traffic where packets arrive.";

static const struct command commands[] = {
	{ "attach",
	  "IFACE [--mode MODE] [--model FILE] [--policy POLICY] [--allow PREFIX] [--egress] [--flows N]",
	  "load the packet program, attach it to an interface and pin it", cmd_attach },
	{ "detach", "IFACE", "take it off and leave nothing behind", cmd_detach },
	{ "policy", "IFACE [observe|alert|enforce|enforce-learned] [--json]",
	  "what flagged packets meet, shown or changed while traffic flows", cmd_policy },
	{ "allow", "IFACE [PREFIX...] [--remove] [--json]",
	  "hosts whose flows are not judged, shown or changed", cmd_allow },
	{ "status", "[IFACE] [--json]", "what is attached, and what it has counted", cmd_status },
	{ "alerts", "[IFACE] [--open] [--since DURATION] [-n N] [--follow] [--json]",
	  "what agents have reported, and what they report now", cmd_alerts },
	{ "top", "IFACE [--interval SECONDS] [-n ROWS] [--once] [--json]",
	  "what goes on now: rates, and the flows that matter most", cmd_top },
	{ "model", "push|show|list|verify|rollback|promote ...",
	  "look at models, put them in force, take them back", cmd_model },
	{ "learn", "now|status|pause|resume|upload ...", "see and steer what the agent learns",
	  cmd_learn },
	{ "label", "list|set|import|export ...", "what samples are taken for, and what they are",
	  cmd_label },
	{ "replay",
	  "FILE... [--model FILE] [--policy POLICY] [--flows OUT.csv] [--packets OUT.csv] [--json]",
	  "what the detector would have said about captures", cmd_replay },
	{ "train", "--normal FILE... [--until SECONDS] [--attack CLASS=FILE ...] -o MODEL.json",
	  "make a model from captures", cmd_train },
	{ "eval",
	  "--labels LABELS.csv[.gz] FILE... [--model FILE] [--from SECONDS] [--json] [--report OUT.html]",
	  "how well a model tells labelled attacks from normal traffic", cmd_eval },
	{ "bench", "[--json]", "what a packet costs on this machine", cmd_bench },
	{ 0 },
};

/* A report cut short by a full disk is no report. */
static int finish(int code)
{
	struct sen_why why = { 0 };

	if (!fflush(stdout) && !ferror(stdout))
		return code;
	sen_why(&why, -errno, NULL, "writing output: stdout: %s", strerror(errno));
	return fail(&why);
}

int main(int argc, char **argv)
{
	/* They explain at length what the library says in one line. */
	libbpf_set_print(NULL);
	libxdp_set_print(NULL);
	return finish(run_command("", doc, commands, argc, argv));
}
