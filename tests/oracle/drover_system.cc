#include "tests/oracle/drover_system.h"

#include <filesystem>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/status.h"
#include "coord/base/time.h"
#include "drover/coord/blocking.h"
#include "tests/support/await.h"

namespace drover::oracle {
namespace {

constexpr base::Duration kAskTimeout = std::chrono::seconds(10);
constexpr char kSessionMethod[] = "/drover.coord.v1.Coordination/Session";

}  // namespace

absl::StatusOr<std::unique_ptr<DroverSystem>> DroverSystem::Start(const std::string& directory, int sessions) {
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "drover-coord";
  if (!std::filesystem::exists(program)) {
    return absl::FailedPreconditionError(absl::StrCat(program.string(), " is not there: build the target drover-coord, too"));
  }
  const std::string address = absl::StrCat("127.0.0.1:", testing::FreePort());
  const std::vector<std::string> argv = {program.string(),
                                         "--id",
                                         "1",
                                         "--data",
                                         absl::StrCat(directory, "/data"),
                                         "--listen",
                                         address,
                                         "--advertise",
                                         address,
                                         "--initial-cluster",
                                         absl::StrCat("1=", address),
                                         "--super-digest",
                                         kSuperDigest,
                                         "--reap-every",
                                         "24h"};
  // What the user's environment holds for commands is not meant for this server. (An empty variable is one that is not set.)
  const std::map<std::string, std::string> env = {{"DROVER_CONFIG", ""}, {"DROVER_HTTP", ""}};
  std::filesystem::create_directories(directory);
  auto process = std::make_unique<testing::Process>(argv, env, absl::StrCat(directory, "/log"));
  process->Start();
  return std::unique_ptr<DroverSystem>(new DroverSystem(std::move(process), address, sessions));
}

DroverSystem::DroverSystem(std::unique_ptr<testing::Process> process, std::string address, int sessions)
    : process_(std::move(process)), address_(std::move(address)), sessions_(static_cast<std::size_t>(sessions)) {
  thread_.RunOnLoop([this] { dialer_ = std::make_unique<transport::GrpcDialer>(thread_.loop(), kSessionMethod); });
}

DroverSystem::~DroverSystem() {
  sessions_.clear();
  thread_.RunOnLoop([this] { dialer_.reset(); });
}

absl::StatusOr<std::vector<Reply>> DroverSystem::Execute(absl::Span<const Operation> burst) {
  const Operation& operation = burst.front();
  std::unique_ptr<DroverSession>& session = sessions_.at(static_cast<std::size_t>(operation.session));
  if (operation.kind == Kind::kOpen) session = std::make_unique<DroverSession>(&thread_, dialer_.get(), address_);
  if (session == nullptr) return absl::FailedPreconditionError("this slot has no session");
  if (operation.kind == Kind::kAbandon) {
    DROVER_ASSIGN_OR_RETURN(const Reply reply, Abandon(std::move(session)));
    return std::vector<Reply>{reply};
  }
  absl::StatusOr<std::vector<Reply>> replies = session->Execute(burst);
  if (operation.kind == Kind::kClose) session.reset();
  if (!replies.ok()) return absl::UnavailableError(absl::StrCat(replies.status().message(), "; its log:\n", process_->Log()));
  return replies;
}

absl::StatusOr<Reply> DroverSystem::Abandon(std::unique_ptr<DroverSession> session) {
  absl::StatusOr<coord::NodeStatus> before = absl::UnavailableError("not asked yet");
  if (!testing::Await([&] { return (before = coord::FetchNodeStatus(address_, kAskTimeout)).ok(); })) return before.status();
  if (!testing::Await([&] { return session->IsHeard(); })) return absl::UnavailableError("drover-coord acknowledges no contact");
  session.reset();
  Reply reply;
  const bool ended = testing::Await([&] {
    const absl::StatusOr<coord::NodeStatus> status = coord::FetchNodeStatus(address_, kAskTimeout);
    reply.answer.zxid = status.ok() ? status->last_zxid.value : 0;
    return reply.answer.zxid > before->last_zxid.value;
  });
  if (!ended) return absl::UnavailableError("drover-coord does not end a session that was left");
  return reply;
}

}  // namespace drover::oracle
