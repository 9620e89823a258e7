#include "master/server/bulk_submission.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/transport/message_bytes.h"

namespace drover::master::server {
namespace {

bool DependsOnOthers(const task::v1::SubmitRequest& request) {
  return std::any_of(request.tasks().begin(), request.tasks().end(),
                     [](const task::v1::TaskSpec& spec) { return !spec.policy().dependencies().empty(); });
}

}  // namespace

BulkSubmission::BulkSubmission(base::Loop* loop, SubmitBatch submit, std::unique_ptr<transport::ClientStream> stream,
                               std::function<void()> on_done, BulkOptions options)
    : loop_(loop), submit_(std::move(submit)), stream_(std::move(stream)), on_done_(std::move(on_done)), options_(options) {
  Proceed();
}

BulkSubmission::~BulkSubmission() {
  *alive_ = false;
}

void BulkSubmission::Proceed() {
  if (done_ || reading_) return;
  if (held_.has_value()) {
    if (batches_.empty()) OnMessage(*std::exchange(held_, std::nullopt));
    return;
  }
  if (ended_) {
    if (batches_.empty()) Answer(transport::Encode(response_));
    return;
  }
  if (batches_.size() >= options_.batches_max) return;
  reading_ = true;
  stream_->Read([this, alive = alive_](absl::StatusOr<std::optional<base::Bytes>> message) {
    if (!*alive || done_) return;
    reading_ = false;
    if (!message.ok()) return Answer(message.status());
    if (message->has_value()) return OnMessage(**std::move(message));
    ended_ = true;
    Proceed();
  });
}

void BulkSubmission::OnMessage(base::Bytes bytes) {
  auto request = transport::Decode<task::v1::SubmitRequest>(bytes);
  if (!request.ok()) return Answer(request.status());
  if (!batches_.empty() && DependsOnOthers(*request)) {
    held_ = std::move(bytes);
    return;
  }
  auto batch = std::make_unique<Batch>(loop_);
  batch->request = *std::move(request);
  const std::uint64_t number = ++last_;
  batches_[number] = std::move(batch);
  Submit(number, std::move(bytes));
  Proceed();
}

void BulkSubmission::Submit(std::uint64_t number, base::Bytes bytes) {
  submit_(std::move(bytes), [this, alive = alive_, number](absl::StatusOr<task::v1::SubmitResponse> response) {
    if (!*alive || done_) return;
    if (!response.ok()) return Answer(response.status());
    OnAnswer(number, *response);
  });
}

void BulkSubmission::OnAnswer(std::uint64_t number, const task::v1::SubmitResponse& response) {
  Batch& batch = *batches_.at(number);
  if (response.results_size() != batch.request.tasks_size()) {
    return Answer(absl::InternalError("the master answered for another number of tasks"));
  }
  response_.set_zxid(std::max(response_.zxid(), response.zxid()));
  task::v1::SubmitRequest full;
  for (int i = 0; i < response.results_size(); ++i) {
    const task::v1::SubmitResponse::Result& result = response.results(i);
    if (result.outcome() == task::v1::DONE || result.outcome() == task::v1::EXISTED) {
      response_.set_accepted(response_.accepted() + 1);
    } else if (result.outcome() == task::v1::FULL) {
      *full.add_tasks() = std::move(*batch.request.mutable_tasks(i));
    } else {
      *response_.add_refused() = result;
    }
  }
  if (response_.refused_size() > static_cast<int>(options_.refused_max)) {
    const task::v1::SubmitResponse::Result& first = response_.refused(0);
    return Answer(absl::ResourceExhaustedError(absl::StrCat("more than ", options_.refused_max, " tasks were refused, the first, ",
                                                            first.id(), ": ", std::string(first.sentence()))));
  }
  if (full.tasks().empty()) {
    batches_.erase(number);
    return Proceed();
  }
  batch.request = std::move(full);
  batch.again.Set(std::chrono::milliseconds(std::max<std::int64_t>(1, response.retry_after_ms())),
                  [this, number] { Submit(number, transport::Encode(batches_.at(number)->request)); });
}

void BulkSubmission::Answer(absl::StatusOr<base::Bytes> answer) {
  if (done_) return;
  done_ = true;
  batches_.clear();
  stream_->Reply(std::move(answer));
  loop_->Post(on_done_);
}

}  // namespace drover::master::server
