/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A main for fuzz targets where libFuzzer is not: runs each file of the corpus folders named,
 * whole, cut short at every length, and with random bytes changed; then random inputs. The seed
 * is printed and can be given:  fuzz_wire [--seed N] [folder or file]...
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { INPUT_BYTES_MAX = 64 * 1024, CHANGES_PER_FILE = 2000, RANDOM_INPUTS = 20000, CUTS_MAX = 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static uint64_t state;

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Each run gets memory of just its size, so that a sanitizer sees one byte too many. */
static void run_copy(const uint8_t *data, size_t bytes)
{
	uint8_t *copy = malloc(bytes ? bytes : 1);

	if (!copy)
		abort();

	if (bytes)
		memcpy(copy, data, bytes);
	(void)LLVMFuzzerTestOneInput(copy, bytes);
	free(copy);
}

static void run_file(const char *path)
{
	static uint8_t data[INPUT_BYTES_MAX];
	static uint8_t changed[INPUT_BYTES_MAX];
	size_t bytes;
	FILE *file;

	file = fopen(path, "rb");
	if (!file) {
		perror(path);
		exit(1);
	}
	bytes = fread(data, 1, sizeof(data), file);
	fclose(file);

	run_copy(data, bytes);
	for (size_t cut = 0; cut < bytes && cut < CUTS_MAX; cut++)
		run_copy(data, cut);
	for (int i = 0; bytes && i < CHANGES_PER_FILE; i++) {
		memcpy(changed, data, bytes);
		for (uint64_t n = 1 + draw() % 4; n; n--)
			changed[draw() % bytes] = (uint8_t)draw();
		run_copy(changed, bytes);
	}
}

static int run_folder(const char *path)
{
	struct dirent *entry;
	char name[4096];
	int count = 0;
	DIR *dir;

	dir = opendir(path);
	if (!dir)
		return 0;

	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		run_file(name);
		count++;
	}
	closedir(dir);
	return count;
}

static void run_random(void)
{
	static uint8_t data[4096];

	for (int i = 0; i < RANDOM_INPUTS; i++) {
		size_t bytes = draw() % (i % 8 ? 256 : sizeof(data));

		for (size_t at = 0; at < bytes; at++)
			data[at] = (uint8_t)draw();
		run_copy(data, bytes);
	}
}

int main(int argc, char **argv)
{
	struct stat st;
	int count = 0;

	state = (uint64_t)time(NULL) | 1;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--seed") && i + 1 < argc)
			state = strtoull(argv[i + 1], NULL, 0) | 1;
	}
	printf("seed %llu\n", (unsigned long long)state);
	fflush(stdout);

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--seed")) {
			i++;
		} else if (!stat(argv[i], &st) && S_ISREG(st.st_mode)) {
			run_file(argv[i]);
			count++;
		} else {
			count += run_folder(argv[i]);
		}
	}
	run_random();
	printf("%d corpus files, %d random inputs\n", count, RANDOM_INPUTS);
	return 0;
}
