# The layer rules of the host, as build targets.
#
# collet_module(NAME SOURCES … [USES module …] [LINKS library …] [PRIVATE_LINKS library …])
#   One folder of host/ is one static library. It links, and thereby may use, exactly the modules it names.
# collet_module_test(NAME [SOURCES …] [LINKS …] [APART part…])
#   The tests of one module: every *_test.cc in tests/NAME and its rooms, linked with that module alone, so that a call upwards is an
#   undefined reference. Includes upwards are caught by tools/check_layers.py, a test of its own.
#   The cases in PART_test.cc are a test of their own, NAME.PART, that runs beside the others.
# collet_fuzz(NAME LINKS module …)
#   The libFuzzer target fuzz_NAME, from tests/fuzz/NAME_fuzz.cc; its seeds are the files of tests/fuzz/NAME.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(collet_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wno-missing-field-initializers
    $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual>)
  if(COLLET_SANITIZE)  # g++ 12 takes what a sanitizer puts in for uses of uninitialised memory, in <regex> for one
    target_compile_options(${target} PRIVATE -Wno-maybe-uninitialized)
  endif()
  if(CMAKE_UNITY_BUILD)  # g++ takes a source that is included in another for a header
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

function(collet_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(collet_${name} STATIC ${arg_SOURCES})
  collet_warnings(collet_${name})
  target_include_directories(collet_${name} PUBLIC ${PROJECT_SOURCE_DIR}/host)
  list(TRANSFORM arg_USES PREPEND collet_)
  target_link_libraries(collet_${name} PUBLIC ${arg_USES} ${arg_LINKS} PRIVATE ${arg_PRIVATE_LINKS})
endfunction()

function(collet_module_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;APART" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${name}/*_test.cc
    ${PROJECT_SOURCE_DIR}/tests/${name}/*/*_test.cc)
  add_executable(test_${name} ${sources} ${arg_SOURCES})
  collet_warnings(test_${name})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(test_${name} PRIVATE collet_${name} collet_test_main ${arg_LINKS})
  target_precompile_headers(test_${name} REUSE_FROM collet_test_main)
  set(others)
  foreach(part ${arg_APART})
    add_test(NAME ${name}.${part} COMMAND test_${name} --filenames-as-tags "[#${part}_test]")
    set_tests_properties(${name}.${part} PROPERTIES LABELS cpp)
    string(APPEND others "~[#${part}_test]")
  endforeach()
  add_test(NAME ${name} COMMAND test_${name} --filenames-as-tags ${others})
  set_tests_properties(${name} PROPERTIES LABELS cpp)
endfunction()

function(collet_fuzz name)
  cmake_parse_arguments(arg "" "" "LINKS" ${ARGN})
  add_executable(fuzz_${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/${name}_fuzz.cc)
  collet_warnings(fuzz_${name})
  list(TRANSFORM arg_LINKS PREPEND collet_)
  target_link_libraries(fuzz_${name} PRIVATE ${arg_LINKS})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
endfunction()
