// Which instruction set the cpu backend's kernels use.
#pragma once

#include <string_view>

namespace swinzoo::backends {

enum class Isa { kBaseline, kAvx2, kAvx512 };  // kBaseline: what the compiler targets by default

// "baseline", "avx2", "avx512"
std::string_view name_of(Isa isa);

// Whether this CPU has it, as Highway takes it: AVX2 with FMA, BMI2, F16C, AES and PCLMUL, as all of Haswell's and Zen's
// descendants have; AVX-512 F, BW, CD, DQ and VL.
bool has_isa(Isa isa);

// The best that this CPU has, or what `forced` names if it is not empty (the variable SWINZOO_FORCE_ISA).
// Throws kUsage if there is no such name, kUnsupported if the CPU lacks it.
Isa choose_isa(std::string_view forced);

}  // namespace swinzoo::backends
