// From the name that a user gives to a model that runs.
#pragma once

#include <memory>
#include <string>

#include "backends/backend.h"
#include "formats/checkpoint.h"
#include "zoo/canonical.h"
#include "zoo/catalog.h"
#include "zoo/model_source.h"
#include "zoo/spec.h"
#include "zoo/spec_from_tensors.h"
#include "zoo/weights.h"

namespace swinzoo::zoo {

// What MODEL names: a catalog id or alias (its spec is the catalog's), hf:OWNER/REPO[@REV] in the cache, or a
// path: a canonical file, or a checkpoint beside its config.json (the spec is what these say).
struct OpenedModel {
  ModelSpec spec;
  std::string origin;  // for messages: where the files come from
  std::unique_ptr<Checkpoint> checkpoint;
};

// Where the files of MODEL lie. Nothing is fetched. Throws kNotFound, saying what to fetch or what may have
// been meant; kUnsupported for a source that can't be fetched.
ModelFiles find_files(const std::string& model, const Catalog& catalog);

// The files that MODEL names, opened, whether or not anything tells what they are a model of.
struct OpenedFiles {
  ModelFiles files;
  std::unique_ptr<Checkpoint> checkpoint;
};

// Opens them. Throws as find_files; kCorrupt; kUnsupported for a format that is not known.
OpenedFiles open_files(const std::string& model, const Catalog& catalog);

// The spec of MODEL, whose files are `opened`. Throws kCorrupt; kUnsupported where neither a config.json, nor
// a catalog row, nor the tensors, nor the hints tell the architecture; kUsage where the hints contradict what
// the files say of it.
ModelSpec spec_of(const std::string& model, const OpenedFiles& opened, const Catalog& catalog,
                  const SpecHints& hints = {});

// Whether MODEL is meant as a path or a source (hf:...), and not as a name of the catalog.
bool names_files(const std::string& model);

// Opens the files and finds the spec, at the image size of the hints; reads no weights. Throws as open_files
// and spec_of, and as set_input_size.
OpenedModel open_model(const std::string& model, const Catalog& catalog, const SpecHints& hints = {});

// What MODEL is without its weights: as open_model, or, for a catalog entry or a bare architecture name, from
// the catalog.
ModelSpec find_spec(const std::string& model, const Catalog& catalog, const SpecHints& hints = {});

// A model that runs. Immutable, so safe to share between threads.
class Model {
 public:
  // Throws what open_model throws; kCorrupt if the checkpoint does not fit.
  Model(OpenedModel opened, const backends::Backend& backend, const backends::LoadOptions& options);

  const ModelSpec& spec() const { return opened_.spec; }
  const std::string& origin() const { return opened_.origin; }
  const backends::Executable& executable() const { return *executable_; }

  // SHA-256 of each weight's float32 bytes as they are run, by name. Weights that are stored as F16 or BF16
  // count as the values that these stand for. Reads all weights. Throws kCorrupt where a canonical file of
  // float32 carries other digests.
  Digests digests() const;

 private:
  OpenedModel opened_;
  std::unique_ptr<Weights> weights_;
  std::unique_ptr<backends::Executable> executable_;
};

}  // namespace swinzoo::zoo
