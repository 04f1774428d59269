// What a call throws, as a value to compare.
#pragma once

#include <optional>

#include "formats/error.h"

namespace swinzoo {

// The code of the Error that `call` throws, or nothing if it throws none.
template <typename Call>
std::optional<ErrorCode> code_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return std::nullopt;
}

}  // namespace swinzoo
