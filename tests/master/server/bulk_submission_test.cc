#include "master/server/bulk_submission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "coord/transport/message_bytes.h"
#include "tests/sim/sim_loop.h"

namespace drover::master::server {
namespace {

using ::testing::ElementsAre;

class BulkSubmissionTest : public ::testing::Test {
 protected:
  class Stream final : public transport::ClientStream {
   public:
    explicit Stream(BulkSubmissionTest* test) : test_(test) {}
    void Read(absl::AnyInvocable<void(absl::StatusOr<std::optional<base::Bytes>>)> done) override {
      ++test_->reads_;
      test_->loop_.Post([test = test_, done = std::move(done)]() mutable {
        if (test->messages_.empty())
          return done(test->gone_ ? absl::StatusOr<std::optional<base::Bytes>>(absl::CancelledError(""))
                                  : std::optional<base::Bytes>());
        base::Bytes next = std::move(test->messages_.front());
        test->messages_.pop_front();
        done(std::optional<base::Bytes>(std::move(next)));
      });
    }
    void Reply(absl::StatusOr<base::Bytes> answer) override { test_->answer_ = std::move(answer); }

   private:
    BulkSubmissionTest* const test_;
  };

  void Message(const std::vector<std::string>& ids, const std::string& after = "") {
    task::v1::SubmitRequest request;
    for (const std::string& id : ids) {
      task::v1::TaskSpec* spec = request.add_tasks();
      spec->set_id(id);
      if (!after.empty()) spec->mutable_policy()->add_dependencies()->set_task(after);
    }
    messages_.push_back(transport::Encode(request));
  }
  void Begin(BulkOptions options = {}) {
    bulk_ = std::make_unique<BulkSubmission>(
        &loop_,
        [this](base::Bytes bytes, Reply<task::v1::SubmitResponse> reply) {
          sent_.push_back({*transport::Decode<task::v1::SubmitRequest>(bytes), std::move(reply)});
        },
        std::make_unique<Stream>(this), [this] { ++done_; }, options);
    Run();
  }
  void Run(int ms = 1) { world_.RunFor(std::chrono::milliseconds(ms)); }
  // Answers the batch that came first: each task as its outcome says, DONE where there is none.
  void AnswerFirst(const std::vector<task::v1::Outcome>& outcomes = {}) {
    auto [request, reply] = std::move(sent_.front());
    sent_.pop_front();
    task::v1::SubmitResponse response;
    for (int i = 0; i < request.tasks_size(); ++i) {
      auto* const result = response.add_results();
      result->set_id(request.tasks(i).id());
      if (static_cast<std::size_t>(i) < outcomes.size()) result->set_outcome(outcomes[static_cast<std::size_t>(i)]);
    }
    response.set_zxid(++zxid_);
    response.set_retry_after_ms(1'000);
    reply(std::move(response));
    Run();
  }
  [[nodiscard]] std::vector<std::string> Sent() const {
    std::vector<std::string> ids;
    for (const auto& [request, reply] : sent_) {
      std::string batch;
      for (const task::v1::TaskSpec& spec : request.tasks()) batch += spec.id();
      ids.push_back(batch);
    }
    return ids;
  }
  task::v1::SubmitManyResponse Answered() {
    EXPECT_TRUE(answer_.has_value());
    EXPECT_TRUE(answer_->ok()) << answer_->status();
    EXPECT_EQ(done_, 1);
    return *transport::Decode<task::v1::SubmitManyResponse>(**answer_);
  }

  sim::SimWorld world_{1};
  sim::SimLoop loop_{&world_};
  std::deque<base::Bytes> messages_;
  bool gone_ = false;
  int reads_ = 0;
  std::deque<std::pair<task::v1::SubmitRequest, Reply<task::v1::SubmitResponse>>> sent_;
  std::optional<absl::StatusOr<base::Bytes>> answer_;
  int done_ = 0;
  std::uint64_t zxid_ = 0;
  std::unique_ptr<BulkSubmission> bulk_;
};

TEST_F(BulkSubmissionTest, BatchesAreTakenAFewAtATimeAndAnsweredTogether) {
  for (const char* id : {"a", "b", "c", "d", "e", "f"}) Message({id});
  Begin({.batches_max = 2});
  EXPECT_THAT(Sent(), ElementsAre("a", "b"));
  EXPECT_EQ(reads_, 2) << "its client is held back";
  AnswerFirst();
  EXPECT_THAT(Sent(), ElementsAre("b", "c"));
  for (int i = 0; i < 4; ++i) AnswerFirst();
  EXPECT_FALSE(answer_.has_value());
  AnswerFirst();
  EXPECT_EQ(Answered().accepted(), 6U);
  EXPECT_EQ(Answered().zxid(), 6U);
}

TEST_F(BulkSubmissionTest, WhatWasRefusedIsNamed) {
  Message({"a", "b", "c"});
  Message({"d"});
  Begin();
  AnswerFirst({task::v1::DONE, task::v1::CONFLICT, task::v1::EXISTED});
  AnswerFirst({task::v1::REFUSED});
  EXPECT_EQ(Answered().accepted(), 2U);
  ASSERT_EQ(Answered().refused_size(), 2);
  EXPECT_EQ(Answered().refused(0).id(), "b");
  EXPECT_EQ(Answered().refused(1).outcome(), task::v1::REFUSED);
}

TEST_F(BulkSubmissionTest, WhatIsFullWaitsAndHoldsBackWhatComes) {
  Message({"a", "b", "c"});
  Message({"d"});
  Begin({.batches_max = 1});
  AnswerFirst({task::v1::DONE, task::v1::FULL, task::v1::FULL});
  EXPECT_TRUE(Sent().empty());
  Run(999);
  EXPECT_THAT(Sent(), ElementsAre("bc")) << "after the time to try again";
  AnswerFirst({task::v1::FULL, task::v1::DONE});
  Run(1'000);
  EXPECT_THAT(Sent(), ElementsAre("b"));
  AnswerFirst();
  EXPECT_THAT(Sent(), ElementsAre("d"));
  AnswerFirst();
  EXPECT_EQ(Answered().accepted(), 4U);
}

TEST_F(BulkSubmissionTest, ABatchThatDependsOnOthersWaitsForThoseBeforeIt) {
  Message({"a"});
  Message({"b"}, "a");
  Message({"c"});
  Begin();
  EXPECT_THAT(Sent(), ElementsAre("a"));
  AnswerFirst();
  EXPECT_THAT(Sent(), ElementsAre("b", "c"));
}

TEST_F(BulkSubmissionTest, AnErrorEndsIt) {
  Message({"a"});
  Message({"b"});
  Begin();
  sent_.front().second(absl::UnavailableError("another master was elected"));
  Run();
  ASSERT_TRUE(answer_.has_value());
  EXPECT_TRUE(absl::IsUnavailable(answer_->status()));
  sent_.back().second(absl::UnavailableError("late"));
  Run();
  EXPECT_EQ(done_, 1);
}

TEST_F(BulkSubmissionTest, ManyRefusalsEndItToo) {
  Message({"a", "b", "c"});
  Begin({.refused_max = 2});
  AnswerFirst({task::v1::REFUSED, task::v1::REFUSED, task::v1::REFUSED});
  ASSERT_TRUE(answer_.has_value());
  EXPECT_TRUE(absl::IsResourceExhausted(answer_->status())) << answer_->status();
}

TEST_F(BulkSubmissionTest, WhatIsNoRequestIsRefusedAndAClientMayGo) {
  messages_.push_back(base::Bytes::Copy("\xff\xff"));
  Begin();
  ASSERT_TRUE(answer_.has_value());
  EXPECT_TRUE(absl::IsInvalidArgument(answer_->status())) << answer_->status();
  answer_.reset();
  gone_ = true;
  Message({"a"});
  Begin();
  EXPECT_TRUE(absl::IsCancelled(answer_->status()));
  AnswerFirst();
  EXPECT_EQ(done_, 2);
}

TEST_F(BulkSubmissionTest, NothingIsNothing) {
  Begin();
  EXPECT_EQ(Answered().accepted(), 0U);
}

}  // namespace
}  // namespace drover::master::server
