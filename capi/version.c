/* SPDX-License-Identifier: Apache-2.0 */
#include <lendheap/lendheap.h>

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)

const char *lend_version(void)
{
	return TEXT(LEND_VERSION_MAJOR) "." TEXT(LEND_VERSION_MINOR) "." TEXT(
		LEND_VERSION_PATCH);
}
