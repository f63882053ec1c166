// SPDX-License-Identifier: Apache-2.0
// Random operations on a hash table beside std::unordered_set of the same elements. The seed is
// printed and can be given, as the first argument or in LEND_TEST_SEED.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include <lendheap/hash.h>
#include <lendheap/hashing.h>

#include "support/heap.h"

struct user {
	struct lend_hash_hook_shm hook;
	char name[24];
};

#define LEND_HASH                 user_table
#define LEND_HASH_TYPE            user
#define LEND_HASH_HOOK            hook
#define LEND_HASH_KEY             const char *
#define LEND_HASH_KEY_OF(element) ((element)->name)
#define LEND_HASH_OF(key)         lend_hash_string(key, 1)
#define LEND_HASH_EQUAL(a, b)     (strcmp(a, b) == 0)
#include <lendheap/hash.h>

#define REQUIRE(condition)                                                                     \
	do {                                                                                   \
		if (!(condition)) {                                                            \
			fprintf(stderr, "%s:%d: %s, step %d\n", __FILE__, __LINE__,            \
				#condition, step);                                             \
			return 1;                                                              \
		}                                                                              \
	} while (0)

namespace
{

constexpr int STEPS = 100000;
constexpr uint64_t USERS = 1500;

using model_type = std::unordered_map<std::string, const user *>;

bool equal(const user_table &table, const model_type &model)
{
	uint64_t count = 0;

	for (const user *at = user_table_first(&table); at; at = user_table_next(&table, at)) {
		auto found = model.find(at->name);

		if (found == model.end() || found->second != at)
			return false;
		count++;
	}
	return count == model.size() && user_table_count(&table) == count &&
	       user_table_check(&table, nullptr) == 0;
}

int run(uint64_t state)
{
	std::vector<user> users(USERS);
	std::vector<lend_hash_bucket_shm> buckets(1);
	std::vector<lend_hash_bucket_shm> other;
	user_table table = {};
	model_type model;
	int step = 0;

	for (user &each : users)
		snprintf(each.name, sizeof(each.name), "u%llu",
			(unsigned long long)(heap_draw(&state) % (2 * USERS)));
	REQUIRE(user_table_rehash(&table, buckets.data(), buckets.size()) == 0);
	for (step = 0; step < STEPS; step++) {
		// Waves: the table grows to nearly all elements, and shrinks to nearly none.
		bool grows = step / static_cast<int>(2 * USERS) % 2 == 0;
		user &one = users[heap_draw(&state) % USERS];
		uint64_t what = heap_draw(&state) % 64;

		if (what == 0) {
			other.resize(size_t{1} << (heap_draw(&state) % 12));
			REQUIRE(user_table_rehash(&table, other.data(), other.size()) == 0);
			buckets.swap(other);
			REQUIRE(user_table_buckets(&table) == buckets.data());
		} else if (what < 16) {
			auto found = model.find(one.name);

			REQUIRE(user_table_find(&table, one.name) ==
				(found == model.end() ? nullptr : found->second));
		} else if (user_table_is_linked(&one)) {
			if (grows && what < 60)
				continue;
			user_table_erase(&table, &one);
			model.erase(one.name);
		} else if (grows || what >= 60) {
			bool made = model.emplace(one.name, &one).second;

			REQUIRE(user_table_insert(&table, &one) == (made ? 0 : -EEXIST));
		}
		REQUIRE(user_table_is_full(&table) == (model.size() >= buckets.size()));
		if (step % 200 == 0)
			REQUIRE(equal(table, model));
	}
	printf("%d operations\n", STEPS);
	return 0;
}

} // namespace

int main(int argc, char **argv)
{
	return run(heap_seed(argc, argv));
}
