# swinzoo_options: the version, the warnings and the sanitizers that every target of ours is built with.
add_library(swinzoo_options INTERFACE)
target_include_directories(swinzoo_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(swinzoo_options INTERFACE SWINZOO_VERSION="${PROJECT_VERSION}")
target_compile_options(swinzoo_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False alarms in an inlined std::string: GCC bugs 105651 and 105329.
  target_compile_options(swinzoo_options INTERFACE -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds)
endif()
if(SWINZOO_SANITIZE STREQUAL "address" OR SWINZOO_SANITIZE STREQUAL "fuzz")
  target_compile_options(swinzoo_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(swinzoo_options INTERFACE -fsanitize=address,undefined)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # False alarms in std::regex once instrumented (GCC 12).
    target_compile_options(swinzoo_options INTERFACE -Wno-maybe-uninitialized)
  endif()
  if(SWINZOO_SANITIZE STREQUAL "fuzz")
    target_compile_options(swinzoo_options INTERFACE -fsanitize=fuzzer-no-link)  # coverage, for tests/fuzz
  endif()
elseif(SWINZOO_SANITIZE STREQUAL "thread")
  # -Wno-tsan: Boost.Asio (the tests' hub) has a fence, which the sanitizer does not follow.
  target_compile_options(swinzoo_options INTERFACE -fsanitize=thread -fno-omit-frame-pointer -Wno-tsan)
  target_link_options(swinzoo_options INTERFACE -fsanitize=thread)
elseif(NOT SWINZOO_SANITIZE STREQUAL "")
  message(FATAL_ERROR "SWINZOO_SANITIZE is '${SWINZOO_SANITIZE}'; use address, thread or fuzz")
endif()

# What a source for one instruction set is compiled with: what Highway takes as AVX2, and as AVX-512.
set(SWINZOO_AVX2_OPTIONS -mavx2 -mfma -mbmi -mbmi2 -mf16c -mlzcnt -maes -mpclmul)
set(SWINZOO_AVX512_OPTIONS
  ${SWINZOO_AVX2_OPTIONS} -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl -mprefer-vector-width=512)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms in GCC 12's own AVX-512 intrinsics (GCC bug 105593); the second one with sanitizers only.
  list(APPEND SWINZOO_AVX512_OPTIONS -Wno-maybe-uninitialized -Wno-uninitialized)
endif()

# swinzoo_library(formats a.cc b.cc): the static library of one folder.
function(swinzoo_library folder)
  add_library(swinzoo_${folder} STATIC ${ARGN})
  target_link_libraries(swinzoo_${folder} PUBLIC swinzoo_options fmt::fmt)
endfunction()

# swinzoo_embed(eval page file.js eval/page.h): the text of `file` (ASCII) as swinzoo::eval::page_text(), which the header declares,
# in page_text.cc of the build folder.
function(swinzoo_embed folder name file header)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}_text.cc)
  get_filename_component(file ${file} ABSOLUTE)
  add_custom_command(OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${file} -DOUTPUT=${source} -DFUNCTION=swinzoo::${folder}::${name}_text -DHEADER=${header}
            -P ${CMAKE_SOURCE_DIR}/cmake/embed_text.cmake
    DEPENDS ${file} ${CMAKE_SOURCE_DIR}/cmake/embed_text.cmake
    COMMENT "Embedding ${file}" VERBATIM)
endfunction()
