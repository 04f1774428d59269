#include "tests/loopback_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <sstream>
#include <stdexcept>

namespace swinzoo {
namespace {

std::string read_head(int socket) {
  std::string head;
  char buffer[4096];
  while (head.find("\r\n\r\n") == std::string::npos) {
    const ssize_t count = ::recv(socket, buffer, sizeof(buffer), 0);
    if (count <= 0) return "";
    head.append(buffer, static_cast<size_t>(count));
  }
  return head;
}

SeenRequest parse(const std::string& head) {
  SeenRequest request;
  std::istringstream lines(head);
  std::string line;
  std::getline(lines, line);
  std::istringstream(line) >> request.method >> request.target;
  while (std::getline(lines, line) && line != "\r") {
    const size_t colon = std::min(line.find(':'), line.size());
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    std::string value = line.substr(std::min(colon + 2, line.size()));
    if (value.ends_with('\r')) value.pop_back();
    request.headers[name] = value;
  }
  return request;
}

// "bytes=FIRST-" and "bytes=FIRST-LAST".
void apply_range(const std::string& range, Reply& reply) {
  unsigned long long first = 0, last = 0;
  const int found = std::sscanf(range.c_str(), "bytes=%llu-%llu", &first, &last);
  if (reply.status != 200 || found < 1) return;
  const size_t total = reply.body.size();
  if (first >= total) {
    reply = {416, {{"Content-Range", fmt::format("bytes */{}", total)}}, ""};
    return;
  }
  if (found < 2) last = total - 1;
  last = std::min<unsigned long long>(last, total - 1);
  reply.status = 206;
  reply.headers["Content-Range"] = fmt::format("bytes {}-{}/{}", first, last, total);
  reply.body = reply.body.substr(first, last - first + 1);
}

void send_all(int socket, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t count = ::send(socket, text.data() + done, text.size() - done, MSG_NOSIGNAL);
    if (count <= 0) return;
    done += static_cast<size_t>(count);
  }
}

int listen_on_loopback(int& port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (listener < 0 || ::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener, 64) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no port on 127.0.0.1");
  }
  port = ntohs(address.sin_port);
  return listener;
}

}  // namespace

std::string SeenRequest::header(const std::string& lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  return found == headers.end() ? "" : found->second;
}

LoopbackServer::LoopbackServer(Handler handler)
    : handler_(std::move(handler)), listener_(listen_on_loopback(port_)), acceptor_([this] {
        for (;;) {
          const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
          if (socket < 0) return;
          connections_.emplace_back([this, socket] { serve(socket); });
        }
      }) {}

LoopbackServer::~LoopbackServer() {
  ::shutdown(listener_, SHUT_RDWR);  // wakes accept
  acceptor_.join();
  ::close(listener_);
  for (std::thread& connection : connections_) connection.join();
}

std::string LoopbackServer::url() const { return fmt::format("http://127.0.0.1:{}", port_); }

std::vector<SeenRequest> LoopbackServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void LoopbackServer::serve(int socket) {
  if (const std::string head = read_head(socket); !head.empty()) {
    const SeenRequest request = parse(head);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    Reply reply = handler_(request);
    if (!request.header("range").empty()) apply_range(request.header("range"), reply);
    std::string text = fmt::format("HTTP/1.1 {} Reply\r\nConnection: close\r\nContent-Length: {}\r\n",
                                   reply.status, reply.body.size());
    for (const auto& [name, value] : reply.headers) text += fmt::format("{}: {}\r\n", name, value);
    if (reply.status == 200) text += "Accept-Ranges: bytes\r\n";
    text += "\r\n";
    const bool is_head = request.method == "HEAD";
    if (!is_head && (reply.status == 200 || reply.status == 206)) body_bytes_ += reply.body.size();
    send_all(socket, is_head ? text : text + reply.body);
  }
  ::shutdown(socket, SHUT_WR);
  ::close(socket);
}

std::string dead_url() {
  int port = 0;
  ::close(listen_on_loopback(port));
  return fmt::format("http://127.0.0.1:{}", port);
}

}  // namespace swinzoo
