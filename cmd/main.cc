// swinzoo: parses the command line, runs one subcommand, and turns errors into exit statuses.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <new>
#include <system_error>

#include "cmd/command.h"
#include "formats/error.h"
#include "zoo/suggest.h"

namespace {

using swinzoo::ErrorCode;

int fail_with(ErrorCode code, const std::string& message) {
  fmt::print(stderr, "swinzoo: error: {}\n", message);
  return static_cast<int>(code);
}

// Standard output could not be written. A reader that went away (| head) is no error to speak of: the status
// is the one that the shell gives a program that SIGPIPE ended.
int fail_with_output(int number) {
  if (number == EPIPE) return 128 + SIGPIPE;
  const bool is_full = number == ENOSPC || number == EDQUOT || number == EFBIG;
  return fail_with(is_full ? ErrorCode::kDiskFull : ErrorCode::kFailed,
                   fmt::format("standard output: {}", std::strerror(number)));
}

// What CLI11 could not place, with the nearest name that it would have understood.
std::string usage_message(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* where = &app;
  std::string command = "swinzoo ";
  std::vector<std::string> candidates;
  const auto add_options = [&candidates](const CLI::App& scope) {
    for (const CLI::Option* option : scope.get_options()) {
      for (const std::string& name : option->get_lnames()) candidates.push_back("--" + name);
    }
  };
  while (!where->get_subcommands().empty()) {  // those that were chosen
    add_options(*where);
    where = where->get_subcommands().front();
    command += where->get_name() + " ";
  }
  add_options(*where);
  for (const CLI::App* sub : where->get_subcommands([](const CLI::App*) { return true; })) {
    candidates.push_back(sub->get_name());
  }
  std::string message = error.what();
  for (const std::string& word : app.remaining(true)) {
    const std::string name = word.substr(0, word.find('='));
    if (const auto near = swinzoo::zoo::nearest(name, candidates)) {
      message += fmt::format("; did you mean '{}'?", *near);
      break;
    }
  }
  return fmt::format("{} (see '{}--help')", message, command);
}

}  // namespace

int main(int argc, char** argv) {
  // These two would end the program before it can say what is wrong and remove what it was writing.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  swinzoo::cmd::Globals globals;
  CLI::App app("Fetch, convert, run, measure and compare Swin Transformers.", "swinzoo");
  swinzoo::cmd::Action action;
  swinzoo::cmd::declare(app, globals, action);

  try {
    app.parse(argc, argv);
    const int status = action(globals);
    if (std::fflush(stdout) != 0) return fail_with_output(errno);
    return status;
  } catch (const CLI::Success& success) {  // --help and --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return fail_with(ErrorCode::kUsage, usage_message(app, error));
  } catch (const swinzoo::Error& error) {
    return fail_with(error.code(), error.what());
  } catch (const std::filesystem::filesystem_error& error) {
    return fail_with(ErrorCode::kFailed, error.what());
  } catch (const std::system_error& error) {  // what fmt::print throws
    return fail_with_output(error.code().value());
  } catch (const std::bad_alloc&) {
    return fail_with(ErrorCode::kFailed, "out of memory");
  } catch (const std::exception& error) {
    return fail_with(ErrorCode::kFailed, error.what());
  }
}
