// The loop that measures how many multiply-adds a core does: nothing but them, on sums that stay in
// registers.
//
// Each instruction set's object instantiates it with a type of its own, so that objects share no code. As
// many sums as hide the latency (4 cycles x 2 units) and fit the registers beside two operands. They start
// from different values: sums that are equal, a compiler may compute once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace swinzoo::backends {

// How a core's multiply-adds are run: work(rounds) does rounds x flops_a_round operations. Its result only
// keeps the compiler from leaving them out.
struct MultiplyAdds {
  float (*work)(int64_t rounds);
  int64_t flops_a_round;
};

#if defined(__x86_64__)
namespace avx2 {
extern const MultiplyAdds kMultiplyAdds;
}
namespace avx512 {
extern const MultiplyAdds kMultiplyAdds;
}
#endif

// Unit: its Vector, of `kLanes` floats, and `kSums` of them; broadcast(float), and multiply_add(sum, a, b),
// which makes sum a * sum + b.
template <typename Unit, size_t... kIndex>
float multiply_adds(int64_t rounds, std::index_sequence<kIndex...>) {
  typename Unit::Vector sums[] = {Unit::broadcast(static_cast<float>(kIndex))...};
  const typename Unit::Vector a = Unit::broadcast(0.5f), b = Unit::broadcast(1.0f);
  for (int64_t round = 0; round < rounds; ++round) (Unit::multiply_add(sums[kIndex], a, b), ...);
  return (sums[kIndex][0] + ...);
}

template <typename Unit>
constexpr MultiplyAdds multiply_adds_of() {
  return {[](int64_t rounds) { return multiply_adds<Unit>(rounds, std::make_index_sequence<Unit::kSums>()); },
          Unit::kSums * Unit::kLanes * 2};
}

}  // namespace swinzoo::backends
