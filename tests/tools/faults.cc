#include "tests/tools/faults.h"

#include <cstdio>
#include <set>
#include <stdexcept>

namespace swinzoo {

void Faults::add(const std::string& spec) {
  static const std::set<std::string> kNames = {"status",      "redirect", "no-ranges", "shift-range",
                                               "short-range", "length",   "etag",      "cut",
                                               "stall",       "flip"};
  const size_t equals = spec.find('=');
  const std::string name = spec.substr(0, equals);
  if (equals == std::string::npos || !kNames.contains(name))
    throw std::invalid_argument("no such fault: " + spec);
  Fault fault;
  size_t used = 0;
  std::string rest = spec.substr(equals + 1);
  fault.value = std::stoll(rest, &used);
  for (rest = rest.substr(used); !rest.empty(); rest = rest.substr(1 + used)) {
    const uint64_t number = std::stoull(rest.substr(1), &used);
    if (rest[0] != '*' && rest[0] != '+') throw std::invalid_argument("expected *COUNT or +SKIP: " + spec);
    (rest[0] == '*' ? fault.left : fault.skip) = number;
  }
  faults_[name] = fault;
}

std::optional<int64_t> Faults::take(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = faults_.find(name);
  if (found == faults_.end()) return std::nullopt;
  Fault& fault = found->second;
  if (fault.skip > 0) {
    --fault.skip;
    return std::nullopt;
  }
  if (fault.left == 0) return std::nullopt;
  --fault.left;
  return fault.value;
}

std::optional<int64_t> Faults::value(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = faults_.find(name);
  return found == faults_.end() ? std::nullopt : std::optional(found->second.value);
}

uint64_t Faults::random_below(uint64_t limit) {
  const std::lock_guard lock(mutex_);
  return std::uniform_int_distribution<uint64_t>(0, limit - 1)(random_);
}

}  // namespace swinzoo
