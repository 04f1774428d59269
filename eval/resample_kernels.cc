// The portable passes, and the choice of a table; see resample_kernels.h.
#include "eval/resample_kernels.h"

#include <algorithm>
#include <vector>

namespace swinzoo::eval {

namespace {

uint8_t rounded(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> kWeightBits, 0, 255)); }

void across(const uint8_t* in, int64_t in_stride, int64_t rows, const AxisView& axis, uint8_t* out,
            int64_t out_stride) {
  for (int64_t y = 0; y < rows; ++y) {
    uint8_t* sample = out + y * out_stride;
    for (int64_t x = 0; x < axis.count; ++x) {
      const Taps& taps = axis.outputs[x];
      const int32_t* weights = axis.weights + taps.weights;
      const uint8_t* pixel = in + y * in_stride + 3 * int64_t{taps.first};
      int32_t red = kHalf, green = kHalf, blue = kHalf;
      for (int32_t i = 0; i < taps.count; ++i, pixel += 3) {
        red += pixel[0] * weights[i];
        green += pixel[1] * weights[i];
        blue += pixel[2] * weights[i];
      }
      *sample++ = rounded(red);
      *sample++ = rounded(green);
      *sample++ = rounded(blue);
    }
  }
}

void down(const uint8_t* in, int64_t in_stride, int64_t samples, const AxisView& axis, uint8_t* out,
          int64_t out_stride) {
  std::vector<int32_t> sums(static_cast<size_t>(samples));
  for (int64_t y = 0; y < axis.count; ++y) {
    const Taps& taps = axis.outputs[y];
    std::fill(sums.begin(), sums.end(), kHalf);
    const uint8_t* row = in + taps.first * in_stride;
    for (int32_t i = 0; i < taps.count; ++i, row += in_stride) {
      const int32_t weight = axis.weights[taps.weights + i];
      for (size_t x = 0; x < sums.size(); ++x) sums[x] += row[x] * weight;
    }
    std::transform(sums.begin(), sums.end(), out + y * out_stride, &rounded);
  }
}

constexpr ResampleKernels kPortable = {&across, &down};

}  // namespace

const ResampleKernels& resample_kernels(backends::Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case backends::Isa::kAvx512:
      return avx512::kKernels;
    case backends::Isa::kAvx2:
      return avx2::kKernels;
#endif
    default:
      return kPortable;
  }
}

backends::Isa resample_isa() {
  static const backends::Isa isa = [] {
    using backends::Isa;
    if (backends::has_isa(Isa::kAvx512)) return Isa::kAvx512;
    return backends::has_isa(Isa::kAvx2) ? Isa::kAvx2 : Isa::kBaseline;
  }();
  return isa;
}

}  // namespace swinzoo::eval
