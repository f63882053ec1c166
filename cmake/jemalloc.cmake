# SPDX-License-Identifier: Apache-2.0
#
# The private jemalloc: target lendheap_jemalloc, a static library with its include folder. Only
# the alloc floor includes its headers; they exist after the build step lendheap_jemalloc_build.

set(LENDHEAP_JEMALLOC_TARBALL "" CACHE FILEPATH
	"jemalloc-5.3.0.tar.bz2 to use (empty: the distribution's source package, else the upstream release)")
set(LENDHEAP_JEMALLOC_DIR "${PROJECT_BINARY_DIR}/jemalloc" CACHE PATH
	"where the private jemalloc is built; build folders may share it")

set(LENDHEAP_JEMALLOC_SHA256 2db82d1e7119df3e71b7640219b6dfe84789bc0537983c3b7ac4f7189aecfeaa)

if(LENDHEAP_JEMALLOC_TARBALL)
	if(NOT EXISTS "${LENDHEAP_JEMALLOC_TARBALL}")
		message(FATAL_ERROR "LENDHEAP_JEMALLOC_TARBALL: no file ${LENDHEAP_JEMALLOC_TARBALL}")
	endif()
	file(SHA256 "${LENDHEAP_JEMALLOC_TARBALL}" found)
	if(NOT found STREQUAL LENDHEAP_JEMALLOC_SHA256)
		message(FATAL_ERROR
			"LENDHEAP_JEMALLOC_TARBALL: ${LENDHEAP_JEMALLOC_TARBALL} is not jemalloc-5.3.0.tar.bz2 "
			"as released: SHA-256 ${found}, wanted ${LENDHEAP_JEMALLOC_SHA256}")
	endif()
endif()

set(jemalloc_archive "${LENDHEAP_JEMALLOC_DIR}/lib/libjemalloc_pic.a")
add_custom_command(
	OUTPUT "${jemalloc_archive}"
	COMMAND "${PROJECT_SOURCE_DIR}/cmake/build_jemalloc.sh"
		"${LENDHEAP_JEMALLOC_DIR}" "${CMAKE_C_COMPILER}" "${LENDHEAP_JEMALLOC_TARBALL}"
	DEPENDS "${PROJECT_SOURCE_DIR}/cmake/build_jemalloc.sh"
	COMMENT "private jemalloc 5.3.0 (once)"
	VERBATIM)
add_custom_target(lendheap_jemalloc_build DEPENDS "${jemalloc_archive}")

# CMake wants an imported include folder to exist when it configures.
file(MAKE_DIRECTORY "${LENDHEAP_JEMALLOC_DIR}/include")
add_library(lendheap_jemalloc STATIC IMPORTED GLOBAL)
set_target_properties(lendheap_jemalloc PROPERTIES
	IMPORTED_LOCATION "${jemalloc_archive}"
	INTERFACE_INCLUDE_DIRECTORIES "${LENDHEAP_JEMALLOC_DIR}/include")
add_dependencies(lendheap_jemalloc lendheap_jemalloc_build)
