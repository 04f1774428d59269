// Small Swin models made at test time: weights from a seed, in timm's form (config.json beside
// model.safetensors).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "backends/plan.h"
#include "formats/json.h"
#include "formats/tensor.h"
#include "zoo/spec.h"

namespace swinzoo {

struct MadeModel {
  int64_t num_classes = 5;
  int64_t image_size = 32;
  int64_t in_chans = 3;
  unsigned seed = 1;
};

// config.json, as timm writes it.
json::object made_config(const MadeModel& model);

zoo::ModelSpec made_spec(const MadeModel& model);

struct MadeTensor {
  std::string name;
  Shape shape;
  std::vector<float> values;  // multiples of 1/64 below 1, so that F16 and BF16 hold them exactly
};

std::vector<MadeTensor> made_tensors(const MadeModel& model);

// The values in F64, F32, F16 or BF16. REQUIRES: they are as MadeTensor says.
Tensor encoded(const MadeTensor& tensor, DType dtype);

void write_checkpoint(const std::filesystem::path& path, const std::vector<MadeTensor>& tensors,
                      DType dtype = DType::kF32);

// Writes folder/config.json and folder/model.safetensors.
void write_model(const std::filesystem::path& folder, const MadeModel& model = {});

}  // namespace swinzoo
