#include <array>

#include "cmd/command.h"

namespace swinzoo::cmd {

std::span<const Command> commands() {
  static constexpr std::array<Command, 0> kCommands = {{
  }};
  return kCommands;
}

}  // namespace swinzoo::cmd
