// Runs the real `swinzoo` executable, as a user's shell would.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace swinzoo {

struct Result {
  int status = -1;  // the exit status; 128 + the signal's number where one ended it
  std::string out;
  std::string err;
};

// The environment is this process's, with `env` over it. No shell is involved.
Result run_swinzoo(const std::vector<std::string>& arguments,
                   const std::map<std::string, std::string>& env = {});

}  // namespace swinzoo
