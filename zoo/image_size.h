// Models at another image size or number of frames than their own (--img-size, --frames), as timm's
// create_model(img_size=...) makes them.
#pragma once

#include <memory>

#include "formats/checkpoint.h"
#include "zoo/spec.h"

namespace swinzoo::zoo {

// Makes a spec that of square images of another side, and of clips of another length where frames is not 0.
// swinv2_cr's windows are an eighth of the grid, so they follow; the other families keep theirs, clipped to a
// grid that is smaller. Throws kUsage where no model can have that size, and for the frames of an image
// model.
void set_input_size(ModelSpec& spec, int64_t image_size, int64_t frames = 0);

// The checkpoint with the position bias tables that the spec's windows need: those of another size are
// resized as timm does (bias_table.h); all else is as it was. A checkpoint that does not fit for other
// reasons is given back as it is.
std::unique_ptr<Checkpoint> with_resized_tables(std::unique_ptr<Checkpoint> checkpoint,
                                                const ModelSpec& spec);

}  // namespace swinzoo::zoo
