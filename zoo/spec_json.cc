#include "zoo/spec_json.h"

#include <algorithm>
#include <boost/json/value_from.hpp>

#include "formats/error.h"
#include "zoo/spec_check.h"

namespace swinzoo::zoo {
namespace {

// A value a stage: a list, or one number for all.
std::vector<int64_t> read_stages(const json::value& value, size_t stages, const std::string& where) {
  if (!value.is_array()) return std::vector<int64_t>(stages, as_int(value, where));
  std::vector<int64_t> list;
  for (const json::value& element : value.get_array()) list.push_back(as_int(element, where));
  return list;
}

std::array<double, 3> read_channels(StrictObject& row, std::string_view key) {
  const std::vector<double> values = row.need_numbers(key);
  if (values.size() != 3) {
    fail(ErrorCode::kCorrupt, "{}: expected 3 numbers (red, green, blue), found {}", row.where_of(key),
         values.size());
  }
  return {values[0], values[1], values[2]};
}

std::optional<double> read_percent(StrictObject& row, std::string_view key) {
  const json::value* value = row.find(key);
  if (value == nullptr) return std::nullopt;
  const double percent = as_number(*value, row.where_of(key));
  if (!(percent >= 0 && percent <= 100)) {
    fail(ErrorCode::kCorrupt, "{}: expected a percentage, found {}", row.where_of(key), percent);
  }
  return percent;
}

PublishedAccuracy read_published(const json::value& value, const std::string& where) {
  StrictObject row(value, where);
  PublishedAccuracy published;
  published.dataset = row.need_string("dataset");
  published.by = row.need_string("by");
  published.top1 = read_percent(row, "top1");
  published.top5 = read_percent(row, "top5");
  published.source = row.need_string("source");
  row.finish();
  return published;
}

json::object to_json(const Preprocessing& preprocessing) {
  return {{"crop_pct", preprocessing.crop_pct},
          {"crop_mode", name_of(preprocessing.crop_mode)},
          {"interpolation", name_of(preprocessing.interpolation)},
          {"mean", json::value_from(preprocessing.mean)},
          {"std", json::value_from(preprocessing.std)}};
}

json::object to_json(const PublishedAccuracy& published) {
  json::object object = {{"dataset", published.dataset}, {"by", published.by}};
  if (published.top1) object["top1"] = *published.top1;
  if (published.top5) object["top5"] = *published.top5;
  object["source"] = published.source;
  return object;
}

}  // namespace

json::object to_json(const Dimensions& d) {
  const bool video = d.family == "video_swin";
  json::object object = {{"family", d.family}, {"image_size", d.image_size}};
  if (d.image_width > 0) object["image_width"] = d.image_width;
  if (video) object["frames"] = d.frames;
  object["in_chans"] = d.in_chans;
  object["patch_size"] = d.patch_size;
  object["embed_dim"] = d.embed_dim;
  object["depths"] = json::value_from(d.depths);
  object["num_heads"] = json::value_from(d.num_heads);
  object["window_size"] = json::value_from(d.window_size);
  if (video) object["window_frames"] = d.window_frames;
  object["mlp_ratio"] = d.mlp_ratio;
  object["qkv_bias"] = d.qkv_bias;
  if (d.family == "swinv2") object["pretrained_window_size"] = json::value_from(d.pretrained_window_size);
  if (d.family == "swinv2_cr") {
    object["extra_norm_period"] = d.extra_norm_period;
    object["extra_norm_stage"] = d.extra_norm_stage;
  }
  return object;
}

json::object to_json(const ModelSpec& spec) {
  json::object object = {{"id", spec.id},
                         {"aliases", json::value_from(spec.aliases)},
                         {"collection", spec.collection},
                         {"task", spec.task},
                         {"architecture", spec.architecture},
                         {"num_classes", spec.num_classes},
                         {"dimensions", to_json(spec.dimensions)},
                         {"preprocessing", to_json(spec.preprocessing)},
                         {"sources", json::value_from(spec.sources)},
                         {"license", spec.license},
                         {"dataset", spec.dataset}};
  json::array& published = object["published"].emplace_array();
  for (const PublishedAccuracy& figure : spec.published) published.push_back(to_json(figure));
  if (!spec.class_names.empty()) object["class_names"] = json::value_from(spec.class_names);
  return object;
}

Dimensions read_dimensions(StrictObject& row) {
  Dimensions d;
  const auto integer = [&row](std::string_view key, int64_t& target) {
    if (const json::value* value = row.find(key)) target = as_int(*value, row.where_of(key));
  };
  const auto boolean = [&row](std::string_view key, bool& target) {
    if (const json::value* value = row.find(key)) target = as_bool(*value, row.where_of(key));
  };
  d.family = row.need_string("family");
  d.image_size = row.need_int("image_size");
  integer("image_width", d.image_width);
  integer("frames", d.frames);
  integer("in_chans", d.in_chans);
  integer("patch_size", d.patch_size);
  d.embed_dim = row.need_int("embed_dim");
  d.depths = row.need_ints("depths");
  d.num_heads = row.need_ints("num_heads");
  d.window_size = read_stages(row.need("window_size"), d.depths.size(), row.where_of("window_size"));
  integer("window_frames", d.window_frames);
  if (const json::value* value = row.find("mlp_ratio"))
    d.mlp_ratio = as_number(*value, row.where_of("mlp_ratio"));
  boolean("qkv_bias", d.qkv_bias);
  if (const json::value* value = row.find("pretrained_window_size")) {
    d.pretrained_window_size = read_stages(*value, d.depths.size(), row.where_of("pretrained_window_size"));
  } else if (d.family == "swinv2") {
    d.pretrained_window_size.assign(d.depths.size(), 0);
  }
  integer("extra_norm_period", d.extra_norm_period);
  boolean("extra_norm_stage", d.extra_norm_stage);
  check_dimensions(d, row.where());
  return d;
}

Preprocessing preprocessing_from_json(const json::value& value, const std::string& where) {
  StrictObject row(value, where);
  Preprocessing preprocessing;
  preprocessing.crop_pct = row.need_number("crop_pct");
  preprocessing.crop_mode = crop_mode_from_name(row.need_string("crop_mode"), row.where_of("crop_mode"));
  preprocessing.interpolation =
      interpolation_from_name(row.need_string("interpolation"), row.where_of("interpolation"));
  preprocessing.mean = read_channels(row, "mean");
  preprocessing.std = read_channels(row, "std");
  row.finish();
  check_preprocessing(preprocessing, where);
  return preprocessing;
}

ModelSpec read_row(StrictObject& row) {
  ModelSpec spec;
  spec.id = row.need_string("id");
  spec.aliases = row.need_strings("aliases");
  spec.collection = row.need_string("collection");
  spec.task = row.need_string("task");
  spec.architecture = row.need_string("architecture");
  spec.num_classes = row.need_int("num_classes");
  spec.preprocessing = preprocessing_from_json(row.need("preprocessing"), row.where_of("preprocessing"));
  spec.sources = row.need_strings("sources");
  spec.license = row.need_string("license");
  spec.dataset = row.need_string("dataset");
  for (const json::value& figure : as_array(row.need("published"), row.where_of("published"))) {
    spec.published.push_back(read_published(figure, row.where_of("published")));
  }
  if (spec.task != "classification" && spec.task != "features") {
    fail(ErrorCode::kCorrupt, "{}: expected \"classification\" or \"features\", found \"{}\"",
         row.where_of("task"), spec.task);
  }
  if (spec.num_classes < 0 || (spec.num_classes > 0) != (spec.task == "classification")) {
    fail(ErrorCode::kCorrupt, "{}: {} classes do not go with task \"{}\"", row.where_of("num_classes"),
         spec.num_classes, spec.task);
  }
  return spec;
}

ModelSpec spec_from_json(const json::value& value, const std::string& where) {
  StrictObject row(value, where);
  ModelSpec spec = read_row(row);
  StrictObject dimensions(row.need("dimensions"), row.where_of("dimensions"));
  spec.dimensions = read_dimensions(dimensions);
  dimensions.finish();
  if (row.find("class_names") != nullptr) {
    spec.class_names = row.need_strings("class_names");
    if (static_cast<int64_t>(spec.class_names.size()) != spec.num_classes) {
      fail(ErrorCode::kCorrupt, "{}: {} names for {} classes", row.where_of("class_names"),
           spec.class_names.size(), spec.num_classes);
    }
  }
  row.finish();
  return spec;
}

std::string name_of(CropMode mode) {
  switch (mode) {
    case CropMode::kCenter:
      return "center";
    case CropMode::kSquash:
      return "squash";
    case CropMode::kBorder:
      return "border";
  }
  return {};
}

std::string name_of(Interpolation interpolation) {
  return interpolation == Interpolation::kBicubic ? "bicubic" : "bilinear";
}

CropMode crop_mode_from_name(const std::string& name, const std::string& where) {
  for (const CropMode mode : {CropMode::kCenter, CropMode::kSquash, CropMode::kBorder}) {
    if (name == name_of(mode)) return mode;
  }
  fail(ErrorCode::kUnsupported, "{}: crop mode \"{}\"; known are center, squash and border", where, name);
}

Interpolation interpolation_from_name(const std::string& name, const std::string& where) {
  for (const Interpolation interpolation : {Interpolation::kBilinear, Interpolation::kBicubic}) {
    if (name == name_of(interpolation)) return interpolation;
  }
  fail(ErrorCode::kUnsupported, "{}: interpolation \"{}\"; known are bilinear and bicubic", where, name);
}

}  // namespace swinzoo::zoo
