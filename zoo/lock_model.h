// Making an entry of the lock file from a model that was fetched.
#pragma once

#include <string>
#include <vector>

#include "zoo/hub.h"
#include "zoo/lock_file.h"
#include "zoo/source.h"

namespace swinzoo::zoo {

// `fetched` came of one of `sources`. Its files are read once more for the digests of their blocks. Throws
// kUsage for a path of the user's own; kUnsupported where only what was unpacked is there and not the file
// that was downloaded (tensorflow_hub's cache); kCorrupt if a file has changed since.
LockedEntry lock_model(const std::string& name, const std::string& license,
                       const std::vector<Source>& sources, const Fetched& fetched);

}  // namespace swinzoo::zoo
