#include "tests/made_model.h"

#include <algorithm>
#include <bit>
#include <random>

#include "formats/atomic_file.h"
#include "formats/safetensors.h"
#include "zoo/architecture.h"
#include "zoo/catalog.h"
#include "zoo/config_json.h"

namespace swinzoo {
namespace {

uint16_t to_bf16(float value) { return static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16); }

// Of zero and of normal numbers that need no rounding.
uint16_t to_f16(float value) {
  if (value == 0.0f) return 0;
  const auto bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>(((bits >> 16) & 0x8000u) | ((((bits >> 23) & 0xffu) - 112) << 10) |
                               ((bits >> 13) & 0x3ffu));
}

}  // namespace

json::object made_config(const MadeModel& model) {
  return {
      {"architecture", "swin_tiny_patch4_window7_224"},
      {"num_classes", model.num_classes},
      {"model_args", json::object{{"img_size", model.image_size},
                                  {"in_chans", model.in_chans},
                                  {"embed_dim", 8},
                                  {"depths", {2, 1, 1, 1}},
                                  {"num_heads", {1, 2, 2, 4}},
                                  {"window_size", 4}}},
      {"pretrained_cfg", json::object{{"input_size", {model.in_chans, model.image_size, model.image_size}},
                                      {"crop_pct", 0.9},
                                      {"interpolation", "bicubic"}}}};
}

zoo::ModelSpec made_spec(const MadeModel& model) {
  zoo::ModelSpec spec =
      zoo::spec_from_config(made_config(model), "made config", zoo::Catalog::built_in(), nullptr);
  spec.id = "made";
  return spec;
}

std::vector<MadeTensor> made_tensors(const MadeModel& model) {
  std::minstd_rand random(model.seed);
  std::vector<MadeTensor> tensors;
  for (const backends::Weight& weight : zoo::build_plan(made_spec(model)).weights) {
    std::vector<float> values(static_cast<size_t>(element_count(weight.shape)));
    for (float& value : values) value = static_cast<float>(static_cast<int>(random() % 63) - 31) / 64.0f;
    tensors.push_back({weight.name, weight.shape, std::move(values)});
  }
  return tensors;
}

Tensor encoded(const MadeTensor& tensor, DType dtype) {
  Tensor result(dtype, tensor.shape);
  if (dtype == DType::kF32) {
    std::ranges::copy(tensor.values, result.as<float>().begin());
    return result;
  }
  if (dtype == DType::kF64) {
    std::ranges::copy(tensor.values, result.as<double>().begin());
    return result;
  }
  auto* bits = reinterpret_cast<uint16_t*>(result.bytes().data());
  for (const float value : tensor.values) *bits++ = dtype == DType::kF16 ? to_f16(value) : to_bf16(value);
  return result;
}

void write_checkpoint(const std::filesystem::path& path, const std::vector<MadeTensor>& tensors,
                      DType dtype) {
  std::vector<TensorInfo> infos;
  for (const MadeTensor& tensor : tensors) infos.push_back({tensor.name, dtype, tensor.shape});
  SafetensorsWriter writer(path, infos, {{"format", "pt"}});
  for (const MadeTensor& tensor : tensors) writer.write(encoded(tensor, dtype).view());
  writer.commit();
}

void write_model(const std::filesystem::path& folder, const MadeModel& model) {
  write_file(folder / "config.json", to_pretty_json(made_config(model)));
  write_checkpoint(folder / "model.safetensors", made_tensors(model));
}

}  // namespace swinzoo
