#include <utility>

#include "absl/strings/str_cat.h"
#include "client/internal/channel.h"
#include "client/internal/directory.h"
#include "client/internal/retry.h"
#include "coord/base/failure_words.h"
#include "drover/coord/v1/coord.grpc.pb.h"
#include "master/records/codec.h"
#include "master/records/paths.h"

namespace drover::client {
namespace {

// One node that is silent must not use up the time of those that would answer.
constexpr auto kTryTimeout = std::chrono::seconds(5);

class TreeDirectory final : public Directory {
 public:
  TreeDirectory(std::vector<std::string> endpoints, const std::string& pool) : paths_(pool) {
    for (std::string& endpoint : endpoints) {
      auto channel = NewChannel(endpoint);
      auto stub = coord::v1::Coordination::NewStub(channel);
      nodes_.push_back({std::move(endpoint), std::move(channel), std::move(stub)});
    }
  }

  absl::StatusOr<std::vector<std::string>> Masters(Deadline deadline) override {
    coord::v1::Request request;
    request.mutable_list()->set_path(paths_.Masters());
    auto answer = Ask(request, deadline);
    if (!answer.ok()) return answer.status();
    std::vector<std::string> addresses;
    for (const coord::v1::Node& node : answer->nodes()) {
      // The list is sorted by path, so by candidates' numbers: the lowest leads. Its root and what others wrote there are skipped.
      if (paths_.Parse(node.path()).kind != records::PathKind::kCandidate) continue;
      auto info = records::DecodeCandidateInfo(node.data());
      if (info.ok() && !info->address().empty()) addresses.push_back(info->address());
    }
    return addresses;
  }

  absl::StatusOr<std::optional<StoreLocation>> Store(Deadline deadline) override {
    auto data = Read(paths_.Store(), deadline);
    if (!data.ok()) return data.status();
    if (!data->has_value()) return std::optional<StoreLocation>();
    auto info = records::DecodeStoreInfo(**data);
    if (!info.ok()) return info.status();
    return StoreLocation{info->url(), info->marker()};
  }

  absl::StatusOr<std::optional<std::string>> Record(const std::string& task, Deadline deadline) override {
    return Read(paths_.Task(task), deadline);
  }

 private:
  struct Node {
    std::string endpoint;
    std::shared_ptr<grpc::Channel> channel;
    std::unique_ptr<coord::v1::Coordination::Stub> stub;
  };

  absl::StatusOr<std::optional<std::string>> Read(const std::string& path, Deadline deadline) {
    coord::v1::Request request;
    request.mutable_get()->set_path(path);
    auto answer = Ask(request, deadline);
    if (!answer.ok()) return answer.status();
    if (answer->code() == coord::v1::NO_NODE) return std::optional<std::string>();
    return std::move(*answer->mutable_data());
  }

  // OK: the answer's code is OK or NO_NODE.
  absl::StatusOr<coord::v1::Answer> Ask(const coord::v1::Request& request, Deadline deadline) {
    Trail trail;
    bool out_of_time = true, answered = false;
    for (Node& node : nodes_) {
      LetReconnect(node.channel.get(), deadline);
      grpc::ClientContext context;
      SetDeadline(&context, std::min(deadline, Clock::now() + kTryTimeout));
      coord::v1::Answer answer;
      absl::Status status = FromGrpc(node.stub->Execute(&context, request, &answer), node.channel.get());
      out_of_time = out_of_time && absl::IsDeadlineExceeded(status);
      if (status.ok()) {
        answered = true;
        if (answer.code() == coord::v1::OK || answer.code() == coord::v1::NO_NODE) return answer;
        const std::string message = answer.message().empty() ? coord::v1::Code_Name(answer.code()) : answer.message();
        if (answer.code() != coord::v1::UNAVAILABLE) return absl::InternalError(absl::StrCat("the core refused a read: ", message));
        status = absl::UnavailableError(message);
      }
      answered = answered || !(absl::IsDeadlineExceeded(status) || base::IsOfSilence(base::FailureWords(status.message())));
      trail.Add(node.endpoint, status);
    }
    const std::string message = absl::StrCat("no coordination node ", answered ? "serves" : "answered", ": ", trail.Describe());
    return out_of_time ? absl::DeadlineExceededError(message) : absl::UnavailableError(message);
  }

  const records::PoolPaths paths_;
  std::vector<Node> nodes_;  // constant after construction; stubs are safe for any thread
};

}  // namespace

std::unique_ptr<Directory> NewTreeDirectory(std::vector<std::string> endpoints, const std::string& pool) {
  return std::make_unique<TreeDirectory>(std::move(endpoints), pool);
}

}  // namespace drover::client
