// Whether this CPU runs a precision: tests assert what happens where it does, and that it is refused where
// not.
#pragma once

#include "backends/backend.h"
#include "formats/error.h"
#include "tests/made_model.h"
#include "zoo/architecture.h"
#include "zoo/random_weights.h"

namespace swinzoo {

inline bool has_precision(backends::Precision precision) {
  const backends::Plan plan = zoo::build_plan(made_spec({}));
  const zoo::RandomWeights weights(plan, 1);
  try {
    backends::find_backend("cpu").load(plan, weights.views(), {.precision = precision});
    return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kUnsupported) throw;
    return false;
  }
}

}  // namespace swinzoo
