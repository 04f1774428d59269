// Checkpoint: named tensors in a file, whatever its format.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/tensor.h"

namespace swinzoo {

struct TensorInfo {
  std::string name;
  DType dtype;
  Shape shape;
};

// Immutable after it was opened, so safe to share between threads.
class Checkpoint {
 public:
  virtual ~Checkpoint() = default;

  // "safetensors", ...
  virtual std::string_view format() const = 0;

  // All tensors, in the file's own order. Names are unique.
  virtual const std::vector<TensorInfo>& tensors() const = 0;

  // The bytes of tensors()[index]: straight from the map where the file allows it (then they live as long as
  // the checkpoint), else in `scratch`, which is replaced.
  virtual TensorView read(size_t index, Tensor& scratch) const = 0;

  // Lets the system take back the memory that a tensor's pages hold; it can be read again.
  virtual void release(size_t /*index*/) const {}

  // Text beside the tensors (safetensors' __metadata__, a SavedModel's signature).
  virtual const std::map<std::string, std::string>& metadata() const = 0;

  // The index of a tensor, or -1.
  int64_t find(std::string_view name) const;
};

// Opens a checkpoint of any known format, told by its content: a file, the index of several (sharded.h), or a
// SavedModel's folder. Throws
// kNotFound if there is no such file, kUnsupported if the format is not known, kCorrupt if it is damaged.
std::unique_ptr<Checkpoint> open_checkpoint(const std::filesystem::path& path);

}  // namespace swinzoo
