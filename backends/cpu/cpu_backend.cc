#include "backends/cpu/cpu_backend.h"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "backends/cpu/kernels.h"
#include "backends/cpu/workspace.h"
#include "backends/threads.h"
#include "formats/error.h"

namespace swinzoo::backends {
namespace {

// A product is cut into tiles of this many rows and columns, whatever the number of threads, so that results
// do not depend on it. Large enough that Eigen's packing is paid back, small enough that a tile of
// swin_tiny's last stage (49 rows, 768 columns) still feeds several cores.
constexpr int64_t kTileRows = 392;
constexpr int64_t kTileColumns = 192;

// What an attention step needs besides its weights, made once at load.
struct AttentionTables {
  std::vector<int32_t> rows;               // window_rows
  std::vector<int32_t> regions;            // shift_regions; empty where nothing is shifted
  std::vector<float> bias;                 // [heads, offsets]: the position bias
  const std::vector<int32_t>* bias_index;  // relative_position_index, shared by all steps with such windows
  std::vector<float> qkv_bias;             // one piece; empty where there is none
  std::vector<float> scales;               // what q k^T is multiplied by, a head
};

struct Tile {
  int64_t row, rows, column, columns;
};

class CpuExecutable : public Executable {
 public:
  CpuExecutable(Plan plan, std::vector<TensorView> weights, int threads, Isa isa)
      : Executable(std::move(plan)),
        weights_(std::move(weights)),
        threads_(threads),
        isa_(isa),
        kernels_(kernels_for(isa)),
        more_threads_(allow_threads(threads)),
        arena_(threads) {
    for (const Step& step : this->plan().steps) {
      const Attention* attention = std::get_if<Attention>(&step.kernel);
      if (attention == nullptr) continue;
      const BiasKey key = bias_key(attention->windows);
      if (!bias_indexes_.contains(key)) {
        bias_indexes_.emplace(key, relative_position_index(key.first, key.second));
      }
    }
    tables_.resize(this->plan().steps.size());
    arena_.execute([&] {
      tbb::parallel_for(size_t{0}, tables_.size(), [&](size_t s) {
        const Attention* attention = std::get_if<Attention>(&this->plan().steps[s].kernel);
        if (attention != nullptr) tables_[s] = tables_for(*attention);
      });
    });
  }

  std::string_view isa() const override { return name_of(isa_); }

  void run_timed(const TensorView& x, std::span<const OutputBinding> outputs,
                 StepTimes* times) const override {
    const int64_t batch = x.shape[0];
    if (times != nullptr) times->steps.assign(plan().steps.size(), {});
    std::unique_ptr<Workspace> workspace = pool_.take(batch);
    if (!workspace) {
      workspace = std::make_unique<Workspace>(plan(), batch, threads_, kTileRows * kTileColumns);
    }
    const size_t last = last_step_needed(plan(), outputs);
    arena_.execute([&] {
      for (size_t s = 0; s <= last; ++s) {
        const StepTimer timer(times, s);
        run_step(s, batch, x, outputs, *workspace);
      }
    });
    pool_.give_back(std::move(workspace));
  }

 private:
  using BiasKey = std::pair<Extents, int64_t>;  // relative_position_index's parameters

  static BiasKey bias_key(const Windows& windows) { return {windows.bias_window(), windows.tokens()}; }

  AttentionTables tables_for(const Attention& attention) const {
    AttentionTables tables;
    tables.rows = window_rows(attention.windows);
    if (attention.windows.shifted()) tables.regions = shift_regions(attention.windows);
    tables.bias_index = &bias_indexes_.at(bias_key(attention.windows));
    const std::vector<float> table = position_bias_table(attention);
    for (int64_t head = 0; head < attention.heads; ++head) {
      for (int64_t row = 0; row < attention.windows.offsets(); ++row) {
        tables.bias.push_back(table[static_cast<size_t>(row * attention.heads + head)]);
      }
    }
    tables.qkv_bias = joined_bias(attention.qkv);
    const int64_t channels = plan().weight(attention.projection.weight).shape[0];
    for (int64_t head = 0; head < attention.heads; ++head) {
      const float scale = attention.logit_scale == kNone
                              ? 1 / std::sqrt(static_cast<float>(channels / attention.heads))
                              : std::exp(std::min(weight(attention.logit_scale)[head], std::log(100.0f)));
      tables.scales.push_back(scale);
    }
    return tables;
  }

  // A bias in parts as one piece, zeros where a part has none; empty where there is no bias.
  std::vector<float> joined_bias(const Linear& linear) const {
    std::vector<float> bias;
    if (linear.bias.empty()) return bias;
    const auto part = static_cast<size_t>(plan().weight(linear.weight).shape[0]) / linear.bias.size();
    for (const WeightId id : linear.bias) {
      if (id == kNone) {
        bias.resize(bias.size() + part);
      } else {
        bias.insert(bias.end(), weight(id), weight(id) + part);
      }
    }
    return bias;
  }

  // The table [offsets, heads] that an attention step has, or that its network gives.
  std::vector<float> position_bias_table(const Attention& attention) const {
    const Windows& windows = attention.windows;
    const int64_t offsets = windows.offsets();
    if (const WeightId* table = std::get_if<WeightId>(&attention.position_bias)) {
      return {weight(*table), weight(*table) + offsets * attention.heads};
    }
    const auto& network = std::get<PositionNetwork>(attention.position_bias);
    const int64_t hidden = plan().weight(network.fc1.weight).shape[0];
    const auto scaled = [&](int64_t offset, size_t axis) {
      return static_cast<float>(
          scaled_offset(network.scale, offset, windows.window[axis], network.pretrained_window));
    };
    std::vector<float> places;
    for (int64_t h = 1 - windows.window[1]; h < windows.window[1]; ++h) {
      for (int64_t w = 1 - windows.window[2]; w < windows.window[2]; ++w) {
        places.push_back(scaled(h, 1));
        places.push_back(scaled(w, 2));
      }
    }
    std::vector<float> between(static_cast<size_t>(offsets * hidden));
    std::vector<float> table(static_cast<size_t>(offsets * attention.heads));
    const auto multiply = [&](const Linear& linear, const std::vector<float>& x, std::vector<float>& out) {
      const Shape& shape = plan().weight(linear.weight).shape;
      const std::vector<float> bias = joined_bias(linear);
      kernels_.linear(x.data(), shape[1], offsets, shape[1], weight(linear.weight),
                      bias.empty() ? nullptr : bias.data(), shape[0], out.data(), shape[0]);
    };
    multiply(network.fc1, places, between);
    for (float& v : between) v = std::max(v, 0.0f);
    multiply(network.fc2, between, table);
    if (network.scale == OffsetScale::kSwinV2) {
      for (float& v : table) v = 16 / (1 + std::exp(-v));
    }
    return table;
  }

  const float* weight(WeightId id) const {
    return id == kNone ? nullptr : weights_[static_cast<size_t>(id)].as<float>().data();
  }

  // Runs one step: reads and leaves its result in workspace.current.
  void run_step(size_t s, int64_t batch, const TensorView& x, std::span<const OutputBinding> outputs,
                Workspace& workspace) const {
    const Step& step = plan().steps[s];
    float* attention_out = nullptr;
    for (const OutputBinding& binding : outputs) {
      if (plan().outputs[binding.output].value == step.attention) attention_out = binding.data.data();
    }
    const auto run_kernel = [&](const auto& kernel) {
      using Kernel = std::decay_t<decltype(kernel)>;
      if constexpr (std::is_same_v<Kernel, PatchEmbed>) {
        patch_embed(step, kernel, batch, x.as<float>().data(), workspace);
      } else if constexpr (std::is_same_v<Kernel, Attention>) {
        attention(step, kernel, tables_[s], batch, attention_out, workspace);
      } else {
        run(step, kernel, batch, workspace);
      }
    };
    std::visit(run_kernel, step.kernel);
    for (const OutputBinding& binding : outputs) {
      if (plan().outputs[binding.output].value != step.output) continue;
      write_output(plan(), binding, batch, workspace.current.as<float>().data());
    }
    report_written(plan(), step, outputs);
  }

  // Calls body(tile) for each tile of a [rows, columns] product, in parallel.
  template <typename Body>
  static void for_each_tile(int64_t rows, int64_t columns, Body body) {
    const int64_t row_tiles = (rows + kTileRows - 1) / kTileRows;
    const int64_t column_tiles = (columns + kTileColumns - 1) / kTileColumns;
    tbb::parallel_for(int64_t{0}, row_tiles * column_tiles, [&](int64_t i) {
      const int64_t row = i / column_tiles * kTileRows, column = i % column_tiles * kTileColumns;
      body(Tile{row, std::min(kTileRows, rows - row), column, std::min(kTileColumns, columns - column)});
    });
  }

  // The bias of a linear layer that has it in one piece; null where it has none.
  const float* bias_of(const Linear& linear) const {
    return linear.bias.empty() ? nullptr : weight(linear.bias.front());
  }

  // One tile of a product: out is the tile's first element.
  void linear_tile(const Linear& linear, const float* bias, const Tile& tile, const float* x, float* out,
                   int64_t out_stride) const {
    const Shape& shape = plan().weight(linear.weight).shape;
    const int64_t depth = element_count(shape) / shape[0];
    kernels_.linear(x + tile.row * depth, depth, tile.rows, depth,
                    weight(linear.weight) + tile.column * depth,
                    bias == nullptr ? nullptr : bias + tile.column, tile.columns, out, out_stride);
  }

  // out[rows, columns] = x weight^T + bias.
  void multiply(const Linear& linear, const float* bias, int64_t rows, const float* x, float* out) const {
    const int64_t columns = plan().weight(linear.weight).shape[0];
    for_each_tile(rows, columns, [&](const Tile& tile) {
      linear_tile(linear, bias, tile, x, out + tile.row * columns + tile.column, columns);
    });
  }

  // out[rows, columns] = linear(x).
  void linear(const Linear& linear, int64_t rows, const float* x, float* out) const {
    multiply(linear, bias_of(linear), rows, x, out);
  }

  // to[place(row)] += norm(linear(x))[row], for every row whose place is not negative; by way of `between`,
  // whose rows are as many and as wide as linear's result.
  template <typename Place>
  void add_normed_linear(const Linear& linear, const Norm& norm, int64_t rows, const float* x, float* between,
                         float* to, Place place) const {
    const int64_t columns = plan().weight(linear.weight).shape[0];
    this->linear(linear, rows, x, between);
    for_each_row(rows, [&](int64_t row) {
      if (place(row) < 0) return;
      layer_norm(norm, between + row * columns, between + row * columns);
      kernels_.add(between + row * columns, columns, to + place(row) * columns);
    });
  }

  // to[place(row)] += linear(x)[row], for every row whose place is not negative.
  template <typename Place>
  void add_linear(const Linear& linear, int64_t rows, const float* x, float* to, Workspace& workspace,
                  Place place) const {
    const int64_t columns = plan().weight(linear.weight).shape[0];
    for_each_tile(rows, columns, [&](const Tile& tile) {
      float* result = mine(workspace.tiles);
      linear_tile(linear, bias_of(linear), tile, x, result, tile.columns);
      for (int64_t i = 0; i < tile.rows; ++i) {
        const int64_t row = place(tile.row + i);
        if (row >= 0) kernels_.add(result + i * tile.columns, tile.columns, to + row * columns + tile.column);
      }
    });
  }

  // The calling thread's own buffer.
  static float* mine(std::vector<Tensor>& buffers) {
    return buffers[static_cast<size_t>(tbb::this_task_arena::current_thread_index())].as<float>().data();
  }

  // Calls body(row) for each row, in parallel, some at a time.
  template <typename Body>
  static void for_each_row(int64_t rows, Body body) {
    tbb::parallel_for(tbb::blocked_range<int64_t>(0, rows, 32),
                      [&](const tbb::blocked_range<int64_t>& range) {
                        for (int64_t row = range.begin(); row < range.end(); ++row) body(row);
                      });
  }

  void layer_norm(const Norm& norm, const float* x, float* out) const {
    kernels_.layer_norm(x, plan().weight(norm.weight).shape[0], weight(norm.weight), weight(norm.bias),
                        static_cast<float>(norm.epsilon), out);
  }

  // Patches are gathered into rows, which the convolution's weights then multiply as a linear layer would.
  void patch_embed(const Step& step, const PatchEmbed& kernel, int64_t batch, const float* x,
                   Workspace& workspace) const {
    const Shape& in = plan().value(step.input).shape;
    const Shape& shape = plan().value(step.output).shape;
    const Extents image = extents_of(std::span(in).subspan(1));
    const Extents grid = extents_of(std::span(shape).first(shape.size() - 1));
    const Extents& patch = kernel.patch;
    const int64_t channels = in[0], columns = shape.back(), places = grid[0] * grid[1] * grid[2];
    const int64_t depth = channels * patch[0] * patch[1] * patch[2], rows = batch * places;
    // The patch at `place` as a row: zeros beyond the image's end.
    const auto gather = [&](int64_t place, float* to) {
      const int64_t n = place / places, first_d = place / (grid[1] * grid[2]) % grid[0] * patch[0],
                    first_h = place / grid[2] % grid[1] * patch[1], first_w = place % grid[2] * patch[2];
      const int64_t width = std::min(patch[2], image[2] - first_w);
      for (int64_t c = 0; c < channels; ++c) {
        for (int64_t d = first_d; d < first_d + patch[0]; ++d) {
          for (int64_t h = first_h; h < first_h + patch[1]; ++h, to += patch[2]) {
            const bool is_inside = d < image[0] && h < image[1];
            const int64_t row = ((n * channels + c) * image[0] + d) * image[1] + h;
            if (is_inside) std::copy_n(x + row * image[2] + first_w, width, to);
            std::fill(to + (is_inside ? width : 0), to + patch[2], 0.0f);
          }
        }
      }
    };
    float* out = workspace.current.as<float>().data();
    const int64_t most = kTileRows * kTileColumns / depth;
    tbb::parallel_for(int64_t{0}, (rows + most - 1) / most, [&](int64_t tile) {
      float* patches = mine(workspace.tiles);
      const int64_t first = tile * most, count = std::min(most, rows - first);
      for (int64_t i = 0; i < count; ++i) gather(first + i, patches + i * depth);
      linear_tile(kernel.projection, bias_of(kernel.projection), {0, count, 0, columns}, patches,
                  out + first * columns, columns);
      for (int64_t row = first; row < first + count; ++row) {
        layer_norm(kernel.norm, out + row * columns, out + row * columns);
      }
    });
  }

  void attention(const Step& step, const Attention& kernel, const AttentionTables& tables, int64_t batch,
                 float* attention_out, Workspace& workspace) const {
    const Shape& grid = plan().value(step.input).shape;
    const int64_t channels = grid.back(), grid_rows = element_count(grid) / channels;
    const int64_t tokens = kernel.windows.tokens(), windows = kernel.windows.count();
    const int64_t window_rows = windows * tokens, rows = batch * window_rows;
    const int64_t head_size = channels / kernel.heads;
    float* current = workspace.current.as<float>().data();
    float* normed = workspace.normed.as<float>().data();
    float* qkv = workspace.wide.as<float>().data();

    const auto place = [&](int64_t row) -> int64_t {
      const int32_t in_grid = tables.rows[static_cast<size_t>(row % window_rows)];
      return in_grid < 0 ? -1 : row / window_rows * grid_rows + in_grid;
    };
    for_each_row(rows, [&](int64_t row) {
      float* out = normed + row * channels;
      const int64_t from = place(row);
      if (from < 0) {
        std::fill_n(out, channels, 0.0f);
      } else if (kernel.norm_last) {
        std::copy_n(current + from * channels, channels, out);
      } else {
        layer_norm(kernel.norm, current + from * channels, out);
      }
    });
    multiply(kernel.qkv, tables.qkv_bias.empty() ? nullptr : tables.qkv_bias.data(), rows, normed, qkv);
    const bool cosine = kernel.logit_scale != kNone;
    tbb::parallel_for(int64_t{0}, batch * windows * kernel.heads, [&](int64_t matrix) {
      const int64_t window = matrix / kernel.heads, head = matrix % kernel.heads;
      const float scale = tables.scales[static_cast<size_t>(head)];
      float* q = qkv + window * tokens * 3 * channels + head * head_size;
      if (cosine) {
        for (float* row = q; row < q + tokens * 3 * channels; row += 3 * channels) {
          kernels_.normalize(row, head_size, scale);
          kernels_.normalize(row + channels, head_size, 1);
        }
      }
      const int32_t* regions =
          tables.regions.empty() ? nullptr : tables.regions.data() + window % windows * tokens;
      float* scores = mine(workspace.attention);
      kernels_.attention(q, q + channels, q + 2 * channels, 3 * channels, tokens, head_size,
                         cosine ? 1 : scale, tables.bias.data() + head * kernel.windows.offsets(),
                         tables.bias_index->data(), regions, scores,
                         normed + window * tokens * channels + head * head_size, channels);
      if (attention_out != nullptr)
        std::copy_n(scores, tokens * tokens, attention_out + matrix * tokens * tokens);
    });
    if (kernel.norm_last) {
      add_normed_linear(kernel.projection, kernel.norm, rows, normed, qkv, current, place);
    } else {
      add_linear(kernel.projection, rows, normed, current, workspace, place);
    }
  }

  void run(const Step& step, const Mlp& kernel, int64_t batch, Workspace& workspace) const {
    const Shape& shape = plan().value(step.input).shape;
    const int64_t channels = shape.back(), rows = batch * element_count(shape) / channels;
    const int64_t hidden = plan().weight(kernel.fc1.weight).shape[0];
    float* current = workspace.current.as<float>().data();
    float* normed = workspace.normed.as<float>().data();
    float* wide = workspace.wide.as<float>().data();
    if (!kernel.norm_last) {
      for_each_row(rows, [&](int64_t row) {
        layer_norm(kernel.norm, current + row * channels, normed + row * channels);
      });
    }
    for_each_tile(rows, hidden, [&](const Tile& tile) {
      float* out = wide + tile.row * hidden + tile.column;
      linear_tile(kernel.fc1, bias_of(kernel.fc1), tile, kernel.norm_last ? current : normed, out, hidden);
      for (int64_t i = 0; i < tile.rows; ++i) kernels_.gelu(out + i * hidden, tile.columns);
    });
    const auto same = [](int64_t row) { return row; };
    if (kernel.norm_last) {
      add_normed_linear(kernel.fc2, kernel.norm, rows, wide, normed, current, same);
    } else {
      add_linear(kernel.fc2, rows, wide, current, workspace, same);
    }
  }

  void run(const Step& step, const PatchMerging& kernel, int64_t batch, Workspace& workspace) const {
    const Shape& from = plan().value(step.input).shape;
    const Shape& to = plan().value(step.output).shape;
    const size_t axis = from.size() - 3;  // depth is not merged: a clip's frames are as many images
    const int64_t height = from[axis], width = from[axis + 1], channels = from[axis + 2];
    const int64_t merged_rows = to[axis], merged_cols = to[axis + 1];
    const int64_t rows = batch * element_count(to) / to.back();
    const float* current = workspace.current.as<float>().data();
    float* normed = workspace.normed.as<float>().data();
    float* next = workspace.next.as<float>().data();
    for_each_row(rows, [&](int64_t place) {
      const int64_t col = place % merged_cols, row = place / merged_cols % merged_rows;
      const int64_t image = place / (merged_rows * merged_cols);
      float* out = normed + place * 4 * channels;
      for (int64_t part = 0; part < 4; ++part) {
        const int64_t y = 2 * row + part % 2, x = 2 * col + part / 2;
        if (y < height && x < width) {
          std::copy_n(current + ((image * height + y) * width + x) * channels, channels,
                      out + part * channels);
        } else {
          std::fill_n(out + part * channels, channels, 0.0f);
        }
      }
      if (!kernel.norm_last) layer_norm(kernel.norm, out, out);
    });
    linear(kernel.reduction, rows, normed, next);
    if (kernel.norm_last) {
      for_each_row(rows, [&](int64_t row) {
        layer_norm(kernel.norm, next + row * to.back(), next + row * to.back());
      });
    }
    std::swap(workspace.current, workspace.next);
  }

  void run(const Step& step, const TokenNorm& kernel, int64_t batch, Workspace& workspace) const {
    const Shape& shape = plan().value(step.input).shape;
    float* current = workspace.current.as<float>().data();
    for_each_row(batch * element_count(shape) / shape.back(), [&](int64_t row) {
      layer_norm(kernel.norm, current + row * shape.back(), current + row * shape.back());
    });
  }

  void run(const Step& step, const Pool&, int64_t batch, Workspace& workspace) const {
    const Shape& shape = plan().value(step.input).shape;
    const int64_t channels = shape.back(), rows = element_count(shape) / channels;
    const float* current = workspace.current.as<float>().data();
    float* next = workspace.next.as<float>().data();
    for (int64_t n = 0; n < batch; ++n) {
      float* sum = next + n * channels;
      std::fill_n(sum, channels, 0.0f);
      for (int64_t row = 0; row < rows; ++row)
        kernels_.add(current + (n * rows + row) * channels, channels, sum);
      std::transform(sum, sum + channels, sum, [&](float v) { return v / static_cast<float>(rows); });
    }
    std::swap(workspace.current, workspace.next);
  }

  void run(const Step&, const Head& kernel, int64_t batch, Workspace& workspace) const {
    linear(kernel.linear, batch, workspace.current.as<float>().data(), workspace.next.as<float>().data());
    std::swap(workspace.current, workspace.next);
  }

  std::vector<TensorView> weights_;
  int threads_;
  Isa isa_;
  const Kernels& kernels_;
  std::map<BiasKey, std::vector<int32_t>> bias_indexes_;  // relative_position_index
  std::vector<AttentionTables> tables_;                   // a step
  std::unique_ptr<tbb::global_control> more_threads_;
  mutable tbb::task_arena arena_;
  mutable WorkspacePool pool_;
};

}  // namespace

std::unique_ptr<Executable> load_cpu(Plan plan, std::vector<TensorView> weights, const LoadOptions& options) {
  if (options.precision != Precision::kFp32) fail(ErrorCode::kUnsupported, "this CPU has no AVX512_BF16");
  const char* forced = std::getenv("SWINZOO_FORCE_ISA");
  const Isa isa = choose_isa(forced == nullptr ? "" : forced);
  return std::make_unique<CpuExecutable>(std::move(plan), std::move(weights), options.threads, isa);
}

}  // namespace swinzoo::backends
