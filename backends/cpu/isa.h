// Which instruction set the cpu backend's kernels use.
#pragma once

#include <string_view>

#include "backends/backend.h"

namespace swinzoo::backends {

// kBaseline: what the compiler targets by default. kAmx computes products of bfloat16 only.
enum class Isa { kBaseline, kAvx2, kAvx512, kAmx };

// "baseline", "avx2", "avx512", "amx"
std::string_view name_of(Isa isa);

// Whether this CPU has it, as Highway takes it: AVX2 with FMA, BMI2, F16C, AES and PCLMUL, as all of
// Haswell's and Zen's descendants have; AVX-512 F, BW, CD, DQ and VL, and its BF16 for that precision; AMX's
// tiles and BF16 besides, if the system lets this process use them.
bool has_isa(Isa isa, Precision precision = Precision::kFp32);

// The best that this CPU has for the precision, or what `forced` names if it is not empty (the variable
// SWINZOO_FORCE_ISA). Throws kUsage if there is no such name, kUnsupported if the CPU lacks it or it lacks
// the precision.
Isa choose_isa(std::string_view forced, Precision precision);

}  // namespace swinzoo::backends
