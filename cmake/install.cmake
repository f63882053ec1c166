# SPDX-License-Identifier: Apache-2.0
#
# What `cmake --install` puts where. A public header is one in <floor>/include/lendheap/.
include(CMakePackageConfigHelpers)

install(TARGETS lendheap lendheap_static EXPORT lendheapTargets
	LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
	ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(dir IN LISTS lend_include_dirs)
	install(DIRECTORY "${dir}/" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} OPTIONAL
		FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
endforeach()

set(lend_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/lendheap")
install(EXPORT lendheapTargets NAMESPACE lendheap:: DESTINATION ${lend_package_dir})
configure_package_config_file(lendheapConfig.cmake.in "${PROJECT_BINARY_DIR}/lendheapConfig.cmake"
	INSTALL_DESTINATION ${lend_package_dir})
write_basic_package_version_file("${PROJECT_BINARY_DIR}/lendheapConfigVersion.cmake"
	COMPATIBILITY SameMinorVersion) # 0.x promises nothing across minors
install(FILES "${PROJECT_BINARY_DIR}/lendheapConfig.cmake" "${PROJECT_BINARY_DIR}/lendheapConfigVersion.cmake"
	DESTINATION ${lend_package_dir})

# pkg-config: relative to the .pc file, so the tree may be moved; written at install time, when
# the prefix is known.
file(RELATIVE_PATH lend_pc_to_prefix
	"/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
string(REGEX REPLACE "/$" "" lend_pc_to_prefix "${lend_pc_to_prefix}")
configure_file(lendheap.pc.in "${PROJECT_BINARY_DIR}/lendheap.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/lendheap.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(FILES LICENSE NOTICE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES "${LENDHEAP_JEMALLOC_DIR}/COPYING" DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME COPYING.jemalloc)
