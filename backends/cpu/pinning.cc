#include "backends/cpu/pinning.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace fs = std::filesystem;

namespace swinzoo::backends {
namespace {

int node_of(const fs::path& cpu) {
  std::error_code error;
  for (fs::directory_iterator it(cpu, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename();
    if (name.starts_with("node") && name.size() > 4) return std::atoi(name.c_str() + 4);
  }
  return 0;
}

size_t this_slot() { return static_cast<size_t>(tbb::this_task_arena::current_thread_index()); }

}  // namespace

std::vector<int> pinning_order(std::span<const Processor> processors) {
  std::vector<Processor> sorted(processors.begin(), processors.end());
  std::ranges::sort(sorted, {}, [](const Processor& p) { return std::tuple(p.sibling, p.node, p.number); });
  std::vector<int> order;
  for (const Processor& processor : sorted) order.push_back(processor.number);
  return order;
}

std::vector<int> processors_to_pin() {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return {};  // over 1024 of them
  std::vector<Processor> processors;
  std::map<std::string, int> seen;  // hardware threads of a core, by its list of them
  for (int number = 0; number < CPU_SETSIZE; ++number) {
    if (!CPU_ISSET(number, &allowed)) continue;
    const fs::path cpu = "/sys/devices/system/cpu/cpu" + std::to_string(number);
    std::string core;
    std::ifstream(cpu / "topology/thread_siblings_list") >> core;
    if (core.empty()) core = std::to_string(number);
    processors.push_back({number, node_of(cpu), seen[core]++});
  }
  return pinning_order(processors);
}

Pinned::Pinned(tbb::task_arena& arena, std::vector<int> processors)
    : tbb::task_scheduler_observer(arena), processors_(std::move(processors)), before_(processors_.size()) {
  observe(true);
}

Pinned::~Pinned() { observe(false); }

void Pinned::on_scheduler_entry(bool) {
  const size_t slot = this_slot();
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(processors_[slot], &only);
  ::sched_getaffinity(0, sizeof(cpu_set_t), &before_[slot]);
  ::sched_setaffinity(0, sizeof only, &only);
}

void Pinned::on_scheduler_exit(bool) { ::sched_setaffinity(0, sizeof(cpu_set_t), &before_[this_slot()]); }

}  // namespace swinzoo::backends
