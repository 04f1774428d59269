#include "formats/checkpoint.h"

#include <algorithm>

#include "formats/error.h"
#include "formats/mapped_file.h"
#include "formats/safetensors.h"

namespace swinzoo {

int64_t Checkpoint::find(std::string_view name) const {
  const auto& all = tensors();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const TensorInfo& t) { return t.name == name; });
  return found == all.end() ? -1 : found - all.begin();
}

std::unique_ptr<Checkpoint> open_checkpoint(const std::filesystem::path& path) {
  auto file = std::make_unique<MappedFile>(path);
  if (looks_like_safetensors(*file) || path.extension() == ".safetensors")
    return open_safetensors(std::move(file));
  fail(ErrorCode::kUnsupported, "{}: is no safetensors file, and no other checkpoint format is built yet",
       path.string());
}

}  // namespace swinzoo
