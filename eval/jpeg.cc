// JPEG by libjpeg-turbo, with Pillow's settings: the default DCT (islow) and fancy upsampling, EXIF's
// orientation left alone, CMYK taken as Adobe's (inverted). Sources: Pillow's src/libImaging/JpegDecode.c,
// PIL/JpegImagePlugin.py and cmyk2rgb in src/libImaging/Convert.c.
//
// As in Pillow, data that ends early suspends the decoder and is an error; warnings (extraneous bytes, a
// damaged segment that the decoder can step over) are not, since photographs in ImageNet have them.
//
// libjpeg reports errors by longjmp. Each function that calls setjmp has only trivial locals, and whatever
// owns memory lives in its caller's frame, so that no destructor is jumped over.
#include <algorithm>
#include <csetjmp>
#include <cstdio>

// After cstdio: jpeglib.h needs FILE.
#include <jpeglib.h>

#include "eval/image_format.h"
#include "formats/error.h"

namespace swinzoo::eval {

namespace {

struct Decompressor {
  jpeg_decompress_struct info = {};
  jpeg_error_mgr errors = {};
  jpeg_source_mgr source = {};
  std::jmp_buf on_error = {};
  char message[JMSG_LENGTH_MAX] = "";  // empty: the data ended before the image did

  Decompressor() = default;
  ~Decompressor() { jpeg_destroy_decompress(&info); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
};

[[noreturn]] void jump_out(j_common_ptr common) {
  auto* self = static_cast<Decompressor*>(common->client_data);
  common->err->format_message(common, self->message);
  std::longjmp(self->on_error, 1);
}

void ignore_message(j_common_ptr) {}
void ignore_source(j_decompress_ptr) {}
boolean suspend(j_decompress_ptr) { return FALSE; }

void skip_bytes(j_decompress_ptr info, long count) {
  if (count <= 0) return;
  const size_t skipped = std::min(static_cast<size_t>(count), info->src->bytes_in_buffer);
  info->src->next_input_byte += skipped;
  info->src->bytes_in_buffer -= skipped;
}

// False where the data is damaged (message set) or ends (message empty); so too below.
bool read_header(Decompressor& self, const JOCTET* data, size_t size) {
  self.info.err = jpeg_std_error(&self.errors);
  self.errors.error_exit = &jump_out;
  self.errors.output_message = &ignore_message;
  self.info.client_data = &self;
  if (setjmp(self.on_error) != 0) return false;
  jpeg_create_decompress(&self.info);
  self.source.next_input_byte = data;
  self.source.bytes_in_buffer = size;
  self.source.init_source = &ignore_source;
  self.source.fill_input_buffer = &suspend;
  self.source.skip_input_data = &skip_bytes;
  self.source.resync_to_restart = &jpeg_resync_to_restart;
  self.source.term_source = &ignore_source;
  self.info.src = &self.source;
  int status = JPEG_HEADER_TABLES_ONLY;
  while (status == JPEG_HEADER_TABLES_ONLY) status = jpeg_read_header(&self.info, FALSE);
  return status == JPEG_HEADER_OK;
}

uint8_t inverted_channel(int ink, int white) {
  const int product = (255 - ink) * white + 128;
  return static_cast<uint8_t>(white - (((product >> 8) + product) >> 8));
}

// One row of 1 or 4 components to RGB.
void to_rgb(const uint8_t* row, int components, int64_t width, uint8_t* rgb) {
  for (int64_t x = 0; x < width; ++x, row += components, rgb += 3) {
    for (int c = 0; c < 3; ++c) rgb[c] = components == 1 ? row[0] : inverted_channel(row[c], row[3]);
  }
}

// `row` holds one row of the file's components.
bool read_rows(Decompressor& self, uint8_t* row, uint8_t* rgb) {
  if (setjmp(self.on_error) != 0) return false;
  jpeg_decompress_struct& info = self.info;
  if (info.num_components == 1) info.out_color_space = JCS_GRAYSCALE;
  if (info.num_components == 3) info.out_color_space = JCS_RGB;
  if (info.num_components == 4) info.out_color_space = JCS_CMYK;
  if (!jpeg_start_decompress(&info)) return false;
  while (info.output_scanline < info.output_height) {
    uint8_t* target = rgb + size_t{3} * info.output_width * info.output_scanline;
    JSAMPROW rows[] = {info.num_components == 3 ? target : row};
    if (jpeg_read_scanlines(&info, rows, 1) != 1) return false;
    if (info.num_components != 3) to_rgb(row, info.num_components, info.output_width, target);
  }
  jpeg_finish_decompress(&info);  // its errors count; a missing end marker does not, once every row is there
  return true;
}

}  // namespace

void decode_jpeg(std::span<const std::byte> bytes, const std::string& name, Image& image) {
  Decompressor self;
  if (!read_header(self, reinterpret_cast<const JOCTET*>(bytes.data()), bytes.size())) {
    if (self.message[0] != '\0') fail(ErrorCode::kCorrupt, "{}: damaged JPEG: {}", name, self.message);
    fail(ErrorCode::kCorrupt, "{}: truncated JPEG: its {} bytes end in the header", name, bytes.size());
  }
  const int components = self.info.num_components;
  if (components != 1 && components != 3 && components != 4) {
    fail(ErrorCode::kUnsupported, "{}: a JPEG of {} components; 1, 3 and 4 are known", name, components);
  }
  allocate_image(self.info.image_width, self.info.image_height, name, image);
  std::vector<uint8_t> row(static_cast<size_t>(image.width * components));
  if (!read_rows(self, row.data(), image.rgb.data())) {
    if (self.message[0] != '\0') fail(ErrorCode::kCorrupt, "{}: damaged JPEG: {}", name, self.message);
    fail(ErrorCode::kCorrupt, "{}: truncated JPEG: its {} bytes end after {} of {} rows", name, bytes.size(),
         self.info.output_scanline, image.height);
  }
}

#define SWINZOO_STRING(x) #x
#define SWINZOO_EXPANDED(x) SWINZOO_STRING(x)
std::string jpeg_version() { return "libjpeg-turbo " SWINZOO_EXPANDED(LIBJPEG_TURBO_VERSION); }

}  // namespace swinzoo::eval
