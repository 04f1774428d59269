#include "cmd/interrupt.h"

#include <signal.h>

#include <atomic>

namespace swinzoo::cmd {
namespace {

std::atomic<bool> g_interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free, "written by a signal handler");

void on_interrupt(int) { g_interrupted = true; }

}  // namespace

void install_interrupt_handler(int signal) {
  struct sigaction current;
  if (sigaction(signal, nullptr, &current) == 0 && current.sa_handler == SIG_IGN) return;
  struct sigaction action = {};
  action.sa_handler = &on_interrupt;
  action.sa_flags = SA_RESETHAND;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

bool interrupted() { return g_interrupted; }

}  // namespace swinzoo::cmd
