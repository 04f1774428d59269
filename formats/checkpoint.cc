#include "formats/checkpoint.h"

#include <algorithm>
#include <array>

#include "formats/error.h"
#include "formats/hdf5.h"
#include "formats/mapped_file.h"
#include "formats/npz.h"
#include "formats/pytorch.h"
#include "formats/safetensors.h"
#include "formats/saved_model.h"
#include "formats/sharded.h"
#include "formats/tensor_bundle.h"

namespace swinzoo {
namespace {

// A format: whether a file is of it, how it is opened, and the endings that its files have. The first that
// matches is taken.
struct Format {
  bool (*matches)(const MappedFile& file);
  std::unique_ptr<Checkpoint> (*open)(std::unique_ptr<MappedFile> file);
  std::array<std::string_view, 3> extensions;
};

constexpr std::array<Format, 7> kFormats = {{
    {&looks_like_safetensors, &open_safetensors, {".safetensors"}},
    {&looks_like_pytorch, &open_pytorch, {".pth", ".pt", ".bin"}},
    {&looks_like_npz, &open_npz, {".npz"}},
    {&looks_like_hdf5, &open_hdf5, {".h5", ".hdf5"}},
    {&looks_like_keras, &open_keras, {".keras"}},
    {&looks_like_tensor_bundle, &open_tensor_bundle, {".index"}},
    {&looks_like_saved_model_archive, &open_saved_model_archive, {}},
}};

std::unique_ptr<Checkpoint> open_file(std::unique_ptr<MappedFile> file) {
  for (const Format& format : kFormats) {
    if (format.matches(*file)) return format.open(std::move(file));
  }
  // A damaged file may look like nothing; its name tells what it should have been.
  const std::string extension = file->path().extension();
  for (const Format& format : kFormats) {
    const auto& known = format.extensions;
    if (!extension.empty() && std::find(known.begin(), known.end(), extension) != known.end()) {
      return format.open(std::move(file));
    }
  }
  fail(ErrorCode::kUnsupported, "{}: is no checkpoint of a known format", file->path().string());
}

}  // namespace

int64_t Checkpoint::find(std::string_view name) const {
  const auto& all = tensors();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const TensorInfo& t) { return t.name == name; });
  return found == all.end() ? -1 : found - all.begin();
}

std::unique_ptr<Checkpoint> open_checkpoint(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return open_saved_model(path);
  auto file = std::make_unique<MappedFile>(path);
  return looks_like_shard_index(*file) ? open_sharded(path, &open_file) : open_file(std::move(file));
}

}  // namespace swinzoo
