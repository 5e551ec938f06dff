// SPDX-License-Identifier: BSD-2-Clause
/*
 * The agent ends at every step of what it does to the registry and to the slots: before each system call
 * that leaves a trace, amid each write, before and after each swap. Whatever is left, the next agent's
 * registry and the model in force agree.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crash_steps.h"
#include "fixture.h"
#include "learner_kit.h"
#include "registry_internal.h"

/* ---- a scene that is the same before every try ---- */

struct scene {
	struct lab *lab; /* shared with the children: their kernel outlives them */
	struct lab before;
	char *models, *saved;
	unsigned int old; /* version in force before */
	size_t entries;
};

static void shell(const char *format, const char *a, const char *b)
{
	char command[512];

	snprintf(command, sizeof(command), format, a, b);
	assert_int_equal(system(command), 0);
}

/* An agent with four versions, the last of them in force. */
static int set_up(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	void *made;

	lab_setup(&made);
	s->lab = mmap(NULL, sizeof(struct lab), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	assert_ptr_not_equal(s->lab, MAP_FAILED);
	*s->lab = *(struct lab *)made;
	free(made);
	/* The learner was told of the fake in the memory just freed. */
	lab_start(s->lab);
	lab_reach_active(s->lab);
	s->lab->config.registry_keep = 1;
	sen_learner_configure(s->lab->learner, &s->lab->config);
	for (int i = 0; i < 3; i++) {
		lab_pass(s->lab, 601);
		lab_finish_training(s->lab);
	}
	s->lab->config.canary_evaluations = 100;
	s->lab->config.canary_seconds = 2;
	sen_learner_configure(s->lab->learner, &s->lab->config);
	lab_pass(s->lab, 31);
	s->models = fixture_path(s->lab->folder, "models");
	s->saved = fixture_path(s->lab->folder, "saved");
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;
	struct lab *l = malloc(sizeof(*l));
	void *copy = l;

	*l = *s->lab;
	munmap(s->lab, sizeof(struct lab));
	if (access(s->saved, F_OK))
		free(s->saved);
	else
		fixture_remove(s->saved);
	free(s->models);
	free(s);
	return lab_teardown(&copy);
}

static void save(struct scene *s)
{
	const struct sen_registry_entry *e;

	s->before = *s->lab;
	s->old = s->lab->fake.active.version;
	s->entries = sen_registry_entries(s->lab->registry, &e);
	shell("cp -a %s %s", s->models, s->saved);
}

static void restore(struct scene *s)
{
	*s->lab = s->before;
	shell("rm -f %1$s/* && cp -a %2$s/. %1$s/", s->models, s->saved);
}

/* ---- what must hold ---- */

static void check(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	_exit(1);
}

static bool no_rubbish(const struct scene *s)
{
	char command[256];

	snprintf(command, sizeof(command), "! ls %s | grep -q tmp", s->models);
	return !system(command);
}

static void check_versions(const struct scene *s)
{
	const struct sen_registry_entry *e;
	struct sen_registry *r = s->lab->registry;
	size_t n = sen_registry_entries(r, &e);
	struct sen_model *m;

	check(n >= s->entries, "no version is lost");
	for (size_t i = 0; i < n; i++) {
		if (e[i].pruned)
			continue;
		check(!sen_registry_load(r, e[i].version, &m, NULL), "every version loads");
		check(!strcmp(m->digest, e[i].digest), "digests agree");
		sen_model_free(m);
	}
}

static bool is_rolled_back(const struct scene *s)
{
	const struct sen_registry_entry *e = sen_registry_find(s->lab->registry, s->old);

	return !strcmp(e->stage, "Archived") && strstr(e->reason, "flagged");
}

static void check_slots(const struct scene *s)
{
	const struct fake *f = &s->lab->fake;
	const struct sen_registry *r = s->lab->registry;
	unsigned int staged = sen_registry_staged(r);

	check(sen_registry_production(r), "a version is in production");
	check(f->has_model, "a model is in force");
	check(f->active.version == sen_registry_production(r),
	      "the model in force is that in production");
	check(sen_learner_status(s->lab->learner)->version == f->active.version,
	      "the learner answers for it");
	check(f->has_shadow == (staged != 0), "the shadow slot has what is staged");
	check(!staged || f->shadow.version == staged, "and nothing else");
	check(lab_state(s->lab) == SEN_LEARNER_ACTIVE ||
		      (lab_state(s->lab) == SEN_LEARNER_PAUSED && is_rolled_back(s)),
	      "learning goes on, but for a while after a roll-back");
}

/* A new agent, in a process of its own. */
static void next_agent(const struct scene *s, bool may_change)
{
	lab_start(s->lab);
	lab_pass(s->lab, 1);
	check_versions(s);
	check_slots(s);
	check(no_rubbish(s), "nothing temporary is left");
	check(may_change || s->lab->fake.active.version == s->old, "the model in force stays");
	_exit(0);
}

static int in_child(void (*what)(struct scene *s), struct scene *s)
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		what(s);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void next_agent_same(struct scene *s)
{
	next_agent(s, false);
}

static void next_agent_any(struct scene *s)
{
	next_agent(s, true);
}

/* A model that went bad with none before it: it is in production still, or will not be used again. */
static void next_agent_over(struct scene *s)
{
	const struct sen_registry_entry *e;

	lab_start(s->lab);
	lab_pass(s->lab, 1);
	check_versions(s);
	check(no_rubbish(s), "nothing temporary is left");
	e = sen_registry_find(s->lab->registry, s->old);
	check(sen_registry_previous(s->lab->registry) == 0, "there is none to go back to");
	if (sen_registry_production(s->lab->registry)) {
		check_slots(s);
		_exit(0);
	}
	check(!strcmp(e->stage, "Archived") && strstr(e->reason, "flagged"), "it says why");
	check(lab_state(s->lab) == SEN_LEARNER_BASELINE, "the baseline begins again");
	_exit(0);
}

static unsigned int armed; /* the step to end at */

/* `least` steps must be seen, or the interception is broken. */
static void crash_at_every_step(struct scene *s, unsigned int least, void (*act)(struct scene *s),
				void (*next)(struct scene *s))
{
	unsigned int step = 0;
	int code;

	save(s);
	do {
		armed = ++step;
		code = in_child(act, s);
		assert_true(code == CRASHED || code == 0);
		/* What the child has died with, the parent still holds. */
		sen_registry_unlock(s->lab->registry);
		s->lab->fake.submitted = NULL;
		s->lab->fake.step = NULL;
		if (in_child(next, s))
			fail_msg("after the end at step %u", step);
		restore(s);
	} while (code == CRASHED);
	print_message("# %u steps\n", step - 1);
	assert_true(step > least);
}

static void arm(struct scene *s)
{
	s->lab->fake.step = crash_step;
	crash_at(armed);
}

/* ---- what it does ---- */

static struct sen_training *trained(struct scene *s)
{
	struct sen_training *t;

	lab_pass(s->lab, 601);
	t = s->lab->fake.submitted;
	s->lab->fake.submitted = NULL;
	sen_training_run(t, NULL);
	return t;
}

static void act_stage(struct scene *s)
{
	struct sen_training *t = trained(s);

	arm(s);
	sen_learner_trained(s->lab->learner, t, s->lab->now_ms);
}

static void staging(void **state)
{
	crash_at_every_step(*state, 8, act_stage, next_agent_same);
}

static void act_refuse(struct scene *s)
{
	struct sen_training *t = trained(s);

	t->err = -EKEYREJECTED;
	snprintf(t->validation.reason, sizeof(t->validation.reason), "flags everything");
	arm(s);
	sen_learner_trained(s->lab->learner, t, s->lab->now_ms);
}

static void refusal(void **state)
{
	crash_at_every_step(*state, 8, act_refuse, next_agent_same);
}

static void into_the_canary(struct scene *s)
{
	struct sen_training *t = trained(s);

	sen_learner_trained(s->lab->learner, t, s->lab->now_ms);
	lab_feed(s->lab, 200, 0);
	lab_pass(s->lab, 1);
	assert_true(s->lab->fake.has_shadow);
}

static void act_pass(struct scene *s)
{
	arm(s);
	lab_pass(s->lab, 1);
}

/* With the oldest version pruned at its end. */
static void promotion(void **state)
{
	into_the_canary(*state);
	crash_at_every_step(*state, 8, act_pass, next_agent_any);
}

static void rejection(void **state)
{
	struct scene *s = *state;

	into_the_canary(s);
	s->lab->fake.stats.shadow_only_shadow += 100;
	crash_at_every_step(s, 8, act_pass, next_agent_same);
}

static void rollback(void **state)
{
	struct scene *s = *state;

	into_the_canary(s);
	lab_pass(s->lab, 1);
	assert_false(s->lab->fake.has_shadow);
	s->lab->fake.stats.evaluations += 1000;
	s->lab->fake.stats.flagged += 900;
	crash_at_every_step(s, 8, act_pass, next_agent_any);
}

/* The versions before it are all taken out of service, and the next agent watches it. */
static void leave_one(struct scene *s)
{
	const struct sen_registry_entry *e;
	struct sen_registry *r = s->lab->registry;
	unsigned int last = sen_registry_production(r);
	size_t n = sen_registry_entries(r, &e);

	for (size_t i = 0; i < n; i++) {
		if (e[i].pruned || e[i].version == last)
			continue;
		assert_int_equal(sen_registry_stage(r, e[i].version, "Production", "", NULL), 0);
		assert_int_equal(sen_registry_stage(r, e[i].version, "Archived", "", NULL), 0);
	}
	assert_int_equal(sen_registry_stage(r, last, "Production", "", NULL), 0);
	lab_start(s->lab);
	s->lab->fake.stats.evaluations += 1000;
	s->lab->fake.stats.flagged += 900;
}

static void starting_over(void **state)
{
	struct scene *s = *state;

	leave_one(s);
	crash_at_every_step(s, 2, act_pass, next_agent_over);
}

/* So many versions refused and pruned that the oldest are to be forgotten. */
static void grow_old(struct scene *s)
{
	struct sen_history_event e = { .origin = "update" };
	unsigned int first = s->lab->registry->history.last + 1;
	char *path = fixture_path(s->models, SEN_HISTORY_NAME), *line;
	FILE *f = fopen(path, "a");

	for (unsigned int i = 0; i <= SEN_HISTORY_RECORDS + SEN_HISTORY_SLACK; i++) {
		e.version = first + i;
		strcpy(e.stage, "Development");
		for (e.kind = SEN_HISTORY_CREATED; e.kind <= SEN_HISTORY_PRUNED; e.kind++) {
			line = sen_history_print(&e);
			fprintf(f, "%s\n", line);
			free(line);
			strcpy(e.stage, "Archived");
		}
	}
	fclose(f);
	free(path);
	assert_int_equal(sen_registry_update(s->lab->registry, NULL), 0);
}

static void act_prune(struct scene *s)
{
	arm(s);
	assert_int_equal(sen_registry_prune(s->lab->registry, 1, NULL, NULL), 0);
}

static void forgetting(void **state)
{
	struct scene *s = *state;
	struct stat before, after;
	char *path = fixture_path(s->models, SEN_HISTORY_NAME);

	grow_old(s);
	assert_int_equal(stat(path, &before), 0);
	crash_at_every_step(s, 4, act_prune, next_agent_same);
	assert_int_equal(sen_registry_prune(s->lab->registry, 1, NULL, NULL), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_size < before.st_size - before.st_size / 10);
	free(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(staging),  TEST(refusal),       TEST(promotion),  TEST(rejection),
		TEST(rollback), TEST(starting_over), TEST(forgetting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
