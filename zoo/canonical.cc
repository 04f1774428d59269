#include "zoo/canonical.h"

#include <algorithm>
#include <bit>
#include <boost/json/serialize.hpp>

#include "formats/error.h"
#include "formats/json.h"
#include "formats/safetensors.h"
#include "formats/sha256.h"
#include "zoo/spec_json.h"
#include "zoo/weights.h"

namespace swinzoo::zoo {
namespace {

constexpr const char* kSpecKey = "swinzoo.spec";
constexpr const char* kDigestsKey = "swinzoo.sha256";
constexpr const char* kStoredDigestsKey = "swinzoo.stored_sha256";

std::string digests_text(const backends::Plan& plan, const Digests& digests) {
  json::object object;
  for (const backends::Weight& weight : plan.weights) {
    const auto found = digests.find(weight.name);
    object[weight.name] = found == digests.end() ? std::string(64, '0') : found->second;
  }
  return json::serialize(object);
}

Digests read_digests(const Checkpoint& checkpoint, const char* key, const std::string& where) {
  Digests digests;
  const auto found = checkpoint.metadata().find(key);
  if (found == checkpoint.metadata().end()) return digests;
  const std::string name = where + ": " + key;
  const json::value value = parse_json(found->second, name);
  for (const auto& member : as_object(value, name)) digests[member.key()] = as_string(member.value(), name);
  return digests;
}

// By integers, so that the compiler looks at several at once.
bool all_finite(std::span<const float> values) {
  int32_t largest = 0;
  for (const float value : values) largest = std::max(largest, std::bit_cast<int32_t>(value) & 0x7fffffff);
  return largest < 0x7f800000;
}

}  // namespace

CanonicalFile::CanonicalFile(const std::filesystem::path& path, const ModelSpec& spec,
                             const backends::Plan& plan, const Checkpoint& checkpoint, DType dtype) {
  const WeightMatch match = match_weights(plan, spec.dimensions.family, checkpoint);
  require_fit(match, "checkpoint of " + spec.id);
  std::vector<TensorInfo> tensors;
  for (const backends::Weight& weight : plan.weights) tensors.push_back({weight.name, dtype, weight.shape});
  std::map<std::string, std::string> metadata = {
      {"format", "pt"}, {kSpecKey, json::serialize(to_json(spec))}, {kDigestsKey, digests_text(plan, {})}};
  if (dtype != DType::kF32) metadata[kStoredDigestsKey] = digests_text(plan, {});
  writer_.emplace(path, tensors, std::move(metadata));

  Digests stored_digests;
  for (size_t i = 0; i < plan.weights.size(); ++i) {
    const std::string& name = plan.weights[i].name;
    Sha256 source, stored, digest;
    bool overflowed = false, finite = true;
    read_weight_in_pieces(plan, i, checkpoint, match, [&](std::span<const float> piece) {
      finite &= all_finite(piece);
      source.update(std::as_bytes(piece));
      if (dtype == DType::kF32) return writer_->write_piece(std::as_bytes(piece));
      const Rounded rounded =
          rounded_to(dtype, {DType::kF32, {static_cast<int64_t>(piece.size())}, std::as_bytes(piece)});
      overflowed |= rounded.overflowed;
      stored.update(rounded.tensor.bytes());
      digest.update(to_f32(rounded.tensor.view()).bytes());
      writer_->write_piece(rounded.tensor.bytes());
    });
    source_digests_[name] = source.hex();
    if (overflowed) overflowed_.push_back(name);
    if (!finite) not_finite_.push_back(name);
    if (dtype != DType::kF32) {
      stored_digests[name] = stored.hex();
      digests_[name] = digest.hex();
    }
    for (const int64_t part : match.tensors[i]) checkpoint.release(static_cast<size_t>(part));
  }
  writer_->replace_metadata(kDigestsKey, digests_text(plan, source_digests_));
  if (dtype == DType::kF32) {
    digests_ = source_digests_;
  } else {
    writer_->replace_metadata(kStoredDigestsKey, digests_text(plan, stored_digests));
  }
}

void write_canonical(const std::filesystem::path& path, const ModelSpec& spec, const backends::Plan& plan,
                     const Checkpoint& checkpoint) {
  CanonicalFile(path, spec, plan, checkpoint).commit();
}

std::optional<ModelSpec> canonical_spec(const Checkpoint& checkpoint, const std::string& where) {
  const auto found = checkpoint.metadata().find(kSpecKey);
  if (found == checkpoint.metadata().end()) return std::nullopt;
  const std::string name = where + ": " + kSpecKey;
  return spec_from_json(parse_json(found->second, name), name);
}

Digests canonical_digests(const Checkpoint& checkpoint, const std::string& where) {
  return read_digests(checkpoint, kDigestsKey, where);
}

Digests stored_digests(const Checkpoint& checkpoint, const std::string& where) {
  const bool is_rounded = checkpoint.metadata().contains(kStoredDigestsKey);
  return read_digests(checkpoint, is_rounded ? kStoredDigestsKey : kDigestsKey, where);
}

void drop_digests(std::map<std::string, std::string>& metadata) {
  metadata.erase(kDigestsKey);
  metadata.erase(kStoredDigestsKey);
}

std::string weights_digest(const Digests& digests) {
  Sha256 digest;
  for (const auto& [name, hex] : digests) {
    const std::string line = name + ' ' + hex + '\n';
    digest.update(std::as_bytes(std::span(line)));
  }
  return digest.hex();
}

}  // namespace swinzoo::zoo
