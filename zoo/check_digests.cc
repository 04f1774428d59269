#include "zoo/check_digests.h"

#include <algorithm>
#include <array>
#include <map>

#include "formats/json.h"
#include "formats/sha256.h"
#include "zoo/canonical.h"

namespace swinzoo::zoo {
namespace {

using Digests = std::map<std::string, std::string>;

Digests stored_digests(const Checkpoint& checkpoint, const std::string& where) {
  Digests digests;
  const auto found = checkpoint.metadata().find("swinzoo.stored_sha256");
  if (found == checkpoint.metadata().end()) return digests;
  const std::string name = where + ": swinzoo.stored_sha256";
  const json::value value = parse_json(found->second, name);
  for (const auto& member : as_object(value, name)) digests[member.key()] = as_string(member.value(), name);
  return digests;
}

// Tensors that are no weights are read for their checksums alone.
void read_others(const MatchedModel& model) {
  const Checkpoint& checkpoint = *model.opened.checkpoint;
  for (const std::string& name : model.match.buffers) {
    Tensor scratch;
    const auto index = static_cast<size_t>(checkpoint.find(name));
    checkpoint.read(index, scratch);
    checkpoint.release(index);
  }
}

}  // namespace

DigestCheck check_digests(const MatchedModel& model) {
  const Checkpoint& checkpoint = *model.opened.checkpoint;
  const Digests carried = canonical_digests(checkpoint, model.opened.origin);
  const Digests stored = stored_digests(checkpoint, model.opened.origin);
  Digests found;
  DigestCheck check;
  check.tensors = static_cast<int64_t>(checkpoint.tensors().size());
  check.carried = static_cast<int64_t>(carried.size());
  for (size_t i = 0; i < model.plan.weights.size(); ++i) {
    const std::string& name = model.plan.weights[i].name;
    Tensor scratch;
    std::string digest = found[name] = sha256_hex(model.read(i, scratch).bytes);
    const auto of_stored = stored.find(name), of_values = carried.find(name);
    if (of_stored != stored.end()) {
      const auto part = static_cast<size_t>(model.match.tensors[i].front());
      digest = sha256_hex(checkpoint.read(part, scratch).bytes);
      if (digest != of_stored->second) check.mismatches.push_back({name, of_stored->second, digest});
    } else if (!carried.empty() && (of_values == carried.end() || of_values->second != digest)) {
      check.mismatches.push_back({name, of_values == carried.end() ? "" : of_values->second, digest});
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
