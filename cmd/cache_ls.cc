// swinzoo cache ls: a line a revision, and one an unfinished download.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "cmd/cache_actions.h"
#include "cmd/options.h"
#include "cmd/progress.h"
#include "eval/run.h"
#include "eval/text_table.h"

namespace swinzoo::cmd {
namespace {

using Clock = std::chrono::system_clock;

std::string utc(int64_t seconds) { return eval::utc_text(Clock::time_point(std::chrono::seconds(seconds))); }

// "3 days ago".
std::string age_text(int64_t seconds) {
  struct Step {
    const char* name;
    int64_t length;
  };
  const int64_t age =
      std::chrono::duration_cast<std::chrono::seconds>(Clock::now().time_since_epoch()).count() - seconds;
  for (const Step& step : {Step{"year", 365 * 86400}, Step{"month", 30 * 86400}, Step{"week", 7 * 86400},
                           Step{"day", 86400}, Step{"hour", 3600}, Step{"minute", 60}}) {
    const int64_t count = age / step.length;
    if (count > 0) return fmt::format("{} {}{} ago", count, step.name, count == 1 ? "" : "s");
  }
  return "just now";
}

std::string size_text(uint64_t bytes) { return bytes_text(static_cast<double>(bytes)); }

json::array to_json(const std::vector<zoo::LooseFile>& files) {
  json::array array;
  for (const zoo::LooseFile& file : files) {
    array.push_back(
        json::object{{"path", file.path.string()}, {"size", file.size}, {"modified", utc(file.modified)}});
  }
  return array;
}

json::object to_json(const zoo::CachedRevision& revision) {
  json::array files;
  for (const zoo::CachedFile& file : revision.files) {
    files.push_back(json::object{{"name", file.name}, {"size", file.size}, {"path", file.blob.string()}});
  }
  return {
      {"commit", revision.commit},          {"refs", json::array(revision.refs.begin(), revision.refs.end())},
      {"folder", revision.folder.string()}, {"size", revision.size},
      {"modified", utc(revision.modified)}, {"files", std::move(files)}};
}

json::object to_json(const ChosenModel& chosen) {
  const zoo::CachedModel& model = chosen.model;
  json::array revisions;
  for (const zoo::CachedRevision& revision : model.revisions) {
    if (chosen.means(revision)) revisions.push_back(to_json(revision));
  }
  return {{"model", model.source},
          {"entry", chosen.entry.empty() ? json::value(nullptr) : json::value(chosen.entry)},
          {"folder", model.folder.string()},
          {"size", model.size},
          {"used", utc(model.used)},
          {"modified", utc(model.modified)},
          {"revisions", std::move(revisions)},
          {"unfinished", to_json(model.unfinished)},
          {"leftovers", to_json(model.leftovers)},
          {"problems", json::array(model.problems.begin(), model.problems.end())}};
}

void sort_by(const std::string& key, std::vector<ChosenModel>& models) {
  const auto value = [&](const zoo::CachedModel& model) {
    return key == "size" ? static_cast<int64_t>(model.size) : key == "used" ? model.used : model.modified;
  };
  if (key == "name") return;  // as they come
  std::stable_sort(models.begin(), models.end(),
                   [&](const auto& a, const auto& b) { return value(a.model) > value(b.model); });
}

void print_table(const std::vector<ChosenModel>& models) {
  using eval::Align;
  eval::TextTable table({{"model"},
                         {"revision"},
                         {"refs"},
                         {"files", Align::kRight},
                         {"size", Align::kRight},
                         {"used"},
                         {"changed"}});
  size_t revisions = 0;
  uint64_t size = 0;
  for (const ChosenModel& chosen : models) {
    const zoo::CachedModel& model = chosen.model;
    if (chosen.is_whole()) size += model.size;
    for (const zoo::CachedRevision& revision : model.revisions) {
      if (!chosen.means(revision)) continue;
      ++revisions;
      if (!chosen.is_whole()) size += revision.size;
      const std::string refs = fmt::format("{}", fmt::join(revision.refs, " "));
      table.add({model.source, revision.commit.empty() ? "-" : revision.commit.substr(0, 12),
                 refs.empty() ? "-" : refs, fmt::format("{}", revision.files.size()),
                 size_text(revision.size), age_text(model.used), age_text(revision.modified)});
    }
    if (!chosen.is_whole()) continue;
    for (const auto& [what, files] :
         {std::pair("unfinished", &model.unfinished), std::pair("leftovers", &model.leftovers)}) {
      uint64_t sum = 0;
      int64_t modified = 0;
      for (const zoo::LooseFile& file : *files) {
        sum += file.size;
        modified = std::max(modified, file.modified);
      }
      if (files->empty()) continue;
      table.add({model.source, what, "-", fmt::format("{}", files->size()), size_text(sum), "-",
                 age_text(modified)});
    }
  }
  if (!table.empty()) fmt::print("{}\n", table.text());
  fmt::print("{} models, {} revisions, {} on disk\n", models.size(), revisions, size_text(size));
}

}  // namespace

int list_cache(const CacheListOptions& options) {
  std::vector<ChosenModel> models = choose_cached(options.filter);
  sort_by(options.sort, models);
  for (const ChosenModel& chosen : models) {
    for (const std::string& problem : chosen.model.problems) {
      fmt::print(stderr, "swinzoo: warning: {}: {}\n", chosen.model.source, problem);
    }
  }
  if (!options.json) {
    print_table(models);
    return 0;
  }
  json::array results;
  for (const ChosenModel& chosen : models) results.push_back(to_json(chosen));
  print_results(std::move(results));
  return 0;
}

}  // namespace swinzoo::cmd
