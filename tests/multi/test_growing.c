/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings, vectors and rings seen by other programs: walked where the arena is fixed and where
 * it is relocated, by readers that are killed in mid-walk; and a ring whose writer is killed
 * while the reader goes on.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include <lendheap/share.h>
#include <lendheap/string.h>

#define LEND_VECTOR                      names
#define LEND_VECTOR_TYPE                 struct lend_string_shm
#define LEND_VECTOR_MOVE(to, from)       lend_string_move(to, from)
#define LEND_VECTOR_FINI(arena, element) lend_string_fini(element, arena)
#include <lendheap/vector.h>

#define LEND_VECTOR                      rows
#define LEND_VECTOR_TYPE                 struct names
#define LEND_VECTOR_MOVE(to, from)       names_move(to, from)
#define LEND_VECTOR_FINI(arena, element) names_fini(element, arena)
#include <lendheap/vector.h>

#define LEND_VECTOR      numbers
#define LEND_VECTOR_TYPE uint64_t
#include <lendheap/vector.h>

/* One element fills a few cache lines, so that a put takes a while. */
struct letter {
	uint64_t number;
	uint64_t words[30];
	uint64_t sum;
};

#define LEND_RING      letters
#define LEND_RING_TYPE struct letter
#include <lendheap/ring.h>

#include "support/heap.h"
#include "support/leaks.h"
#include "support/offer.h"
#include "support/suite.h"
#include "support/tools.h"
#include "support/visit.h"

enum { ROWS = 60, COLUMNS = 25, LETTERS = 16 };

/* What the owner builds and the visitors walk. */
struct book {
	struct lend_string_shm title; /* inline */
	struct lend_string_shm text;  /* outside, with NULs */
	struct rows rows;
	LEND_PTR(struct letters) letters;
};

static void name_text(char *text, size_t bytes, uint64_t row, uint64_t column)
{
	(void)snprintf(text, bytes, column % 2 ? "%d/%d" : "row %d and then column %d",
		(int)row, (int)column);
}

static struct letter letter(uint64_t number)
{
	struct letter l = {.number = number};
	int i;

	heap_fill(l.words, sizeof(l.words), number);
	for (i = 0; i < 30; i++)
		l.sum += l.words[i];
	return l;
}

static bool is_letter(const struct letter *l, uint64_t number)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < 30; i++)
		sum += l->words[i];
	return l->number == number && l->sum == sum &&
	       heap_is_filled(l->words, sizeof(l->words), number);
}

static int fill_row(struct lend_arena *arena, struct names *row, uint64_t number)
{
	char text[64];
	uint64_t column;

	for (column = 0; column < COLUMNS; column++) {
		struct lend_string_shm *name = names_emplace(row, arena);

		if (!name)
			return -errno;
		lend_string_init(name);
		name_text(text, sizeof(text), number, column);
		if (lend_string_set(name, arena, lend_view_of(text)))
			return -errno;
	}
	return 0;
}

static struct lend_arena *build(void)
{
	struct lend_arena_options options = {.name = "growing"};
	struct letters_writer writer;
	struct lend_arena *arena;
	struct letters *ring = NULL;
	struct book *book;
	uint64_t i;

	CU_ASSERT_EQUAL_FATAL(lend_arena_create(&options, &arena), 0);
	book = lend_alloc_zeroed(arena, sizeof(*book));
	CU_ASSERT_PTR_NOT_NULL_FATAL(book);
	CU_ASSERT_EQUAL(lend_string_set(&book->title, arena, lend_view_of("inline")), 0);
	for (i = 0; i < 5000; i++)
		CU_ASSERT_EQUAL(
			lend_string_append(&book->text, arena, lend_view_make("a\0b", 3)), 0);
	for (i = 0; i < ROWS; i++) {
		struct names *row = rows_emplace(&book->rows, arena);

		CU_ASSERT_PTR_NOT_NULL_FATAL(row);
		names_init(row);
		CU_ASSERT_EQUAL(fill_row(arena, row, i), 0);
	}
	CU_ASSERT_EQUAL(letters_create(arena, LETTERS, &ring), 0);
	CU_ASSERT_EQUAL(letters_open_writer(ring, letters_bytes(LETTERS), &writer), 0);
	for (i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(letters_try_put(&writer, letter(i)), 0);
	lend_ptr_set(&book->letters, ring);
	CU_ASSERT_EQUAL(lend_root_set(arena, "book", LEND_TYPE(struct book, 1), book), 0);
	return arena;
}

static const struct book *find(const struct lend_arena *arena)
{
	const void *book;

	CHILD_CHECK(lend_root_get(arena, "book", LEND_TYPE(struct book, 1), &book) == 0);
	return book;
}

static void walk_rows(const struct lend_arena *arena, const struct book *book)
{
	const struct names *rows = rows_data(&book->rows);
	char text[64];
	uint64_t row;
	uint64_t column;

	CHILD_CHECK(rows_check(&book->rows, arena) == 0);
	CHILD_CHECK(rows_count(&book->rows) == ROWS);
	for (row = 0; row < ROWS; row++) {
		CHILD_CHECK(names_check(&rows[row], arena) == 0);
		CHILD_CHECK(names_count(&rows[row]) == COLUMNS);
		for (column = 0; column < COLUMNS; column++) {
			const struct lend_string_shm *name = names_at(&rows[row], column);

			name_text(text, sizeof(text), row, column);
			CHILD_CHECK(lend_string_check(name, arena) == 0);
			CHILD_CHECK(strcmp(lend_string_data(name), text) == 0);
		}
	}
}

static int walk(const struct lend_arena *arena, int parent)
{
	const struct book *book = find(arena);
	const struct letters *ring = lend_ptr_get(&book->letters);
	uint64_t i;

	(void)parent;
	CHILD_CHECK(lend_string_check(&book->title, arena) == 0);
	CHILD_CHECK(lend_string_is_inline(&book->title));
	CHILD_CHECK(lend_view_equal(lend_string_view(&book->title), lend_view_of("inline")));
	CHILD_CHECK(lend_string_check(&book->text, arena) == 0);
	CHILD_CHECK(lend_string_bytes(&book->text) == 15000);
	for (i = 0; i < 15000; i++)
		CHILD_CHECK(lend_string_data(&book->text)[i] == "a\0b"[i % 3]);
	walk_rows(arena, book);
	CHILD_CHECK(letters_check(ring, letters_bytes(LETTERS)) == 0);
	CHILD_CHECK(letters_count(ring) == 10);
	return 0;
}

/* Walk until killed. */
static int walk_on(const struct lend_arena *arena, int parent)
{
	const struct book *book = find(arena);

	walk_rows(arena, book);
	CHILD_CHECK(child_tell(parent));
	for (;;)
		walk_rows(arena, book);
}

static const struct visitor visitors[] = {VISITOR(walk), VISITOR(walk_on)};

CLEAN_TEST(containers_hold_at_their_place_and_elsewhere)
{
	struct lend_arena *arena = build();

	CU_ASSERT_EQUAL(visit(arena, VISIT_FIXED, "walk"), 0);
	CU_ASSERT_EQUAL(visit(arena, VISIT_RELOCATED, "walk"), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

/* A moment that differs each time. */
static void doze(uint64_t *state)
{
	struct timespec moment = {0, (long)(heap_draw(state) % 3000000)};

	(void)nanosleep(&moment, NULL);
}

/*
 * A reader writes nothing, so its death leaves nothing: the owner changes all, others read it.
 */
CLEAN_TEST(a_reader_killed_in_mid_walk_harms_nothing)
{
	struct lend_arena *arena = build();
	struct book *book;
	uint64_t state = 3;
	const void *root;
	int i;

	CU_ASSERT_EQUAL_FATAL(
		lend_root_get(arena, "book", LEND_TYPE(struct book, 1), &root), 0);
	book = (struct book *)(uintptr_t)root;
	for (i = 0; i < 4; i++) {
		struct child child =
			visit_start(arena, i % 2 ? VISIT_RELOCATED : VISIT_FIXED, "walk_on");

		CU_ASSERT_TRUE(child_await(child.sock));
		doze(&state);
		child_kill(&child);
		CU_ASSERT_EQUAL(rows_check(&book->rows, arena), 0);
		rows_erase_at(&book->rows, arena, (uint64_t)i);
		CU_ASSERT_PTR_NOT_NULL_FATAL(rows_emplace_at(&book->rows, arena, (uint64_t)i));
		names_init(rows_at(&book->rows, (uint64_t)i));
		CU_ASSERT_EQUAL(
			fill_row(arena, rows_at(&book->rows, (uint64_t)i), (uint64_t)i), 0);
	}
	CU_ASSERT_EQUAL(visit(arena, VISIT_FIXED, "walk"), 0);
	CU_ASSERT_EQUAL(lend_arena_destroy(arena), 0);
}

/* What a child owns and changes until it is killed. */
struct changing {
	struct numbers numbers;      /* each is its index */
	struct lend_string_shm text; /* a long row of x */
};

static void change(struct lend_arena *arena, struct changing *c, uint64_t *state)
{
	char xs[64];
	uint64_t draw = heap_draw(state);
	uint64_t i;

	memset(xs, 'x', sizeof(xs));
	for (i = draw % 200; i > 0; i--)
		CHILD_CHECK(
			numbers_push_back(&c->numbers, arena, numbers_count(&c->numbers)) == 0);
	for (i = draw / 256 % 190; i > 0 && numbers_count(&c->numbers); i--)
		numbers_pop_back(&c->numbers, arena);
	if (draw % 16 == 0 && numbers_count(&c->numbers) > 50)
		CHILD_CHECK(numbers_resize(&c->numbers, arena, draw / 256 % 50) == 0);
	CHILD_CHECK(numbers_shrink(&c->numbers, arena) == 0);
	CHILD_CHECK(lend_string_append(
			    &c->text, arena, lend_view_make(xs, draw / 65536 % 60)) == 0);
	if (draw % 4 == 0)
		CHILD_CHECK(lend_string_set(&c->text, arena,
				    lend_view_make(xs, draw / 65536 % 60)) == 0);
	CHILD_CHECK(lend_string_shrink(&c->text, arena) == 0);
}

static struct changing *own(int parent)
{
	struct lend_arena *arena;
	struct changing *c;

	CHILD_CHECK(lend_arena_create(NULL, &arena) == 0);
	c = lend_alloc_zeroed(arena, sizeof(*c));
	CHILD_CHECK(c);
	CHILD_CHECK(lend_root_set(arena, "changing", LEND_TYPE(struct changing, 1), c) == 0);
	CHILD_CHECK(offer_send_arena(parent, arena));
	CHILD_CHECK(child_await(parent));
	return c;
}

static int own_and_change(int parent, void *argument)
{
	struct changing *c = own(parent);
	uint64_t state = *(const uint64_t *)argument;

	for (;;)
		change(lend_arena_of(c), c, &state);
	return 0;
}

/* Borrow what such a child owns. */
static const struct lend_arena *borrow(
	const struct child *child, const struct changing **out_changing)
{
	const struct lend_arena *arena;
	const void *root;

	CU_ASSERT_EQUAL_FATAL(offer_receive_arena(child->sock, &arena), 0);
	CU_ASSERT_EQUAL_FATAL(
		lend_root_get(arena, "changing", LEND_TYPE(struct changing, 1), &root), 0);
	CU_ASSERT_TRUE(child_tell(child->sock));
	*out_changing = root;
	return arena;
}

/*
 * After any prefix of the owner's stores: a vector as it was at some time, and a string that
 * can be read. Returns how much of that is not so.
 */
static int look_after_death(const struct lend_arena *arena, const struct changing *c)
{
	const uint64_t *numbers = numbers_data(&c->numbers);
	uint64_t capacity = lend_string_capacity(&c->text);
	lend_view view = lend_string_view(&c->text);
	int faults = numbers_check(&c->numbers, arena) != 0;
	uint64_t i;

	for (i = 0; !faults && i < numbers_count(&c->numbers); i++)
		faults += numbers[i] != i;
	if (view.bytes > capacity || strnlen(view.at, capacity + 1) > capacity)
		return faults + 1;
	for (i = 0; !lend_string_is_inline(&c->text) && i < view.bytes; i++)
		faults += view.at[i] != 'x';
	return faults;
}

CLEAN_TEST(an_owner_killed_at_any_moment_leaves_what_can_be_read)
{
	uint64_t state = 5;
	int i;

	for (i = 0; i < (under_slow_tool() ? 10 : 40); i++) {
		struct child child = child_start(own_and_change, &state);
		const struct changing *c;
		const struct lend_arena *arena = borrow(&child, &c);

		doze(&state);
		child_kill(&child);
		CU_ASSERT_EQUAL(look_after_death(arena, c), 0);
		CU_ASSERT_EQUAL(lend_close(arena), 0);
	}
}

/* Free memory that is not zero, for the blocks to come. */
static void litter(struct lend_arena *arena)
{
	void *objects[8];
	size_t bytes;
	size_t i;

	for (bytes = 16; bytes <= 512; bytes += 16) {
		for (i = 0; i < HEAP_COUNT(objects); i++) {
			objects[i] = lend_alloc(arena, bytes);
			CHILD_CHECK(objects[i]);
			memset(objects[i], 'y', bytes);
		}
		lend_free_batch(arena, objects, HEAP_COUNT(objects));
	}
}

/* Each kind of change once or twice, between two stops. */
static int change_in_steps(int parent, void *argument)
{
	char xs[64];
	struct changing *c = own(parent);
	struct lend_arena *arena = lend_arena_of(c);
	uint64_t i;

	(void)argument;
	memset(xs, 'x', sizeof(xs));
	litter(arena);
	CHILD_CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
	CHILD_CHECK(raise(SIGSTOP) == 0);
	for (i = 0; i < 18; i++)
		CHILD_CHECK(numbers_push_back(&c->numbers, arena, i) == 0);
	CHILD_CHECK(numbers_resize(&c->numbers, arena, 5) == 0);
	CHILD_CHECK(numbers_shrink(&c->numbers, arena) == 0);
	numbers_pop_back(&c->numbers, arena);
	CHILD_CHECK(numbers_reserve(&c->numbers, arena, 50) == 0);
	numbers_fini(&c->numbers, arena);
	for (i = 0; i < 6; i++)
		CHILD_CHECK(lend_string_append(&c->text, arena, lend_view_make(xs, 11)) == 0);
	CHILD_CHECK(lend_string_set(&c->text, arena, lend_view_make(xs, 30)) == 0);
	CHILD_CHECK(lend_string_shrink(&c->text, arena) == 0);
	lend_string_truncate(&c->text, 9);
	CHILD_CHECK(lend_string_shrink(&c->text, arena) == 0);
	CHILD_CHECK(lend_string_set(&c->text, arena, lend_view_make(xs, 60)) == 0);
	CHILD_CHECK(lend_string_set(&c->text, arena, lend_view_make(xs, 63)) == 0);
	lend_string_fini(&c->text, arena);
	CHILD_CHECK(raise(SIGSTOP) == 0);
	return 0;
}

/* The moments of a death are between two instructions: all of them, one after the other. */
CLEAN_TEST(each_instruction_of_a_change_leaves_what_can_be_read)
{
	struct child child = child_start(change_in_steps, NULL);
	const struct changing *c;
	const struct lend_arena *arena = borrow(&child, &c);
	int faults = 0;
	int steps = 0;
	int stops = 0;
	int status;

	while (stops < 2 && waitpid(child.pid, &status, 0) == child.pid && WIFSTOPPED(status)) {
		stops += WSTOPSIG(status) == SIGSTOP;
		faults += look_after_death(arena, c) != 0;
		steps++;
		if (ptrace(stops < 2 ? PTRACE_SINGLESTEP : PTRACE_CONT, child.pid, NULL, NULL))
			break;
	}
	CU_ASSERT_EQUAL(stops, 2);
	CU_ASSERT_EQUAL(faults, 0);
	CU_ASSERT_TRUE(steps > 1000);
	CU_ASSERT_EQUAL(child_end(&child), 0);
	CU_ASSERT_EQUAL(lend_close(arena), 0);
}

/*
 * A ring in a memfd that parent and child map at different addresses.
 */
struct shared {
	int fd;
	uint64_t bytes;
	struct letters *ring;
};

static struct letters *map_ring(const struct shared *shared)
{
	void *at = mmap(NULL, shared->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, shared->fd, 0);

	return at == MAP_FAILED ? NULL : (struct letters *)at;
}

/*
 * Put letters until killed, going on where the last writer was: one by one, and by the batch.
 */
static int write_on(int parent, void *argument)
{
	const struct shared *shared = argument;
	struct letters *ring = map_ring(shared);
	struct letters_writer writer;
	struct letter batch[3];
	uint64_t number;

	CHILD_CHECK(ring && ring != shared->ring);
	CHILD_CHECK(letters_open_writer(ring, shared->bytes, &writer) == 0);
	CHILD_CHECK(child_tell(parent));
	for (;;) {
		int64_t put;
		int i;

		number = writer.side.own;
		for (i = 0; i < 3; i++)
			batch[i] = letter(number + (uint64_t)i);
		put = number % 2 ? letters_try_put_batch(&writer, batch, 3)
				 : letters_try_put(&writer, batch[0]);
		CHILD_CHECK(put >= 0 || put == -EAGAIN);
		if (put == 0 || put == -EAGAIN)
			(void)sched_yield();
	}
}

/* Take all there is. Returns how many were not the one awaited. */
static int take_all(struct letters_reader *reader, uint64_t *number)
{
	struct letter batch[5];
	int faults = 0;
	int64_t got;
	int64_t i;

	while ((got = letters_try_take_batch(reader, batch, 5)) > 0)
		for (i = 0; i < got; i++)
			faults += !is_letter(&batch[i], (*number)++);
	return faults + (got < 0);
}

CLEAN_TEST(a_writer_killed_at_any_moment_leaves_whole_elements)
{
	struct shared shared = {
		memfd_create("ring", MFD_CLOEXEC), letters_bytes(LETTERS), NULL};
	int rounds = under_slow_tool() ? 16 : 60;
	struct letters_reader reader;
	uint64_t state = 7;
	uint64_t number = 0;
	int faults = 0;
	int i;

	CU_ASSERT_EQUAL_FATAL(ftruncate(shared.fd, (off_t)shared.bytes), 0);
	shared.ring = map_ring(&shared);
	CU_ASSERT_PTR_NOT_NULL_FATAL(shared.ring);
	CU_ASSERT_EQUAL_FATAL(letters_init(shared.ring, LETTERS), 0);
	CU_ASSERT_EQUAL_FATAL(letters_open_reader(shared.ring, shared.bytes, &reader), 0);
	for (i = 0; i < rounds; i++) {
		struct child child = child_start(write_on, &shared);
		uint64_t until = number + 1 + heap_draw(&state) % 500;

		CU_ASSERT_TRUE_FATAL(child_await(child.sock));
		while (number < until && faults == 0) {
			faults += take_all(&reader, &number);
			(void)sched_yield();
		}
		child_kill(&child);
		CU_ASSERT_EQUAL(letters_check(shared.ring, shared.bytes), 0);
		faults += take_all(&reader, &number);
	}
	CU_ASSERT_EQUAL(faults, 0);
	CU_ASSERT_EQUAL(letters_count(shared.ring), 0);
	CU_ASSERT_EQUAL(munmap(shared.ring, shared.bytes), 0);
	CU_ASSERT_EQUAL(close(shared.fd), 0);
}

/* Take until killed; what was not counted as taken is taken again by the next reader. */
static int read_on(int parent, void *argument)
{
	const struct shared *shared = argument;
	struct letters *ring = map_ring(shared);
	struct letters_reader reader;
	uint64_t number;

	CHILD_CHECK(ring && ring != shared->ring);
	CHILD_CHECK(letters_open_reader(ring, shared->bytes, &reader) == 0);
	CHILD_CHECK(child_tell(parent));
	number = reader.side.own;
	for (;;) {
		CHILD_CHECK(take_all(&reader, &number) == 0);
		(void)sched_yield();
	}
}

CLEAN_TEST(a_reader_killed_at_any_moment_loses_nothing)
{
	struct shared shared = {
		memfd_create("ring", MFD_CLOEXEC), letters_bytes(LETTERS), NULL};
	int rounds = under_slow_tool() ? 16 : 60;
	struct letters_writer writer;
	uint64_t state = 9;
	uint64_t number = 0;
	int i;

	CU_ASSERT_EQUAL_FATAL(ftruncate(shared.fd, (off_t)shared.bytes), 0);
	shared.ring = map_ring(&shared);
	CU_ASSERT_PTR_NOT_NULL_FATAL(shared.ring);
	CU_ASSERT_EQUAL_FATAL(letters_init(shared.ring, LETTERS), 0);
	CU_ASSERT_EQUAL_FATAL(letters_open_writer(shared.ring, shared.bytes, &writer), 0);
	for (i = 0; i < rounds; i++) {
		struct child child = child_start(read_on, &shared);
		uint64_t until = number + 1 + heap_draw(&state) % 500;

		CU_ASSERT_TRUE_FATAL(child_await(child.sock));
		while (number < until) {
			int err = letters_try_put(&writer, letter(number));

			CU_ASSERT_TRUE_FATAL(err == 0 || err == -EAGAIN);
			if (err)
				(void)sched_yield();
			number += err == 0;
		}
		child_kill(&child);
		CU_ASSERT_EQUAL(letters_check(shared.ring, shared.bytes), 0);
	}
	CU_ASSERT_EQUAL(munmap(shared.ring, shared.bytes), 0);
	CU_ASSERT_EQUAL(close(shared.fd), 0);
}

static const struct suite_test tests[] = {
	SUITE_TEST(containers_hold_at_their_place_and_elsewhere),
	SUITE_TEST(a_reader_killed_in_mid_walk_harms_nothing),
	SUITE_TEST(an_owner_killed_at_any_moment_leaves_what_can_be_read),
	SUITE_TEST(each_instruction_of_a_change_leaves_what_can_be_read),
	SUITE_TEST(a_writer_killed_at_any_moment_leaves_whole_elements),
	SUITE_TEST(a_reader_killed_at_any_moment_loses_nothing),
};

int main(int argc, char **argv)
{
	int status = visit_main(visitors, VISITOR_COUNT(visitors), argc, argv);

	return status >= 0 ? status
			   : suite_run("growing", tests, HEAP_COUNT(tests), argc, argv);
}
