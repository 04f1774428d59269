// hub_server: a Hugging Face hub on 127.0.0.1, for tests and for the demonstration in README.md.
//
// It serves ROOT/OWNER/REPO/FILES with the hub's URLs, headers and refusals, as huggingface_hub 2.4 reads
// them (file_download.py, hf_api.py, utils/_http.py): the model's page and tree under /api/models, files
// under /OWNER/REPO/resolve/REV. Small files come by way of a redirect on the same host; files in LFS (the
// usual endings, or over 10 MB) by way of one to a second port, the CDN, whose signed URLs refuse requests
// that carry a token, as S3 does. A repository has one revision, main, whose commit follows from its files'
// names and bytes.
//
// One thread a connection; files are read and digested when first asked for, and again when they change. A
// line a request goes to the log, before its last bytes are sent, so that whoever saw the end of an answer
// finds its line:
//   hub|cdn METHOD TARGET STATUS BODY_BYTES_SENT auth=yes|no range=RANGE|-
#include <openssl/evp.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "formats/sha256.h"
#include "tests/tools/faults.h"

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace fs = std::filesystem;
namespace http = beast::http;
namespace json = boost::json;
using tcp = asio::ip::tcp;

constexpr uint64_t kLargestSmallFile = 10 * 1000 * 1000;
constexpr std::string_view kSignature = "X-Signature=5ca1ab1e-";

struct Options {
  fs::path root;
  uint16_t port = 0;
  fs::path port_file;
  fs::path log;
  std::vector<std::string> gated;        // OWNER/REPO=TOKEN
  std::vector<std::string> flip;         // FILE:OFFSET
  uint64_t cut_after = UINT64_MAX;       // bytes of a file's body
  uint64_t rate = 0;                     // bytes a second of a connection, 0 = unlimited
  uint64_t total_rate = 0;               // of all together
  int send_buffer = 0;                   // bytes, 0 = the system's choice
  uint64_t signature_uses = UINT64_MAX;  // requests that a signed URL is good for
  swinzoo::Faults faults;
  std::atomic<int> busy = 0;  // answers of 503 to give before the first good one
};

struct File {
  std::string path;
  fs::path location;
  uint64_t size = 0;
  std::string sha1;    // git's, of the blob
  std::string sha256;  // of the bytes
  fs::file_time_type changed;

  bool is_lfs() const {
    for (const char* ending : {".safetensors", ".bin", ".pth", ".h5", ".tar.gz"}) {
      if (path.ends_with(ending)) return true;
    }
    return size > kLargestSmallFile;
  }
  std::string pointer() const {
    return fmt::format("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n", sha256, size);
  }
};

std::string git_sha1(std::string_view text) {
  const std::string blob = fmt::format("blob {}", text.size()) + '\0' + std::string(text);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned count = 0;
  EVP_Digest(blob.data(), blob.size(), digest, &count, EVP_sha1(), nullptr);
  std::string hex;
  for (unsigned i = 0; i < count; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

struct Repo {
  std::string commit;
  std::vector<File> files;  // by path

  const File* find(std::string_view path) const {
    const auto found =
        std::find_if(files.begin(), files.end(), [&](const File& f) { return f.path == path; });
    return found == files.end() ? nullptr : &*found;
  }
};

// The repositories under the root. Thread-safe.
class Store {
 public:
  explicit Store(fs::path root) : root_(std::move(root)) {}

  std::optional<Repo> find(const std::string& id) {
    const fs::path folder = root_ / id;
    if (id.find("..") != std::string::npos || !fs::is_directory(folder)) return std::nullopt;
    const std::lock_guard lock(mutex_);
    Repo repo;
    std::string listing;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) repo.files.push_back(read(entry.path(), folder));
    }
    std::sort(repo.files.begin(), repo.files.end(),
              [](const File& a, const File& b) { return a.path < b.path; });
    for (const File& file : repo.files) listing += file.path + " " + file.sha1 + "\n";
    repo.commit = git_sha1(listing);
    return repo;
  }

 private:
  const File& read(const fs::path& location, const fs::path& folder) {
    File& file = known_[location];
    const auto changed = fs::last_write_time(location);
    const uint64_t size = fs::file_size(location);
    if (!file.sha1.empty() && file.changed == changed && file.size == size) return file;
    file = {location.lexically_relative(folder).string(), location, size, "", "", changed};
    file.sha256 = swinzoo::sha256_of_file(location);
    if (file.is_lfs()) {
      file.sha1 = git_sha1(file.pointer());
    } else {
      std::ifstream stream(location, std::ios::binary);
      file.sha1 = git_sha1(std::string(std::istreambuf_iterator<char>(stream), {}));
    }
    return file;
  }

  const fs::path root_;
  std::mutex mutex_;
  std::map<fs::path, File> known_;
};

std::string percent_decode(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '%' && i + 2 < text.size();
    decoded +=
        is_escape ? static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16)) : text[i];
    if (is_escape) i += 2;
  }
  return decoded;
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0) parts.push_back(percent_decode(path.substr(0, slash)));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return parts;
}

std::string join(std::span<const std::string> parts) { return fmt::format("{}", fmt::join(parts, "/")); }

// What to answer: headers and text, or headers and (a part of) a file.
struct Answer {
  http::status status = http::status::ok;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string text = {};
  const File* file = nullptr;
};

class Server {
 public:
  explicit Server(Options& options)
      : options_(options), store_(options.root), hub_(io_, local(options.port)), cdn_(io_, local(0)) {}

  void run() {
    const std::string ports =
        fmt::format("{}\n{}\n", hub_.local_endpoint().port(), cdn_.local_endpoint().port());
    if (!options_.port_file.empty()) swinzoo::write_file(options_.port_file, ports);
    fmt::print("hub on http://127.0.0.1:{}\n", hub_.local_endpoint().port());
    std::fflush(stdout);
    std::thread([this] { accept(cdn_, true); }).detach();
    accept(hub_, false);
  }

 private:
  using Request = http::request<http::string_body>;

  static tcp::endpoint local(uint16_t port) { return {asio::ip::address_v4::loopback(), port}; }

  void accept(tcp::acceptor& acceptor, bool is_cdn) {
    for (;;) {
      std::thread([this, is_cdn, socket = acceptor.accept()]() mutable {
        try {
          serve(socket, is_cdn);
        } catch (const std::exception&) {  // the client went away
        }
      }).detach();
    }
  }

  void serve(tcp::socket& socket, bool is_cdn) {
    socket.set_option(tcp::no_delay(true));
    if (options_.send_buffer > 0) {
      socket.set_option(asio::socket_base::send_buffer_size(options_.send_buffer));
    }
    beast::flat_buffer buffer;
    for (;;) {
      Request request;
      http::read(socket, buffer, request);
      const std::string target(request.target());
      std::optional<Repo> repo;  // outlives the answer, which points into it
      Answer answer;
      if (options_.busy > 0 && options_.busy-- > 0) {
        answer = {http::status::service_unavailable, {{"Retry-After", "0"}}, "busy"};
      } else if (is_cdn) {
        answer = answer_cdn(request, target, repo);
      } else {
        answer = answer_hub(request, target, repo);
      }
      if (answer.file != nullptr) spoil(target, answer);
      if (!send(socket, request, target, answer, is_cdn) || !request.keep_alive()) return;
    }
  }

  // The faults that take a file's place.
  void spoil(const std::string& target, Answer& answer) {
    if (const auto code = options_.faults.take("status")) {
      answer = {static_cast<http::status>(*code), {{"Retry-After", "0"}}, "on purpose"};
    } else if (options_.faults.take("redirect")) {
      answer = {http::status::found, {{"Location", target}}, ""};
    }
  }

  static Answer refuse(http::status status, const std::string& code, const std::string& message) {
    return {status,
            {{"X-Error-Code", code}, {"X-Error-Message", message}, {"Content-Type", "application/json"}},
            json::serialize(json::object{{"error", message}})};
  }

  static bool has_token(const Request& request) { return request.count(http::field::authorization) > 0; }

  // The token that a gated repository wants; empty if it's open to all.
  std::string token_for(const std::string& id) const {
    for (const std::string& gated : options_.gated) {
      if (gated.starts_with(id + "=")) return gated.substr(id.size() + 1);
    }
    return "";
  }

  Answer answer_hub(const Request& request, const std::string& target, std::optional<Repo>& repo) {
    const std::vector<std::string> parts = split(target.substr(0, target.find('?')));
    const std::span all(parts);
    const bool is_api = parts.size() >= 4 && parts[0] == "api" && parts[1] == "models";
    const bool is_resolve = parts.size() >= 5 && parts[2] == "resolve";
    const bool is_resolve_cache = parts.size() >= 7 && parts[0] == "api" && parts[1] == "resolve-cache";
    if (!is_api && !is_resolve && !is_resolve_cache) return {http::status::not_found, {}, "Not Found"};

    const std::string id = join(all.subspan(is_api ? 2 : is_resolve ? 0 : 3, 2));
    repo = store_.find(id);
    if (!repo && has_token(request))
      return refuse(http::status::not_found, "RepoNotFound", "Repository not found");
    if (!repo) return refuse(http::status::unauthorized, "RepoNotFound", "Invalid username or password.");

    const size_t at = is_api ? 5 : is_resolve ? 3 : 5;
    const std::string revision = parts.size() > at ? parts[at] : "main";
    if (revision != "main" && revision != repo->commit) {
      return refuse(http::status::not_found, "RevisionNotFound", "Invalid rev id: " + revision);
    }
    if (is_api && parts.size() >= 5 && parts[4] == "tree") return tree_page(*repo);
    if (is_api && (parts.size() == 4 || parts[4] == "revision")) return model_page(id, *repo);
    if (is_api) return {http::status::not_found, {}, "Not Found"};

    const std::string token = token_for(id);
    if (!token.empty() && !has_token(request)) {
      return refuse(http::status::unauthorized, "GatedRepo", "Access to model " + id + " is restricted.");
    }
    if (!token.empty() && request[http::field::authorization] != "Bearer " + token) {
      return refuse(http::status::forbidden, "GatedRepo", "Access to model " + id + " is restricted.");
    }
    const std::string path = join(all.subspan(is_resolve ? 4 : 6));
    const File* file = repo->find(path);
    if (file == nullptr) {
      Answer answer = refuse(http::status::not_found, "EntryNotFound", "Entry not found");
      answer.headers.emplace_back("X-Repo-Commit", repo->commit);
      return answer;
    }
    return is_resolve ? resolve(id, *repo, *file) : small_file(*repo, *file);
  }

  static Answer json_answer(const json::value& value) {
    return {http::status::ok, {{"Content-Type", "application/json; charset=utf-8"}}, json::serialize(value)};
  }

  Answer model_page(const std::string& id, const Repo& repo) const {
    json::array siblings;
    for (const File& file : repo.files) siblings.push_back(json::object{{"rfilename", file.path}});
    const json::value gated = token_for(id).empty() ? json::value(false) : json::value("manual");
    return json_answer(json::object{{"_id", repo.commit.substr(0, 24)},
                                    {"id", id},
                                    {"modelId", id},
                                    {"author", id.substr(0, id.find('/'))},
                                    {"sha", repo.commit},
                                    {"lastModified", "2026-01-01T00:00:00.000Z"},
                                    {"private", false},
                                    {"gated", gated},
                                    {"disabled", false},
                                    {"tags", json::array()},
                                    {"downloads", 0},
                                    {"likes", 0},
                                    {"siblings", siblings}});
  }

  static Answer tree_page(const Repo& repo) {
    json::array entries;
    for (const File& file : repo.files) {
      json::object entry{{"type", "file"}, {"oid", file.sha1}, {"size", file.size}, {"path", file.path}};
      if (file.is_lfs()) {
        entry["lfs"] =
            json::object{{"oid", file.sha256}, {"size", file.size}, {"pointerSize", file.pointer().size()}};
      }
      entries.push_back(std::move(entry));
    }
    return json_answer(entries);
  }

  // A new one for each redirect.
  std::string signature() {
    const std::lock_guard lock(mutex_);
    return fmt::format("{}{}", kSignature, ++signatures_);
  }

  bool accepts(const std::string& query) {
    const std::lock_guard lock(mutex_);
    return query.starts_with(kSignature) && signature_used_[query]++ < options_.signature_uses;
  }

  Answer resolve(const std::string& id, const Repo& repo, const File& file) {
    Answer answer{http::status::found, {{"X-Repo-Commit", repo.commit}}};
    answer.headers.emplace_back("X-Linked-Size", std::to_string(file.size));
    if (file.is_lfs()) {
      answer.headers.emplace_back("X-Linked-ETag", '"' + file.sha256 + '"');
      answer.headers.emplace_back(
          "Location", fmt::format("http://127.0.0.1:{}/repos/{}/{}?{}", cdn_.local_endpoint().port(), id,
                                  file.sha256, signature()));
    } else {
      answer.status = http::status::temporary_redirect;
      answer.headers.emplace_back("X-Linked-ETag", '"' + file.sha1 + '"');
      answer.headers.emplace_back(
          "Location", fmt::format("/api/resolve-cache/models/{}/{}/{}", id, repo.commit, file.path));
    }
    return answer;
  }

  static Answer small_file(const Repo& repo, const File& file) {
    return {http::status::ok, {{"X-Repo-Commit", repo.commit}, {"ETag", '"' + file.sha1 + '"'}}, "", &file};
  }

  Answer answer_cdn(const Request& request, const std::string& target, std::optional<Repo>& repo) {
    const size_t question = target.find('?');
    if (question == std::string::npos || !accepts(target.substr(question + 1))) {
      return {http::status::forbidden, {}, "AccessDenied"};
    }
    if (has_token(request)) return {http::status::bad_request, {}, "Only one auth mechanism allowed"};
    const std::vector<std::string> parts = split(target.substr(0, question));
    if (parts.size() == 4) repo = store_.find(parts[1] + "/" + parts[2]);
    for (const File& file : repo ? repo->files : std::vector<File>()) {
      if (file.sha256 != parts[3]) continue;
      return {http::status::ok, {{"ETag", '"' + file.sha256.substr(0, 32) + '"'}}, "", repo->find(file.path)};
    }
    return {http::status::not_found, {}, "NoSuchKey"};
  }

  // Sends the answer; false if the connection is to be closed.
  bool send(tcp::socket& socket, const Request& request, const std::string& target, Answer& answer,
            bool is_cdn) {
    uint64_t first = 0;
    uint64_t total = answer.file != nullptr ? answer.file->size : answer.text.size();
    uint64_t length = total;
    const std::string range(request[http::field::range]);
    const bool ignores_range = answer.file != nullptr && options_.faults.take("no-ranges");
    if (answer.file != nullptr && !range.empty() && !ignores_range) {
      apply_range(range, answer, first, length, total);
    }

    http::response<http::empty_body> head(answer.status, 11);
    for (const auto& [name, value] : answer.headers) head.insert(name, value);
    if (answer.file != nullptr && !ignores_range) head.set(http::field::accept_ranges, "bytes");
    head.content_length(length);
    if (answer.file != nullptr) spoil_headers(head, length);
    head.keep_alive(request.keep_alive());

    const bool has_body = request.method() != http::verb::head;
    const uint64_t to_send = !has_body ? 0 : answer.file != nullptr ? std::min(length, cut_after()) : length;
    Line line{
        *this,
        fmt::format("{} {} {} {}", is_cdn ? "cdn" : "hub", std::string(request.method_string()), target,
                    static_cast<unsigned>(answer.status)),
        fmt::format("auth={} range={}", has_token(request) ? "yes" : "no", range.empty() ? "-" : range)};
    if (to_send == 0) line.write(0);
    http::response_serializer<http::empty_body> serializer(head);
    http::write_header(socket, serializer);
    if (answer.file != nullptr) send_file(socket, *answer.file, first, to_send, line);
    if (answer.file == nullptr && to_send > 0) {
      line.write(to_send);
      asio::write(socket, asio::buffer(answer.text));
    }
    return !has_body ||
           (to_send == length && std::stoull(std::string(head[http::field::content_length])) == length);
  }

  uint64_t cut_after() {
    const auto limit = options_.faults.take("cut");
    return limit ? 1 + options_.faults.random_below(static_cast<uint64_t>(*limit)) : options_.cut_after;
  }

  void spoil_headers(http::response<http::empty_body>& head, uint64_t length) {
    if (const auto more = options_.faults.take("length")) {
      head.content_length(static_cast<uint64_t>(static_cast<int64_t>(length) + *more));
    }
    if (const auto suffix = options_.faults.take("etag")) {
      const std::string etag(head[http::field::etag]);
      head.set(http::field::etag, fmt::format("{}-{}\"", etag.substr(0, etag.size() - 1), *suffix));
    }
    unsigned long long from = 0;
    unsigned long long to = 0;
    unsigned long long total = 0;
    const std::string range(head[http::field::content_range]);
    if (std::sscanf(range.c_str(), "bytes %llu-%llu/%llu", &from, &to, &total) != 3) return;
    if (const auto shift = options_.faults.take("shift-range")) {
      const auto by = static_cast<uint64_t>(*shift);
      head.set(http::field::content_range, fmt::format("bytes {}-{}/{}", from + by, to + by, total));
    }
  }

  // One line of the log: written before the last bytes go out, or when the client has gone.
  struct Line {
    Server& server;
    std::string before, after;
    uint64_t sent = 0;
    bool written = false;

    ~Line() {
      if (!written) write(sent);
    }
    void write(uint64_t bytes) {
      written = true;
      server.write_log(fmt::format("{} {} {}\n", before, bytes, after));
    }
  };

  // "bytes=FIRST-" and "bytes=FIRST-LAST"; anything else gets the whole file.
  void apply_range(const std::string& range, Answer& answer, uint64_t& first, uint64_t& length,
                   uint64_t total) {
    unsigned long long from = 0;
    unsigned long long to = 0;
    const int found = std::sscanf(range.c_str(), "bytes=%llu-%llu", &from, &to);
    if (found < 1) return;
    if (from >= total) {
      answer = {http::status::range_not_satisfiable, {{"Content-Range", fmt::format("bytes */{}", total)}}};
      length = 0;
      return;
    }
    uint64_t last = found == 2 ? std::min<uint64_t>(to, total - 1) : total - 1;
    if (const auto most = options_.faults.take("short-range")) {
      last = std::min<uint64_t>(last, from + static_cast<uint64_t>(*most) - 1);
    }
    answer.status = http::status::partial_content;
    answer.headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", from, last, total));
    first = from;
    length = last - from + 1;
  }

  void send_file(tcp::socket& socket, const File& file, uint64_t first, uint64_t count, Line& line) {
    std::ifstream stream(file.location, std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(first));
    const size_t piece = options_.rate > 0 ? std::clamp<size_t>(options_.rate / 50, 1, 65536) : 65536;
    const uint64_t stall = static_cast<uint64_t>(options_.faults.take("stall").value_or(INT64_MAX));
    std::vector<char> buffer(piece);
    const auto start = std::chrono::steady_clock::now();
    while (line.sent < count) {
      const auto size = static_cast<size_t>(std::min<uint64_t>(piece, count - line.sent));
      stream.read(buffer.data(), static_cast<std::streamsize>(size));
      flip(file, first + line.sent, {buffer.data(), size});
      if (line.sent >= stall) wait_for_end(socket);
      wait_for_rate(size);
      if (line.sent + size == count) line.write(count);
      asio::write(socket, asio::buffer(buffer.data(), size));
      line.sent += size;
      if (options_.rate > 0) {
        std::this_thread::sleep_until(start + std::chrono::milliseconds(line.sent * 1000 / options_.rate));
      }
    }
  }

  // By the rate of all connections together.
  void wait_for_rate(size_t bytes) {
    if (options_.total_rate == 0) return;
    std::unique_lock lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    const auto turn = std::max(now, free_at_);
    free_at_ = turn + std::chrono::nanoseconds(bytes * 1'000'000'000 / options_.total_rate);
    lock.unlock();
    std::this_thread::sleep_until(turn);
  }

  // Until the client goes away.
  static void wait_for_end(tcp::socket& socket) {
    char byte = 0;
    asio::read(socket, asio::buffer(&byte, 1));
    throw std::runtime_error("the client sent more while it waited");
  }

  void flip(const File& file, uint64_t offset, std::span<char> bytes) {
    for (const std::string& spec : options_.flip) {
      const size_t colon = spec.rfind(':');
      const uint64_t at = std::stoull(spec.substr(colon + 1));
      if (file.path == spec.substr(0, colon) && at >= offset && at < offset + bytes.size())
        bytes[at - offset] ^= 1;
    }
    const auto at = static_cast<uint64_t>(options_.faults.value("flip").value_or(-1));
    if (at >= offset && at < offset + bytes.size() && options_.faults.take("flip")) bytes[at - offset] ^= 1;
  }

  void write_log(const std::string& line) {
    if (options_.log.empty()) return;
    const std::lock_guard lock(log_mutex_);
    std::ofstream(options_.log, std::ios::app) << line;
  }

  Options& options_;
  Store store_;
  asio::io_context io_;
  tcp::acceptor hub_;
  tcp::acceptor cdn_;
  std::mutex log_mutex_;
  std::mutex mutex_;  // of what follows
  int signatures_ = 0;
  std::map<std::string, uint64_t> signature_used_;
  std::chrono::steady_clock::time_point free_at_ = std::chrono::steady_clock::now();  // by the total rate
};

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  Options options;
  int busy = 0;
  CLI::App app("A Hugging Face hub on 127.0.0.1, for tests and demonstrations.", "hub_server");
  app.add_option("--root", options.root, "The folder with OWNER/REPO/FILES")
      ->required()
      ->check(CLI::ExistingDirectory);
  app.add_option("--port", options.port, "The hub's port; 0 = a free one")->capture_default_str();
  app.add_option("--port-file", options.port_file,
                 "Written when it listens: the hub's port, and the CDN's below");
  app.add_option("--log", options.log, "Where a line a request goes");
  app.add_option("--gated", options.gated, "OWNER/REPO=TOKEN: its files want this token");
  app.add_option("--flip-byte", options.flip, "FILE:OFFSET: this byte is served wrong");
  app.add_option("--cut-after", options.cut_after, "Close the connection after so many bytes of a file");
  app.add_option("--rate", options.rate, "Bytes a second of a file, a connection");
  app.add_option("--total-rate", options.total_rate, "Bytes a second of files, all connections together");
  app.add_option("--send-buffer", options.send_buffer, "Bytes of each socket's buffer");
  app.add_option("--signature-uses", options.signature_uses,
                 "A redirect's URL is refused (403) after so many requests");
  app.add_option_function<std::vector<std::string>>(
      "--fault",
      [&](const std::vector<std::string>& specs) {
        for (const std::string& spec : specs) options.faults.add(spec);
      },
      "NAME=VALUE[*COUNT][+SKIP]: see tests/tools/faults.h");
  app.add_option("--busy", busy, "Answer 503 to so many requests first");
  CLI11_PARSE(app, argc, argv);
  options.busy = busy;
  try {
    Server(options).run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "hub_server: {}\n", error.what());
    return 1;
  }
}
