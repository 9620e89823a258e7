#include "tests/chaos/client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "drover/coord/status.h"

namespace drover::chaos {
namespace {

check::Code CodeOf(const absl::Status& status) {
  if (status.ok()) return check::Code::kOk;
  return static_cast<check::Code>(coord::RefusalOf(status).value_or(coord::Code::kUnavailable));
}

// What may happen to a call whatever is wrong with the world.
bool IsExpected(const absl::Status& status) {
  if (status.ok() || coord::IsOutcomeUnknown(status)) return true;
  switch (coord::RefusalOf(status).value_or(coord::Code::kInvalidArgument)) {
    case coord::Code::kNoNode:
    case coord::Code::kNodeExists:
    case coord::Code::kBadVersion:
    case coord::Code::kSessionExpired:
    case coord::Code::kUnavailable:
    case coord::Code::kResourceExhausted:
      return true;
    default:
      return false;
  }
}

}  // namespace

Client::Client(Options options, Recorder* recorder)
    : options_(std::move(options)), recorder_(recorder), random_(options_.seed), thread_([this] { Run(); }) {}

Client::~Client() {
  Stop();
}

void Client::Stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void Client::Run() {
  while (!stopping_) {
    if (!Connected()) continue;
    CallOne();
    if (options_.doze_one_in > 0 && random_.Below(options_.doze_one_in) == 0) Doze();
    if (session_->expired()) EndOfSession();
    std::this_thread::sleep_for(
        std::chrono::milliseconds(random_.Below(static_cast<std::uint64_t>(options_.pause_max.count()) + 1)));
  }
  if (session_ == nullptr) return;
  const absl::Status closed = session_->Close();
  // An end that was not confirmed may come at any later time, and by then nobody looks any more.
  if (closed.ok() || session_->expired()) EndOfSession();
  if (!closed.ok() && !IsExpected(closed)) recorder_->Fault(absl::StrCat("closing session ", id_.value, ": ", closed.ToString()));
}

bool Client::Connected() {
  if (session_ != nullptr) return true;
  coord::BlockingOptions options;
  options.session.endpoints = options_.addresses;
  options.session.first_endpoint = random_.Below(options_.addresses.size());
  options.session.timeout = options_.session_timeout;
  options.session.disconnect_grace = options_.disconnect_grace;
  options.session.name = absl::StrCat("chaos-", options_.id);
  options.call_timeout = options_.patience;
  absl::StatusOr<std::unique_ptr<coord::BlockingClient>> session = coord::BlockingClient::Connect(options);
  if (!session.ok()) return false;
  session_ = *std::move(session);
  id_ = session_->ticket().id;
  alive_ = recorder_->history().Next();
  versions_.clear();
  return true;
}

void Client::EndOfSession() {
  recorder_->SessionEnded(id_, alive_, recorder_->history().Next());
  session_.reset();
}

// As a process that is swapped out or suspended: it keeps nothing alive, and knows nothing of it when it wakes up.
void Client::Doze() {
  session_->OnLoop([this](coord::Session&) { std::this_thread::sleep_for(2 * options_.session_timeout); });
}

void Client::CallOne() {
  const std::uint64_t pick = random_.Below(100);
  if (pick < 60) return CallRegister(Register(), random_.Below(100));
  if (pick < 70) return CallTransaction();
  CallLock(absl::StrCat(options_.root, "/locks/l", random_.Below(kLocks)), random_.Below(100));
}

void Client::CallRegister(const std::string& path, std::uint64_t pick) {
  check::Operation operation;
  operation.path = path;
  const auto version = versions_.find(path);
  if (pick < 10) {
    operation.kind = check::Kind::kCreate;
    operation.data = Data();
    return Create(std::move(operation), {});
  }
  if (pick < 15) {
    operation.kind = check::Kind::kDelete;
    return Delete(std::move(operation));
  }
  if (pick < 55) {
    operation.kind = check::Kind::kSet;
    operation.data = Data();
    if (pick < 30 && version != versions_.end()) operation.expected_version = version->second;
    return Set(std::move(operation));
  }
  operation.kind = check::Kind::kGet;
  Get(std::move(operation));
}

void Client::CallTransaction() {
  const std::string tested = Register();
  const std::string written = Register();
  const auto known = versions_.find(tested);
  const std::uint32_t version = known == versions_.end() ? 0 : known->second;
  const std::string yes = Data();
  const std::string no = Data();
  check::Operation operation;
  operation.kind = check::Kind::kTransaction;
  operation.path = tested;
  operation.compares.push_back({tested, check::Compare::Field::kVersion, version});
  operation.then.push_back({check::Kind::kSet, written, yes, std::nullopt, {}});
  operation.otherwise.push_back({check::Kind::kSet, tested, no, std::nullopt, {}});
  coord::Transaction transaction;
  transaction.compares.push_back(coord::Compare::Version(tested, version));
  transaction.then.push_back(coord::Operation::Set(written, yes));
  transaction.otherwise.push_back(coord::Operation::Set(tested, no));

  const Call call = Invoke(std::move(operation));
  const absl::StatusOr<coord::TransactionResult> done = session_->Commit(std::move(transaction));
  check::Result result;
  if (done.ok()) result.succeeded = done->succeeded;
  Returned(call, done.status(), std::move(result), done.ok() ? done->zxid : base::Zxid());
}

void Client::CallLock(const std::string& path, std::uint64_t pick) {
  check::Operation operation;
  operation.path = path;
  if (pick < 40) {
    operation.kind = check::Kind::kCreate;
    operation.data = Data();
    operation.owner = id_;
    return Create(std::move(operation), {.ephemeral = true});
  }
  if (pick < 55) {
    operation.kind = check::Kind::kDelete;
    return Delete(std::move(operation));
  }
  operation.kind = check::Kind::kExists;
  Exists(std::move(operation));
}

void Client::Create(check::Operation operation, const coord::CreateOptions& how) {
  const std::string path = operation.path;
  const std::string data = operation.data;
  const Call call = Invoke(std::move(operation));
  const absl::StatusOr<coord::CreateResult> made = session_->Create(path, data, how);
  check::Result result;
  if (made.ok()) result.version = versions_[path] = made->stat.version;
  Returned(call, made.status(), std::move(result), made.ok() ? made->zxid : base::Zxid());
}

void Client::Set(check::Operation operation) {
  const std::string path = operation.path;
  const std::string data = operation.data;
  const std::optional<std::uint32_t> expected = operation.expected_version;
  const Call call = Invoke(std::move(operation));
  const absl::StatusOr<coord::SetResult> set = session_->Set(path, data, expected);
  check::Result result;
  if (set.ok()) result.version = versions_[path] = set->stat.version;
  Returned(call, set.status(), std::move(result), set.ok() ? set->zxid : base::Zxid());
}

void Client::Delete(check::Operation operation) {
  const std::string path = operation.path;
  const Call call = Invoke(std::move(operation));
  const absl::StatusOr<coord::DeleteResult> deleted = session_->Delete(path);
  Returned(call, deleted.status(), {}, deleted.ok() ? deleted->zxid : base::Zxid());
}

void Client::Get(check::Operation operation) {
  const std::string path = operation.path;
  const Call call = Invoke(std::move(operation));
  const absl::StatusOr<coord::GetResult> got = session_->Get(path);
  check::Result result;
  if (got.ok()) {
    result.version = versions_[path] = got->node.stat.version;
    result.data = got->node.data;
  }
  Returned(call, got.status(), std::move(result), got.ok() ? got->zxid : base::Zxid());
}

void Client::Exists(check::Operation operation) {
  const std::string path = operation.path;
  const Call call = Invoke(std::move(operation));
  const absl::StatusOr<coord::ExistsResult> exists = session_->Exists(path);
  check::Result result;
  if (exists.ok() && exists->stat) result.version = exists->stat->version;
  if (exists.ok() && !exists->stat) result.code = check::Code::kNoNode;
  Returned(call, exists.status(), std::move(result), exists.ok() ? exists->zxid : base::Zxid());
}

Client::Call Client::Invoke(check::Operation operation) {
  operation.client = static_cast<std::uint64_t>(options_.id);
  const check::Stamp invoked = recorder_->history().Next();
  return {recorder_->history().Invoked(std::move(operation)), invoked};
}

void Client::Returned(const Call& call, const absl::Status& status, check::Result result, base::Zxid zxid) {
  if (!IsExpected(status)) recorder_->Fault(absl::StrCat("client ", options_.id, " was told ", status.ToString()));
  // Nothing is known of its outcome: it never returns.
  if (coord::IsOutcomeUnknown(status)) return;
  if (!status.ok()) result.code = CodeOf(status);
  // An answer is of a time after the call, and of a session that lived then.
  if (status.ok()) alive_ = call.invoked;
  recorder_->history().Returned(call.number, std::move(result), zxid);
}

std::string Client::Register() {
  return absl::StrCat(options_.root, "/r", random_.Below(kRegisters));
}

std::string Client::Data() {
  return absl::StrCat(options_.id, ".", ++values_);
}

}  // namespace drover::chaos
