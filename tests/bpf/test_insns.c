// SPDX-License-Identifier: BSD-2-Clause
/*
 * Instructions that the verifier walks through, program by program, against tests/bpf/verifier.txt: a
 * program that grows by more than a fifth is about to be refused by some other kernel or compiler.
 * SENTROID_UPDATE=1 writes the file anew.
 */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "probe.h"

#include "bench.skel.h"
#include "livegen.skel.h"
#include "probe.skel.h"

#define BUDGET_FILE "tests/bpf/verifier.txt"
#define PROGRAMS    32
#define LOG_BYTES   (1 << 16)
#define LOG_STATS   4 /* the closing line alone */

struct figure {
	char name[64];
	unsigned long insns;
	char *log;
};

static struct figure measured[PROGRAMS];
static int measured_count;

/* Why the verifier refused one of them: the others have a line of figures, or nothing. */
static void print_logs(int first)
{
	for (int i = first; i < measured_count; i++)
		print_message("# %s: %s\n", measured[i].name, measured[i].log);
}

/* Load all programs of an object, with a log for each. */
static void measure(struct bpf_object *obj)
{
	struct bpf_program *prog;
	int first = measured_count, err;

	assert_non_null(obj);
	bpf_object__for_each_program(prog, obj) {
		struct figure *f = &measured[measured_count++];

		assert_true(measured_count <= PROGRAMS);
		snprintf(f->name, sizeof(f->name), "%s/%s", bpf_object__name(obj),
			 bpf_program__name(prog));
		f->log = calloc(1, LOG_BYTES);
		assert_non_null(f->log);
		bpf_program__set_autoload(prog, true);
		bpf_program__set_log_level(prog, LOG_STATS);
		assert_int_equal(bpf_program__set_log_buf(prog, f->log, LOG_BYTES), 0);
	}
	err = bpf_object__load(obj);
	if (err)
		print_logs(first);
	assert_int_equal(err, 0);
	for (int i = first; i < measured_count; i++) {
		const char *line = strstr(measured[i].log, "processed ");

		assert_non_null(line);
		measured[i].insns = strtoul(line + strlen("processed "), NULL, 10);
		free(measured[i].log);
	}
}

static int measure_all(void **state)
{
	struct sentroid *sentroid = sentroid__open();
	struct bench *bench = bench__open();
	struct probe *probe = probe__open();
	struct livegen *livegen = livegen__open();

	(void)state;
	measure(sentroid->obj);
	measure(bench->obj);
	measure(probe->obj);
	measure(livegen->obj);
	sentroid__destroy(sentroid);
	bench__destroy(bench);
	probe__destroy(probe);
	livegen__destroy(livegen);
	return 0;
}

static int update(void)
{
	FILE *f = fopen(BUDGET_FILE, "we");

	if (!f)
		return -1;
	fprintf(f, "# Instructions that the verifier processed, by object and program.\n"
		   "# Written by SENTROID_UPDATE=1 with tests/bpf/test_insns.\n");
	for (int i = 0; i < measured_count; i++)
		fprintf(f, "%s %lu\n", measured[i].name, measured[i].insns);
	return fclose(f);
}

/* What the file grants a program, 0 where it does not know it. */
static unsigned long budget_of(const char *name)
{
	FILE *f = fopen(BUDGET_FILE, "re");
	char line[128], known[64];
	unsigned long insns, budget = 0;

	if (!f)
		return 0;
	while (!budget && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %lu", known, &insns) == 2 && !strcmp(known, name))
			budget = insns;
	fclose(f);
	return budget;
}

static void no_program_grows(void **state)
{
	int over = 0;

	(void)state;
	assert_true(measured_count >= 4);
	for (int i = 0; i < measured_count; i++) {
		unsigned long budget = budget_of(measured[i].name);

		print_message("# %-28s %7lu, known for %7lu\n", measured[i].name, measured[i].insns,
			      budget);
		over += measured[i].insns > budget + budget / 5;
	}
	if (over)
		fail_msg(
			"%d programs grew by more than a fifth, or are not in %s; if that is meant "
			"to be: SENTROID_UPDATE=1 build/tests/bpf/test_insns",
			over, BUDGET_FILE);
}

/* Well below the million at which every kernel refuses, whatever the file says. */
static void every_program_is_far_from_the_limit(void **state)
{
	(void)state;
	for (int i = 0; i < measured_count; i++)
		assert_in_range(measured[i].insns, 1, 400000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_program_grows),
		cmocka_unit_test(every_program_is_far_from_the_limit),
	};
	const char *wanted = getenv("SENTROID_UPDATE");

	if (wanted && *wanted == '1') {
		measure_all(NULL);
		return update() ? 1 : 0;
	}
	return cmocka_run_group_tests(tests, measure_all, NULL);
}
