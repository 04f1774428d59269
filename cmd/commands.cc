#include <array>

#include "cmd/command.h"

namespace swinzoo::cmd {

std::span<const Command> commands() {
  static constexpr std::array<Command, 2> kCommands = {{
      {"report", "A Markdown report of results", &setup_report},
      {"env", "This machine and this build", &setup_env},
  }};
  return kCommands;
}

}  // namespace swinzoo::cmd
