/* SPDX-License-Identifier: Apache-2.0 */
/* Claims of slots, as one process and its children see them. */
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "arena/slot.h"
#include "os/os.h"
#include "support/child.h"
#include "support/leaks.h"
#include "support/window.h"

static bool detail_says(const char *part)
{
	return strstr(lend_error_detail(), part) != NULL;
}

/* The name of a claim, written anew: what another version of the library must agree on. */
static socklen_t make_name(const char *domain, uint32_t slot, struct sockaddr_un *name)
{
	const struct lend_window window = lend_window_current();
	int used;

	memset(name, 0, sizeof(*name));
	name->sun_family = AF_UNIX;
	used = snprintf(name->sun_path + 1, sizeof(name->sun_path) - 1,
		"lendheap/slot/%s/%llx/%u", domain, (unsigned long long)window.base, slot);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)used);
}

static int bind_named(int type, const char *domain, uint32_t slot)
{
	struct sockaddr_un name;
	socklen_t bytes = make_name(domain, slot, &name);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&name, bytes)) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

CLEAN_TEST(slot_claim_excludes_a_second)
{
	int first = -1;
	int second = -1;

	CU_ASSERT_EQUAL_FATAL(lendi_slot_claim(1, &first), 0);
	CU_ASSERT_EQUAL(lendi_slot_claim(1, &second), -EADDRINUSE);
	CU_ASSERT_EQUAL(second, -1);
	CU_ASSERT_TRUE(detail_says("slot 1"));
	CU_ASSERT_EQUAL(lendi_slot_check_claim(first, 1), 0);
	CU_ASSERT_NOT_EQUAL(fcntl(first, F_GETFD) & FD_CLOEXEC, 0);
	(void)close(first);
	CU_ASSERT_EQUAL_FATAL(lendi_slot_claim(1, &second), 0);
	(void)close(second);
}

CLEAN_TEST(slot_claim_lives_in_a_copy)
{
	int copy;
	int fd;

	CU_ASSERT_EQUAL_FATAL(lendi_slot_claim(1, &fd), 0);
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	(void)close(fd);
	CU_ASSERT_EQUAL(lendi_slot_claim(1, &fd), -EADDRINUSE);
	CU_ASSERT_EQUAL(lendi_slot_check_claim(copy, 1), 0);
	(void)close(copy);
	CU_ASSERT_EQUAL_FATAL(lendi_slot_claim(1, &fd), 0);
	(void)close(fd);
}

CLEAN_TEST(slot_run_is_claimed_whole_or_not_at_all)
{
	int fds[4] = {-1, -1, -1, -1};
	int third;
	int i;

	CU_ASSERT_EQUAL_FATAL(lendi_slot_claim(2, &third), 0);
	CU_ASSERT_EQUAL(lendi_run_claim(0, 4, fds), -EADDRINUSE);
	(void)close(third);
	CU_ASSERT_EQUAL_FATAL(lendi_run_claim(0, 4, fds), 0);
	for (i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(lendi_slot_check_claim(fds[i], (uint32_t)i), 0);
		CU_ASSERT_EQUAL(
			lendi_slot_check_claim(fds[i], (uint32_t)(i + 1) % 4), -EUCLEAN);
	}
	lendi_run_release(fds, 4);
	CU_ASSERT_EQUAL(fds[0], -1);
	CU_ASSERT_EQUAL(fds[3], -1);
}

CLEAN_TEST(slot_claim_of_another_slot_or_domain_is_refused)
{
	int fd = bind_named(SOCK_STREAM, "elsewhere", 1);

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 0), 0);
	CU_ASSERT_EQUAL(lendi_slot_check_claim(fd, 1), -EUCLEAN);
	CU_ASSERT_TRUE(detail_says("domain"));
	(void)close(fd);

	fd = bind_named(SOCK_STREAM, lend_window_current().domain, 11);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(listen(fd, 0), 0);
	CU_ASSERT_EQUAL(lendi_slot_check_claim(fd, 1), -EUCLEAN);
	CU_ASSERT_EQUAL(lendi_slot_check_claim(fd, 11), 0); /* so the name above is right */
	(void)close(fd);

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); /* no name at all */
	CU_ASSERT_EQUAL(lendi_slot_check_claim(fd, 1), -EUCLEAN);
	(void)close(fd);
}

CLEAN_TEST(slot_claim_of_another_type_is_refused)
{
	const char *domain = lend_window_current().domain;
	int fd;

	fd = bind_named(SOCK_DGRAM, domain, 1);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(lendi_slot_check_claim(fd, 1), -EUCLEAN);
	CU_ASSERT_TRUE(detail_says("type"));
	(void)close(fd);
	fd = bind_named(SOCK_SEQPACKET, domain, 1);
	CU_ASSERT_EQUAL(lendi_slot_check_claim(fd, 1), -EUCLEAN);
	(void)close(fd);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		CU_ASSERT_EQUAL(lendi_slot_check_claim(fd, 1), -EUCLEAN);
		(void)close(fd);
	}
}

CLEAN_TEST(slot_claim_that_does_not_listen_is_refused)
{
	int fd = bind_named(SOCK_STREAM, lend_window_current().domain, 1);

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(lendi_slot_check_claim(fd, 1), -EUCLEAN);
	CU_ASSERT_TRUE(detail_says("does not listen"));
	(void)close(fd);
}

/* Every borrower holds the one socket that is the claim: none may spoil it for the others. */
CLEAN_TEST(slot_claim_cannot_be_spoiled_by_a_holder)
{
	struct sockaddr_un name;
	socklen_t bytes = make_name(lend_window_current().domain, 1, &name);
	int fd;

	CU_ASSERT_EQUAL_FATAL(lendi_slot_claim(1, &fd), 0);
	CU_ASSERT_EQUAL(listen(fd, 16), 0);
	CU_ASSERT_NOT_EQUAL(connect(fd, (struct sockaddr *)&name, bytes), 0);
	(void)shutdown(fd, SHUT_RDWR);
	CU_ASSERT_EQUAL(lendi_slot_check_claim(fd, 1), 0);
	(void)close(fd);
}

/*
 * An accepted socket has its listener's name but does not hold it: with the listener closed the
 * slot is anybody's, so it is no claim.
 */
CLEAN_TEST(slot_claim_that_was_accepted_is_refused)
{
	const char *domain = lend_window_current().domain;
	int listener = bind_named(SOCK_STREAM, domain, 1);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un name;
	socklen_t bytes = make_name(domain, 1, &name);
	int accepted;
	int honest;

	CU_ASSERT_TRUE_FATAL(listener >= 0 && client >= 0);
	CU_ASSERT_EQUAL_FATAL(listen(listener, 1), 0);
	CU_ASSERT_EQUAL_FATAL(connect(client, (struct sockaddr *)&name, bytes), 0);
	accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	CU_ASSERT_TRUE_FATAL(accepted >= 0);
	(void)close(listener);
	CU_ASSERT_EQUAL(lendi_slot_check_claim(accepted, 1), -EUCLEAN);
	(void)close(client);
	CU_ASSERT_EQUAL(lendi_slot_check_claim(accepted, 1), -EUCLEAN);
	/* It does not hold the slot indeed. */
	CU_ASSERT_EQUAL(lendi_slot_claim(1, &honest), 0);
	(void)close(honest);
	(void)close(accepted);
}

CLEAN_TEST(slot_claim_that_is_no_socket_is_refused)
{
	int ends[2];
	int fd;

	CU_ASSERT_EQUAL_FATAL(lendi_memfd("claim", &fd), 0);
	CU_ASSERT_EQUAL(lendi_slot_check_claim(fd, 1), -EUCLEAN);
	CU_ASSERT_TRUE(detail_says("no socket"));
	(void)close(fd);
	CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
	CU_ASSERT_EQUAL(lendi_slot_check_claim(ends[0], 1), -EUCLEAN);
	(void)close(ends[0]);
	(void)close(ends[1]);
	CU_ASSERT_EQUAL(lendi_slot_check_claim(-1, 1), -EUCLEAN);
}

static int hold_claim(int parent, void *argument)
{
	int fd;

	(void)argument;
	CHILD_CHECK(lendi_slot_claim(1, &fd) == 0);
	CHILD_CHECK(child_tell(parent));
	(void)child_await(parent);
	return 0;
}

CLEAN_TEST(slot_of_another_process_is_taken_until_it_dies)
{
	struct child child = child_start(hold_claim, NULL);
	int fd;

	CU_ASSERT_TRUE_FATAL(child_await(child.sock));
	CU_ASSERT_EQUAL(lendi_slot_claim(1, &fd), -EADDRINUSE);
	child_kill(&child);
	CU_ASSERT_EQUAL_FATAL(lendi_slot_claim(1, &fd), 0);
	(void)close(fd);
}

CLEAN_TEST(slot_names_fit_with_the_longest_domain)
{
	struct sockaddr_un name;
	char domain[LEND_WINDOW_DOMAIN_MAX + 1] = {0};

	memset(domain, 'x', LEND_WINDOW_DOMAIN_MAX);
	CU_ASSERT_TRUE(make_name(domain, LEND_WINDOW_SLOTS_MAX, &name) < sizeof(name));
}

/* The tests claim low slots: in a domain of their own they are free. */
int main(int argc, char **argv)
{
	static const struct suite_test tests[] = {
		SUITE_TEST(slot_claim_excludes_a_second),
		SUITE_TEST(slot_claim_lives_in_a_copy),
		SUITE_TEST(slot_run_is_claimed_whole_or_not_at_all),
		SUITE_TEST(slot_claim_of_another_slot_or_domain_is_refused),
		SUITE_TEST(slot_claim_of_another_type_is_refused),
		SUITE_TEST(slot_claim_that_does_not_listen_is_refused),
		SUITE_TEST(slot_claim_cannot_be_spoiled_by_a_holder),
		SUITE_TEST(slot_claim_that_was_accepted_is_refused),
		SUITE_TEST(slot_claim_that_is_no_socket_is_refused),
		SUITE_TEST(slot_of_another_process_is_taken_until_it_dies),
		SUITE_TEST(slot_names_fit_with_the_longest_domain),
	};
	struct lend_window window = window_small(16, getpid());

	if (lend_window_configure(&window))
		return EXIT_FAILURE;
	return suite_run("slot", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
