#include <array>

#include "cmd/command.h"

namespace swinzoo::cmd {

std::span<const Command> commands() {
  static constexpr std::array<Command, 1> kCommands = {{
      {"fetch", "Fetch models into the shared Hugging Face cache.", &setup_fetch},
  }};
  return kCommands;
}

}  // namespace swinzoo::cmd
