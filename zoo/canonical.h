// The common format: one .safetensors file an entry, with timm's names and layout, and the spec as JSON in
// its metadata (docs/common-format.md).
//
// Metadata: "format": "pt" (what timm and transformers expect); "swinzoo.spec": the spec; "swinzoo.sha256":
// {NAME: SHA-256 of the tensor's float32 bytes}, so that the same weights are seen to be the same whatever
// file they came from; "swinzoo.stored_sha256", in files of another dtype than float32: {NAME: SHA-256 of the
// bytes in the file}, where the former are of the bytes before rounding.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "backends/plan.h"
#include "formats/checkpoint.h"
#include "formats/safetensors.h"
#include "zoo/spec.h"

namespace swinzoo::zoo {

using Digests = std::map<std::string, std::string>;  // 64 hex digits by tensor

// A canonical file that was written but is not in place yet. Nothing appears at `path` but by commit().
class CanonicalFile {
 public:
  // Writes a checkpoint that fits its plan, tensor by tensor, with one in memory at a time. Throws kCorrupt
  // if the checkpoint does not fit, kUnsupported if it holds weights as integers. REQUIRES: dtype is F32, F16
  // or BF16.
  CanonicalFile(const std::filesystem::path& path, const ModelSpec& spec, const backends::Plan& plan,
                const Checkpoint& checkpoint, DType dtype = DType::kF32);

  // Where it stands until commit().
  const std::filesystem::path& temporary() { return writer_->finish(); }

  // Of the float32 bytes that went in, and of those that the stored ones stand for: what a model that is
  // loaded from the file reports. Equal unless the dtype rounds.
  const Digests& source_digests() const { return source_digests_; }
  const Digests& digests() const { return digests_; }

  // Tensors in which rounding made finite elements infinite.
  const std::vector<std::string>& overflowed() const { return overflowed_; }

  // Tensors that hold NaN or infinity, which are kept.
  const std::vector<std::string>& not_finite() const { return not_finite_; }

  void commit() { writer_->commit(); }

 private:
  std::optional<SafetensorsWriter> writer_;
  Digests source_digests_, digests_;
  std::vector<std::string> overflowed_, not_finite_;
};

// Writes the canonical file of a checkpoint and puts it in place. Throws as CanonicalFile.
void write_canonical(const std::filesystem::path& path, const ModelSpec& spec, const backends::Plan& plan,
                     const Checkpoint& checkpoint);

// The spec that a canonical file carries, or nothing if the checkpoint is no such file. Throws kCorrupt if it
// is damaged.
std::optional<ModelSpec> canonical_spec(const Checkpoint& checkpoint, const std::string& where);

// The digests that a canonical file carries, by tensor; empty if it is no such file: of the float32 bytes
// before rounding, and of the bytes that the file holds.
Digests canonical_digests(const Checkpoint& checkpoint, const std::string& where);
Digests stored_digests(const Checkpoint& checkpoint, const std::string& where);

// Takes the digests out of a file's metadata, for weights that are not the file's any more.
void drop_digests(std::map<std::string, std::string>& metadata);

// The digest of a model's weights: SHA-256 over the lines "NAME DIGEST\n" of its tensors, sorted by name.
std::string weights_digest(const Digests& digests);

}  // namespace swinzoo::zoo
