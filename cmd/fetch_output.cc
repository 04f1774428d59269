#include "cmd/fetch_output.h"

#include <algorithm>
#include <boost/json.hpp>

#include "cmd/progress.h"

namespace swinzoo::cmd {
namespace {

const char* state_of(const zoo::FetchedFile& file, const zoo::Fetched& fetched) {
  if (fetched.is_local) return "local";
  return file.downloaded ? "downloaded" : "cached";
}

const char* state_of(const zoo::PlannedFile& file) { return file.is_cached ? "cached" : "to download"; }

std::string size_text(uint64_t bytes) { return bytes_text(static_cast<double>(bytes)); }

template <typename Files>
size_t width_of(const Files& files) {
  size_t width = 0;
  for (const auto& file : files) width = std::max(width, file.name.size());
  return width;
}

// Bytes that came.
uint64_t downloaded_bytes(const zoo::Fetched& fetched) {
  uint64_t bytes = 0;
  for (const auto& file : fetched.files) bytes += file.downloaded ? file.size : 0;
  return bytes;
}

// Bytes that would come, as far as their sizes are known.
uint64_t missing_bytes(const zoo::FetchPlan& plan) {
  uint64_t bytes = 0;
  for (const auto& file : plan.files) bytes += file.is_cached ? 0 : file.size.value_or(0);
  return bytes;
}

bool is_present(const zoo::FetchPlan& plan) {
  return std::all_of(plan.files.begin(), plan.files.end(), [](const auto& file) { return file.is_cached; });
}

}  // namespace

void print_text(const std::string& model, const zoo::Fetched& fetched) {
  fmt::print("{}\n  folder {}\n", model, fetched.folder.string());
  if (fetched.source != model) fmt::print("  source {}\n", fetched.source);
  if (!fetched.commit.empty()) fmt::print("  commit {}\n", fetched.commit);
  const size_t width = width_of(fetched.files);
  for (const auto& file : fetched.files) {
    fmt::print("  {:<{}}  {:>12}  sha256 {}  {}\n", file.name, width, file.size, file.sha256,
               state_of(file, fetched));
  }
}

void print_text(const std::string& model, const zoo::FetchPlan& plan) {
  fmt::print("{}\n  folder {}\n", model, plan.folder.string());
  if (plan.source != model) fmt::print("  source {}\n", plan.source);
  if (!plan.commit.empty()) fmt::print("  commit {}\n", plan.commit);
  const size_t width = width_of(plan.files);
  for (const auto& file : plan.files) {
    fmt::print("  {:<{}}  {:>12}  {}  {}\n", file.name, width,
               file.size ? fmt::format("{}", *file.size) : "?", state_of(file), file.url);
  }
}

void print_line(const std::string& model, size_t width, const zoo::Fetched& fetched) {
  uint64_t size = 0;
  for (const auto& file : fetched.files) size += file.size;
  const bool moved = std::any_of(fetched.files.begin(), fetched.files.end(),
                                 [](const auto& file) { return file.downloaded; });
  fmt::print("{:<{}}  {:<11}  {:>9}  {}\n", model, width, moved ? "downloaded" : "present", size_text(size),
             fetched.source);
}

void print_line(const std::string& model, size_t width, const zoo::FetchPlan& plan) {
  uint64_t size = 0;
  for (const auto& file : plan.files) size += file.size.value_or(0);
  fmt::print("{:<{}}  {:<11}  {:>9}  {}\n", model, width, is_present(plan) ? "present" : "to download",
             size_text(size), plan.source);
}

void print_line(const std::string& model, size_t width, const Error& error) {
  fmt::print("{:<{}}  {:<11}  {:>9}  status {}\n", model, width, "failed", "-",
             static_cast<int>(error.code()));
}

json::object to_json(const std::string& model, const zoo::Fetched& fetched) {
  json::array files;
  for (const auto& file : fetched.files) {
    files.push_back(json::object{{"name", file.name},
                                 {"path", file.path.string()},
                                 {"size", file.size},
                                 {"sha256", file.sha256},
                                 {"state", state_of(file, fetched)}});
  }
  json::object result{
      {"model", model}, {"ok", true}, {"source", fetched.source}, {"folder", fetched.folder.string()}};
  if (!fetched.commit.empty()) result["commit"] = fetched.commit;
  result["files"] = std::move(files);
  return result;
}

json::object to_json(const std::string& model, const zoo::FetchPlan& plan) {
  json::array files;
  for (const auto& file : plan.files) {
    files.push_back(json::object{{"name", file.name},
                                 {"url", file.url},
                                 {"size", file.size ? json::value(*file.size) : json::value(nullptr)},
                                 {"state", state_of(file)}});
  }
  json::object result{{"model", model},
                      {"ok", true},
                      {"dry_run", true},
                      {"source", plan.source},
                      {"folder", plan.folder.string()}};
  if (!plan.commit.empty()) result["commit"] = plan.commit;
  result["files"] = std::move(files);
  return result;
}

json::object to_json(const std::string& model, const Error& error) {
  return {{"model", model},
          {"ok", false},
          {"error", json::object{{"code", static_cast<int>(error.code())}, {"message", error.what()}}}};
}

void FetchSummary::add(const zoo::Fetched& fetched) {
  const uint64_t bytes = downloaded_bytes(fetched);
  bytes_ += bytes;
  ++(bytes > 0 ? moved_ : present_);
}

void FetchSummary::add(const zoo::FetchPlan& plan) {
  is_plan_ = true;
  bytes_ += missing_bytes(plan);
  ++(is_present(plan) ? present_ : moved_);
}

std::string FetchSummary::text() const {
  return fmt::format("{} models: {} {} ({}), {} present, {} failed", moved_ + present_ + failed_, moved_,
                     is_plan_ ? "to download" : "downloaded", size_text(bytes_), present_, failed_);
}

}  // namespace swinzoo::cmd
