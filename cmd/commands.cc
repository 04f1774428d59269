#include <array>

#include "cmd/command.h"

namespace swinzoo::cmd {

std::span<const Command> commands() {
  static constexpr std::array kCommands = {
      Command{"list", "The catalog's entries", &setup_list},
      Command{"info", "All that is known of an entry", &setup_info},
      Command{"fetch", "Fetch models into the shared Hugging Face cache", &setup_fetch},
      Command{"lock", "Write down exactly which bytes models are made of", &setup_lock},
      Command{"cache", "What lies in the caches: list, check, remove", &setup_cache},
      Command{"convert", "Write a checkpoint in the common format", &setup_convert},
      Command{"inspect", "Show what a checkpoint file holds", &setup_inspect},
      Command{"verify", "Check a model's weights and what it computes", &setup_verify},
      Command{"predict", "Run a model on images or tensors", &setup_predict},
      Command{"count", "Parameters, MACs and activations", &setup_count},
      Command{"eval", "Accuracy on labelled images", &setup_eval},
      Command{"bench", "Latency and throughput", &setup_bench},
      Command{"compare", "Whether results got worse, and how sure that is", &setup_compare},
      Command{"report", "A Markdown report of results", &setup_report},
      Command{"env", "This machine and this build", &setup_env},
  };
  return kCommands;
}

}  // namespace swinzoo::cmd
