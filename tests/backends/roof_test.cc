#include "backends/roof.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "backends/cpu/isa.h"
#include "backends/roof_kernel.h"
#include "tests/error_code.h"
#include "tests/no_threads.h"

using namespace swinzoo::backends;

TEST_CASE("a roof is measured for each instruction set that there is, with one thread or several") {
  for (const Isa isa : {Isa::kBaseline, Isa::kAvx2, Isa::kAvx512}) {
    if (!has_isa(isa)) continue;
    for (const int threads : {1, 3}) {
      const Roof roof = measure_roof(name_of(isa), threads);
      INFO(name_of(isa) << ", " << threads << " threads");
      CHECK(std::isfinite(roof.gflops_per_second));
      CHECK(roof.gflops_per_second > 0);
      CHECK(std::isfinite(roof.gbytes_per_second));
      CHECK(roof.gbytes_per_second > 0);
    }
  }
}

TEST_CASE("a roof needs its threads") {
  const swinzoo::NoThreads none;
  CHECK(swinzoo::code_of([] { measure_roof("baseline", 2); }) == swinzoo::ErrorCode::kFailed);
}

#if defined(__x86_64__)
TEST_CASE("the loops that measure the peak do the multiply-adds that they are counted as") {
  // Each sum goes to the fixed point of x / 2 + 1, and the first lane of each is added up.
  if (has_isa(Isa::kAvx2)) {
    CHECK(avx2::kMultiplyAdds.work(100) == 2 * 12);
    CHECK(avx2::kMultiplyAdds.work(0) == 66);
    CHECK(avx2::kMultiplyAdds.work(1) == 66 / 2 + 12);
    CHECK(avx2::kMultiplyAdds.flops_a_round == 12 * 8 * 2);
  }
  if (has_isa(Isa::kAvx512)) {
    CHECK(avx512::kMultiplyAdds.work(100) == 2 * 16);
    CHECK(avx512::kMultiplyAdds.work(1) == 120 / 2 + 16);
    CHECK(avx512::kMultiplyAdds.flops_a_round == 16 * 16 * 2);
  }
}
#endif
