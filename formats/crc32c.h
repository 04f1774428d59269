// CRC32C (Castagnoli, RFC 3720 appendix B.4), and its masked form as LevelDB and TensorFlow store it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace swinzoo {

// The CRC of A followed by `bytes`, where `crc` is A's; 0 is the CRC of nothing. Uses SSE4.2 where the CPU
// has it: about 8 bytes in 3 cycles.
uint32_t extend_crc32c(uint32_t crc, std::span<const std::byte> bytes);

// The same by tables alone, for CPUs without that instruction.
uint32_t extend_crc32c_by_tables(uint32_t crc, std::span<const std::byte> bytes);

inline uint32_t crc32c(std::span<const std::byte> bytes) { return extend_crc32c(0, bytes); }

// Rotated right by 15 bits plus a constant (leveldb/util/crc32c.h), so that the CRC of data that holds CRCs
// stays a good one.
constexpr uint32_t mask_crc32c(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; }

}  // namespace swinzoo
