// Pickles (Python's pickle, protocols 2 to 5), read without Python and without running anything: the result
// is data that says what the pickle would build. A call (REDUCE, NEWOBJ) is kept as a call; who reads the
// pickle decides what it means. Every global that a pickle names must be known to its reader, or the pickle
// is refused by that name, wherever it stands.
//
// Values are numbered and refer to each other by number, so that neither nesting nor cycles cost recursion.
// At most 2^20 values (a checkpoint with optimizer state has some 10^4); the text opcodes of protocol 0 and
// out-of-band buffers are refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace swinzoo {

using PickleRef = uint32_t;

struct PickleValue {
  enum class Kind : uint8_t {
    kNone,
    kBool,        // integer
    kInt,         // integer
    kLong,        // text: two's complement, little-endian, over 8 bytes
    kFloat,       // real
    kText,        // text, UTF-8
    kBytes,       // text
    kTuple,       // items
    kList,        // items
    kSet,         // items
    kDict,        // items: key, value, key, value ...
    kGlobal,      // text: "module.name"
    kCall,        // callable(arguments) that was not made; items: what was then set, key, value ...
    kPersistent,  // arguments: the persistent id
  };
  Kind kind = Kind::kNone;
  PickleRef callable = 0, arguments = 0;
  int64_t integer = 0;
  double real = 0;
  std::string_view text;
  std::vector<PickleRef> items;
};

// Immutable once read. Texts look into the bytes it was read from, which must outlive it.
class Pickle {
 public:
  // Reads one pickle from the start of `bytes`; more may follow it. `known` says of a global ("module.name")
  // whether the reader has a meaning for it. Throws kUnsupported, naming the global, where it has none; and
  // kCorrupt if the pickle is damaged or too large.
  Pickle(std::span<const std::byte> bytes, bool (*known)(std::string_view global));

  Pickle(Pickle&&) = default;
  Pickle& operator=(Pickle&&) = default;

  const PickleValue& operator[](PickleRef value) const { return values_[value]; }
  PickleRef top() const { return top_; }
  const std::vector<PickleValue>& values() const { return values_; }

  // The bytes up to its end (STOP), of those that it was given.
  size_t size() const { return size_; }

 private:
  friend class PickleReader;
  std::vector<PickleValue> values_;
  std::set<std::string, std::less<>> names_;  // of globals; values look into it
  PickleRef top_ = 0;
  size_t size_ = 0;
};

}  // namespace swinzoo
