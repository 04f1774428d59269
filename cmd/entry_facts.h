// What `list`, `info` and `inspect` say of an entry beyond its row.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "zoo/spec.h"

namespace swinzoo::cmd {

// Of a file whose final norm only normalises.
inline constexpr std::string_view kIdentityNorm =
    "norm is the identity (weight 1, bias 0): kept as the file holds it. The _fe exports of sayakpaul/swin/1 "
    "are so, by a slip of their convert script";

struct ListCounts {
  int64_t params = 0;
  int64_t macs = 0;  // of one image or clip
};

// Counted over the entry's plan.
ListCounts counts_of(const zoo::ModelSpec& spec);

// Whether the entry's checkpoint is in the cache.
bool is_fetched(const zoo::ModelSpec& spec);

// The figure that stands for the entry in a table: the first of its row with a top-1. Null where there is
// none.
const zoo::PublishedAccuracy* headline_of(const zoo::ModelSpec& spec);

// "224x224", or "32x224x224": frames, height and width.
std::string input_of(const zoo::Dimensions& dimensions);

}  // namespace swinzoo::cmd
