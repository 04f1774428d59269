#include "zoo/config_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

#include "formats/error.h"
#include "zoo/class_names.h"
#include "zoo/spec_check.h"
#include "zoo/spec_json.h"
#include "zoo/suggest.h"

namespace swinzoo::zoo {
namespace {

std::string where_of(const std::string& where, std::string_view key) {
  return fmt::format("{}: \"{}\"", where, key);
}

// A side: 7, or [7, 7].
int64_t read_side(const json::value& value, const std::string& where) {
  if (!value.is_array()) return as_int(value, where);
  const json::array& sides = value.get_array();
  if (sides.size() != 2)
    fail(ErrorCode::kCorrupt, "{}: expected one side or two, found {}", where, sides.size());
  const int64_t height = as_int(sides[0], where);
  if (const int64_t width = as_int(sides[1], where); width != height) {
    fail(ErrorCode::kUnsupported, "{}: {}x{} is not square", where, height, width);
  }
  return height;
}

// Overwrites `target` where the object has the member.
void read_into(int64_t& target, const json::object& object, std::string_view key, const std::string& where) {
  if (const auto value = find_int(object, key, where)) target = *value;
}

void read_into(double& target, const json::object& object, std::string_view key, const std::string& where) {
  if (const auto value = find_number(object, key, where)) target = *value;
}

void read_into(std::vector<int64_t>& target, const json::object& object, std::string_view key,
               const std::string& where) {
  if (auto value = find_ints(object, key, where)) target = std::move(*value);
}

void read_into(bool& target, const json::object& object, std::string_view key, const std::string& where) {
  if (const json::value* value = find_member(object, key)) target = as_bool(*value, where_of(where, key));
}

void read_into(std::array<double, 3>& target, const json::object& object, std::string_view key,
               const std::string& where) {
  const auto values = find_numbers(object, key, where);
  if (!values) return;
  if (values->size() != 3) {
    fail(ErrorCode::kCorrupt, "{}: expected 3 numbers, found {}", where_of(where, key), values->size());
  }
  std::copy(values->begin(), values->end(), target.begin());
}

void read_side_into(int64_t& target, const json::object& object, std::string_view key,
                    const std::string& where) {
  if (const json::value* value = find_member(object, key)) target = read_side(*value, where_of(where, key));
}

// One value a stage, made for as many stages as depths has, where all are the same.
void fit_stages(std::vector<int64_t>& values, const Dimensions& dimensions) {
  const bool uniform =
      std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
  if (!values.empty() && uniform) values.assign(dimensions.depths.size(), values.front());
}

void set_task(ModelSpec& spec, const std::string& where) {
  if (spec.num_classes < 0) fail(ErrorCode::kCorrupt, "{}: {} classes", where, spec.num_classes);
  spec.task = spec.num_classes > 0 ? "classification" : "features";
}

// --- timm ---

// Arguments of timm's models that change nothing once the model is trained.
constexpr std::array<std::string_view, 7> kTrainingArguments = {
    "attn_drop_rate", "drop_path_rate",  "drop_rate",  "init_values",
    "proj_drop_rate", "strict_img_size", "weight_init"};

// Arguments that apply_model_arguments reads.
constexpr std::array<std::string_view, 14> kModelArguments = {
    "depths",       "embed_dim",  "extra_norm_period", "extra_norm_stage",
    "img_size",     "in_chans",   "mlp_ratio",         "num_classes",
    "num_heads",    "patch_size", "qkv_bias",          "pretrained_window_sizes",
    "window_ratio", "window_size"};

template <typename List>
bool contains(const List& list, std::string_view key) {
  return std::find(list.begin(), list.end(), key) != list.end();
}

// Whether swinzoo's plans build the model with this argument.
bool is_known_argument(std::string_view key, const json::value& value) {
  if (value.is_null()) return true;  // timm drops it
  if (key == "global_pool") return value == json::value("avg");
  if (key == "always_partition" || key == "sequential_attn") return value == json::value(false);
  return contains(kModelArguments, key) || contains(kTrainingArguments, key);
}

// timm's window_size: one side, a pair (height, width) for all stages, or, for swin, a side or pair a stage.
std::vector<int64_t> read_timm_windows(const json::value& value, const Dimensions& dimensions,
                                       const std::string& where) {
  const json::array* list = value.if_array();
  if (list == nullptr || list->size() == 2) {
    return std::vector<int64_t>(dimensions.depths.size(), read_side(value, where));
  }
  if (dimensions.family != "swin") {
    fail(ErrorCode::kUnsupported, "{}: timm's {} takes one window for all stages", where, dimensions.family);
  }
  std::vector<int64_t> windows;
  for (const json::value& window : *list) windows.push_back(read_side(window, where));
  return windows;
}

// The authors' window_size of Video Swin: [frames, height, width].
void read_clip_window(Dimensions& dimensions, const json::value& value, const std::string& where) {
  const json::array& extents = as_array(value, where);
  if (extents.size() != 3)
    fail(ErrorCode::kCorrupt, "{}: expected frames, height and width, found {}", where, extents.size());
  dimensions.window_frames = as_int(extents[0], where);
  dimensions.window_size.assign(dimensions.depths.size(),
                                read_side(json::array{extents[1], extents[2]}, where));
}

void apply_model_arguments(ModelSpec& spec, const json::object& arguments, const std::string& where) {
  Dimensions& d = spec.dimensions;
  for (const auto& argument : arguments) {
    if (!is_known_argument(argument.key(), argument.value())) {
      fail(ErrorCode::kUnsupported, "{}: swinzoo does not know a model with {} = {}", where,
           std::string_view(argument.key()), to_pretty_json(argument.value()));
    }
  }
  read_into(spec.num_classes, arguments, "num_classes", where);
  read_side_into(d.image_size, arguments, "img_size", where);
  read_into(d.in_chans, arguments, "in_chans", where);
  read_side_into(d.patch_size, arguments, "patch_size", where);
  read_into(d.embed_dim, arguments, "embed_dim", where);
  read_into(d.depths, arguments, "depths", where);
  read_into(d.num_heads, arguments, "num_heads", where);
  read_into(d.mlp_ratio, arguments, "mlp_ratio", where);
  read_into(d.qkv_bias, arguments, "qkv_bias", where);
  read_into(d.extra_norm_period, arguments, "extra_norm_period", where);
  read_into(d.extra_norm_stage, arguments, "extra_norm_stage", where);
  fit_stages(d.pretrained_window_size, d);
  read_into(d.pretrained_window_size, arguments, "pretrained_window_sizes", where);
  const json::value* windows = find_member(arguments, "window_size");
  if (windows != nullptr && d.family == "video_swin") {
    read_clip_window(d, *windows, where_of(where, "window_size"));
  } else if (windows != nullptr) {
    d.window_size = read_timm_windows(*windows, d, where_of(where, "window_size"));
  } else if (d.family == "swinv2_cr") {
    int64_t ratio = 8;  // timm's window_ratio: the patch grid's side over the window's
    read_into(ratio, arguments, "window_ratio", where);
    if (ratio < 1) fail(ErrorCode::kCorrupt, "{}: window_ratio is {}", where, ratio);
    d.window_size.assign(d.depths.size(), d.image_size / std::max<int64_t>(d.patch_size, 1) / ratio);
  } else {
    fit_stages(d.window_size, d);
  }
}

// timm's resolve_data_config: what is missing has its defaults, not the architecture's.
Preprocessing read_timm_preprocessing(const json::object& cfg, const std::string& where) {
  Preprocessing preprocessing;
  preprocessing.crop_pct = 0.875;
  read_into(preprocessing.crop_pct, cfg, "crop_pct", where);
  if (const auto mode = find_string(cfg, "crop_mode", where)) {
    preprocessing.crop_mode = crop_mode_from_name(*mode, where_of(where, "crop_mode"));
  }
  if (const auto interpolation = find_string(cfg, "interpolation", where)) {
    preprocessing.interpolation = interpolation_from_name(*interpolation, where_of(where, "interpolation"));
  }
  read_into(preprocessing.mean, cfg, "mean", where);
  read_into(preprocessing.std, cfg, "std", where);
  return preprocessing;
}

// [channels, height, width], or, for clips, [channels, frames, height, width].
void read_input_size(Dimensions& dimensions, const std::vector<int64_t>& size, const std::string& where) {
  const bool video = dimensions.family == "video_swin";
  if (size.size() != (video ? 4 : 3)) {
    fail(ErrorCode::kCorrupt, "{}: expected channels, {}height and width, found {} numbers", where,
         video ? "frames, " : "", size.size());
  }
  const int64_t width = size.back(), height = size[size.size() - 2];
  if (height != width && !video)
    fail(ErrorCode::kUnsupported, "{}: {}x{} is not square", where, height, width);
  dimensions.in_chans = size.front();
  dimensions.image_size = height;
  dimensions.image_width = width == height ? 0 : width;
  if (video) dimensions.frames = size[1];
}

ModelSpec spec_from_timm(const json::object& config, const std::string& name, const std::string& where,
                         const Catalog& catalog) {
  const std::string architecture = name.substr(0, name.find('.'));  // without a pretrained tag
  const ModelSpec* base = catalog.lookup_architecture(architecture);
  if (base == nullptr) {
    std::vector<std::string> names;
    for (const ModelSpec& known : catalog.architectures()) names.push_back(known.architecture);
    const auto near = nearest(architecture, names);
    fail(ErrorCode::kUnsupported, "{}: architecture \"{}\" is not one of swinzoo's{}", where, architecture,
         near ? fmt::format("; did you mean \"{}\"?", *near) : "");
  }
  ModelSpec spec;
  spec.architecture = architecture;
  spec.dimensions = base->dimensions;
  spec.num_classes = base->num_classes;

  const json::value* nested = find_member(config, "pretrained_cfg");
  const std::string cfg_where = nested == nullptr ? where : where_of(where, "pretrained_cfg");
  const json::object& cfg = nested == nullptr ? config : as_object(*nested, cfg_where);
  if (const auto size = find_ints(cfg, "input_size", cfg_where)) {
    read_input_size(spec.dimensions, *size, where_of(cfg_where, "input_size"));
  }
  read_into(spec.num_classes, cfg, "num_classes", cfg_where);
  read_into(spec.num_classes, config, "num_classes", where);
  spec.preprocessing = read_timm_preprocessing(cfg, cfg_where);
  spec.license = find_string(cfg, "license", cfg_where).value_or("");

  const json::value* arguments = find_member(config, "model_args");
  const std::string arguments_where = where_of(where, "model_args");
  apply_model_arguments(spec, arguments == nullptr ? json::object() : as_object(*arguments, arguments_where),
                        arguments_where);
  return spec;
}

// --- transformers ---

// Refuses a member whose value is not the one that swinzoo's plans know.
void require_value(const json::object& config, std::string_view key, const json::value& known,
                   const std::string& where) {
  const json::value* value = find_member(config, key);
  if (value == nullptr || *value == known) return;
  fail(ErrorCode::kUnsupported, "{}: swinzoo does not know a model with {} = {}", where, key,
       to_pretty_json(*value));
}

// The classes of the head. A config of ...ForImageClassification without labels has 2; SwinModel and the like
// have no head.
int64_t read_transformers_classes(const json::object& config, const std::string& where) {
  const json::value* labels = find_member(config, "id2label");
  if (const json::value* names = find_member(config, "architectures")) {
    bool classifier = false;
    for (const json::value& name : as_array(*names, where_of(where, "architectures"))) {
      classifier =
          classifier || as_string(name, where_of(where, "architectures")).ends_with("ForImageClassification");
    }
    if (!classifier) return 0;
  } else if (labels == nullptr) {
    return find_int(config, "num_labels", where).value_or(0);
  }
  if (labels != nullptr) return static_cast<int64_t>(as_object(*labels, where_of(where, "id2label")).size());
  return find_int(config, "num_labels", where).value_or(2);
}

// A member of `size` or `crop_size`: {"height", "width"}, {"shortest_edge"} or one number for both sides.
struct ProcessorSize {
  int64_t side = 0;
  bool shortest_edge = false;  // the image keeps its proportions
};

ProcessorSize read_processor_size(const json::value& value, const std::string& where) {
  const json::object* object = value.if_object();
  if (object == nullptr) return {as_int(value, where), false};
  if (const auto edge = find_int(*object, "shortest_edge", where)) return {*edge, true};
  const auto height = find_int(*object, "height", where);
  const auto width = find_int(*object, "width", where);
  if (!height || !width) fail(ErrorCode::kCorrupt, "{}: expected height and width, or shortest_edge", where);
  if (*height != *width) fail(ErrorCode::kUnsupported, "{}: {}x{} is not square", where, *height, *width);
  return {*height, false};
}

// The crop_pct with which timm resizes to `side` and crops `input`: floor(input / crop_pct) is `side`,
// rounding included.
double crop_pct_of(int64_t input, int64_t side, const std::string& where) {
  if (input < 1 || side < input) {
    fail(ErrorCode::kUnsupported, "{}: resizes to {} and then crops {}", where, side, input);
  }
  const double ratio = static_cast<double>(input) / static_cast<double>(side);
  return std::floor(static_cast<double>(input) / ratio) < static_cast<double>(side)
             ? std::nextafter(ratio, 0.0)
             : ratio;
}

Preprocessing read_processor(const json::value& value, int64_t image_size, const std::string& where) {
  constexpr int64_t kPillowBilinear = 2, kPillowBicubic = 3;
  const json::object& processor = as_object(value, where);
  for (const char* step : {"do_resize", "do_rescale", "do_normalize"})
    require_value(processor, step, true, where);
  Preprocessing preprocessing;
  const int64_t resample = find_int(processor, "resample", where).value_or(kPillowBilinear);
  if (resample != kPillowBilinear && resample != kPillowBicubic) {
    fail(ErrorCode::kUnsupported, "{}: resample {}; known are 2 (bilinear) and 3 (bicubic)", where, resample);
  }
  preprocessing.interpolation =
      resample == kPillowBicubic ? Interpolation::kBicubic : Interpolation::kBilinear;
  read_into(preprocessing.mean, processor, "image_mean", where);
  read_into(preprocessing.std, processor, "image_std", where);

  ProcessorSize size{image_size, false};
  if (const json::value* given = find_member(processor, "size")) {
    size = read_processor_size(*given, where_of(where, "size"));
  }
  bool crops = false;
  read_into(crops, processor, "do_center_crop", where);
  const auto crop_pct = find_number(processor, "crop_pct", where);
  int64_t input = size.side;
  preprocessing.crop_mode = size.shortest_edge ? CropMode::kCenter : CropMode::kSquash;
  preprocessing.crop_pct = 1.0;
  if (crops) {
    if (const json::value* crop = find_member(processor, "crop_size")) {
      input = read_processor_size(*crop, where_of(where, "crop_size")).side;
    }
    preprocessing.crop_pct = crop_pct_of(input, size.side, where);
  } else if (size.shortest_edge &&
             crop_pct) {  // ConvNextImageProcessor: it crops below 384 and squashes from there
    if (size.side < 384) {
      preprocessing.crop_pct = *crop_pct;
    } else {
      preprocessing.crop_mode = CropMode::kSquash;
    }
  } else if (size.shortest_edge) {
    fail(ErrorCode::kUnsupported,
         "{}: resizes the shortest edge and does not crop: images would differ in size", where);
  }
  if (input != image_size) {
    fail(ErrorCode::kUnsupported, "{}: makes images of side {}, the model takes {}", where, input,
         image_size);
  }
  return preprocessing;
}

ModelSpec spec_from_transformers(const json::object& config, const std::string& type,
                                 const std::string& where, const Catalog& catalog,
                                 const json::value* preprocessor) {
  if (type != "swin" && type != "swinv2") {
    fail(ErrorCode::kUnsupported, "{}: model_type \"{}\"; known are swin and swinv2", where, type);
  }
  require_value(config, "hidden_act", "gelu", where);
  require_value(config, "layer_norm_eps", 1e-5, where);
  require_value(config, "use_absolute_embeddings", false, where);
  ModelSpec spec;
  Dimensions& d = spec.dimensions;
  d.family = type;
  d.depths = {2, 2, 6, 2};
  d.num_heads = {3, 6, 12, 24};
  int64_t window = 7;
  read_side_into(d.image_size, config, "image_size", where);
  read_side_into(d.patch_size, config, "patch_size", where);
  read_into(d.in_chans, config, "num_channels", where);
  read_into(d.embed_dim, config, "embed_dim", where);
  read_into(d.depths, config, "depths", where);
  read_into(d.num_heads, config, "num_heads", where);
  read_side_into(window, config, "window_size", where);
  d.window_size.assign(d.depths.size(), window);
  read_into(d.mlp_ratio, config, "mlp_ratio", where);
  read_into(d.qkv_bias, config, "qkv_bias", where);
  if (type == "swinv2") {
    d.pretrained_window_size.assign(d.depths.size(), 0);
    read_into(d.pretrained_window_size, config, "pretrained_window_sizes", where);
  }
  spec.architecture = catalog.architecture_of(d).value_or(type);
  spec.num_classes = read_transformers_classes(config, where);
  if (preprocessor != nullptr) {
    spec.preprocessing = read_processor(*preprocessor, d.image_size, where + ": preprocessor_config.json");
  } else {
    spec.preprocessing.crop_pct = 1.0;
    spec.preprocessing.crop_mode = CropMode::kSquash;
  }
  return spec;
}

}  // namespace

ModelSpec spec_from_config(const json::value& config, const std::string& where, const Catalog& catalog,
                           const json::value* preprocessor) {
  const json::object& object = as_object(config, where);
  ModelSpec spec;
  if (const auto architecture = find_string(object, "architecture", where)) {
    spec = spec_from_timm(object, *architecture, where, catalog);
  } else if (const auto type = find_string(object, "model_type", where)) {
    spec = spec_from_transformers(object, *type, where, catalog, preprocessor);
  } else {
    fail(ErrorCode::kUnsupported,
         "{}: is neither timm's config.json (no \"architecture\") nor transformers' (no \"model_type\")",
         where);
  }
  set_task(spec, where);
  spec.class_names = class_names_from_config(object, spec.num_classes);
  check_dimensions(spec.dimensions, where);
  check_preprocessing(spec.preprocessing, where);
  return spec;
}

}  // namespace swinzoo::zoo
