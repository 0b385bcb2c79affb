# An overrun, a bad index or a forged return ends the process, and no table of function pointers can be written.
# tests/tools/hardening_test.py reads it off the binaries.

set(guards "-fPIE -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  string(APPEND guards " -fcf-protection")
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  string(APPEND guards " -mbranch-protection=standard")
endif()
string(APPEND CMAKE_C_FLAGS " ${guards}")
string(APPEND CMAKE_CXX_FLAGS " ${guards} -D_GLIBCXX_ASSERTIONS")

foreach(kind EXE SHARED MODULE)
  string(APPEND CMAKE_${kind}_LINKER_FLAGS " -Wl,-z,relro,-z,now")
endforeach()
string(APPEND CMAKE_EXE_LINKER_FLAGS " -pie")
