// How a subcommand is made: one file with one setup function, and one row in the table of commands.cc.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <span>

namespace swinzoo::cmd {

// Options that stand in front of any subcommand or behind it.
struct Globals {
  bool quiet = false;    // -q: no progress, no notes
  bool verbose = false;  // -v: notes on what is done
};

// Runs the subcommand after the command line was parsed; returns the exit status. May throw Error.
using Action = std::function<int(const Globals&)>;

struct Command {
  const char* name;
  const char* summary;             // one line for --help
  Action (*setup)(CLI::App& app);  // declares its options on `app`, and returns what runs it
  const char* examples;            // for --help: lines "  swinzoo NAME ..."
};

// Declares all that swinzoo understands. Parsing fills `globals`, and `action` with what runs the subcommand;
// both outlive the app's parsing.
void declare(CLI::App& app, Globals& globals, Action& action);

// Declares subcommands of a subcommand, one of which must be named; returns what runs it.
Action setup_subcommands(CLI::App& app, std::span<const Command> commands);

// All subcommands, in the order in which --help shows them.
std::span<const Command> commands();

Action setup_list(CLI::App& app);
Action setup_info(CLI::App& app);
Action setup_fetch(CLI::App& app);
Action setup_lock(CLI::App& app);
Action setup_cache(CLI::App& app);
Action setup_convert(CLI::App& app);
Action setup_inspect(CLI::App& app);
Action setup_verify(CLI::App& app);
Action setup_predict(CLI::App& app);
Action setup_count(CLI::App& app);
Action setup_eval(CLI::App& app);
Action setup_bench(CLI::App& app);
Action setup_compare(CLI::App& app);
Action setup_report(CLI::App& app);
Action setup_history(CLI::App& app);
Action setup_completion(CLI::App& app);
Action setup_env(CLI::App& app);

}  // namespace swinzoo::cmd
