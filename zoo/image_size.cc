#include "zoo/image_size.h"

#include <algorithm>

#include "formats/error.h"
#include "zoo/architecture.h"
#include "zoo/bias_table.h"
#include "zoo/canonical.h"
#include "zoo/spec_check.h"
#include "zoo/weights.h"

namespace swinzoo::zoo {
namespace {

// A checkpoint some of whose tables are resized. Immutable.
class ResizedTables : public Checkpoint {
 public:
  // rows: for each tensor, the rows that its table is to have; 0 where it stays.
  ResizedTables(std::unique_ptr<Checkpoint> file, std::vector<int64_t> rows)
      : file_(std::move(file)),
        rows_(std::move(rows)),
        tensors_(file_->tensors()),
        metadata_(file_->metadata()) {
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (rows_[i] > 0) tensors_[i].shape[0] = rows_[i];
    }
    drop_digests(metadata_);
  }

  std::string_view format() const override { return file_->format(); }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }
  void release(size_t index) const override { file_->release(index); }

  TensorView read(size_t index, Tensor& scratch) const override {
    if (rows_[index] == 0) return file_->read(index, scratch);
    Tensor held;
    const Tensor table = to_f32(file_->read(index, held));
    scratch = resized_bias_table(table.view(), window_of_table(rows_[index]).value());
    return scratch.view();
  }

 private:
  std::unique_ptr<Checkpoint> file_;
  std::vector<int64_t> rows_;
  std::vector<TensorInfo> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace

void set_input_size(ModelSpec& spec, int64_t image_size, int64_t frames) {
  Dimensions& d = spec.dimensions;
  if (frames > 0 && d.frames == 0)
    fail(ErrorCode::kUsage, "--frames {}: {} takes images, not clips", frames, spec.id);
  if (frames > 0) d.frames = frames;
  if (image_size != d.image_size) d.image_width = 0;
  d.image_size = image_size;
  if (d.family == "swinv2_cr") {
    // timm's SwinTransformerV2Cr: window_ratio = 8, where no window size is given.
    std::ranges::fill(d.window_size, std::max<int64_t>(image_size / d.patch_size / 8, 1));
  }
  try {
    check_dimensions(d, spec.id);
  } catch (const Error& error) {
    fail(ErrorCode::kUsage, "an input of {} px can't be run: {}", image_size, error.what());
  }
}

std::unique_ptr<Checkpoint> with_resized_tables(std::unique_ptr<Checkpoint> checkpoint,
                                                const ModelSpec& spec) {
  if (spec.dimensions.family != "swin") return checkpoint;  // the others have networks, or keep their tables
  const backends::Plan plan = build_plan(spec);
  const WeightMatch match = match_weights(plan, spec.dimensions.family, *checkpoint);
  if (match.misshaped.empty()) return checkpoint;
  std::vector<int64_t> rows(checkpoint->tensors().size(), 0);
  for (size_t i = 0; i < plan.weights.size(); ++i) {
    const backends::Weight& weight = plan.weights[i];
    if (!weight.name.ends_with("relative_position_bias_table") || match.tensors[i].size() != 1) continue;
    const auto tensor = static_cast<size_t>(match.tensors[i].front());
    const Shape& shape = checkpoint->tensors()[tensor].shape;
    if (shape.size() != 2 || shape == weight.shape || shape[1] != weight.shape[1] ||
        !window_of_table(shape[0]))
      continue;
    rows[tensor] = weight.shape[0];
  }
  return std::make_unique<ResizedTables>(std::move(checkpoint), std::move(rows));
}

}  // namespace swinzoo::zoo
