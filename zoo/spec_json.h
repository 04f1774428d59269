// ModelSpec as JSON: in the catalog's rows, in a converted file's metadata and in `info --format json`.
//
// The members are named as those of spec.h; docs/catalog.md tells what each means. Reading is strict: a
// missing or unknown key, a wrong type or impossible numbers throw kCorrupt, starting with `where`.
#pragma once

#include <string>

#include "formats/json.h"
#include "zoo/spec.h"
#include "zoo/strict_object.h"

namespace swinzoo::zoo {

// The whole spec; spec_from_json(to_json(spec)) is the spec again. "class_names" is there only where names
// are.
json::object to_json(const ModelSpec& spec);
ModelSpec spec_from_json(const json::value& value, const std::string& where);

// The parts. read_dimensions takes its keys out of a row that may hold others; window_size and
// pretrained_window_size may be one number for all stages there. read_row reads everything of a spec but its
// dimensions. The caller calls finish().
json::object to_json(const Dimensions& dimensions);
Dimensions read_dimensions(StrictObject& row);
Preprocessing preprocessing_from_json(const json::value& value, const std::string& where);
ModelSpec read_row(StrictObject& row);

// "center", "squash", "border"; "bilinear", "bicubic": timm's words. Reading an unknown word throws
// kUnsupported.
std::string name_of(CropMode mode);
std::string name_of(Interpolation interpolation);
CropMode crop_mode_from_name(const std::string& name, const std::string& where);
Interpolation interpolation_from_name(const std::string& name, const std::string& where);

}  // namespace swinzoo::zoo
