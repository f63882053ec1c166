/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "failure.h"

static char sentence[GRAPH_FAILURE_BYTES_MAX];

int graph_fail(int err, const char *format, ...)
{
	char made[GRAPH_FAILURE_BYTES_MAX]; /* an argument may be the old sentence */
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(made, sizeof(made), format, arguments);
	va_end(arguments);

	(void)snprintf(sentence, sizeof(sentence), "%s", made);
	return err;
}

int graph_fail_memory(const char *what)
{
	return graph_fail(-ENOMEM, "out of memory for %s", what);
}

const char *graph_failure(void)
{
	return sentence;
}
