#include "cmd/overwrite.h"

#include <stdexcept>

#include "formats/error.h"
#include "zoo/model.h"

namespace fs = std::filesystem;

namespace swinzoo::cmd {

void require_not_an_input(const fs::path& output, std::span<const fs::path> inputs) {
  std::error_code error;
  if (!fs::is_regular_file(output, error)) return;
  for (const fs::path& input : inputs) {
    if (!fs::equivalent(output, input, error)) continue;
    fail(ErrorCode::kUsage, "{}: is read, and would be overwritten by what is written; name another file",
         output.string());
  }
}

std::vector<fs::path> files_of_models(std::span<const std::string> models, const zoo::Catalog& catalog) {
  std::vector<fs::path> found;
  for (const std::string& model : models) {
    try {
      const zoo::ModelFiles files = zoo::find_files(model, catalog);
      found.push_back(files.checkpoint);
      for (const auto& config : {files.config, files.preprocessor_config}) {
        if (config) found.push_back(*config);
      }
    } catch (const std::runtime_error&) {  // said where the model is opened
    }
  }
  return found;
}

}  // namespace swinzoo::cmd
