#include <immintrin.h>

#include "backends/roof_kernel.h"

namespace swinzoo::backends::avx2 {
namespace {

struct Unit {
  using Vector = __m256;
  static constexpr size_t kLanes = 8, kSums = 12;  // of 16 registers

  static Vector broadcast(float value) { return _mm256_set1_ps(value); }
  static void multiply_add(Vector& sum, Vector a, Vector b) {
    sum = _mm256_fmadd_ps(a, sum, b);
    asm volatile("" : "+x"(sum));  // it stays in a register, and is known to nobody
  }
};

}  // namespace

extern const MultiplyAdds kMultiplyAdds = multiply_adds_of<Unit>();

}  // namespace swinzoo::backends::avx2
