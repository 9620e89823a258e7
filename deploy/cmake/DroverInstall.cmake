# cmake --install: the four programs, the public headers and libraries, and the protos for other languages.
if(NOT DROVER_PURE_ONLY)
  foreach(binary drover drover-coord drover-master drover-worker)
    if(TARGET ${binary})
      install(TARGETS ${binary} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    endif()
  endforeach()
  install(DIRECTORY "${CMAKE_SOURCE_DIR}/proto/drover" DESTINATION ${CMAKE_INSTALL_DATADIR}/drover/proto FILES_MATCHING PATTERN "*.proto")
endif()
