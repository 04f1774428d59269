// Fetching a model from the first of its sources that gives it.
#pragma once

#include <string>
#include <vector>

#include "zoo/fetch_file.h"
#include "zoo/hub.h"

namespace swinzoo::zoo {

// Makes the model present. The first source that is in a cache already counts before the others, then they
// are tried in their order; options.note is told of each that fails. All errors but kInterrupted and
// kDiskFull lead to the next source. A file with a wrong digest is asked of the other sources before it is
// fetched once more from scratch.
//
// Sources whose files have the same ending (.tar.gz, .pth) are mirrors of each other: `expected`, a digest
// that one of them states (source.h), or one recorded when one of them was fetched before holds for all of
// them.
//
// A TF-Hub model that lies in tensorflow_hub's cache is taken as it is, where neither `expected` nor the
// source itself has a digest.
//
// Throws the error of a single source; of several, one that tells what each said: kCorrupt if one of them
// sent wrong bytes, else the first one's code. REQUIRES: at least one source.
Fetched fetch_model(const std::vector<Source>& sources, const FetchOptions& options,
                    const FetchProgress& progress = {}, const ExpectedFile& expected = {});

}  // namespace swinzoo::zoo
