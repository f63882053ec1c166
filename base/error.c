/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/*
 * A thread's sentence. 200 bytes fit any of ours; the TLS of a library that may be dlopened is
 * scarce, and this variable is why ours is not smaller still.
 */
static __thread char detail[200];

const char *lend_error_detail(void)
{
	return detail;
}

static void keep(const char *format, va_list arguments)
{
	/* What does not fit is cut: the values come first in every sentence. */
	(void)vsnprintf(detail, sizeof(detail), format, arguments);
}

int lendi_fail(int err, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	keep(format, arguments);
	va_end(arguments);
	return err;
}

int lendi_fail_errno(int err, const char *format, ...)
{
	const char *reason = strerrordesc_np(-err); /* has no locale and no shared buffer */
	size_t used;
	va_list arguments;

	va_start(arguments, format);
	keep(format, arguments);
	va_end(arguments);

	used = strlen(detail);
	(void)snprintf(detail + used, sizeof(detail) - used, ": %s",
		reason ? reason : "unknown error");
	return err;
}

void lendi_misuse(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	keep(format, arguments);
	va_end(arguments);
#ifdef LEND_CHECKS
	fprintf(stderr, "lendheap: %s\n", detail);
	abort();
#endif
}
