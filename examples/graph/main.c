/* SPDX-License-Identifier: Apache-2.0 */

/*
 * lend-graph: one process builds a graph in a lendheap arena, others walk it where it lies.
 * README.md beside this file says what to look at first.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crew.h"
#include "failure.h"
#include "results.h"
#include "role.h"

static int conductor_main(const struct settings *settings, int argc, char **argv)
{
	struct results *results;
	struct progress progress;
	struct crew crew;
	int status;
	int err;

	progress_init(&progress, settings->progress);
	results = calloc(1, sizeof(*results));
	if (!results) {
		(void)fputs("lend-graph: out of memory\n", stderr);
		return EXIT_STATUS_INPUT;
	}
	err = crew_init(&crew, argc, argv, &progress);
	if (!err)
		err = conduct(settings, &crew, results);
	status = err ? crew.exit_status : 0;
	crew_fini(&crew);

	if (crew_signal()) {
		(void)fprintf(stderr, "lend-graph: stopped by %s\n", strsignal(crew_signal()));
		status = 128 + crew_signal();
	} else if (err) {
		(void)fprintf(stderr, "lend-graph: %s%s\n",
			status == EXIT_STATUS_DIFFER ? "WRONG RESULT: " : "", graph_failure());
	} else if (settings->json) {
		print_json(settings, results);
	} else {
		print_table(settings, results);
	}
	free(results);
	if (fflush(stdout) != 0 && status == 0) {
		perror("lend-graph: standard output");
		status = EXIT_STATUS_INPUT;
	}
	return status;
}

int main(int argc, char **argv)
{
	struct settings settings;

	(void)signal(SIGPIPE, SIG_IGN); /* every write is checked instead */
	if (settings_read(argc, argv, &settings)) {
		(void)fprintf(stderr, "lend-graph: %s\n(lend-graph --help lists the options)\n",
			graph_failure());
		return EXIT_STATUS_USAGE;
	}
	if (settings.help) {
		settings_print_help();
		return 0;
	}
	if (settings.role != ROLE_CONDUCTOR)
		return role_main(&settings);
	return conductor_main(&settings, argc, argv);
}
