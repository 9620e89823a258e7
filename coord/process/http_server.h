// The HTTP port of a process: /metrics, /healthz, /readyz, and pages that a room adds.
//
// Threads: requests are answered in a few threads of its own; callbacks run there and must be safe for it, must not wait for the
// loop without a limit, and must not throw. A connection serves one request. No TLS: binding another address than loopback is the
// caller's to refuse (RequireLoopback).
#ifndef DROVER_COORD_PROCESS_HTTP_SERVER_H_
#define DROVER_COORD_PROCESS_HTTP_SERVER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "coord/base/time.h"
#include "coord/process/metrics.h"

namespace drover::process {

struct HttpReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

class HttpServer {
 public:
  struct Options {
    std::string listen = "127.0.0.1:0";  // port 0 takes a free one
    int threads = 2;
    // Not owned, must outlive the server; null: /metrics is 404.
    const Metrics* metrics = nullptr;
    // OK: 200 "ok"; else 503 and the message. Null: always OK. Alive: the loop turns. Ready: the process can serve now.
    std::function<absl::Status()> healthy;
    std::function<absl::Status()> ready;
  };

  explicit HttpServer(Options options);
  // Stops serving and waits for requests under way, and up to a second for connections on which none has come.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // A GET page; `query` holds the decoded parameters. Before Start.
  using Handler = std::function<HttpReply(const std::map<std::string, std::string>& query)>;
  void Get(const std::string& path, Handler handler);

  // Binds and serves. Errors name the address and the system's words.
  absl::Status Start();
  // What was bound, with the real port. After Start.
  [[nodiscard]] const std::string& address() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

// The usual `healthy`: fails once one wake-up of the loop has lasted longer than `limit`. `busy_for` is CqLoop::BusyFor.
std::function<absl::Status()> LoopTurns(std::function<base::Duration()> busy_for, base::Duration limit);

}  // namespace drover::process

#endif  // DROVER_COORD_PROCESS_HTTP_SERVER_H_
