// A model's spec from the config.json beside its weights: timm's form or transformers'.
//
// timm: "architecture" names a model of timm's, "model_args" overrides its arguments, "pretrained_cfg" (or,
// in old files, the top level) tells the input. transformers: "model_type" is swin or swinv2, and all
// dimensions are there; preprocessing stands in preprocessor_config.json. Defaults are those of timm 1.0.31
// and transformers 5.23.
#pragma once

#include <string>

#include "formats/json.h"
#include "zoo/catalog.h"
#include "zoo/spec.h"

namespace swinzoo::zoo {

// The spec, the names of its classes included; id, collection, sources and dataset are left empty, for the
// caller to fill. `preprocessor` is preprocessor_config.json, or null where there is none (then the image is
// squashed to the input size, bicubic, as all of transformers' own Swin entries are); timm's form does not
// use it. `where` is what messages start with. Throws kUnsupported, by name, for an unknown architecture, an
// argument that would change the model and that no plan knows, or a file of neither form; kCorrupt for wrong
// types and impossible numbers.
ModelSpec spec_from_config(const json::value& config, const std::string& where, const Catalog& catalog,
                           const json::value* preprocessor = nullptr);

}  // namespace swinzoo::zoo
