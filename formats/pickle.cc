#include "formats/pickle.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "formats/error.h"
#include "formats/mapped_file.h"

namespace swinzoo {
namespace {

using Kind = PickleValue::Kind;

constexpr size_t kMostValues = size_t{1} << 20;
constexpr size_t kLongestGlobal = 256;

// Python's Lib/pickle.py names them.
enum class Op : uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersid = 'Q',
  kReduce = 'R',
  kBinString = 'T',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kDict = 'd',
  kEmptyDict = '}',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kList = 'l',
  kEmptyList = ']',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kEmptyTuple = ')',
  kSetItems = 'u',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kProto = 0x80,
  kNewObj = 0x81,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kLong4 = 0x8b,
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kBinBytes8 = 0x8e,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kNewObjEx = 0x92,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
  kByteArray8 = 0x96,
};

}  // namespace

class PickleReader {
 public:
  PickleReader(std::span<const std::byte> bytes, bool (*known)(std::string_view), Pickle& pickle)
      : bytes_(bytes), known_(known), values_(pickle.values_), names_(pickle.names_) {}

  void read(Pickle& pickle) {
    Op op;
    do {
      at_ = next_;
      op = Op{number<uint8_t>()};
      run(op);
    } while (op != Op::kStop);
    if (stack_.size() != 1 || !marks_.empty()) damaged("ends with more than its value");
    pickle.top_ = stack_.back();
    pickle.size_ = next_;
  }

 private:
  [[noreturn]] void damaged(const char* what) const {
    fail(ErrorCode::kCorrupt, "damaged pickle: at byte {}: {}", at_, what);
  }

  std::string_view take(uint64_t length) {
    const auto taken = checked_range(bytes_, next_, length, "a pickle");
    next_ += length;
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }

  template <typename T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

  std::string_view line() {
    const auto rest = bytes_.subspan(next_);
    const auto end = std::find(rest.begin(), rest.end(), std::byte{'\n'});
    if (end == rest.end()) damaged("a line without an end");
    const std::string_view text = take(static_cast<uint64_t>(end - rest.begin()));
    ++next_;
    return text;
  }

  // The stack.
  size_t bottom() const { return marks_.empty() ? 0 : marks_.back(); }

  void push(PickleRef value) {
    if (stack_.size() >= kMostValues) damaged("too large");
    stack_.push_back(value);
  }

  PickleValue& push_new(Kind kind) {
    if (values_.size() >= kMostValues) damaged("too large");
    push(static_cast<PickleRef>(values_.size()));
    values_.emplace_back().kind = kind;
    return values_.back();
  }

  PickleRef pop() {
    if (stack_.size() <= bottom()) damaged("takes from an empty stack");
    const PickleRef value = stack_.back();
    stack_.pop_back();
    return value;
  }

  PickleValue& top() {
    if (stack_.size() <= bottom()) damaged("looks at an empty stack");
    return values_[stack_.back()];
  }

  std::vector<PickleRef> pop_to_mark() {
    if (marks_.empty()) damaged("no mark");
    const auto from = stack_.begin() + static_cast<ptrdiff_t>(marks_.back());
    std::vector<PickleRef> items(from, stack_.end());
    stack_.erase(from, stack_.end());
    marks_.pop_back();
    return items;
  }

  std::vector<PickleRef> pop_items(size_t count) {
    std::vector<PickleRef> items(count);
    std::generate(items.rbegin(), items.rend(), [&] { return pop(); });
    return items;
  }

  void push_items(Kind kind, std::vector<PickleRef> items) {
    if (kind == Kind::kDict && items.size() % 2 != 0) damaged("a key without a value");
    push_new(kind).items = std::move(items);
  }

  void push_text(Kind kind, std::string_view text) { push_new(kind).text = text; }

  void push_integer(Kind kind, int64_t integer) { push_new(kind).integer = integer; }

  void push_long(std::string_view text) {
    if (text.size() > sizeof(int64_t)) return push_text(Kind::kLong, text);
    int64_t integer = !text.empty() && static_cast<signed char>(text.back()) < 0 ? -1 : 0;
    std::memcpy(&integer, text.data(), text.size());
    push_integer(Kind::kInt, integer);
  }

  void push_global(std::string_view module, std::string_view name) {
    std::string global =
        fmt::format("{}.{}", module.substr(0, kLongestGlobal), name.substr(0, kLongestGlobal));
    if (module.size() + name.size() > kLongestGlobal || !known_(global)) {
      fail(
          ErrorCode::kUnsupported,
          "its pickle names {}, which is neither a tensor nor plain data; refused, and nothing of it was run",
          global);
    }
    push_text(Kind::kGlobal, *names_.insert(std::move(global)).first);
  }

  void push_stack_global() {
    const PickleValue& name = values_[pop()];
    const PickleValue& module = values_[pop()];
    if (name.kind != Kind::kText || module.kind != Kind::kText) damaged("a global without a name");
    push_global(module.text, name.text);
  }

  void push_call() {
    const PickleRef arguments = pop(), callable = pop();
    if (values_[callable].kind != Kind::kGlobal) damaged("calls what is no global");
    PickleValue& call = push_new(Kind::kCall);
    call.callable = callable;
    call.arguments = arguments;
  }

  void add_to_top(const std::vector<PickleRef>& items, bool pairs) {
    PickleValue& value = top();
    const bool fits =
        pairs ? value.kind == Kind::kDict : value.kind == Kind::kList || value.kind == Kind::kSet;
    if (value.kind == Kind::kCall && !pairs) return;  // only what has keys is ever asked for
    if (!fits && value.kind != Kind::kCall) damaged("puts items into what is no container");
    if (pairs && items.size() % 2 != 0) damaged("a key without a value");
    value.items.insert(value.items.end(), items.begin(), items.end());
  }

  void memoize(size_t index) {
    top();
    if (index >= kMostValues) damaged("too large");
    if (index >= memo_.size()) memo_.resize(index + 1, kMostValues);
    memo_[index] = stack_.back();
  }

  void push_memo(size_t index) {
    if (index >= memo_.size() || memo_[index] == kMostValues) damaged("an empty place of the memo");
    push(memo_[index]);
  }

  void run(Op op);

  const std::span<const std::byte> bytes_;
  bool (*const known_)(std::string_view);
  std::vector<PickleValue>& values_;
  std::set<std::string, std::less<>>& names_;
  size_t next_ = 0, at_ = 0;  // the next byte; the current opcode's
  std::vector<PickleRef> stack_, memo_;
  std::vector<size_t> marks_;
};

void PickleReader::run(Op op) {
  switch (op) {
    case Op::kStop:
      return;
    case Op::kProto:
      if (const auto protocol = number<uint8_t>(); protocol < 2 || protocol > 5) {
        fail(ErrorCode::kUnsupported, "pickle protocol {}; 2 to 5 are read", protocol);
      }
      return;
    case Op::kFrame: {
      const auto length = number<uint64_t>();
      checked_range(bytes_, next_, length, "a pickle's frame");
      return;
    }

    case Op::kMark:
      if (marks_.size() >= kMostValues) damaged("too large");
      marks_.push_back(stack_.size());
      return;
    case Op::kPop:
      pop();
      return;
    case Op::kPopMark:
      pop_to_mark();
      return;
    case Op::kDup:
      top();
      return push(stack_.back());

    case Op::kNone:
      push_new(Kind::kNone);
      return;
    case Op::kNewTrue:
      return push_integer(Kind::kBool, 1);
    case Op::kNewFalse:
      return push_integer(Kind::kBool, 0);
    case Op::kBinInt:
      return push_integer(Kind::kInt, number<int32_t>());
    case Op::kBinInt1:
      return push_integer(Kind::kInt, number<uint8_t>());
    case Op::kBinInt2:
      return push_integer(Kind::kInt, number<uint16_t>());
    case Op::kLong1:
      return push_long(take(number<uint8_t>()));
    case Op::kLong4:
      return push_long(take(number<uint32_t>()));
    case Op::kBinFloat:
      push_new(Kind::kFloat).real = std::bit_cast<double>(__builtin_bswap64(number<uint64_t>()));
      return;

    case Op::kBinUnicode:
      return push_text(Kind::kText, take(number<uint32_t>()));
    case Op::kShortBinUnicode:
      return push_text(Kind::kText, take(number<uint8_t>()));
    case Op::kBinUnicode8:
      return push_text(Kind::kText, take(number<uint64_t>()));
    case Op::kBinString:  // Python 2's str
      return push_text(Kind::kText, take(number<uint32_t>()));
    case Op::kShortBinString:
      return push_text(Kind::kText, take(number<uint8_t>()));
    case Op::kBinBytes:
      return push_text(Kind::kBytes, take(number<uint32_t>()));
    case Op::kShortBinBytes:
      return push_text(Kind::kBytes, take(number<uint8_t>()));
    case Op::kBinBytes8:
    case Op::kByteArray8:
      return push_text(Kind::kBytes, take(number<uint64_t>()));

    case Op::kEmptyTuple:
      return push_items(Kind::kTuple, {});
    case Op::kTuple1:
      return push_items(Kind::kTuple, pop_items(1));
    case Op::kTuple2:
      return push_items(Kind::kTuple, pop_items(2));
    case Op::kTuple3:
      return push_items(Kind::kTuple, pop_items(3));
    case Op::kTuple:
      return push_items(Kind::kTuple, pop_to_mark());
    case Op::kEmptyList:
      return push_items(Kind::kList, {});
    case Op::kList:
      return push_items(Kind::kList, pop_to_mark());
    case Op::kEmptySet:
      return push_items(Kind::kSet, {});
    case Op::kFrozenSet:
      return push_items(Kind::kSet, pop_to_mark());
    case Op::kEmptyDict:
      return push_items(Kind::kDict, {});
    case Op::kDict:
      return push_items(Kind::kDict, pop_to_mark());
    case Op::kAppend:
      return add_to_top(pop_items(1), false);
    case Op::kAppends:
    case Op::kAddItems:
      return add_to_top(pop_to_mark(), false);
    case Op::kSetItem:
      return add_to_top(pop_items(2), true);
    case Op::kSetItems:
      return add_to_top(pop_to_mark(), true);

    case Op::kBinGet:
      return push_memo(number<uint8_t>());
    case Op::kLongBinGet:
      return push_memo(number<uint32_t>());
    case Op::kBinPut:
      return memoize(number<uint8_t>());
    case Op::kLongBinPut:
      return memoize(number<uint32_t>());
    case Op::kMemoize:
      return memoize(memo_.size());

    case Op::kGlobal: {
      const std::string_view module = line();
      return push_global(module, line());
    }
    case Op::kStackGlobal:
      return push_stack_global();
    case Op::kReduce:
    case Op::kNewObj:
      return push_call();
    case Op::kNewObjEx:
      pop();  // arguments by keyword
      return push_call();
    case Op::kBuild:  // an object's attributes: none matters
      pop();
      top();
      return;
    case Op::kBinPersid: {
      const PickleRef id = pop();
      push_new(Kind::kPersistent).arguments = id;
      return;
    }
  }
  fail(ErrorCode::kUnsupported, "damaged pickle, or of a protocol not read: opcode {:#04x} at byte {}",
       static_cast<unsigned>(op), at_);
}

Pickle::Pickle(std::span<const std::byte> bytes, bool (*known)(std::string_view global)) {
  PickleReader(bytes, known, *this).read(*this);
}

}  // namespace swinzoo
