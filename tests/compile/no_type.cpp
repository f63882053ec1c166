/* SPDX-License-Identifier: Apache-2.0 */
/* Types that have no name. */
#include <lendheap/type.hpp>

struct nameless {
	int a;
};

struct named {
	int a;
};
LEND_TYPE_NAME(named, "struct named", 1)

lend_type name_of_named()
{
	return lend::type_of<named>();
}

/* lend-test: case 1 with -fno-rtti expects "without RTTI a type has no name: give it one" */
#if CASE == 1
lend_type name_of_nameless()
{
	return lend::type_of<nameless>();
}
#endif
