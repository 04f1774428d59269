#include "backends/cpu/isa.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <array>

#include "formats/error.h"

namespace swinzoo::backends {
namespace {

constexpr std::array<Isa, 4> kBestFirst = {Isa::kAmx, Isa::kAvx512, Isa::kAvx2, Isa::kBaseline};

#if defined(__x86_64__)
// AMX's tiles and BF16 (CPUID leaf 7: EDX bits 24 and 22), which Linux lets a process use that asks for them,
// since they make its threads' state larger (Documentation/arch/x86/xstate.rst).
bool has_amx() {
  static const bool has = [] {
    constexpr unsigned kTiles = 1u << 24, kBf16 = 1u << 22;
    constexpr int kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kTiles) != 0 && (d & kBf16) != 0 &&
           syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  }();
  return has;
}
#endif

}  // namespace

std::string_view name_of(Isa isa) {
  switch (isa) {
    case Isa::kBaseline:
      return "baseline";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAmx:
      return "amx";
  }
  return "?";
}

bool has_isa(Isa isa, Precision precision) {
  const bool is_bf16 = precision == Precision::kBf16;
#if defined(__x86_64__)
  switch (isa) {
    case Isa::kAmx:
      return is_bf16 && has_isa(Isa::kAvx512, precision) && has_amx();
    case Isa::kAvx512:
      return has_isa(Isa::kAvx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl") && (!is_bf16 || __builtin_cpu_supports("avx512bf16"));
    case Isa::kAvx2:
      return !is_bf16 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
             __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("f16c") &&
             __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
    case Isa::kBaseline:
      return !is_bf16;
  }
#endif
  return isa == Isa::kBaseline && !is_bf16;
}

Isa choose_isa(std::string_view forced, Precision precision) {
  bool is_known = forced.empty();
  for (const Isa isa : kBestFirst) {
    if (!forced.empty() && forced != name_of(isa)) continue;
    is_known = true;
    if (has_isa(isa, precision)) return isa;
  }
  if (!is_known)
    fail(ErrorCode::kUsage, "SWINZOO_FORCE_ISA is '{}'; there are: amx, avx512, avx2, baseline", forced);
  if (forced.empty()) {
    fail(ErrorCode::kUnsupported, "this CPU has neither AVX512_BF16 nor AMX, which {} needs",
         name_of(precision));
  }
  fail(ErrorCode::kUnsupported, "SWINZOO_FORCE_ISA is '{}', which this CPU lacks for {}", forced,
       name_of(precision));
}

}  // namespace swinzoo::backends
