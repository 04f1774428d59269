#include "cmd/output_file.h"

#include <cassert>

namespace swinzoo::cmd {
namespace {

std::vector<TensorInfo> infos(const backends::Plan& plan, const std::vector<size_t>& outputs, int64_t rows) {
  std::vector<TensorInfo> tensors;
  for (const size_t output : outputs) {
    tensors.push_back(
        {plan.outputs[output].name, DType::kF32, plan.output_shape(plan.outputs[output], rows)});
  }
  return tensors;
}

}  // namespace

OutputFile::OutputFile(const std::filesystem::path& path, const backends::Plan& plan,
                       std::vector<size_t> outputs, int64_t rows, const std::string& model)
    : outputs_(std::move(outputs)),
      rows_(rows),
      writer_(path, infos(plan, outputs_, rows), {{"model", model}}) {
  for (const std::span<std::byte> bytes : writer_.map_tensors()) {
    data_.emplace_back(reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float));
  }
}

std::vector<backends::OutputBinding> OutputFile::next(int64_t rows) {
  assert(next_ + rows <= rows_);
  std::vector<backends::OutputBinding> bindings;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const size_t a_row = data_[i].size() / static_cast<size_t>(rows_);
    bindings.push_back({outputs_[i], data_[i].subspan(static_cast<size_t>(next_) * a_row,
                                                      static_cast<size_t>(rows) * a_row)});
  }
  next_ += rows;
  return bindings;
}

}  // namespace swinzoo::cmd
