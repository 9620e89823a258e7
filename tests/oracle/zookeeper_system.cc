#include "tests/oracle/zookeeper_system.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "coord/base/status.h"
#include "tests/support/await.h"
#include "tests/support/zookeeper_server.h"

namespace drover::oracle {
namespace {

constexpr std::int32_t kSessionTimeoutMs = 3'600'000;
constexpr char kSettings[] =
    "tickTime=200\nminSessionTimeout=400\nmaxSessionTimeout=3600000\nextendedTypesEnabled=true\nforceSync=no\npreAllocSize=1024\n";

}  // namespace

absl::StatusOr<std::unique_ptr<ZooKeeperSystem>> ZooKeeperSystem::Start(const std::string& directory, int sessions) {
  DROVER_ASSIGN_OR_RETURN(const std::vector<testing::ZooKeeperServer> servers, testing::PrepareZooKeeper(1, directory, kSettings));
  const testing::ZooKeeperServer& server = servers.front();
  auto process = std::make_unique<testing::Process>(server.argv, std::map<std::string, std::string>(), server.log);
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

absl::StatusOr<Reply> ZooKeeperSystem::Execute(const Operation& operation) {
  std::unique_ptr<ZooKeeperConnection>& connection = connections_.at(static_cast<std::size_t>(operation.session));
  if (operation.kind == Kind::kOpen) {
    DROVER_ASSIGN_OR_RETURN(connection, ZooKeeperConnection::Open(port_, kSessionTimeoutMs));
    Reply reply;
    reply.answer.session = connection->session();
    return reply;
  }
  if (connection == nullptr) return absl::FailedPreconditionError("this slot has no session");
  absl::StatusOr<Reply> reply = connection->Execute(operation);
  if (operation.kind == Kind::kClose) connection.reset();
  return reply;
}

}  // namespace drover::oracle
