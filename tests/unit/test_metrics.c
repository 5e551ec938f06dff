// SPDX-License-Identifier: BSD-2-Clause
/* The text is what Prometheus reads: format, completeness, values, and promtool's opinion. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "fixture.h"
#include "metrics.h"

static char *print(size_t n)
{
	static struct sen_metrics_interface in[2];
	static const char *const awaited[] = { "eth2" };
	struct sen_metrics_process process = { .start_s = 1700000000,
					       .trainer_beat_s = 1700000001,
					       .awaited = awaited,
					       .awaited_n = 1 };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	memset(in, 0, sizeof(in));
	in[0].name = "eth0";
	in[0].attached = true;
	in[0].stats.packets = 1234567890123;
	in[0].stats.drop = 42;
	in[0].flows.capacity = 65536;
	in[0].active_version = 7;
	strcpy(in[0].active_digest, "abcdef");
	in[0].learner.state = SEN_LEARNER_ACTIVE;
	in[0].learner.refused = 3;
	in[0].learner.last_seconds = 0.25;
	in[0].learner.drift.dim[SEN_FEATURE_PAIR_PACKETS_8].psi = 1.5;
	in[0].learner.sample_drift.dim[SEN_DRIFT_SCORE].shift = 0.75;
	in[0].alerts[SEN_CLASS_SCAN] = 5;
	in[0].alerts[SEN_CLASS_CUSTOM + 1] = 6;
	in[0].policy = "alert";
	in[1].name = "eth1.100";
	in[1].policy = "";
	assert_non_null(out);
	assert_int_equal(sen_metrics_write(out, in, n, &process), 0);
	fclose(out);
	return text;
}

static void has(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	if (!at || (at != text && at[-1] != '\n') || at[strlen(line)] != '\n')
		fail_msg("no line: %s", line);
}

static void values_are_there(void **state)
{
	char *text = print(2);

	(void)state;
	has(text, "sentroid_attached{interface=\"eth0\"} 1");
	has(text, "sentroid_attached{interface=\"eth2\"} 0");
	has(text, "sentroid_packets_total{interface=\"eth0\"} 1234567890123");
	has(text, "sentroid_packets_total{interface=\"eth1.100\"} 0");
	has(text, "sentroid_verdicts_total{interface=\"eth0\",verdict=\"drop\"} 42");
	has(text, "sentroid_flow_table_capacity{interface=\"eth0\"} 65536");
	has(text, "sentroid_policy_info{interface=\"eth0\",policy=\"alert\"} 1");
	has(text, "sentroid_model_version{interface=\"eth0\"} 7");
	has(text, "sentroid_model_info{interface=\"eth0\",version=\"7\",digest=\"abcdef\"} 1");
	has(text, "sentroid_learner_state{interface=\"eth0\",state=\"active\"} 1");
	has(text, "sentroid_learner_state{interface=\"eth0\",state=\"baseline\"} 0");
	has(text, "sentroid_trainings_total{interface=\"eth0\",result=\"refused\"} 3");
	has(text, "sentroid_training_last_duration_seconds{interface=\"eth0\"} 0.25");
	has(text, "sentroid_alerts_total{interface=\"eth0\",class=\"scan\"} 5");
	has(text, "sentroid_alerts_total{interface=\"eth0\",class=\"beacon\"} 0");
	has(text, "sentroid_alerts_total{interface=\"eth0\",class=\"custom_33\"} 6");
	has(text,
	    "sentroid_drift_stability_index{interface=\"eth0\",source=\"traffic\",feature=\"pair_packets_8s\"} 1.5");
	has(text,
	    "sentroid_drift_shift_octaves{interface=\"eth0\",source=\"samples\",feature=\"score\"} 0.75");
	has(text, "process_start_time_seconds 1700000000");
	assert_null(strstr(text, "sentroid_drop_total"));
	free(text);
}

/* Every counter of the packet path, whatever is added to the list. */
static void no_counter_is_missing(void **state)
{
#define STAT_NAME(name, help) #name,
	static const char *const names[] = { SEN_STATS(STAT_NAME) };
	char *text = print(1), line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(names[i], "pass") || !strcmp(names[i], "alert") ||
		    !strcmp(names[i], "drop") || !strcmp(names[i], "redirect"))
			snprintf(line, sizeof(line), "verdict=\"%s\"", names[i]);
		else
			snprintf(line, sizeof(line), "\nsentroid_%s_total{", names[i]);
		if (!strstr(text, line))
			fail_msg("missing: %s", line);
	}
	free(text);
}

/* Each family is announced once, before its rows, which stand together. */
static void families_are_whole(void **state)
{
	char *text = print(2), *save = NULL, family[128] = "", seen[16384] = "";

	(void)state;
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char name[128], mark[140];

		if (!strncmp(l, "# HELP ", 7)) {
			assert_int_equal(sscanf(l + 7, "%127s %*c", family), 1);
			assert_true(strlen(l) > 8 + strlen(family));
			snprintf(mark, sizeof(mark), " %s ", family);
			assert_null(strstr(seen, mark));
			strcat(seen, mark);
			continue;
		}
		if (!strncmp(l, "# TYPE ", 7)) {
			bool total = strlen(family) > 6 &&
				     !strcmp(family + strlen(family) - 6, "_total");

			assert_memory_equal(l + 7, family, strlen(family));
			assert_int_equal(total, strstr(l, " counter") != NULL);
			continue;
		}
		assert_int_equal(sscanf(l, "%127[a-z0-9_]", name), 1);
		assert_string_equal(name, family);
		assert_true(isdigit((unsigned char)l[strlen(l) - 1]));
	}
	free(text);
}

static void promtool_is_content(void **state)
{
	char *text = print(2);
	FILE *pipe;
	int status;

	(void)state;
	if (system("promtool --version >/dev/null 2>&1")) {
		free(text);
		skip();
	}
	pipe = popen("promtool check metrics", "w");
	assert_non_null(pipe);
	fputs(text, pipe);
	status = pclose(pipe);
	free(text);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_there),
		cmocka_unit_test(no_counter_is_missing),
		cmocka_unit_test(families_are_whole),
		cmocka_unit_test(promtool_is_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
