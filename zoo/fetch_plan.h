// What fetching a model would do: which files, how big, from where, and which are there already.
#pragma once

#include <vector>

#include "zoo/hub.h"
#include "zoo/source.h"

namespace swinzoo::zoo {

// Of the first source that is in a cache, else of the first that answers. No server is asked for a byte of a
// file. Throws as fetch_model() (fetch.h).
FetchPlan plan_fetch(const std::vector<Source>& sources, const FetchOptions& options);

}  // namespace swinzoo::zoo
