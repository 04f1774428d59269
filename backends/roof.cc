#include "backends/roof.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <limits>
#include <new>
#include <numeric>
#include <span>
#include <thread>
#include <vector>

#include "backends/roof_kernel.h"
#include "formats/start_thread.h"

namespace swinzoo::backends {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

// A repeat takes a millisecond or two, so that a few of many are disturbed by nothing, on busy machines too.
constexpr int64_t kRounds = 1 << 19;
constexpr size_t kBufferBytes = size_t{256} << 20;  // far more than the cores' own caches hold
constexpr size_t kLargePage = size_t{2} << 20;
constexpr size_t kPieces = 8;  // a repeat reads one
constexpr Seconds kPeakBudget{0.15}, kReadBudget{0.2};
constexpr int kLeastRepeats = 3;

// Of any CPU: four floats at a time, a multiplication and an addition.
struct PortableUnit {
  using Vector [[gnu::vector_size(16)]] = float;
  static constexpr size_t kLanes = 4, kSums = 12;

  static Vector broadcast(float value) { return Vector{value, value, value, value}; }
  static void multiply_add(Vector& sum, Vector a, Vector b) { sum = a * sum + b; }
};

MultiplyAdds multiply_adds_for(std::string_view isa) {
#if defined(__x86_64__)
  if (isa == "avx512" || isa == "amx") return avx512::kMultiplyAdds;
  if (isa == "avx2") return avx2::kMultiplyAdds;
#endif
  static_cast<void>(isa);
  return multiply_adds_of<PortableUnit>();
}

// Waits until all threads are there, without sleeping: waking up would be timed.
class Gate {
 public:
  explicit Gate(int threads) : threads_(threads) {}

  void arrive_and_wait() {
    const int64_t all = (arrived_.fetch_add(1) / threads_ + 1) * threads_;
    while (arrived_.load() < all && !open_.load()) std::this_thread::yield();
  }

  // Nobody waits any more.
  void open() { open_ = true; }

 private:
  int64_t threads_;
  std::atomic<int64_t> arrived_ = 0;
  std::atomic<bool> open_ = false;
};

using Work = std::function<void(int thread)>;

// The shortest time in which `threads` threads at once got through work(thread), of as many repeats as fit
// into the budget, kLeastRepeats at least. Each thread calls prepare(thread) first, which is not timed.
Seconds best_time(int threads, Seconds budget, const Work& prepare, const Work& work) {
  Seconds best{std::numeric_limits<double>::infinity()};
  std::atomic<bool> done = false;
  Gate gate(threads);
  const auto run = [&](int thread) {
    prepare(thread);
    const auto begin = Clock::now();
    for (int repeats = 1;; ++repeats) {
      gate.arrive_and_wait();
      if (done) return;
      const auto start = Clock::now();
      work(thread);
      gate.arrive_and_wait();
      if (thread > 0) continue;
      const auto end = Clock::now();
      best = std::min<Seconds>(best, end - start);
      done = repeats >= kLeastRepeats && end - begin > budget;
    }
  };
  std::vector<std::jthread> running;
  running.reserve(static_cast<size_t>(threads));
  try {
    for (int thread = 0; thread < threads; ++thread) running.push_back(start_thread(run, thread));
  } catch (...) {
    done = true;
    gate.open();
    throw;
  }
  running.clear();
  return best;
}

double peak_gflops_per_second(std::string_view isa, int threads) {
  const MultiplyAdds unit = multiply_adds_for(isa);
  std::vector<float> results(static_cast<size_t>(threads));
  const Work work = [&](int thread) { results[static_cast<size_t>(thread)] = unit.work(kRounds); };
  const Seconds time = best_time(threads, kPeakBudget, work, work);
  return static_cast<double>(unit.flops_a_round * kRounds * threads) / time.count() / 1e9;
}

// Memory that was never written, in large pages where the system has them: what they leave out, looking pages
// up, is no reading.
struct Buffer {
  Buffer() : words(static_cast<uint64_t*>(std::aligned_alloc(kLargePage, kBufferBytes))) {
    if (words == nullptr) throw std::bad_alloc();
    ::madvise(words, kBufferBytes, MADV_HUGEPAGE);  // or not
  }
  ~Buffer() { std::free(words); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  uint64_t* words;
};

// Several sums, so that adding is not what takes the time. REQUIRES: their number divides the size.
uint64_t sum_of(std::span<const uint64_t> values) {
  std::array<uint64_t, 8> sums{};
  for (size_t i = 0; i < values.size(); i += sums.size()) {
    for (size_t k = 0; k < sums.size(); ++k) sums[k] += values[i + k];
  }
  return std::accumulate(sums.begin(), sums.end(), uint64_t{0});
}

double read_gbytes_per_second(int threads) {
  const size_t piece = kBufferBytes / kPieces / sizeof(uint64_t) / static_cast<size_t>(threads) / 8 * 8;
  const Buffer buffer;
  // A thread reads its part of the buffer, a piece a repeat, again and again.
  struct Reader {
    size_t next = 0;
    uint64_t sum = 0;
  };
  std::vector<Reader> readers(static_cast<size_t>(threads));
  const auto part = [&](int thread) { return buffer.words + static_cast<size_t>(thread) * piece * kPieces; };
  const Work fill = [&](int thread) { std::fill_n(part(thread), piece * kPieces, 1); };
  const Work read = [&](int thread) {
    Reader& reader = readers[static_cast<size_t>(thread)];
    reader.sum += sum_of({part(thread) + reader.next * piece, piece});
    reader.next = (reader.next + 1) % kPieces;
  };
  const Seconds time = best_time(threads, kReadBudget, fill, read);
  return static_cast<double>(piece * sizeof(uint64_t) * readers.size()) / time.count() / 1e9;
}

}  // namespace

Roof measure_roof(std::string_view isa, int threads) {
  return {peak_gflops_per_second(isa, threads), read_gbytes_per_second(threads)};
}

}  // namespace swinzoo::backends
