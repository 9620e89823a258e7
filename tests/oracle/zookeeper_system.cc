#include "tests/oracle/zookeeper_system.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "coord/base/status.h"
#include "tests/support/await.h"
#include "tests/support/zookeeper_server.h"

namespace drover::oracle {
namespace {

constexpr std::int32_t kSessionTimeoutMs = 3'600'000;
constexpr std::int32_t kAbandonedTimeoutMs = 400;  // two ticks, the least that it grants
const std::string& Settings() {
  // What the server does not know it takes for a property of its own.
  static const std::string settings = absl::StrCat("DigestAuthenticationProvider.superDigest=", kSuperDigest, "\n",
                                                   "tickTime=200\nminSessionTimeout=400\nmaxSessionTimeout="
                                                   "3600000\nextendedTypesEnabled=true\nforceSync=no\npreAllocSize=1024\n");
  return settings;
}

// Of the newest transaction, as the server tells it; nothing: it does not.
std::optional<std::uint64_t> NewestZxid(int port) {
  const absl::StatusOr<std::string> state = testing::AskZooKeeper(port, "srvr");
  if (!state.ok()) return std::nullopt;
  for (const absl::string_view line : absl::StrSplit(*state, '\n')) {
    std::uint64_t zxid = 0;
    if (absl::StartsWith(line, "Zxid: ") && absl::SimpleHexAtoi(line.substr(6), &zxid)) return zxid;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ZooKeeperSystem>> ZooKeeperSystem::Start(const std::string& directory, int sessions) {
  DROVER_ASSIGN_OR_RETURN(const std::vector<testing::ZooKeeperServer> servers, testing::PrepareZooKeeper(1, directory, Settings()));
  const testing::ZooKeeperServer& server = servers.front();
  std::vector<std::string> argv = server.argv;
  argv.insert(argv.begin() + 1, "-Dznode.container.checkIntervalMs=86400000");  // system.h
  auto process = std::make_unique<testing::Process>(argv, std::map<std::string, std::string>(), server.log);
  process->Start();
  bool serves = false;
  testing::Await([&] {
    const absl::StatusOr<std::string> state = testing::AskZooKeeper(server.port, "srvr");
    serves = state.ok() && absl::StrContains(*state, "Mode: standalone");
    return serves || !process->running();
  });
  if (!serves) return absl::UnavailableError(absl::StrCat("ZooKeeper does not serve; its log:\n", process->Log()));
  return std::unique_ptr<ZooKeeperSystem>(new ZooKeeperSystem(std::move(process), server.port, sessions));
}

absl::StatusOr<std::vector<Reply>> ZooKeeperSystem::Execute(absl::Span<const Operation> burst) {
  const Operation& operation = burst.front();
  std::unique_ptr<ZooKeeperConnection>& connection = connections_.at(static_cast<std::size_t>(operation.session));
  if (operation.kind == Kind::kOpen) {
    DROVER_ASSIGN_OR_RETURN(connection, ZooKeeperConnection::Open(port_, kSessionTimeoutMs));
    return std::vector<Reply>{{.answer = {.session = connection->session()}}};
  }
  if (connection == nullptr) return absl::FailedPreconditionError("this slot has no session");
  if (operation.kind == Kind::kAbandon) {
    DROVER_ASSIGN_OR_RETURN(const Reply reply, Abandon(std::move(connection)));
    return std::vector<Reply>{reply};
  }
  absl::StatusOr<std::vector<Reply>> replies = connection->Execute(burst);
  if (operation.kind == Kind::kClose) connection.reset();
  return replies;
}

absl::StatusOr<Reply> ZooKeeperSystem::Abandon(std::unique_ptr<ZooKeeperConnection> connection) {
  std::optional<std::uint64_t> before;
  if (!testing::Await([&] { return (before = NewestZxid(port_)).has_value(); }))
    return absl::UnavailableError("ZooKeeper does not tell its newest zxid");
  DROVER_RETURN_IF_ERROR(connection->Shorten(port_, kAbandonedTimeoutMs));
  connection.reset();
  Reply reply;
  const bool ended = testing::Await([&] {
    reply.answer.zxid = NewestZxid(port_).value_or(*before);
    return reply.answer.zxid != *before;
  });
  if (!ended) return absl::UnavailableError("ZooKeeper does not end a session that was left");
  return reply;
}

}  // namespace drover::oracle
