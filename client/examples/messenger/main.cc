// A messenger: each user's messages are in a log, the users are spread over application servers, and a client may ask any of them.
//
//   drover-example-messenger serve --name a1 --store DIR
//   drover-example-messenger send ann bob 'see you at noon'
//   drover-example-messenger read bob
//   drover-example-messenger where bob
//   drover-example-messenger servers
#include <iostream>
#include <random>

#include "absl/strings/str_join.h"
#include "client/examples/messenger/app_server.h"
#include "client/examples/program/command_line.h"
#include "drover/coord/status.h"

namespace drover::examples::messenger {
namespace {

// One attempt of a call: a server that stands still shall not eat up all of the time there is.
constexpr base::Duration kAttempt = std::chrono::seconds(3);

absl::Status Serve(const CommandLine& line) {
  const std::string& name = line.Flag("name");
  if (absl::Status named = CheckName(name, "server"); !named.ok()) return named;
  Stop stop;
  FencedStore store(line.Flag("store"));
  FrontDesk desk(name, &store);
  auto server = Server::Start(
      [&](const std::string& method, const std::vector<std::string>& arguments) { return desk.Answer(method, arguments); });
  if (!server.ok()) return server.status();
  return TakePart(CoreOptions(line), &stop,
                  [&](const auto& core, coord::Session& session) { return desk.Open(core, session, (*server)->address()); });
}

// A command's session, and on it the directory of the servers.
class Client {
 public:
  static absl::StatusOr<std::unique_ptr<Client>> Connect(const CommandLine& line) {
    auto core = ConnectToCore(CoreOptions(line));
    if (!core.ok()) return core.status();
    return std::make_unique<Client>(*std::move(core), line.Time("timeout"));
  }

  Client(std::unique_ptr<coord::BlockingClient> core, base::Duration timeout) : core_(std::move(core)), timeout_(timeout) {
    core_->OnLoop([&](coord::Session& session) {
      directory_ = std::make_unique<recipes::ServiceDirectory>(&session, kServices, kService, nullptr);
    });
  }
  ~Client() {
    core_->OnLoop([&](coord::Session&) { directory_ = nullptr; });
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  absl::StatusOr<std::vector<recipes::ServiceInstance>> Servers() {
    std::vector<recipes::ServiceInstance> servers;
    const absl::Status read = TryUntil(timeout_, [&]() -> absl::Status {
      bool synced = false;
      core_->OnLoop([&](coord::Session&) {
        synced = directory_->synced();
        servers = directory_->instances();
      });
      return synced ? absl::OkStatus() : absl::UnavailableError("the core has not told yet which servers there are");
    });
    if (!read.ok()) return read;
    return servers;
  }

  // Asks one server; if it is gone, or cannot reach the one that has the user, another one.
  absl::StatusOr<Lines> Ask(const std::string& user, const std::string& method, const std::vector<std::string>& arguments) {
    Lines lines;
    bool first = true;
    const absl::Status asked = TryUntil(timeout_, [&]() -> absl::Status {
      std::optional<recipes::ServiceInstance> server;
      core_->OnLoop([&](coord::Session&) {
        // A user's calls go to one server as long as it is there; then to whichever else.
        server = first ? directory_->PickFor(user) : directory_->Pick(std::random_device()());
      });
      if (!server) return absl::UnavailableError("no server is registered");
      first = false;
      absl::StatusOr<Lines> answer = Call(server->address, method, arguments, kAttempt);
      if (answer.ok()) lines = *std::move(answer);
      return answer.status();
    });
    if (!asked.ok()) return asked;
    return lines;
  }

 private:
  const std::unique_ptr<coord::BlockingClient> core_;
  const base::Duration timeout_;
  std::unique_ptr<recipes::ServiceDirectory> directory_;  // the loop's
};

absl::Status Send(const CommandLine& line) {
  const auto client = Client::Connect(line);
  if (!client.ok()) return client.status();
  const std::vector<std::string>& words = line.arguments;
  // The same id in every attempt: a message is in each log once, however often it is sent.
  return (*client)->Ask(words[0], "send", {NewId(), words[0], words[1], words[2]}).status();
}

absl::Status Read(const CommandLine& line) {
  const auto client = Client::Connect(line);
  if (!client.ok()) return client.status();
  const absl::StatusOr<Lines> messages = (*client)->Ask(line.arguments[0], "read", line.arguments);
  if (!messages.ok()) return messages.status();
  for (const std::string& message : *messages) std::cout << message << "\n";
  return absl::OkStatus();
}

absl::Status Where(const CommandLine& line) {
  const auto client = Client::Connect(line);
  if (!client.ok()) return client.status();
  const absl::StatusOr<Lines> words = (*client)->Ask(line.arguments[0], "where", line.arguments);
  if (!words.ok()) return words.status();
  std::cout << line.arguments[0] << " " << absl::StrJoin(*words, " ") << "\n";
  return absl::OkStatus();
}

absl::Status ListServers(const CommandLine& line) {
  const auto client = Client::Connect(line);
  if (!client.ok()) return client.status();
  const auto servers = (*client)->Servers();
  if (!servers.ok()) return servers.status();
  for (const recipes::ServiceInstance& server : *servers) std::cout << server.id << " " << server.address << "\n";
  return absl::OkStatus();
}

}  // namespace
}  // namespace drover::examples::messenger

int main(int argc, char** argv) {
  using namespace drover::examples;             // NOLINT
  using namespace drover::examples::messenger;  // NOLINT
  return RunProgram(
      argc, argv, "Messages between users who are spread over application servers.",
      {{"serve", {}, ServerFlags({{"store", kRequired}}), "An application server; --store: the directory that all share", Serve},
       {"send", {"FROM", "TO", "TEXT"}, ClientFlags(), "Sends a message", Send},
       {"read", {"USER"}, ClientFlags(), "Prints what the user has sent and received", Read},
       {"where", {"USER"}, ClientFlags(), "Prints the user's shard, its server and the server's address", Where},
       {"servers", {}, ClientFlags(), "Prints the servers that are registered, and their addresses", ListServers}});
}
