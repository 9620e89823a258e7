# cmake --install: the four programs, the C++ libraries with their public headers as the CMake package Drover, and the protos for
# other languages.
if(DROVER_PURE_ONLY)
  return()
endif()
include(CMakePackageConfigHelpers)

foreach(binary drover drover-coord drover-master drover-worker)
  if(TARGET ${binary})
    install(TARGETS ${binary} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()
install(DIRECTORY "${CMAKE_SOURCE_DIR}/proto/drover" DESTINATION ${CMAKE_INSTALL_DATADIR}/drover/proto FILES_MATCHING PATTERN "*.proto")

# Promised: client, coord_client, coord_recipes and worker. The others are what these are made of.
set(config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/Drover")
foreach(library client coord_client coord_recipes worker
        worker_host worker_agent worker_exec coord_process pool client_store coord_base coord_transport task_amount task_records proto_coord proto_coord_membership proto_task proto_worker)
  get_target_property(header_sets drover_${library} INTERFACE_HEADER_SETS)
  set(headers)
  if("HEADERS" IN_LIST header_sets)
    list(APPEND headers FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  endif()
  if("foundation" IN_LIST header_sets)
    list(APPEND headers FILE_SET foundation DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/drover/foundation)
  endif()
  install(TARGETS drover_${library} EXPORT DroverTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} ${headers})
endforeach()
install(EXPORT DroverTargets NAMESPACE Drover:: DESTINATION ${config_dir})
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/DroverConfig.cmake.in" "${CMAKE_BINARY_DIR}/DroverConfig.cmake"
  INSTALL_DESTINATION ${config_dir})
# Before 1.0 a minor version may change what is promised.
write_basic_package_version_file("${CMAKE_BINARY_DIR}/DroverConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/DroverConfig.cmake" "${CMAKE_BINARY_DIR}/DroverConfigVersion.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/Findxxhash.cmake" DESTINATION ${config_dir})
