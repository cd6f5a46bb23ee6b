# Precompiled headers: what nearly every unit of a kind reads, parsed once per build tree. Units name their headers all the
# same: clang's builds (fuzzing, clang-tidy) and -DINTERLUDE_PRECOMPILE=OFF do without.
option(INTERLUDE_PRECOMPILE "Parse the headers that all units share once" ON)
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(INTERLUDE_PRECOMPILE OFF)
endif()

# interlude_precompiled(NAME LIBS ... HEADERS ...): what interlude_use_precompiled(TARGET NAME) can name. It is compiled
# with the options of the folder that defines it; only targets with the same ones may use it.
function(interlude_precompiled NAME)
  cmake_parse_arguments(P "" "" "LIBS;HEADERS" ${ARGN})
  if(NOT INTERLUDE_PRECOMPILE)
    return()
  endif()
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/precompiled_${NAME}.cpp.new "// Owns the precompiled headers \"${NAME}\".\n")
  file(COPY_FILE ${CMAKE_CURRENT_BINARY_DIR}/precompiled_${NAME}.cpp.new ${CMAKE_CURRENT_BINARY_DIR}/precompiled_${NAME}.cpp
    ONLY_IF_DIFFERENT)
  add_library(interlude_precompiled_${NAME} OBJECT EXCLUDE_FROM_ALL ${CMAKE_CURRENT_BINARY_DIR}/precompiled_${NAME}.cpp)
  target_link_libraries(interlude_precompiled_${NAME} PRIVATE ${P_LIBS})
  target_precompile_headers(interlude_precompiled_${NAME} PRIVATE ${P_HEADERS})
endfunction()

function(interlude_use_precompiled TARGET NAME)
  if(TARGET interlude_precompiled_${NAME})
    target_precompile_headers(${TARGET} REUSE_FROM interlude_precompiled_${NAME})
  endif()
endfunction()

set(interlude_std_headers <algorithm> <array> <chrono> <cstdint> <filesystem> <functional> <map> <memory> <optional> <set>
  <span> <stdexcept> <string> <string_view> <tuple> <utility> <variant> <vector>)
set(interlude_asio_headers any_io_executor as_tuple awaitable co_spawn detached io_context ip/tcp post steady_timer strand
  use_awaitable)
list(TRANSFORM interlude_asio_headers REPLACE "(.+)" "<boost/asio/\\1.hpp>")
