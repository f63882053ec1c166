/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the words of a text in an arena and lends it: words-owner NAME FILE */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "words.h"

static struct word *make_word(struct lend_arena *a, const char *text)
{
	struct word *word = lend_alloc_zeroed(a, sizeof(*word));
	char *copy = lend_alloc(a, strlen(text) + 1);

	if (!word || !copy)
		return NULL;
	word->text = strcpy(copy, text);
	return word;
}

/* Count one more of this word. 0 or a negative errno. */
static int add_word(struct words *words, struct lend_arena *a, const char *text)
{
	struct word_map_entry *entry;
	int made = word_map_put(&words->by_text, a, lend_view_of(text), &entry);

	if (made < 0)
		return made;
	if (made) {
		entry->value = make_word(a, text);
		if (!entry->value) {
			word_map_erase_entry(&words->by_text, a, entry);
			return -ENOMEM;
		}
	} else {
		/* Its place in the order changes with its count. */
		word_tree_erase(&words->by_count, entry->value);
	}
	entry->value->count++;
	return word_tree_insert(&words->by_count, entry->value);
}

static int add_file(struct words *words, struct lend_arena *a, FILE *file)
{
	char text[256];
	size_t bytes = 0;
	int err = 0;
	int c;

	do {
		c = fgetc(file);
		if (isalpha(c) && bytes + 1 < sizeof(text)) {
			text[bytes++] = (char)tolower(c);
		} else if (bytes > 0) {
			text[bytes] = 0;
			bytes = 0;
			err = add_word(words, a, text);
		}
	} while (!err && c != EOF);
	return err;
}

int main(int argc, char **argv)
{
	struct lend_arena *a;
	struct words *words;
	FILE *file;

	if (argc != 3) {
		fprintf(stderr, "usage: words-owner NAME FILE\n");
		return 2;
	}
	file = fopen(argv[2], "r");
	if (!file) {
		perror(argv[2]);
		return 1;
	}
	if (lend_arena_create(&(struct lend_arena_options){.name = "words"}, &a))
		goto fail;
	words = lend_alloc_zeroed(a, sizeof(*words)); /* an empty map and an empty tree */
	if (!words || add_file(words, a, file) ||
		lend_root_set(a, "words", WORDS_TYPE, words) || lend_share(a, argv[1]))
		goto fail;

	printf("%llu words, shared as \"%s\" until the end of input\n",
		(unsigned long long)word_map_count(&words->by_text), argv[1]);
	fflush(stdout);
	while (getchar() != EOF)
		;
	(void)fclose(file);
	return lend_arena_destroy(a) ? 1 : 0;
fail:
	fprintf(stderr, "words-owner: %s\n", lend_error_detail());
	(void)fclose(file);
	return 1;
}
