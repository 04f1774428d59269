// swinzoo env: the machine and the build, as results are to be read beside.
#include <cstdio>
#include <memory>
#include <string_view>

#include "cmd/command.h"
#include "cmd/options.h"
#include "eval/machine.h"

namespace swinzoo::cmd {
namespace {

// A cache reads "L2 1024 KiB x 2"; lists are joined.
std::string text_of(const json::value& value) {
  if (value.is_string()) return as_string(value, "");
  if (value.is_bool()) return value.get_bool() ? "yes" : "no";
  if (const json::object* cache = value.if_object()) {
    return fmt::format("{} {} KiB x {}", text_of(cache->at("name")), text_of(cache->at("kib")),
                       text_of(cache->at("count")));
  }
  const json::array* array = value.if_array();
  if (array == nullptr) return to_json_line(value);
  std::string joined;
  for (const json::value& element : *array) {
    joined += fmt::format("{}{}", joined.empty() ? "" : element.is_string() ? " " : ", ", text_of(element));
  }
  return joined;
}

std::string to_text(const eval::Machine& machine) {
  std::string out;
  std::string_view group;
  visit_fields(machine, [&](const eval::Field& field, const auto& member) {
    if (group != field.group) out += fmt::format("{}{}\n", group.empty() ? "" : "\n", field.group);
    group = field.group;
    const json::value value = eval::to_value(member);
    const std::string text = value.is_null() ? "-" : text_of(value);
    const bool has_unit = !value.is_null() && *field.unit != 0;
    out += fmt::format("  {:<17}{}{}{}\n", field.name, text, has_unit ? " " : "", has_unit ? field.unit : "");
  });
  return out;
}

}  // namespace

Action setup_env(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  add_format_option(app, *json);
  return [json](const Globals&) {
    const eval::Machine machine = eval::this_machine();
    if (*json) {
      print_results({eval::to_object(machine)});
    } else {
      fmt::print("{}", to_text(machine));
    }
    return 0;
  };
}

}  // namespace swinzoo::cmd
