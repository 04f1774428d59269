// The common format: one .safetensors file an entry, with timm's names, layout and float32, and the spec as
// JSON in its metadata (docs/common-format.md).
//
// Metadata: "format": "pt" (what timm and transformers expect); "swinzoo.spec": the spec; "swinzoo.sha256":
// {NAME: SHA-256 of the tensor's float32 bytes}, so that the same weights are seen to be the same whatever
// file they came from.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "backends/plan.h"
#include "formats/checkpoint.h"
#include "zoo/spec.h"

namespace swinzoo::zoo {

// Writes the canonical file of a checkpoint that fits its plan, tensor by tensor. Nothing appears at `path`
// if it fails. Throws kCorrupt if the checkpoint does not fit, kUnsupported if it holds weights as integers.
void write_canonical(const std::filesystem::path& path, const ModelSpec& spec, const backends::Plan& plan,
                     const Checkpoint& checkpoint);

// The spec that a canonical file carries, or nothing if the checkpoint is no such file. Throws kCorrupt if it
// is damaged.
std::optional<ModelSpec> canonical_spec(const Checkpoint& checkpoint, const std::string& where);

// The digests that a canonical file carries, by tensor; empty if it is no such file.
std::map<std::string, std::string> canonical_digests(const Checkpoint& checkpoint, const std::string& where);

// The digest of a model's weights: SHA-256 over the lines "NAME DIGEST\n" of its tensors, sorted by name.
std::string weights_digest(const std::map<std::string, std::string>& digests);

}  // namespace swinzoo::zoo
