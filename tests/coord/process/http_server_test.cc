#include "coord/process/http_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "coord/process/options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace drover::process {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// The whole answer to a GET, headers and all.
std::string Fetch(const std::string& address, const std::string& path) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(ParseHostPort(address)->port);
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) {
    close(fd);
    return "no connection";
  }
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  EXPECT_EQ(send(fd, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  std::string answer;
  char buffer[4096];
  for (ssize_t n = 0; (n = recv(fd, buffer, sizeof(buffer), 0)) > 0;) answer.append(buffer, static_cast<std::size_t>(n));
  close(fd);
  return answer;
}

TEST(HttpServerTest, ServesMetricsHealthAndReadiness) {
  Metrics metrics;
  metrics.Counter("drover_test_total", "T").Increment();
  std::atomic<bool> ready{false};
  HttpServer server({.metrics = &metrics, .ready = [&]() -> absl::Status {
                       if (ready) return absl::OkStatus();
                       return absl::UnavailableError("no leader yet");
                     }});
  ASSERT_TRUE(server.Start().ok());
  EXPECT_THAT(Fetch(server.address(), "/metrics"), HasSubstr("drover_test_total 1"));
  EXPECT_THAT(Fetch(server.address(), "/metrics"), HasSubstr("version=0.0.4"));
  EXPECT_THAT(Fetch(server.address(), "/healthz"), StartsWith("HTTP/1.1 200"));
  const std::string not_ready = Fetch(server.address(), "/readyz");
  EXPECT_THAT(not_ready, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(not_ready, HasSubstr("no leader yet"));
  ready = true;
  EXPECT_THAT(Fetch(server.address(), "/readyz"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Fetch(server.address(), "/nothing"), StartsWith("HTTP/1.1 404"));
}

TEST(HttpServerTest, ServesPagesWithQueries) {
  HttpServer server(HttpServer::Options{});
  server.Get("/page", [](const std::map<std::string, std::string>& query) {
    return HttpReply{.content_type = "application/json", .body = "{\"q\":\"" + query.at("q") + "\"}"};
  });
  ASSERT_TRUE(server.Start().ok());
  const std::string answer = Fetch(server.address(), "/page?q=a%20b");
  EXPECT_THAT(answer, HasSubstr("application/json"));
  EXPECT_THAT(answer, HasSubstr("{\"q\":\"a b\"}"));
}

TEST(HttpServerTest, APortInUseIsAClearError) {
  HttpServer first(HttpServer::Options{});
  ASSERT_TRUE(first.Start().ok());
  HttpServer second({.listen = first.address()});
  const absl::Status status = second.Start();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(first.address()));
}

TEST(HttpServerTest, StopsWithoutEverHavingStarted) {
  HttpServer server(HttpServer::Options{});
}

TEST(LoopTurnsTest, FailsOnlyAboveTheLimit) {
  base::Duration busy = std::chrono::seconds(0);
  const auto healthy = LoopTurns([&] { return busy; }, std::chrono::seconds(5));
  EXPECT_TRUE(healthy().ok());
  busy = std::chrono::seconds(5);
  EXPECT_TRUE(healthy().ok());
  busy = std::chrono::seconds(6);
  EXPECT_THAT(std::string(healthy().message()), HasSubstr("6s"));
}

}  // namespace
}  // namespace drover::process
