// Rounding float32 to what 16 bits hold: to nearest, ties to even, as PyTorch and NumPy round.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace swinzoo {

// The nearest value that F16 (IEEE binary16) holds. NaN stays NaN.
inline float rounded_to_f16(float value) {
  const float magnitude = std::abs(value);
  if (!(magnitude < 65520.0f)) {  // halfway from the largest F16, 65504, to the next
    return std::isnan(value) ? value : std::copysign(std::numeric_limits<float>::infinity(), value);
  }
  // Below 0x1p-14 F16 has steps of 0x1p-24, which float32 has from 0.5 on.
  if (magnitude < 0x1p-14f) return std::copysign((magnitude + 0.5f) - 0.5f, value);
  const auto bits = std::bit_cast<uint32_t>(value);
  return std::bit_cast<float>((bits + 0xfffu + ((bits >> 13) & 1u)) & ~0x1fffu);
}

// The nearest value that BF16 (the upper half of float32) holds. NaN stays NaN.
inline float rounded_to_bf16(float value) {
  if (std::isnan(value)) return value;
  const auto bits = std::bit_cast<uint32_t>(value);
  return std::bit_cast<float>((bits + 0x7fffu + ((bits >> 16) & 1u)) & ~0xffffu);
}

}  // namespace swinzoo
