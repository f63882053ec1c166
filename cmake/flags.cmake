# SPDX-License-Identifier: Apache-2.0
#
# Flags as interface targets: lendheap_warnings and lendheap_build for everything compiled in
# this tree. Neither is installed.

set(lend_warnings -Wall -Wextra -Wpedantic -Wconversion -Wcast-align -Wundef -Wvla)
# In C++ -Wshadow objects to a function that has a struct's name, as stat(2) has.
set(lend_warnings_c -Wshadow -Wstrict-prototypes -Wmissing-prototypes)

add_library(lendheap_warnings INTERFACE)
target_compile_options(lendheap_warnings INTERFACE
	${lend_warnings}
	"$<$<COMPILE_LANGUAGE:C>:${lend_warnings_c}>"
	$<$<BOOL:${LENDHEAP_WERROR}>:-Werror>)

add_library(lendheap_build INTERFACE)
target_compile_definitions(lendheap_build INTERFACE
	_GNU_SOURCE
	$<$<BOOL:${LENDHEAP_CHECKS}>:LEND_CHECKS=1>)
target_link_libraries(lendheap_build INTERFACE Threads::Threads)

# Sanitizers and coverage reach the library, its tests and its examples alike.
if(LENDHEAP_SANITIZE)
	list(JOIN LENDHEAP_SANITIZE "," lend_sanitize)
	set(lend_sanitize_flags "-fsanitize=${lend_sanitize}" -fno-omit-frame-pointer)
	if(LENDHEAP_SANITIZE MATCHES "undefined")
		list(APPEND lend_sanitize_flags -fno-sanitize-recover=undefined)
	endif()
	target_compile_options(lendheap_build INTERFACE ${lend_sanitize_flags})
	target_link_options(lendheap_build INTERFACE "-fsanitize=${lend_sanitize}")
endif()
if(LENDHEAP_FUZZERS)
	if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
		message(FATAL_ERROR "LENDHEAP_FUZZERS needs clang")
	endif()
	target_compile_options(lendheap_build INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(LENDHEAP_COVERAGE)
	target_compile_options(lendheap_build INTERFACE --coverage -fprofile-update=atomic)
	target_link_options(lendheap_build INTERFACE --coverage)
endif()
