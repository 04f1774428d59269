// What `fetch` prints of a model.
#pragma once

#include <string>

#include "formats/error.h"
#include "formats/json.h"
#include "zoo/fetch_plan.h"
#include "zoo/hub.h"

namespace swinzoo::cmd {

// A block of lines: the folder, the source, a line a file.
void print_text(const std::string& model, const zoo::Fetched& fetched);
void print_text(const std::string& model, const zoo::FetchPlan& plan);

// One line, the model's name in `width` columns.
void print_line(const std::string& model, size_t width, const zoo::Fetched& fetched);
void print_line(const std::string& model, size_t width, const zoo::FetchPlan& plan);
void print_line(const std::string& model, size_t width, const Error& error);

json::object to_json(const std::string& model, const zoo::Fetched& fetched);
json::object to_json(const std::string& model, const zoo::FetchPlan& plan);
json::object to_json(const std::string& model, const Error& error);

// Sums over models.
class FetchSummary {
 public:
  void add(const zoo::Fetched& fetched);
  void add(const zoo::FetchPlan& plan);
  void add(const Error&) { ++failed_; }

  // "26 models: 20 downloaded (2.1 GB), 5 present, 1 failed"; in a dry run "20 to download (2.1 GB)".
  std::string text() const;

 private:
  size_t moved_ = 0, present_ = 0, failed_ = 0;  // models
  uint64_t bytes_ = 0;                           // of the files that moved, or would
  bool is_plan_ = false;
};

}  // namespace swinzoo::cmd
