/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roots against a plain array: random sets, replacements, unsets, takes and reads. The seed is printed
 * and can be given: model_root_model --seed 42
 */
#include "support/suite.h"

#include <errno.h>
#include <time.h>

#include <lendheap/alloc.h>

#include "arena/arena.h"
#include "support/leaks.h"

enum {
	NAMES = 6000, /* more than there is room for */
	TYPES = 5,
	OBJECTS = 64,
	STEPS = 60000,
};

struct entry {
	bool present;
	uint8_t type;
	uint8_t object;
};

static uint64_t seed;
static struct entry model[NAMES];
static unsigned model_count;
static struct lend_arena *arena;
static char *objects;
static unsigned differences;

static uint64_t draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void differ(const char *what, unsigned name, int got)
{
	if (++differences <= 10)
		fprintf(stderr, "\n%s of root %u: %d, \"%s\"\n", what, name, got,
			lend_error_detail());
}

static const char *name_of(unsigned n)
{
	static char name[64];

	/* Short and long names, and some that differ in the last byte alone. */
	(void)snprintf(
		name, sizeof(name), n % 3 ? "%u" : "a name of many bytes, to the end: %06u", n);
	return name;
}

static struct lend_type type_of(unsigned n)
{
	static const char *const names[TYPES] = {"a", "b", "b", "b", "struct c"};
	static const uint32_t versions[TYPES] = {1, 1, 2, 2, 1};
	static const uint64_t bytes[TYPES] = {8, 8, 8, 16, 32};
	struct lend_type type = {names[n], bytes[n], 8, versions[n]};

	return type;
}

static void *object_of(unsigned n)
{
	return objects + n * 32;
}

static void do_set(unsigned name)
{
	struct entry *entry = &model[name];
	unsigned type = (unsigned)(draw() % TYPES);
	unsigned object = (unsigned)(draw() % OBJECTS);
	int wanted = !entry->present && model_count == LEND_ROOT_COUNT_MAX ? -ENOSPC : 0;
	int got = lend_root_set(arena, name_of(name), type_of(type), object_of(object));

	if (got != wanted)
		differ("set", name, got);
	if (got)
		return;
	model_count += !entry->present;
	entry->present = true;
	entry->type = (uint8_t)type;
	entry->object = (uint8_t)object;
}

static void do_unset(unsigned name)
{
	struct entry *entry = &model[name];
	int got = lend_root_unset(arena, name_of(name));

	if (got != (entry->present ? 0 : -ENOENT))
		differ("unset", name, got);
	model_count -= entry->present;
	entry->present = false;
}

static void do_take(unsigned name)
{
	struct entry *entry = &model[name];
	unsigned type = draw() % 2 ? entry->type : (unsigned)(draw() % TYPES);
	int wanted = !entry->present ? -ENOENT : type != entry->type ? -EPROTOTYPE : 0;
	void *object = NULL;
	int got = lend_root_take(arena, name_of(name), type_of(type), &object);

	if (got != wanted || object != (got ? NULL : object_of(entry->object)))
		differ("take", name, got);
	if (got)
		return;
	model_count--;
	entry->present = false;
}

static void do_get(unsigned name)
{
	struct entry *entry = &model[name];
	unsigned type = draw() % 2 ? entry->type : (unsigned)(draw() % TYPES);
	const void *object = NULL;
	int got = lend_root_get(arena, name_of(name), type_of(type), &object);
	int wanted = 0;

	if (!entry->present)
		wanted = -ENOENT;
	else if (type != entry->type)
		wanted = -EPROTOTYPE;
	if (got != wanted || (got == 0 && object != object_of(entry->object)) ||
		(got && object))
		differ("get", name, got);
}

static int compare_one(const struct lend_root *root, void *context)
{
	unsigned *count = context;
	const char *digits = strrchr(root->name, ' ');
	unsigned name = (unsigned)strtoul(digits ? digits : root->name, NULL, 10);
	struct lend_type type;

	++*count;
	if (name >= NAMES || !model[name].present || strcmp(name_of(name), root->name) != 0) {
		differ("each", name, 0);
		return 0;
	}
	type = type_of(model[name].type);
	if (strcmp(type.name, root->type.name) != 0 || type.bytes != root->type.bytes ||
		type.version != root->type.version ||
		root->object != object_of(model[name].object))
		differ("each", name, 1);
	return 0;
}

static void compare_all(void)
{
	unsigned count = 0;
	int got = lend_root_each(arena, compare_one, &count);

	if (got || count != model_count)
		differ("each, count", count, got);
}

/* Names from a part of the pool, so that the table is now nearly empty, now full. */
static void run_steps(void)
{
	unsigned range = NAMES;
	unsigned sets = 60;
	unsigned i;

	for (i = 0; i < STEPS; i++) {
		unsigned name;
		uint64_t dice = draw() % 100;

		if (i % 5000 == 0) {
			range = draw() % 3 ? NAMES : (unsigned)(draw() % 200 + 1);
			sets = (unsigned)(draw() % 80 + 10);
			compare_all();
		}
		name = (unsigned)(draw() % range);
		if (dice < sets)
			do_set(name);
		else if (dice < 95 && dice % 2)
			do_unset(name);
		else if (dice < 95)
			do_take(name);
		do_get((unsigned)(draw() % range));
	}
	compare_all();
}

CLEAN_TEST(roots_are_what_a_plain_map_is)
{
	unsigned i;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(NULL, &arena), 0);
	objects = lend_alloc(arena, OBJECTS * 32);
	CU_ASSERT_PTR_NOT_NULL_FATAL(objects);
	/* Filled first: full is a state that chance alone hardly reaches. */
	for (i = 0; i < NAMES; i++)
		do_set(i);
	compare_all();
	run_steps();
	CU_ASSERT_EQUAL(differences, 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

int main(int argc, char **argv)
{
	static const struct suite_test tests[] = {SUITE_TEST(roots_are_what_a_plain_map_is)};

	seed = (uint64_t)time(NULL) * UINT64_C(0x9e3779b97f4a7c15) | 1;
	if (argc > 2 && !strcmp(argv[1], "--seed")) {
		seed = strtoull(argv[2], NULL, 0) | 1;
		argc = 1;
	}
	printf("seed %llu\n", (unsigned long long)seed);
	return suite_run("root_model", tests, 1, argc, argv);
}
