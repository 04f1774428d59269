#include "formats/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace swinzoo {
namespace {

constexpr uint32_t kReversedPolynomial = 0x82f63b78u;

using Tables = std::array<std::array<uint32_t, 256>, 8>;

// tables[k][b]: what byte b contributes when k more bytes follow it (slicing by 8).
constexpr Tables make_tables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kReversedPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

uint64_t load_u64(const std::byte* p) {
  uint64_t word = 0;
  std::memcpy(&word, p, sizeof(word));
  return word;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t extend_by_sse42(uint32_t crc, std::span<const std::byte> bytes) {
  uint64_t state = ~crc;
  const std::byte* p = bytes.data();
  const std::byte* const end = p + bytes.size();
  for (; end - p >= 8; p += 8) state = _mm_crc32_u64(state, load_u64(p));
  auto narrow = static_cast<uint32_t>(state);
  for (; p != end; ++p) narrow = _mm_crc32_u8(narrow, static_cast<uint8_t>(*p));
  return ~narrow;
}
#endif

}  // namespace

uint32_t extend_crc32c_by_tables(uint32_t crc, std::span<const std::byte> bytes) {
  uint32_t state = ~crc;
  const std::byte* p = bytes.data();
  const std::byte* const end = p + bytes.size();
  for (; end - p >= 8; p += 8) {
    const uint64_t word = load_u64(p) ^ state;
    state = 0;
    for (size_t k = 0; k < 8; ++k) state ^= kTables[7 - k][(word >> (8 * k)) & 0xff];
  }
  for (; p != end; ++p) state = (state >> 8) ^ kTables[0][(state ^ static_cast<uint8_t>(*p)) & 0xff];
  return ~state;
}

uint32_t extend_crc32c(uint32_t crc, std::span<const std::byte> bytes) {
#if defined(__x86_64__)
  static const bool kHasSse42 = __builtin_cpu_supports("sse4.2") != 0;
  if (kHasSse42) return extend_by_sse42(crc, bytes);
#endif
  return extend_crc32c_by_tables(crc, bytes);
}

}  // namespace swinzoo
