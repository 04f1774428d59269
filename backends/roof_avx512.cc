#include <immintrin.h>

#include "backends/roof_kernel.h"

namespace swinzoo::backends::avx512 {
namespace {

struct Unit {
  using Vector = __m512;
  static constexpr size_t kLanes = 16, kSums = 16;  // of 32 registers

  static Vector broadcast(float value) { return _mm512_set1_ps(value); }
  static void multiply_add(Vector& sum, Vector a, Vector b) {
    sum = _mm512_fmadd_ps(a, sum, b);
    asm volatile("" : "+v"(sum));  // it stays in a register, and is known to nobody
  }
};

}  // namespace

extern const MultiplyAdds kMultiplyAdds = multiply_adds_of<Unit>();

}  // namespace swinzoo::backends::avx512
