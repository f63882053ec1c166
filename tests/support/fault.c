/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>

#include "support/fault.h"

static struct lendi_os_calls real;
static unsigned calls[FAULT_CALLS];
static unsigned all_calls;
static const char *struck;
static int planned_call = FAULT_ANY;
static unsigned planned_nth;
static bool planned_on;
static int planned_errno;

static bool strikes(int call, const char *name)
{
	/* Relaxed: counters; a plan is made while nobody calls. */
	unsigned nth_of_kind = __atomic_add_fetch(&calls[call], 1, __ATOMIC_RELAXED);
	unsigned nth_of_all = __atomic_add_fetch(&all_calls, 1, __ATOMIC_RELAXED);
	unsigned nth = planned_call == FAULT_ANY ? nth_of_all : nth_of_kind;

	if (planned_nth == 0 || (planned_call != FAULT_ANY && planned_call != call))
		return false;
	if (nth != planned_nth && !(planned_on && nth > planned_nth))
		return false;
	if (call == FAULT_getpid || call == FAULT_geteuid || call == FAULT_getegid)
		return false;
	__atomic_store_n(&struck, name, __ATOMIC_RELAXED);
	return true;
}

#define WRAPPER(result, name, parameters, arguments)                                           \
	static result call_##name parameters                                                   \
	{                                                                                      \
		if (strikes(FAULT_##name, #name)) {                                            \
			if (FAULT_##name == FAULT_close || FAULT_##name == FAULT_munmap)       \
				(void)real.name arguments;                                     \
			errno = planned_errno;                                                 \
			return (result)(intptr_t)-1;                                           \
		}                                                                              \
		return real.name arguments;                                                    \
	}
LENDI_OS_CALLS(WRAPPER)
#undef WRAPPER

void fault_install(void)
{
	real = lendi_os;
	fault_plan(FAULT_ANY, 0, 0);
#define PUT(result, name, parameters, arguments) lendi_os.name = call_##name;
	LENDI_OS_CALLS(PUT)
#undef PUT
}

void fault_remove(void)
{
	lendi_os = real;
}

void fault_plan(int call, unsigned nth, int err)
{
	int i;

	for (i = 0; i < FAULT_CALLS; i++)
		calls[i] = 0;
	all_calls = 0;
	struck = NULL;
	planned_call = call;
	planned_nth = nth;
	planned_on = false;
	planned_errno = err;
}

void fault_plan_from(int call, unsigned nth, int err)
{
	fault_plan(call, nth, err);
	planned_on = true;
}

unsigned fault_calls(int call)
{
	return call == FAULT_ANY ? all_calls : calls[call];
}

const char *fault_struck(void)
{
	return struck;
}
