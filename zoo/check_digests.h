// Whether a checkpoint's tensors are what it says that they are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "zoo/matched_model.h"

namespace swinzoo::zoo {

struct DigestMismatch {
  std::string weight;
  std::string carried;  // what the file says; empty where it says nothing of this one but of others
  std::string found;
};

struct DigestCheck {
  std::string weights_digest;  // of the float32 values that were read; see weights_digest()
  int64_t tensors = 0;         // of the file, all read
  int64_t carried = 0;         // digests that the file carries
  std::vector<DigestMismatch> mismatches;
};

// Reads every tensor, buffers too, and compares the digests of the weights' bytes with those that a canonical
// file carries (stored_digests in canonical.h). Throws what reading throws, kCorrupt for a wrong checksum.
// Holds a tensor at a time. REQUIRES: model.match.fits().
DigestCheck check_digests(const MatchedModel& model);

// What reading a file of a format (Checkpoint::format) checks beside its structure; empty for nothing.
std::string_view checksums_of(std::string_view format);

}  // namespace swinzoo::zoo
