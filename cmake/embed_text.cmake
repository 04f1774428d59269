# cmake -DINPUT=a.json -DOUTPUT=a.cc -DFUNCTION=swinzoo::zoo::f -DHEADER=zoo/f.h -P embed_text.cmake
# Writes a source file that defines `std::string FUNCTION()`, which returns INPUT's text (ASCII). The text goes in by
# pieces: the standard asks compilers for no more than 65536 characters in a literal.
set(piece 16000)

file(READ ${INPUT} text)
string(FIND "${text}" ")embedded\"" end_mark)
if(NOT end_mark EQUAL -1)
  message(FATAL_ERROR "${INPUT} holds the end mark of a raw string")
endif()
string(LENGTH "${text}" length)
set(pieces "")
set(at 0)
while(at LESS length)
  string(SUBSTRING "${text}" ${at} ${piece} part)
  string(APPEND pieces "  text += R\"embedded(${part})embedded\";\n")
  math(EXPR at "${at} + ${piece}")
endwhile()
get_filename_component(name ${INPUT} NAME)
file(WRITE ${OUTPUT} "// Made from ${name} by cmake/embed_text.cmake.
#include \"${HEADER}\"

std::string ${FUNCTION}() {
  std::string text;
${pieces}  return text;
}
")
