#include "zoo/check_digests.h"

#include <algorithm>
#include <array>
#include <set>

#include "formats/sha256.h"
#include "zoo/canonical.h"

namespace swinzoo::zoo {
namespace {

// Tensors that are no weights are read for their checksums alone.
void read_others(const MatchedModel& model) {
  const Checkpoint& checkpoint = *model.opened.checkpoint;
  const std::set<std::string_view> buffers(model.match.buffers.begin(), model.match.buffers.end());
  for (size_t i = 0; i < checkpoint.tensors().size(); ++i) {
    if (!buffers.contains(checkpoint.tensors()[i].name)) continue;
    Tensor scratch;
    checkpoint.read(i, scratch);
    checkpoint.release(i);
  }
}

}  // namespace

DigestCheck check_digests(const MatchedModel& model) {
  const Checkpoint& checkpoint = *model.opened.checkpoint;
  const Digests carried = stored_digests(checkpoint, model.opened.origin);
  Digests found;
  DigestCheck check;
  check.tensors = static_cast<int64_t>(checkpoint.tensors().size());
  check.carried = static_cast<int64_t>(carried.size());
  for (size_t i = 0; i < model.plan.weights.size(); ++i) {
    const std::string& name = model.plan.weights[i].name;
    Tensor scratch;
    found[name] = sha256_hex(model.read(i, scratch).bytes);
    if (!carried.empty()) {  // a canonical file: a weight is one tensor
      const auto said = carried.find(name);
      const auto tensor = static_cast<size_t>(model.match.tensors[i].front());
      const std::string stored = sha256_hex(checkpoint.read(tensor, scratch).bytes);
      if (said == carried.end() || said->second != stored) {
        check.mismatches.push_back({name, said == carried.end() ? "" : said->second, stored});
      }
    }
    model.release(i);
  }
  read_others(model);
  check.weights_digest = weights_digest(found);
  return check;
}

std::string_view checksums_of(std::string_view format) {
  using Row = std::pair<std::string_view, std::string_view>;
  static constexpr std::array<Row, 5> kChecksums = {{
      {"saved_model", "the CRC-32C of each tensor and of the index"},
      {"tensor_bundle", "the CRC-32C of each tensor and of the index"},
      {"pytorch", "the CRC-32 of each member of the zip archive (files of the legacy layout have none)"},
      {"npz", "the CRC-32 of each member of the zip archive"},
      {"keras", "the CRC-32 of each member of the zip archive"},
  }};
  const auto row = std::ranges::find(kChecksums, format, &Row::first);
  return row == kChecksums.end() ? std::string_view() : row->second;
}

}  // namespace swinzoo::zoo
