#include "backends/cpu/isa.h"

#include <array>

#include "formats/error.h"

namespace swinzoo::backends {
namespace {

constexpr std::array<Isa, 3> kBestFirst = {Isa::kAvx512, Isa::kAvx2, Isa::kBaseline};

}  // namespace

std::string_view name_of(Isa isa) {
  switch (isa) {
    case Isa::kBaseline:
      return "baseline";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
  }
  return "?";
}

bool has_isa(Isa isa) {
#if defined(__x86_64__)
  switch (isa) {
    case Isa::kAvx512:
      return has_isa(Isa::kAvx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    case Isa::kAvx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") &&
             __builtin_cpu_supports("f16c") && __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
    case Isa::kBaseline:
      return true;
  }
#endif
  return isa == Isa::kBaseline;
}

Isa choose_isa(std::string_view forced) {
  for (const Isa isa : kBestFirst) {
    if (forced.empty() ? !has_isa(isa) : forced != name_of(isa)) continue;
    if (!has_isa(isa))
      fail(ErrorCode::kUnsupported, "SWINZOO_FORCE_ISA is '{}', which this CPU lacks", forced);
    return isa;
  }
  fail(ErrorCode::kUsage, "SWINZOO_FORCE_ISA is '{}'; there are: avx512, avx2, baseline", forced);
}

}  // namespace swinzoo::backends
