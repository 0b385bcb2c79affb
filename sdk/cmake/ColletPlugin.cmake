# collet_add_plugin(NAME source…)
#   A plugin: the target NAME, built as NAME.so (.dll on Windows) in the folder plugins of the build tree. It exports the
#   entry function and nothing else, so that it can be unloaded and cannot meet the symbols of another plugin. Where the
#   program `collet` is at hand, the test NAME.check runs `collet check` on it.

function(collet_add_plugin name)
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE Collet::sdk)
  target_compile_features(${name} PRIVATE c_std_99 cxx_std_20)
  set_target_properties(${name} PROPERTIES
    PREFIX ""
    C_VISIBILITY_PRESET hidden
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins)
  if(UNIX AND NOT APPLE)
    set(exports ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/exports.map)
    # std:: has default visibility: without these two a std::regex or make_shared pins the library for ever.
    target_compile_options(${name} PRIVATE -ftls-model=global-dynamic $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
    target_link_options(${name} PRIVATE -Wl,--version-script=${exports} -Wl,-z,now)
    set_property(TARGET ${name} APPEND PROPERTY LINK_DEPENDS ${exports})
    if(NOT COLLET_SANITIZE)  # a sanitizer's runtime is in the program
      target_link_options(${name} PRIVATE -Wl,-z,defs)
    endif()
  endif()
  collet_check_plugin(${name})
endfunction()

function(collet_check_plugin name)
  if(COLLET_SANITIZE)
    return()
  endif()
  if(TARGET collet)
    add_test(NAME ${name}.check COMMAND collet check $<TARGET_FILE:${name}>)
    return()
  endif()
  find_program(COLLET_PROGRAM collet HINTS ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../../../bin)
  if(COLLET_PROGRAM)
    add_test(NAME ${name}.check COMMAND ${COLLET_PROGRAM} check $<TARGET_FILE:${name}>)
  endif()
endfunction()
