# SPDX-License-Identifier: Apache-2.0
#
# What the floors are linked into:
#   lendheap           liblendheap.so.0, only lend_* visible                 (lendheap::lendheap)
#   lendheap_static    liblendheap.a, one object with the private jemalloc in it and only lend_*
#                      global, and those hidden: copies never meet           (lendheap::static)
#   lendheap_internal  for tests: every lendi_* reachable, crash points in; not installed

set(lend_objects "")
foreach(target IN LISTS lend_targets)
	list(APPEND lend_objects "$<TARGET_OBJECTS:${target}>")
endforeach()
set(lend_objects_testing "")
foreach(target IN LISTS lend_targets_testing)
	list(APPEND lend_objects_testing "$<TARGET_OBJECTS:${target}>")
endforeach()

# An empty tree still links: the first floors may not have landed.
if(NOT lend_objects)
	file(WRITE "${PROJECT_BINARY_DIR}/empty.c" "typedef int lend_empty;\n")
	list(APPEND lend_objects "${PROJECT_BINARY_DIR}/empty.c")
endif()

function(lend_public_headers target)
	foreach(dir IN LISTS lend_include_dirs)
		target_include_directories(${target} INTERFACE "$<BUILD_INTERFACE:${dir}>")
	endforeach()
	target_include_directories(${target} INTERFACE "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
endfunction()

add_library(lendheap SHARED ${lend_objects})
add_library(lendheap::lendheap ALIAS lendheap)
lend_public_headers(lendheap)
set_target_properties(lendheap PROPERTIES
	VERSION ${PROJECT_VERSION}
	SOVERSION ${PROJECT_VERSION_MAJOR}
	LINK_DEPENDS "${PROJECT_SOURCE_DIR}/capi/lendheap.map")
target_link_libraries(lendheap PRIVATE "$<BUILD_INTERFACE:lendheap_build>" "$<BUILD_INTERFACE:lendheap_jemalloc>")
target_link_options(lendheap PRIVATE
	"LINKER:--version-script,${PROJECT_SOURCE_DIR}/capi/lendheap.map"
	LINKER:--exclude-libs,ALL
	LINKER:-z,relro LINKER:-z,now
	LINKER:-z,nodelete) # threads that end later still run our destructor
if(NOT LENDHEAP_SANITIZE AND NOT LENDHEAP_FUZZERS)
	target_link_options(lendheap PRIVATE LINKER:-z,defs) # a sanitizer's runtime lives in the program
endif()

set(lend_merged "${PROJECT_BINARY_DIR}/lendheap_merged.o")
if(lend_targets)
	add_custom_command(
		OUTPUT "${lend_merged}"
		COMMAND "${PROJECT_SOURCE_DIR}/cmake/merge_static.sh" "${lend_merged}" "${CMAKE_C_COMPILER}"
			"${CMAKE_LINKER}" "${CMAKE_NM}" "${CMAKE_OBJCOPY}"
			${lend_objects} "$<TARGET_FILE:lendheap_jemalloc>"
		DEPENDS "${PROJECT_SOURCE_DIR}/cmake/merge_static.sh" ${lend_targets} ${lend_objects}
			lendheap_jemalloc_build "$<TARGET_FILE:lendheap_jemalloc>"
		COMMENT "one object of all floors and jemalloc"
		COMMAND_EXPAND_LISTS VERBATIM)
	set_source_files_properties("${lend_merged}" PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
	add_library(lendheap_static STATIC "${lend_merged}")
else()
	add_library(lendheap_static STATIC ${lend_objects})
endif()
add_library(lendheap::static ALIAS lendheap_static)
lend_public_headers(lendheap_static)
set_target_properties(lendheap_static PROPERTIES
	OUTPUT_NAME lendheap
	EXPORT_NAME static
	LINKER_LANGUAGE C)
target_link_libraries(lendheap_static PRIVATE Threads::Threads)
# A plugin that holds the library statically must stay when it is dlclosed: threads that used it
# still have destructors to run in it.
target_link_options(lendheap_static INTERFACE LINKER:-z,nodelete)

if(LENDHEAP_TESTS)
	if(lend_objects_testing)
		add_library(lendheap_internal STATIC ${lend_objects_testing})
	else()
		add_library(lendheap_internal STATIC ${lend_objects})
	endif()
	set_target_properties(lendheap_internal PROPERTIES LINKER_LANGUAGE C)
	lend_public_headers(lendheap_internal)
	target_include_directories(lendheap_internal INTERFACE "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>")
	target_compile_definitions(lendheap_internal INTERFACE LEND_CRASHPOINTS=1)
	target_link_libraries(lendheap_internal PUBLIC lendheap_build lendheap_jemalloc)
	add_dependencies(lendheap_internal lendheap_jemalloc_build)
endif()
