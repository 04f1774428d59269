#include "eval/input_tensor.h"

#include <random>

#include "formats/checkpoint.h"
#include "formats/error.h"
#include "formats/npy.h"

namespace swinzoo::eval {

namespace {

size_t index_of_x(const Checkpoint& file, const std::filesystem::path& path) {
  const int64_t index = file.find("x");
  if (index < 0) fail(ErrorCode::kNotFound, "{}: has no tensor 'x'", path.string());
  return static_cast<size_t>(index);
}

}  // namespace

Shape input_tensor_shape(const std::filesystem::path& path) {
  if (path.extension() == ".npy") return read_npy(path).shape();
  const std::unique_ptr<Checkpoint> file = open_checkpoint(path);
  return file->tensors()[index_of_x(*file, path)].shape;
}

Tensor read_input_tensor(const std::filesystem::path& path) {
  if (path.extension() == ".npy") return read_npy(path);
  const std::unique_ptr<Checkpoint> file = open_checkpoint(path);
  const size_t index = index_of_x(*file, path);
  Tensor scratch;
  try {
    return to_f32(file->read(index, scratch));
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", path.string(), error.what());
  }
}

Tensor seeded_input(const Shape& shape, uint32_t seed) {
  Tensor x(DType::kF32, shape);
  std::mt19937 random(seed);
  for (float& value : x.as<float>()) value = static_cast<float>(random() >> 8) * 0x1p-22f - 2.0f;
  return x;
}

}  // namespace swinzoo::eval
