// swinzoo cache verify: every byte is read.
#include "zoo/cache_verify.h"

#include <fmt/format.h>

#include "cmd/cache_actions.h"
#include "cmd/interrupt.h"
#include "cmd/options.h"
#include "cmd/progress.h"
#include "formats/error.h"

namespace swinzoo::cmd {
namespace {

json::object to_json(const ChosenModel& chosen, const zoo::VerifiedModel& verified) {
  json::array wrong;
  for (const zoo::WrongFile& file : verified.wrong) {
    wrong.push_back(json::object{{"commit", file.commit},
                                 {"name", file.name},
                                 {"path", file.path.string()},
                                 {"problem", file.problem}});
  }
  return {{"model", chosen.model.source},
          {"ok", verified.wrong.empty()},
          {"files", verified.files},
          {"size", verified.size},
          {"wrong", std::move(wrong)},
          {"unknown", json::array(verified.unknown.begin(), verified.unknown.end())}};
}

}  // namespace

int verify_cache(const CacheVerifyOptions& options, const Globals& globals) {
  std::vector<ChosenModel> models = choose_cached(options.filter);
  uint64_t total = 0;
  for (ChosenModel& chosen : models) {
    std::erase_if(chosen.model.revisions, [&](const auto& revision) { return !chosen.means(revision); });
    for (const zoo::CachedRevision& revision : chosen.model.revisions) total += revision.size;
  }
  install_interrupt_handler();
  json::array results;
  uint64_t read = 0;
  uint64_t files = 0;
  size_t wrong = 0;
  {
    Progress progress("verifying", static_cast<int64_t>(total), Unit::kBytes, globals.quiet);
    for (const ChosenModel& chosen : models) {
      const zoo::VerifiedModel verified =
          zoo::verify_cached(chosen.model, {&interrupted, [&](uint64_t bytes) {
                                              read += bytes;
                                              progress.update(static_cast<int64_t>(read));
                                            }});
      files += verified.files;
      wrong += verified.wrong.size();
      results.push_back(to_json(chosen, verified));
    }
  }
  if (options.json) {
    print_results(std::move(results));
  } else {
    for (const json::value& result : results) {
      for (const json::value& file : result.at("wrong").as_array()) {
        fmt::print("{}@{}  {}  {}\n", as_string(result.at("model"), ""),
                   as_string(file.at("commit"), "").substr(0, 12), as_string(file.at("name"), ""),
                   as_string(file.at("problem"), ""));
      }
      for (const json::value& path : result.at("unknown").as_array()) {
        fmt::print(stderr, "swinzoo: warning: {}: nothing tells its digest\n", as_string(path, ""));
      }
    }
    fmt::print("{} files, {}, {}\n", files, bytes_text(static_cast<double>(read)),
               wrong == 0 ? "all right" : fmt::format("{} wrong: fetch them again", wrong));
  }
  return wrong == 0 ? 0 : static_cast<int>(ErrorCode::kCorrupt);
}

}  // namespace swinzoo::cmd
