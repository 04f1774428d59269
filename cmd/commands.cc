#include <fmt/format.h>

#include <array>
#include <memory>

#include "cmd/command.h"

namespace swinzoo::cmd {

std::span<const Command> commands() {
  static constexpr std::array kCommands = {
      Command{"list", "The catalog's entries", &setup_list,
              "  swinzoo list --family swinv2 --collection timm\n"
              "  swinzoo list --task features --json"},
      Command{"info", "All that is known of an entry", &setup_info,
              "  swinzoo info swin_tiny_patch4_window7_224.ms_in1k\n"
              "  swinzoo info sayakpaul/swin_tiny_patch4_window7_224 --plan"},
      Command{"fetch", "Fetch models into the shared Hugging Face cache", &setup_fetch,
              "  swinzoo fetch swin_tiny_patch4_window7_224.ms_in1k\n"
              "  swinzoo fetch --collection sayakpaul/swin/1 --dry-run\n"
              "  swinzoo fetch hf:timm/swin_s3_tiny_224.ms_in1k -j 4"},
      Command{"lock", "Write down exactly which bytes models are made of", &setup_lock,
              "  swinzoo lock swin_tiny_patch4_window7_224.ms_in1k -o swinzoo.lock"},
      Command{"cache", "What lies in the caches: list, check, remove", &setup_cache,
              "  swinzoo cache ls --sort size\n"
              "  swinzoo cache verify\n"
              "  swinzoo cache rm hf:OWNER/REPO --dry-run"},
      Command{"convert", "Write a checkpoint in the common format", &setup_convert,
              "  swinzoo convert model.pth -o model.safetensors\n"
              "  swinzoo convert hf:OWNER/REPO -o half.safetensors --dtype f16"},
      Command{"inspect", "Show what a checkpoint file holds", &setup_inspect,
              "  swinzoo inspect model.safetensors\n"
              "  swinzoo inspect a.pth b.safetensors"},
      Command{"verify", "Check a model's weights and what it computes", &setup_verify,
              "  swinzoo verify swin_tiny_patch4_window7_224.ms_in1k --against reference\n"
              "  swinzoo verify --catalog --run"},
      Command{"predict", "Run a model on images or tensors", &setup_predict,
              "  swinzoo predict swin_tiny_patch4_window7_224.ms_in1k photo.jpg --topk 3\n"
              "  swinzoo predict model.safetensors images/ --outputs logits,embedding -o out.safetensors"},
      Command{"count", "Parameters, MACs and activations", &setup_count,
              "  swinzoo count swin_tiny_patch4_window7_224 --by-op\n"
              "  swinzoo count model.safetensors --json"},
      Command{"eval", "Accuracy on labelled images", &setup_eval,
              "  swinzoo eval swin_tiny_patch4_window7_224.ms_in1k --data imagenet/val\n"
              "  swinzoo eval model.safetensors --data imagenet/val --limit 1000 --shuffle -o eval.json\n"
              "  swinzoo eval --collection timm --data imagenet/val -o runs/"},
      Command{"bench", "Latency and throughput", &setup_bench,
              "  swinzoo bench swin_tiny_patch4_window7_224.ms_in1k --batch 1-64*2 --threads 1,2\n"
              "  swinzoo bench model.safetensors --mode throughput --format csv\n"
              "  swinzoo bench --collection sayakpaul/swin/1 -o runs/"},
      Command{"compare", "Whether results got worse, and how sure that is", &setup_compare,
              "  swinzoo compare base.json new.json\n"
              "  swinzoo compare runs-main/ runs-branch/ --fail-on 'accuracy>0.2,latency>5%' -o compare.md\n"
              "  swinzoo compare --run old/swinzoo --run new/swinzoo -- bench MODEL --batch 1"},
      Command{"report", "A report of results: Markdown, one table, or a page with charts", &setup_report,
              "  swinzoo report eval.json bench.json -o report.md\n"
              "  swinzoo report --collection timm runs/ --format html -o report.html"},
      Command{"history", "Results kept by machine and commit, and their trends", &setup_history,
              "  swinzoo history add runs/ --commit HEAD\n"
              "  swinzoo history show --baseline --json\n"
              "  swinzoo history trend --measure median_ms --machine this"},
      Command{"completion", "Completion for a shell: bash, zsh or fish", &setup_completion,
              "  swinzoo completion bash\n"
              "  swinzoo completion fish"},
      Command{"env", "This machine and this build", &setup_env, "  swinzoo env --json"},
  };
  return kCommands;
}

void declare(CLI::App& app, Globals& globals, Action& action) {
  app.set_version_flag("--version", "swinzoo " SWINZOO_VERSION);
  app.add_flag("-q,--quiet", globals.quiet, "No progress and no notes");
  app.add_flag("-v,--verbose", globals.verbose, "Notes on what is done");
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(
      "Exit status: 0 ok, 1 failed, 2 usage, 3 not found, 4 network, 5 corrupt or mismatched data,\n"
      "6 disk full, 7 unsupported, 10 accuracy regression, 11 performance regression,\n"
      "12 inconclusive, 130 interrupted.");
  for (const Command& command : commands()) {
    CLI::App* sub = app.add_subcommand(command.name, command.summary);
    sub->callback([&action, run = command.setup(*sub)] { action = run; });
    sub->footer(fmt::format("Examples:\n{}", command.examples));
  }
}

Action setup_subcommands(CLI::App& app, std::span<const Command> commands) {
  const auto chosen = std::make_shared<Action>();
  app.require_subcommand(1);
  for (const Command& command : commands) {
    CLI::App* sub = app.add_subcommand(command.name, command.summary);
    sub->callback([chosen, run = command.setup(*sub)] { *chosen = run; });
    sub->footer(fmt::format("Examples:\n{}", command.examples));
  }
  return [chosen](const Globals& globals) { return (*chosen)(globals); };
}

}  // namespace swinzoo::cmd
