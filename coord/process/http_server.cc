#include "coord/process/http_server.h"

#include <httplib.h>

#include <atomic>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/process/options.h"

namespace drover::process {
namespace {

constexpr char kMetricsType[] = "text/plain; version=0.0.4; charset=utf-8";

HttpReply Verdict(const std::function<absl::Status()>& check) {
  const absl::Status status = check ? check() : absl::OkStatus();
  if (status.ok()) return {.body = "ok\n"};
  return {.status = 503, .body = absl::StrCat(status.message(), "\n")};
}

}  // namespace

class HttpServer::Impl {
 public:
  explicit Impl(Options o) : options(std::move(o)) {
    server.new_task_queue = [threads = options.threads] { return new httplib::ThreadPool(static_cast<std::size_t>(threads)); };
    // The library asks for SO_REUSEPORT, by which two processes would share a port unnoticed.
    server.set_socket_options([](socket_t fd) {
      const int one = 1;
      setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    });
    // One request a connection, and that soon: an idle one keeps a thread, of which there are few, and the end of the process waits
    // for it; the library can wake neither.
    server.set_keep_alive_max_count(1);
    server.set_keep_alive_timeout(1);
    server.set_read_timeout(5);
    server.set_write_timeout(5);
    server.set_payload_max_length(1u << 20);
  }

  ~Impl() {
    server.stop();
    if (thread.joinable()) thread.join();
  }

  const Options options;
  httplib::Server server;
  std::thread thread;
  std::atomic<bool> ended{false};
  std::string address;
};

HttpServer::HttpServer(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {
  Get("/healthz", [this](const auto&) { return Verdict(impl_->options.healthy); });
  Get("/readyz", [this](const auto&) { return Verdict(impl_->options.ready); });
  if (impl_->options.metrics != nullptr) {
    Get("/metrics",
        [this](const auto&) { return HttpReply{.content_type = kMetricsType, .body = impl_->options.metrics->Text()}; });
  }
}
HttpServer::~HttpServer() = default;

void HttpServer::Get(const std::string& path, Handler handler) {
  impl_->server.Get(path, [handler = std::move(handler)](const httplib::Request& request, httplib::Response& response) {
    const std::map<std::string, std::string> query(request.params.begin(), request.params.end());
    HttpReply reply = handler(query);
    response.status = reply.status;
    response.set_content(std::move(reply.body), reply.content_type.c_str());
  });
}

absl::Status HttpServer::Start() {
  const absl::StatusOr<HostPort> listen = ParseHostPort(impl_->options.listen);
  if (!listen.ok()) return listen.status();
  HostPort bound = *listen;
  errno = 0;
  if (bound.port == 0) {
    const int port = impl_->server.bind_to_any_port(bound.host.c_str());
    bound.port = static_cast<std::uint16_t>(std::max(port, 0));
  } else if (!impl_->server.bind_to_port(bound.host.c_str(), bound.port)) {
    bound.port = 0;
  }
  if (bound.port == 0) {
    const int error = errno;
    const std::string what = absl::StrCat("cannot listen on ", impl_->options.listen, ": ",
                                          error == 0 ? "the address cannot be bound" : strerror(error));
    if (error != EADDRINUSE) return absl::UnavailableError(what);
    return absl::AlreadyExistsError(absl::StrCat(what, ": give another address, or stop the process that has it"));
  }
  impl_->address = bound.ToString();
  impl_->thread = std::thread([this] {
    impl_->server.listen_after_bind();
    impl_->ended = true;
  });
  // The library's stop() does nothing before its loop has begun.
  while (!impl_->server.is_running() && !impl_->ended) std::this_thread::yield();
  return absl::OkStatus();
}

const std::string& HttpServer::address() const {
  return impl_->address;
}

std::function<absl::Status()> LoopTurns(std::function<base::Duration()> busy_for, base::Duration limit) {
  return [busy_for = std::move(busy_for), limit]() -> absl::Status {
    const base::Duration busy = busy_for();
    if (busy <= limit) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat("the loop has not turned for ", FormatDuration(busy)));
  };
}

}  // namespace drover::process
