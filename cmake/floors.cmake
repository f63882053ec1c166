# SPDX-License-Identifier: Apache-2.0
#
# One target per floor, lowest first: lendheap_<floor>. A floor sees its own headers and those of
# the floors below it; a floor without .c files (or without a folder yet) is headers only.
# Every .c in a floor's folder belongs to it: a new file needs no edit here.
#
# lendheap_<floor>_testing is the same with crash points compiled in, for the tests that reach
# inside; where LENDHEAP_CRASHPOINTS is on they are one and the same.

set(LENDHEAP_FLOORS base os offset_ptr arena alloc containers session channel handoff capi)

set(lend_include_dirs "")
set(lend_targets "")
set(lend_targets_testing "")

function(lend_floor target floor below sources)
	if(sources)
		add_library(${target} OBJECT ${sources})
		set(scope PUBLIC)
		set_target_properties(${target} PROPERTIES
			C_VISIBILITY_PRESET hidden
			CXX_VISIBILITY_PRESET hidden
			VISIBILITY_INLINES_HIDDEN ON)
		target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
		target_link_libraries(${target} PRIVATE lendheap_warnings lendheap_build)
		if(floor STREQUAL "alloc")
			# The one floor that includes jemalloc's internal headers, which are gnu11.
			set_target_properties(${target} PROPERTIES C_EXTENSIONS ON)
			target_compile_definitions(${target} PRIVATE _REENTRANT)
			target_include_directories(${target} SYSTEM PRIVATE "${LENDHEAP_JEMALLOC_DIR}/include")
			add_dependencies(${target} lendheap_jemalloc_build)
		endif()
	else()
		add_library(${target} INTERFACE)
		set(scope INTERFACE)
	endif()
	foreach(dir IN LISTS below)
		target_include_directories(${target} ${scope} "$<BUILD_INTERFACE:${dir}>")
	endforeach()
endfunction()

foreach(floor IN LISTS LENDHEAP_FLOORS)
	file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${floor}/*.c")
	list(APPEND lend_include_dirs "${PROJECT_SOURCE_DIR}/${floor}/include")
	lend_floor(lendheap_${floor} ${floor} "${lend_include_dirs}" "${sources}")
	if(sources)
		list(APPEND lend_targets lendheap_${floor})
	endif()
	if(LENDHEAP_CRASHPOINTS)
		add_library(lendheap_${floor}_testing ALIAS lendheap_${floor})
		if(sources)
			target_compile_definitions(lendheap_${floor} PRIVATE LEND_CRASHPOINTS=1)
			list(APPEND lend_targets_testing lendheap_${floor})
		endif()
	elseif(LENDHEAP_TESTS)
		lend_floor(lendheap_${floor}_testing ${floor} "${lend_include_dirs}" "${sources}")
		if(sources)
			target_compile_definitions(lendheap_${floor}_testing PRIVATE LEND_CRASHPOINTS=1)
			list(APPEND lend_targets_testing lendheap_${floor}_testing)
		endif()
	endif()
endforeach()
