/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of `sentroid label`. */
#ifndef SENTROID_LABEL_COMMAND_H
#define SENTROID_LABEL_COMMAND_H

#include <stdio.h>

#include "learn_command.h"
#include "store.h"

int label_list(int argc, char **argv);   /* label_list.c */
int label_import(int argc, char **argv); /* label_csv.c */
int label_export(int argc, char **argv); /* label_csv.c */

/* Options that these commands share: --state-dir, -i IFACE, -o FILE. */
struct samples_options {
	const char *state_dir, *ifname, *out;
};
int samples_option(int key, const char *value, void *input);

/* The samples of an interface, below a state folder. IFACE may be NULL where only one interface has
 * samples. `names` gets what the model in force calls classes of its own. 0 or a negative errno. */
int samples_of(const char *state_dir, const char *ifname, struct sen_store **out,
	       struct sen_class_names *names, struct sen_why *why);
/* LABEL on the command line or in a file: benign, attack, a class, none, auto. -EINVAL. */
int parse_label(const char *text, const struct sen_class_names *names, struct sen_relabel *out);

/* "10.0.0.2:40000 > 10.0.0.1:80 tcp" */
#define FLOW_TEXT 128
const char *flow_text(const struct sen_record *r, char text[FLOW_TEXT]);

#endif
