// The roof: what this machine's cores and memory could do at most, to hold a step's speed against.
#pragma once

#include <string_view>

namespace swinzoo::backends {

struct Roof {
  double gflops_per_second = 0;  // fused multiply-adds of float32 in registers, two operations each
  double gbytes_per_second = 0;  // reading memory from one end to the other, 10^9 bytes
};

// Measures both with that many threads at once, the best of several short repeats; takes half a second, and
// 256 MiB of memory for a while. isa: as Executable::isa() names it; its vectors are used for the
// multiply-adds, and the compiler's default where there are none of their own ("baseline", "none": a
// multiplication and an addition). bf16 has the same roof, that of float32. REQUIRES: this CPU has the
// instruction set; threads > 0.
Roof measure_roof(std::string_view isa, int threads);

}  // namespace swinzoo::backends
