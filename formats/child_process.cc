#include "formats/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "formats/error.h"

namespace swinzoo {
namespace {

using Clock = std::chrono::steady_clock;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLimitMemory = false;  // their shadow alone is terabytes of address space
#else
constexpr bool kLimitMemory = true;
#endif

constexpr int kPipe = 3;  // in the child

[[noreturn]] void fail_in_parent(const char* what) {
  fail(ErrorCode::kFailed, "no child process can be made to read it in: {}: {}", what, std::strerror(errno));
}

// ---- In the child ----

constexpr int kWorkFailed = 1, kNotSetUp = 2;  // exit statuses

[[noreturn]] void give_up() { ::_exit(kNotSetUp); }

void limit(__rlimit_resource resource, uint64_t most) {
  rlimit now{};
  if (::getrlimit(resource, &now) != 0) give_up();
  now.rlim_cur = std::min<rlim_t>(most, now.rlim_max);
  if (::setrlimit(resource, &now) != 0) give_up();
}

// Bytes of address space that are mapped.
uint64_t mapped_bytes() {
  char text[64] = {};
  const int fd = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0 || ::read(fd, text, sizeof text - 1) <= 0) give_up();
  ::close(fd);
  return std::strtoull(text, nullptr, 10) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

void close_all_but(int pipe) {
  const int high = ::fcntl(pipe, F_DUPFD, kPipe + 1);  // the pipe may be where a standard stream belongs
  const int null = ::open("/dev/null", O_RDWR);
  if (high < 0 || null < 0) give_up();
  for (int stream = 0; stream < kPipe; ++stream) {
    if (::dup2(null, stream) < 0) give_up();
  }
  if (::dup2(high, kPipe) < 0) give_up();
  ::closefrom(kPipe + 1);  // above all the pipes of other threads' children, which would wait for this one
}

void send_to_parent(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::write(kPipe, bytes.data(), bytes.size());
    if (sent < 0 && errno != EINTR) ::_exit(kWorkFailed);
    if (sent > 0) bytes = bytes.subspan(static_cast<size_t>(sent));
  }
}

[[noreturn]] void be_the_child(int pipe, pid_t parent, const ChildLimits& limits,
                               const std::function<void(const Send&)>& work) {
  for (int number = 1; number < NSIG; ++number) std::signal(number, SIG_DFL);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) give_up();
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);

  close_all_but(pipe);
  if (kLimitMemory) limit(RLIMIT_AS, mapped_bytes() + limits.memory);
  limit(RLIMIT_CPU, static_cast<uint64_t>(limits.cpu.count()));
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, 0);
  try {
    work(&send_to_parent);
  } catch (...) {
    ::_exit(kWorkFailed);
  }
  ::_exit(0);
}

// ---- In this process ----

enum class End { kClosed, kTooLate, kTooMuch };

// Reads until the child's end of the pipe is closed.
End receive(int pipe, Clock::time_point deadline, std::span<std::byte> output, size_t& size) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return End::kTooLate;
    pollfd wait{pipe, POLLIN, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(std::min<int64_t>(left, 1'000'000)));
    if (ready <= 0) continue;  // a signal, or the deadline
    std::byte more;
    const std::span<std::byte> rest = size < output.size() ? output.subspan(size) : std::span(&more, 1);
    const ssize_t got = ::read(pipe, rest.data(), rest.size());
    if (got == 0) return End::kClosed;
    if (got > 0 && rest.data() == &more) return End::kTooMuch;
    if (got > 0) size += static_cast<size_t>(got);
  }
}

// The status of a child that has ended or ends now.
int reap(pid_t child) {
  ::kill(child, SIGKILL);  // changes nothing if it has closed the pipe, which it does by ending
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) fail_in_parent("waitpid");
  }
  return status;
}

}  // namespace

size_t run_in_child(const ChildLimits& limits, std::span<std::byte> output,
                    const std::function<void(const Send& send)>& work) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail_in_parent("pipe");
  // Signals wait until the child has none of our handlers.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) be_the_child(ends[1], parent, limits, work);
  const int fork_errno = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(ends[1]);
  if (child < 0) {
    ::close(ends[0]);
    errno = fork_errno;
    fail_in_parent("fork");
  }
  size_t size = 0;
  const End end = receive(ends[0], Clock::now() + limits.clock, output, size);
  ::close(ends[0]);
  const int status = reap(child);

  if (end == End::kTooMuch) fail(ErrorCode::kCorrupt, "it claims more than {} bytes", output.size());
  if (end == End::kTooLate || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)) {
    fail(ErrorCode::kCorrupt, "reading it did not end within {} s ({} s of the processor)",
         limits.clock.count(), limits.cpu.count());
  }
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    fail(ErrorCode::kCorrupt, "reading it crashed the child process that did so: signal {} ({})", number,
         ::strsignal(number));
  }
  if (WEXITSTATUS(status) == kNotSetUp) {
    fail(ErrorCode::kFailed, "the child process to read it in cannot be set up");
  }
  if (WEXITSTATUS(status) != 0) fail(ErrorCode::kCorrupt, "it cannot be read");
  return size;
}

}  // namespace swinzoo
