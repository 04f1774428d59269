#include "tests/run_binary.h"

#include "tests/process.h"

namespace swinzoo {

Result run_swinzoo(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& env) {
  std::vector<std::string> args = {SWINZOO_BINARY};
  args.insert(args.end(), arguments.begin(), arguments.end());
  Process process(args, env);
  const int status = process.wait();
  return {status, process.out(), process.err()};
}

}  // namespace swinzoo
