/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host program's heap stays what it was: malloc and its kin are those of the library named
 * on the command line (libc, or a preloaded one), before and after an arena lives, and what they
 * give lies in no arena.
 *
 *	host_malloc libc.so
 */
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>

#include "use_arena.h"

enum { OBJECTS = 10000 };

static struct use use;

static const char *const of_libc[] = {"pthread_create", "mmap", "munmap", "madvise", "fork", "sbrk"};
static const char *const of_heap[] = {"malloc", "free", "calloc", "realloc", "posix_memalign",
	"aligned_alloc", "memalign", "valloc", "malloc_usable_size"};

static void require_from(const char *symbol, const char *file)
{
	void *at = dlsym(RTLD_DEFAULT, symbol);
	Dl_info info;

	USE_REQUIRE(at && dladdr(at, &info));
	if (!strstr(info.dli_fname, file)) {
		fprintf(stderr, "%s is that of %s, not of %s\n", symbol, info.dli_fname, file);
		exit(1);
	}
}

static void check_heap(const char *file)
{
	static void *objects[OBJECTS];

	for (size_t i = 0; i < sizeof(of_heap) / sizeof(of_heap[0]); i++)
		require_from(of_heap[i], file);
	for (size_t i = 0; i < sizeof(of_libc) / sizeof(of_libc[0]); i++)
		require_from(of_libc[i], "libc.so");

	for (size_t i = 0; i < OBJECTS; i++) {
		objects[i] = malloc(1 + i * 7 % 5000);
		USE_REQUIRE(objects[i] && !lend_arena_of(objects[i]));
		memset(objects[i], 0x3c, 1 + i * 7 % 5000);
	}
	for (size_t i = 0; i < OBJECTS; i++)
		free(objects[i]);
}

static void *check_in_thread(void *file)
{
	check_heap(file);
	lend_free(use.arena, lend_alloc(use.arena, 64));
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 2)
		return 2;
	check_heap(argv[1]);
	use_start(&use, "host", 0x77);
	check_heap(argv[1]);
	USE_REQUIRE(pthread_create(&thread, NULL, check_in_thread, argv[1]) == 0);
	USE_REQUIRE(pthread_join(thread, NULL) == 0);
	use_end(&use);
	check_heap(argv[1]);
	return 0;
}
