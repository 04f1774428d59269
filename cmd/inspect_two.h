// inspect A B: whether two checkpoints hold the same weights.
#pragma once

#include <string>

#include "zoo/catalog.h"
#include "zoo/spec_from_tensors.h"

namespace swinzoo::cmd {

// Prints how two models' weights differ, in the canonical layout. Where the files of one don't tell its
// architecture (of a bare checkpoint, the image size), it is taken to be the other's; the hints settle what
// neither tells. Returns 0 where the weights are the same, as they are or after rounding; throws kFailed,
// saying so, where they are not. Throws as zoo::open_model.
int inspect_two(const std::string& a, const std::string& b, const zoo::Catalog& catalog,
                const zoo::SpecHints& hints, bool json);

}  // namespace swinzoo::cmd
