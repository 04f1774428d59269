#include "backends/reference/ops.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace swinzoo::backends::reference {
namespace {

using Inputs = std::span<const std::span<const float>>;

size_t index(int64_t i) { return static_cast<size_t>(i); }

// Calls body(i) for 0 <= i < count, in parallel: each i writes its own elements.
template <typename Body>
void for_each(int64_t count, Body body) {
  tbb::parallel_for(int64_t{0}, count, body);
}

double dot(const float* a, const float* b, int64_t count) {
  double sums[4] = {0, 0, 0, 0};
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (int64_t lane = 0; lane < 4; ++lane) sums[lane] += double{a[i + lane]} * double{b[i + lane]};
  }
  for (; i < count; ++i) sums[0] += double{a[i]} * double{b[i]};
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void patch_conv(const Shape& in, const Shape& out_shape, const Shape& filter, int64_t batch, Inputs inputs,
                Inputs weights, std::span<float> out) {
  const int64_t channels = in[0], filters = filter[0];
  const Extents image = extents_of(std::span(in).subspan(1));
  const Extents patch = extents_of(std::span(filter).subspan(2));
  const Extents grid = extents_of(std::span(out_shape).first(out_shape.size() - 1));
  const int64_t places = grid[0] * grid[1] * grid[2];
  for_each(batch * places, [&](int64_t place) {
    const int64_t n = place / places, first_d = place / (grid[1] * grid[2]) % grid[0] * patch[0],
                  first_h = place / grid[2] % grid[1] * patch[1], first_w = place % grid[2] * patch[2];
    const int64_t width = std::min(patch[2], image[2] - first_w);  // beyond it is padding
    for (int64_t f = 0; f < filters; ++f) {
      double sum = weights[1][index(f)];
      for (int64_t c = 0; c < channels; ++c) {
        for (int64_t d = 0; d < std::min(patch[0], image[0] - first_d); ++d) {
          for (int64_t h = 0; h < std::min(patch[1], image[1] - first_h); ++h) {
            const int64_t row = ((n * channels + c) * image[0] + first_d + d) * image[1] + first_h + h;
            const int64_t w = (((f * channels + c) * patch[0] + d) * patch[1] + h) * patch[2];
            sum += dot(inputs[0].data() + row * image[2] + first_w, weights[0].data() + w, width);
          }
        }
      }
      out[index(place * filters + f)] = static_cast<float>(sum);
    }
  });
}

void layer_norm(int64_t channels, double epsilon, Inputs inputs, Inputs weights, std::span<float> out) {
  for_each(static_cast<int64_t>(out.size()) / channels, [&](int64_t row) {
    const std::span<const float> x = inputs[0].subspan(index(row * channels), index(channels));
    double sum = 0, squares = 0;
    for (const float v : x) sum += v;
    const double mean = sum / static_cast<double>(channels);
    for (const float v : x) squares += (v - mean) * (v - mean);
    const double scale = 1 / std::sqrt(squares / static_cast<double>(channels) + epsilon);
    for (size_t c = 0; c < x.size(); ++c) {
      out[index(row * channels) + c] =
          static_cast<float>((x[c] - mean) * scale * weights[0][c] + weights[1][c]);
    }
  });
}

// Rows of the grid to windows (`reverse` false), or back.
void move_windows(const Windows& windows, bool reverse, int64_t channels, int64_t batch, Inputs inputs,
                  std::span<float> out) {
  const std::vector<int32_t> rows = window_rows(windows);
  const int64_t grid = windows.grid[0] * windows.grid[1] * windows.grid[2];
  const auto places = static_cast<int64_t>(rows.size());
  for_each(batch * places, [&](int64_t place) {
    const int32_t row = rows[index(place % places)];
    const int64_t in_windows = place * channels;
    const int64_t in_grid = (place / places * grid + row) * channels;
    if (!reverse) {
      for (int64_t c = 0; c < channels; ++c) {
        out[index(in_windows + c)] = row < 0 ? 0.0f : inputs[0][index(in_grid + c)];
      }
    } else if (row >= 0) {
      std::copy_n(inputs[0].begin() + in_windows, channels, out.begin() + in_grid);
    }
  });
}

void linear(int64_t in, int64_t out_channels, Inputs inputs, Inputs weights, std::span<float> out) {
  std::vector<double> bias;  // its parts, one after the other
  for (const std::span<const float> part : weights.subspan(1)) {
    bias.insert(bias.end(), part.begin(), part.end());
    bias.resize(bias.size() + (part.empty() ? index(out_channels) / (weights.size() - 1) : 0));
  }
  bias.resize(index(out_channels));
  for_each(static_cast<int64_t>(out.size()) / out_channels, [&](int64_t row) {
    const float* x = inputs[0].data() + row * in;
    for (int64_t o = 0; o < out_channels; ++o) {
      out[index(row * out_channels + o)] =
          static_cast<float>(dot(x, weights[0].data() + o * in, in) + bias[index(o)]);
    }
  });
}

// The products of each query with each key of a window, a head at a time. qkv's channels are [3, heads, head
// size]. scale(head, query, key) is what a product is multiplied by.
template <typename Scale>
void scores(int64_t tokens, int64_t heads, int64_t channels, Inputs inputs, std::span<float> out,
            Scale scale) {
  const int64_t head_size = channels / heads;
  for_each(static_cast<int64_t>(out.size()) / (tokens * tokens), [&](int64_t matrix) {
    const int64_t head = matrix % heads;
    const float* qkv = inputs[0].data() + matrix / heads * tokens * 3 * channels + head * head_size;
    for (int64_t q = 0; q < tokens; ++q) {
      const float* query = qkv + q * 3 * channels;
      for (int64_t k = 0; k < tokens; ++k) {
        const float* key = qkv + k * 3 * channels + channels;
        out[index((matrix * tokens + q) * tokens + k)] =
            static_cast<float>(dot(query, key, head_size) * scale(head, query, key));
      }
    }
  });
}

// torch.nn.functional.normalize and the clamped logit scale of section 3.2 of arXiv 2111.09883.
void cosine_scores(int64_t tokens, int64_t heads, int64_t channels, Inputs inputs, Inputs weights,
                   std::span<float> out) {
  const int64_t head_size = channels / heads;
  const auto length = [&](const float* x) { return std::max(std::sqrt(dot(x, x, head_size)), 1e-12); };
  scores(tokens, heads, channels, inputs, out, [&](int64_t head, const float* query, const float* key) {
    const double scale = std::exp(std::min<double>(weights[0][index(head)], std::log(100.0)));
    return scale / (length(query) * length(key));
  });
}

// Rows of offsets, [height, width] each, in the order of relative_position_index.
void table_coordinates(const Windows& windows, int64_t pretrained_window, std::span<float> out) {
  const int64_t height = windows.window[1], width = windows.window[2];
  auto to = out.begin();
  for (int64_t h = 1 - height; h < height; ++h) {
    for (int64_t w = 1 - width; w < width; ++w) {
      *to++ = static_cast<float>(scaled_offset(OffsetScale::kSwinV2, h, height, pretrained_window));
      *to++ = static_cast<float>(scaled_offset(OffsetScale::kSwinV2, w, width, pretrained_window));
    }
  }
}

void pair_coordinates(const Windows& windows, std::span<float> out) {
  const int64_t height = windows.window[1], width = windows.window[2], tokens = height * width;
  auto to = out.begin();
  for (int64_t q = 0; q < tokens; ++q) {
    for (int64_t k = 0; k < tokens; ++k) {
      *to++ = static_cast<float>(scaled_offset(OffsetScale::kSwinV2Cr, q / width - k / width, height, 0));
      *to++ = static_cast<float>(scaled_offset(OffsetScale::kSwinV2Cr, q % width - k % width, width, 0));
    }
  }
}

// Row rows[i] of `table` [.., heads] to out[head, i].
void heads_first(const std::vector<int32_t>& rows, int64_t heads, std::span<const float> table,
                 std::span<float> out) {
  for (size_t h = 0; h < index(heads); ++h) {
    for (size_t i = 0; i < rows.size(); ++i) out[h * rows.size() + i] = table[index(rows[i] * heads) + h];
  }
}

void add_bias(const Windows& windows, int64_t heads, Inputs inputs, std::span<float> out) {
  const int64_t tokens = windows.tokens();
  const std::vector<int32_t> regions = windows.shifted() ? shift_regions(windows) : std::vector<int32_t>();
  for_each(static_cast<int64_t>(out.size()) / (tokens * tokens), [&](int64_t matrix) {
    const int64_t window = matrix / heads % windows.count();
    for (int64_t q = 0; q < tokens; ++q) {
      for (int64_t k = 0; k < tokens; ++k) {
        const size_t at = index((matrix * tokens + q) * tokens + k);
        out[at] = inputs[0][at] + inputs[1][index((matrix % heads * tokens + q) * tokens + k)];
        if (!regions.empty() && regions[index(window * tokens + q)] != regions[index(window * tokens + k)]) {
          out[at] += kMaskedScore;
        }
      }
    }
  });
}

void softmax(int64_t count, Inputs inputs, std::span<float> out) {
  for_each(static_cast<int64_t>(out.size()) / count, [&](int64_t row) {
    const std::span<const float> x = inputs[0].subspan(index(row * count), index(count));
    const double largest = *std::max_element(x.begin(), x.end());
    double sum = 0;
    for (const float v : x) sum += std::exp(v - largest);
    for (size_t i = 0; i < x.size(); ++i) {
      out[index(row * count) + i] = static_cast<float>(std::exp(x[i] - largest) / sum);
    }
  });
}

void weighted_values(int64_t tokens, int64_t heads, int64_t channels, Inputs inputs, std::span<float> out) {
  const int64_t head_size = channels / heads;
  for_each(static_cast<int64_t>(out.size()) / channels, [&](int64_t row) {
    const int64_t window = row / tokens, q = row % tokens;
    const float* values = inputs[1].data() + window * tokens * 3 * channels + 2 * channels;
    for (int64_t c = 0; c < channels; ++c) {
      const float* attention = inputs[0].data() + ((window * heads + c / head_size) * tokens + q) * tokens;
      double sum = 0;
      for (int64_t k = 0; k < tokens; ++k) sum += double{attention[k]} * double{values[k * 3 * channels + c]};
      out[index(row * channels + c)] = static_cast<float>(sum);
    }
  });
}

void gelu(Inputs inputs, std::span<float> out) {
  for_each(static_cast<int64_t>(out.size()), [&](int64_t i) {
    const double x = inputs[0][index(i)];
    out[index(i)] = static_cast<float>(0.5 * x * (1 + std::erf(x / std::sqrt(2.0))));
  });
}

// Depth is not merged: a clip's frames are as many images.
void merge_patches(const Shape& in, const Shape& merged, Inputs inputs, std::span<float> out) {
  const size_t axis = in.size() - 3;
  const int64_t height = in[axis], width = in[axis + 1], channels = in[axis + 2];
  const int64_t rows = merged[axis], cols = merged[axis + 1];
  for_each(static_cast<int64_t>(out.size()) / (4 * channels), [&](int64_t place) {
    const int64_t col = place % cols, row = place / cols % rows, image = place / (rows * cols);
    for (int64_t part = 0; part < 4; ++part) {
      const int64_t y = 2 * row + part % 2, x = 2 * col + part / 2;
      float* to = out.data() + (place * 4 + part) * channels;
      if (y < height && x < width) {
        std::copy_n(inputs[0].data() + ((image * height + y) * width + x) * channels, channels, to);
      } else {
        std::fill_n(to, channels, 0.0f);
      }
    }
  });
}

void mean_pool(int64_t channels, int64_t batch, Inputs inputs, std::span<float> out) {
  const int64_t rows = static_cast<int64_t>(inputs[0].size()) / (batch * channels);
  for_each(batch * channels, [&](int64_t i) {
    const float* x = inputs[0].data() + i / channels * rows * channels + i % channels;
    double sum = 0;
    for (int64_t row = 0; row < rows; ++row) sum += x[row * channels];
    out[index(i)] = static_cast<float>(sum / static_cast<double>(rows));
  });
}

}  // namespace

void compute(const Plan& plan, const Op& op, int64_t batch, Inputs inputs, Inputs weights,
             std::span<float> out) {
  const Shape& in_shape = op.inputs.empty() ? plan.value(op.output).shape : plan.value(op.inputs[0]).shape;
  const Shape& out_shape = plan.value(op.output).shape;
  const int64_t last = out_shape.back();
  switch (op.kind) {
    case OpKind::kPatchConv:
      return patch_conv(in_shape, out_shape, plan.weight(op.weights[0]).shape, batch, inputs, weights, out);
    case OpKind::kLayerNorm:
      return layer_norm(last, op.epsilon, inputs, weights, out);
    case OpKind::kWindowPartition:
      return move_windows(op.windows, false, last, batch, inputs, out);
    case OpKind::kWindowReverse:
      return move_windows(op.windows, true, last, batch, inputs, out);
    case OpKind::kLinear:
      return linear(in_shape.back(), last, inputs, weights, out);
    case OpKind::kScores: {
      const double scale = 1 / std::sqrt(static_cast<double>(in_shape.back() / 3 / op.heads));
      return scores(last, op.heads, in_shape.back() / 3, inputs, out,
                    [&](int64_t, const float*, const float*) { return scale; });
    }
    case OpKind::kCosineScores:
      return cosine_scores(last, op.heads, in_shape.back() / 3, inputs, weights, out);
    case OpKind::kTableCoordinates:
      return table_coordinates(op.windows, op.pretrained_window, out);
    case OpKind::kPairCoordinates:
      return pair_coordinates(op.windows, out);
    case OpKind::kRelu:
      return for_each(static_cast<int64_t>(out.size()),
                      [&](int64_t i) { out[index(i)] = std::max(inputs[0][index(i)], 0.0f); });
    case OpKind::kScaledSigmoid:
      return for_each(static_cast<int64_t>(out.size()), [&](int64_t i) {
        out[index(i)] = static_cast<float>(16 / (1 + std::exp(-double{inputs[0][index(i)]})));
      });
    case OpKind::kPositionBias:
      return heads_first(relative_position_index(op.windows.bias_window(), op.windows.tokens()), out_shape[0],
                         inputs.empty() ? weights[0] : inputs[0], out);
    case OpKind::kPairBias: {
      std::vector<int32_t> pairs(index(last * last));
      std::iota(pairs.begin(), pairs.end(), 0);
      return heads_first(pairs, out_shape[0], inputs[0], out);
    }
    case OpKind::kAddBias:
      return add_bias(op.windows, in_shape[1], inputs, out);
    case OpKind::kSoftmax:
      return softmax(last, inputs, out);
    case OpKind::kWeightedValues:
      return weighted_values(out_shape[1], op.heads, last, inputs, out);
    case OpKind::kAdd:
      return for_each(static_cast<int64_t>(out.size()),
                      [&](int64_t i) { out[index(i)] = inputs[0][index(i)] + inputs[1][index(i)]; });
    case OpKind::kGelu:
      return gelu(inputs, out);
    case OpKind::kMergePatches:
      return merge_patches(in_shape, out_shape, inputs, out);
    case OpKind::kMeanPool:
    case OpKind::kAveragePool:
      return mean_pool(last, batch, inputs, out);
  }
}

}  // namespace swinzoo::backends::reference
