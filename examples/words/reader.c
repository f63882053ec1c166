/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	words-reader NAME            every word, the most frequent first
 *	words-reader NAME WORD...    how often each of these stands there
 */
#include <stdio.h>

#include "words.h"

int main(int argc, char **argv)
{
	const struct lend_arena *r;
	const struct words *words;
	const struct word *word;
	const void *root;
	int i;

	if (argc < 2) {
		fprintf(stderr, "usage: words-reader NAME [WORD...]\n");
		return 2;
	}
	if (lend_open(argv[1], lend_deadline_in_ms(2000), &r) ||
		lend_root_get(r, "words", WORDS_TYPE, &root)) {
		fprintf(stderr, "words-reader: %s\n", lend_error_detail());
		return 1;
	}
	words = root;
	for (i = 2; i < argc; i++) {
		const struct word_map_entry *entry =
			word_map_find(&words->by_text, lend_view_of(argv[i]));

		printf("%llu %s\n", entry ? (unsigned long long)entry->value->count : 0,
			argv[i]);
	}
	if (argc == 2)
		for (word = word_tree_first(&words->by_count); word;
			word = word_tree_next(word))
			printf("%llu %s\n", (unsigned long long)word->count, word->text);
	return lend_close(r) ? 1 : 0;
}
