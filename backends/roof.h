// The roof: what this machine's cores and memory could do at most, to hold a step's speed against.
#pragma once

#include <string_view>

namespace swinzoo::backends {

struct Roof {
  double gflops_per_second = 0;  // fused multiply-adds of float32 in registers, two operations each
  double gbytes_per_second = 0;  // reading memory from one end to the other, 10^9 bytes
};

// Measures both with that many threads at once, the best of several short repeats; takes half a second, and
// 256 MiB of memory for a while. isa: as Executable::isa() names it. Its vectors are used for the
// multiply-adds: AVX-512's for "amx" too, since bf16 is held against the roof of float32; and for "baseline"
// and "none" the compiler's default, a multiplication and an addition. Throws kFailed where the system gives
// no more threads. REQUIRES: this CPU has the instruction set; threads > 0.
Roof measure_roof(std::string_view isa, int threads);

}  // namespace swinzoo::backends
