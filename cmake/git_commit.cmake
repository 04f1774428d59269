# Writes OUTPUT, a source that defines swinzoo::eval::kGitCommit: SOURCE_DIR's commit, with -dirty where tracked files
# were changed, or "unknown" where SOURCE_DIR is not the top of a git work tree or git is missing. OUTPUT is left alone
# if it says so already, so that nothing is compiled again.
set(commit unknown)
find_program(GIT git)
if(GIT)
  execute_process(COMMAND ${GIT} rev-parse --show-toplevel WORKING_DIRECTORY ${SOURCE_DIR}
                  OUTPUT_VARIABLE top OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  file(REAL_PATH ${SOURCE_DIR} source)
  # An unpacked archive may lie inside some other project's work tree.
  if(top STREQUAL source)
    execute_process(COMMAND ${GIT} describe --always --dirty --abbrev=40 --exclude=* WORKING_DIRECTORY ${SOURCE_DIR}
                    RESULT_VARIABLE failed OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(NOT failed)
      set(commit ${described})
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[
namespace swinzoo::eval {
extern const char* const kGitCommit;
const char* const kGitCommit = "@commit@";
}  // namespace swinzoo::eval
]])
