// SPDX-License-Identifier: BSD-2-Clause
/* sentroid detach: program, pins and maps go. */
#include <stdio.h>

#include "command.h"
#include "loader.h"

static const struct syntax syntax = {
	.name = "detach",
	.args = "IFACE",
	.doc = "Take the packet program off an interface and remove its pins; its maps, with all that "
	       "was counted and learned in them, go with it. Models on disk stay.",
	.least = 1,
	.most = 1,
};

int cmd_detach(int argc, char **argv)
{
	const char *arg[SYNTAX_ARGS];
	struct sen_why why = { 0 };

	if (parse_line(&syntax, argc, argv, NULL, arg))
		return EXIT_USAGE;
	if (sen_loader_detach(arg[0], &why))
		return fail(&why);
	printf("%s: detached\n", arg[0]);
	return EXIT_DONE;
}
