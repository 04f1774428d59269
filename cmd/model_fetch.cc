#include "cmd/model_fetch.h"

#include <algorithm>

#include "cmd/interrupt.h"
#include "cmd/options.h"
#include "formats/error.h"
#include "zoo/hub_settings.h"
#include "zoo/model.h"

namespace swinzoo::cmd {
namespace {

// The one source of Hugging Face at `revision`, where that is not empty.
zoo::Source at_revision(const zoo::Source& source, const std::string& revision) {
  const zoo::HubRef ref = zoo::parse_hub_ref(source.text);
  if (revision.empty()) return source;
  if (source.text.find('@') != std::string::npos && ref.revision != revision) {
    fail(ErrorCode::kUsage, "'{}' names a revision, and --revision another: '{}'", source.text, revision);
  }
  return zoo::parse_source(fmt::format("hf:{}@{}", ref.repo, revision));
}

}  // namespace

void add_fetch_options(CLI::App& app, FetchFlags& flags) {
  app.add_flag("--offline", flags.offline, "Only look in the caches (HF_HUB_OFFLINE=1)");
  app.add_option("-j,--connections", flags.connections, "Connections at a time")
      ->check(in_range(1, 64))
      ->type_name("N")
      ->capture_default_str();
}

std::vector<zoo::Source> sources_of(const std::string& model, const zoo::Catalog& catalog,
                                    const FetchFlags& flags) {
  const zoo::ModelSpec* entry = catalog.lookup(model);
  std::vector<zoo::Source> sources;
  if (entry == nullptr) {
    if (!zoo::names_files(model)) catalog.find(model);  // says what may have been meant
    sources.push_back(zoo::parse_source(model));
  } else {
    for (const std::string& source : entry->sources) sources.push_back(zoo::parse_source(source));
  }
  if (flags.revision.empty() && flags.include.empty() && flags.exclude.empty()) return sources;
  std::vector<zoo::Source> on_hub;
  for (const zoo::Source& source : sources) {
    if (source.kind == zoo::SourceKind::kHub) on_hub.push_back(at_revision(source, flags.revision));
  }
  if (on_hub.empty()) {
    fail(ErrorCode::kUsage, "--revision, --include and --exclude go with hf:OWNER/REPO, not with '{}'",
         sources.front().for_messages());
  }
  return on_hub;
}

std::string lock_name_of(const std::string& model, const zoo::Catalog& catalog) {
  const zoo::ModelSpec* entry = catalog.lookup(model);
  return entry != nullptr ? entry->id : model;
}

ModelFetcher::ModelFetcher(const FetchFlags& flags, const Globals& globals) : progress_(globals.quiet) {
  how_.offline = flags.offline || zoo::hub_offline();
  how_.cancelled = &interrupted;
  how_.note = [this](const std::string& text) { progress_.note(text); };
  how_.connections = flags.connections;
  how_.include = flags.include;
  how_.exclude = flags.exclude;
}

zoo::Fetched ModelFetcher::run(const std::vector<zoo::Source>& sources, const zoo::FetchOptions& how,
                               const zoo::ExpectedFile& expected, const std::string& what) {
  progress_.begin(what);
  const auto told = [this](const std::string& file, uint64_t done, uint64_t total) {
    progress_.update(file, done, total);
  };
  try {
    zoo::Fetched fetched = zoo::fetch_model(sources, how, told, expected);
    progress_.wipe();
    return fetched;
  } catch (...) {
    progress_.wipe();
    throw;
  }
}

zoo::Fetched ModelFetcher::fetch(const std::vector<zoo::Source>& sources, const std::string& what) {
  return run(sources, how_, {}, what);
}

zoo::Fetched ModelFetcher::fetch_locked(const zoo::LockedEntry& entry,
                                        const std::vector<zoo::Source>& mirrors, const std::string& what) {
  zoo::Source source = zoo::parse_source(entry.source);
  zoo::FetchOptions how = how_;
  if (source.kind == zoo::SourceKind::kHub) {
    how.locked = &entry;
    source = zoo::parse_source(fmt::format("hf:{}@{}", zoo::parse_hub_ref(entry.source).repo, entry.commit));
    return run({source}, how, {}, what);
  }
  std::vector<zoo::Source> sources = {source};
  for (const zoo::Source& mirror : mirrors) {
    if (mirror.is_file() && mirror.text != source.text) sources.push_back(mirror);
  }
  const zoo::LockedFile& file = entry.files.front();
  return run(sources, how, {file.sha256, "the lock file", file.size, file.blocks}, what);
}

zoo::FetchPlan ModelFetcher::plan(const std::vector<zoo::Source>& sources) {
  return zoo::plan_fetch(sources, how_);
}

}  // namespace swinzoo::cmd
