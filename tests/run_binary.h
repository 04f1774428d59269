// Runs the real swinzoo executable, for tests of the command line.
#pragma once

#include <map>
#include <string>
#include <vector>

struct Result {
  int status = 0;  // the exit status; 128 + the signal's number if one ended it
  std::string out;
  std::string err;
};

// Runs SWINZOO_BINARY with these arguments, no shell, and an empty standard input. The environment is the
// caller's without any SWINZOO_* variable, and with those of `env` added. Throws if the process can't be
// started.
Result run_swinzoo(std::vector<std::string> args, std::map<std::string, std::string> env = {});
