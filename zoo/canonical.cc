#include "zoo/canonical.h"

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

std::string digests_text(const backends::Plan& plan, const std::map<std::string, std::string>& digests) {
  json::object object;
  for (const backends::Weight& weight : plan.weights) {
    const auto found = digests.find(weight.name);
    object[weight.name] = found == digests.end() ? std::string(64, '0') : found->second;
  }
  return json::serialize(object);
}

}  // namespace

void write_canonical(const std::filesystem::path& path, const ModelSpec& spec, const backends::Plan& plan,
                     const Checkpoint& checkpoint) {
  const WeightMatch match = match_weights(plan, checkpoint);
  require_fit(match, "checkpoint of " + spec.id);
  std::vector<TensorInfo> tensors;
  for (const backends::Weight& weight : plan.weights) tensors.push_back({weight.name, DType::kF32, weight.shape});
  SafetensorsWriter writer(path, tensors,
                           {{"format", "pt"},
                            {kSpecKey, json::serialize(to_json(spec))},
                            {kDigestsKey, digests_text(plan, {})}});
  std::map<std::string, std::string> digests;
  for (size_t i = 0; i < plan.weights.size(); ++i) {
    Tensor scratch;
    const auto index = static_cast<size_t>(match.tensors[i]);
    const TensorView view = read_f32(checkpoint, index, scratch);
    digests[plan.weights[i].name] = sha256_hex(view.bytes);
    writer.write(view);
    checkpoint.release(index);
  }
  writer.replace_metadata(kDigestsKey, digests_text(plan, digests));
  writer.commit();
}

std::optional<ModelSpec> canonical_spec(const Checkpoint& checkpoint, const std::string& where) {
  const auto found = checkpoint.metadata().find(kSpecKey);
  if (found == checkpoint.metadata().end()) return std::nullopt;
  const std::string name = where + ": " + kSpecKey;
  return spec_from_json(parse_json(found->second, name), name);
}

std::map<std::string, std::string> canonical_digests(const Checkpoint& checkpoint, const std::string& where) {
  std::map<std::string, std::string> digests;
  const auto found = checkpoint.metadata().find(kDigestsKey);
  if (found == checkpoint.metadata().end()) return digests;
  const std::string name = where + ": " + kDigestsKey;
  const json::value value = parse_json(found->second, name);
  for (const auto& member : as_object(value, name)) digests[member.key()] = as_string(member.value(), name);
  return digests;
}

std::string weights_digest(const std::map<std::string, std::string>& digests) {
  Sha256 digest;
  for (const auto& [name, hex] : digests) {
    const std::string line = name + ' ' + hex + '\n';
    digest.update(std::as_bytes(std::span(line)));
  }
  return digest.hex();
}

}  // namespace swinzoo::zoo
