#include "formats/child_process.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "formats/error.h"
#include "tests/error_code.h"
#include "tests/process.h"

using namespace swinzoo;
using Catch::Contains;
using std::chrono::seconds;

namespace {

constexpr ChildLimits kLimits = {uint64_t{64} << 20, seconds(20), seconds(60)};

void send_text(const Send& send, const std::string& text) { send(std::as_bytes(std::span(text))); }

// What a child sends that has room for `most` bytes.
std::string sent(const std::function<void(const Send&)>& work, const ChildLimits& limits = kLimits,
                 size_t most = 100) {
  std::string text(most, '\0');
  text.resize(run_in_child(limits, std::as_writable_bytes(std::span(text)), work));
  return text;
}

std::string error_of(const std::function<void(const Send&)>& work, const ChildLimits& limits = kLimits) {
  try {
    sent(work, limits);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kCorrupt);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a child sends what it has and changes nothing here") {
  int number = 1;
  CHECK(sent([&](const Send& send) {
          number = 2;
          send_text(send, "two");
          send_text(send, " parts");
        }) == "two parts");
  CHECK(number == 1);
  CHECK(sent([](const Send&) {}).empty());
  const std::string long_text(300'000, 'x');
  CHECK(sent([&](const Send& send) { send_text(send, long_text); }, kLimits, long_text.size()) == long_text);
}

TEST_CASE("a child that ends badly is told how") {
  CHECK_THAT(error_of([](const Send&) { ::raise(SIGSEGV); }), Contains("crashed") && Contains("signal 11"));
  CHECK_THAT(error_of([](const Send&) { std::abort(); }), Contains("signal 6"));
  CHECK_THAT(error_of([](const Send&) { throw std::bad_alloc(); }), Contains("cannot be read"));
  CHECK_THAT(error_of([](const Send&) { ::_exit(9); }), Contains("cannot be read"));
  CHECK_THAT(error_of([](const Send& send) {
               send_text(send, "some");
               ::raise(SIGKILL);
             }),
             Contains("signal 9"));
  CHECK_THAT(error_of([](const Send& send) {
               for (;;) send_text(send, "without end");
             }),
             Contains("more than 100 bytes"));
}

TEST_CASE("a child that does not end is ended") {
  ChildLimits limits = kLimits;
  limits.clock = seconds(1);
  CHECK_THAT(error_of([](const Send&) { ::pause(); }, limits), Contains("did not end within 1 s"));
  limits = kLimits;
  limits.cpu = seconds(1);
  CHECK_THAT(error_of(
                 [](const Send&) {
                   std::atomic<unsigned> turns = 0;
                   for (;;) ++turns;
                 },
                 limits),
             Contains("did not end"));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("a child has no more memory than it may") {
  CHECK_THAT(error_of([](const Send&) {
               const std::vector<char> much(size_t{200} << 20);
               throw static_cast<int>(much.size());
             }),
             Contains("cannot be read"));
  CHECK(sent([](const Send& send) {
          send_text(send, std::malloc(size_t{200} << 20) == nullptr ? "none" : "some");
        }) == "none");
}
#endif

TEST_CASE("a child opens no files and has none of ours") {
  const TemporaryFolder folder;
  const int first = ::open(folder.path().c_str(), O_RDONLY | O_CLOEXEC);
  const int ours = ::fcntl(first, F_DUPFD_CLOEXEC, 10);
  REQUIRE(ours >= 10);
  CHECK(sent([&](const Send& send) {
          const bool opens =
              ::open("/etc/passwd", O_RDONLY) >= 0 || ::open(folder.path().c_str(), O_RDONLY) >= 0;
          const bool has = ::fcntl(ours, F_GETFD) >= 0;
          send_text(send, opens ? "opens" : has ? "has" : "neither");
          const char noise[] = "this is not to be seen";
          if (::write(STDERR_FILENO, noise, sizeof noise) < 0) send_text(send, " and no stderr");
        }) == "neither");
  ::close(ours);
  ::close(first);
}

TEST_CASE("children of several threads do not wait for each other") {
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 10; ++round) {
        const std::string text = std::to_string(i) + "," + std::to_string(round);
        right += sent([&](const Send& send) { send_text(send, text); }) == text ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == 40);
}
