// What hub_server does wrong on purpose when it is asked for a file.
//
// NAME=VALUE[*COUNT][+SKIP]: to COUNT answers (to all where it's left out), after SKIP that are right.
//   status=CODE        answers CODE (429, 503 ...), with Retry-After: 0
//   redirect=1         a redirect to the same URL
//   no-ranges=1        200 and the whole file, whatever is asked for
//   shift-range=N      Content-Range says that the bytes start N later than they do
//   short-range=N      at most N bytes of a range that was asked for, rightly announced
//   length=N           Content-Length is N bytes more than the file has, or less
//   etag=N             the ETag has -N at its end
//   cut=N              the connection is cut after a random number of bytes, below N
//   stall=N            nothing more is sent after N bytes
//   flip=OFFSET        that byte of the file is sent wrong, COUNT times
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>

namespace swinzoo {

// Thread-safe, but for add().
class Faults {
 public:
  void add(const std::string& spec);  // throws std::invalid_argument

  // The fault's value, if it is to happen now; that counts.
  std::optional<int64_t> take(const std::string& name);
  // The same, but it counts nothing.
  std::optional<int64_t> value(const std::string& name) const;

  uint64_t random_below(uint64_t limit);

 private:
  struct Fault {
    int64_t value = 0;
    uint64_t left = UINT64_MAX;
    uint64_t skip = 0;
  };
  std::map<std::string, Fault> faults_;
  mutable std::mutex mutex_;
  std::mt19937_64 random_{11};
};

}  // namespace swinzoo
