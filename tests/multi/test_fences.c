/* SPDX-License-Identifier: Apache-2.0 */
/* Several processes that want to own one arena: its fence lets in one, and the next at its death. */
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lendheap/alloc.h>

#include "os/os.h"
#include "support/child.h"
#include "support/leaks.h"
#include "support/offer.h"

enum { RIVALS = 8, ROUNDS = 5 };

/* Try at each word of the parent, and tell what came of it. Who has the fence keeps it. */
static int rival(int parent, void *argument)
{
	const int *inherited = argument;
	int fd = inherited ? *inherited : child_receive_fd(parent);
	struct lendi_fence fence;
	bool mine = false;

	CHILD_CHECK(fd >= 0);
	while (child_await(parent)) {
		int err = mine ? 0 : lendi_fence_lock(fd, &fence);

		mine = err == 0;
		CHILD_CHECK(!mine || lendi_fence_held(&fence));
		CHILD_CHECK(mine || strstr(lend_error_detail(), "another process"));
		CHILD_CHECK(child_tell_number(parent, err));
	}
	return 0;
}

/* Let all that live try at once; which one has it, or -1 when not exactly one. */
static int try_all(struct child *rivals)
{
	long long answer;
	int winner = -1;
	int winners = 0;
	int i;

	for (i = 0; i < RIVALS; i++)
		if (rivals[i].pid > 0)
			CU_ASSERT_TRUE(child_tell(rivals[i].sock));
	for (i = 0; i < RIVALS; i++) {
		if (rivals[i].pid <= 0)
			continue;
		CU_ASSERT_TRUE(child_await_number(rivals[i].sock, &answer));
		CU_ASSERT(answer == 0 || answer == -EBUSY);
		if (answer == 0) {
			winner = i;
			winners++;
		}
	}
	return winners == 1 ? winner : -1;
}

static void end_all(struct child *rivals)
{
	int i;

	for (i = 0; i < RIVALS; i++)
		child_kill(&rivals[i]);
}

static void race_once(bool inherit)
{
	struct child rivals[RIVALS];
	int round;
	int fd;
	int i;

	CU_ASSERT_EQUAL_FATAL(lendi_memfd("fence", &fd), 0);
	for (i = 0; i < RIVALS; i++) {
		rivals[i] = child_start(rival, inherit ? &fd : NULL);
		if (!inherit)
			CU_ASSERT_TRUE(child_send_fd(rivals[i].sock, fd));
	}
	/* The owner is killed until one rival is left: each time exactly one of the others wins. */
	for (round = 0; round < RIVALS; round++) {
		int winner = try_all(rivals);

		CU_ASSERT_NOT_EQUAL_FATAL(winner, -1);
		CU_ASSERT_EQUAL(try_all(rivals), winner);
		child_kill(&rivals[winner]);
	}
	end_all(rivals);
	(void)close(fd);
}

CLEAN_TEST(fences_inherited_have_one_winner)
{
	int round;

	for (round = 0; round < ROUNDS; round++)
		race_once(true);
}

CLEAN_TEST(fences_passed_over_a_socket_have_one_winner)
{
	int round;

	for (round = 0; round < ROUNDS; round++)
		race_once(false);
}

/* Stopped is not dead; dead is dead also while nobody waited for it. */
CLEAN_TEST(fences_of_stopped_owners_are_busy_and_of_zombies_free)
{
	struct child rivals[RIVALS] = {{0, -1}};
	siginfo_t info;
	int winner;
	int fd;
	int i;

	CU_ASSERT_EQUAL_FATAL(lendi_memfd("fence", &fd), 0);
	for (i = 0; i < 2; i++)
		rivals[i] = child_start(rival, &fd);
	winner = try_all(rivals);
	CU_ASSERT_NOT_EQUAL_FATAL(winner, -1);
	CU_ASSERT_EQUAL(kill(rivals[winner].pid, SIGSTOP), 0);
	CU_ASSERT_EQUAL(waitid(P_PID, (id_t)rivals[winner].pid, &info, WSTOPPED | WNOWAIT), 0);
	for (i = 0; i < 2; i++) {
		long long answer = 0;

		if (i == winner)
			continue;
		CU_ASSERT_TRUE(child_tell(rivals[i].sock));
		CU_ASSERT_TRUE(child_await_number(rivals[i].sock, &answer));
		CU_ASSERT_EQUAL(answer, -EBUSY);

		CU_ASSERT_EQUAL(kill(rivals[winner].pid, SIGKILL), 0);
		CU_ASSERT_EQUAL(
			waitid(P_PID, (id_t)rivals[winner].pid, &info, WEXITED | WNOWAIT), 0);
		CU_ASSERT_TRUE(child_tell(rivals[i].sock));
		CU_ASSERT_TRUE(child_await_number(rivals[i].sock, &answer));
		CU_ASSERT_EQUAL(answer, 0);
	}
	end_all(rivals);
	(void)close(fd);
}

/* An owner with an arena, and two who want it. */
static int own_arena(int parent, void *argument)
{
	struct lend_arena *arena;

	(void)argument;
	CHILD_CHECK(lend_arena_create(NULL, &arena) == 0);
	CHILD_CHECK(child_send_fd(parent, arena->fence.fd));
	while (child_await(parent)) {
		CHILD_CHECK(lendi_fence_held(&arena->fence));
		CHILD_CHECK(lend_alloc(arena, 8 << 20)); /* grows: asks for the lock */
		CHILD_CHECK(child_tell(parent));
	}
	return 0;
}

CLEAN_TEST(fences_keep_rivals_out_of_an_arena_until_its_owner_dies)
{
	struct child owner = child_start(own_arena, NULL);
	struct child rivals[RIVALS] = {{0, -1}};
	int fd = child_receive_fd(owner.sock);
	int i;

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	for (i = 0; i < 2; i++)
		rivals[i] = child_start(rival, &fd);
	for (i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(try_all(rivals), -1);
		CU_ASSERT_TRUE(child_tell(owner.sock));
		CU_ASSERT_TRUE(child_await(owner.sock));
	}
	child_kill(&owner);
	CU_ASSERT_NOT_EQUAL(try_all(rivals), -1);
	end_all(rivals);
	(void)close(fd);
}

static const struct suite_test tests[] = {
	SUITE_TEST(fences_inherited_have_one_winner),
	SUITE_TEST(fences_passed_over_a_socket_have_one_winner),
	SUITE_TEST(fences_of_stopped_owners_are_busy_and_of_zombies_free),
	SUITE_TEST(fences_keep_rivals_out_of_an_arena_until_its_owner_dies),
};

SUITE_MAIN("fences", tests)
