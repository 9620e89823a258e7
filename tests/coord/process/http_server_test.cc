#include "coord/process/http_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "coord/process/options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace drover::process {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// A connection; -1: there is none.
int Connect(const std::string& address) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(ParseHostPort(address)->port);
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0) return fd;
  close(fd);
  return -1;
}

// The whole answer to a GET that does not ask for the end of the connection, headers and all.
std::string Fetch(const std::string& address, const std::string& path) {
  const int fd = Connect(address);
  if (fd < 0) return "no connection";
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
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

TEST(HttpServerTest, AConnectionServesOneRequestSoThatNoneIsIdleAfterIt) {
  HttpServer server(HttpServer::Options{});
  ASSERT_TRUE(server.Start().ok());
  EXPECT_THAT(Fetch(server.address(), "/healthz"), HasSubstr("Connection: close"));
}

TEST(HttpServerTest, IdleConnectionsHoldUpNeitherRequestsNorTheEnd) {
  auto server = std::make_unique<HttpServer>(HttpServer::Options{.threads = 2});
  ASSERT_TRUE(server->Start().ok());
  std::vector<int> idle;
  for (int i = 0; i < 4; ++i) idle.push_back(Connect(server->address()));
  EXPECT_THAT(Fetch(server->address(), "/healthz"), StartsWith("HTTP/1.1 200"));
  for (int i = 0; i < 4; ++i) idle.push_back(Connect(server->address()));
  const auto began = std::chrono::steady_clock::now();
  server.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(4)) << "a request may come for a second";
  for (int fd : idle) close(fd);
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
