#include "master/server/output_stream.h"

#include <gtest/gtest.h>

#include "client/store/names.h"
#include "master/records/task_id.h"
#include "tests/master/server/server_fixture.h"

namespace drover::master::server {
namespace {

class OutputStreamTest : public ServerFixture {
 protected:
  using Connection = FakeConnection<task::v1::ReadOutputResponse>;
  void Read(std::uint64_t offset, bool follow, std::uint32_t attempt = 0, const std::string& id = "a") {
    task::v1::ReadOutputRequest request;
    request.set_id(id);
    request.set_attempt(attempt);
    request.set_offset(offset);
    request.set_follow(follow);
    log_ = std::make_shared<Connection::Log>();
    stream_ =
        std::make_unique<OutputStream>(&loop_, master_.get(), store_.get(), request, std::make_unique<Connection>(log_), [] {});
    Run();
  }
  std::string Data() const {
    std::string data;
    for (const auto& response : log_->sent) data += response.data();
    return data;
  }
  void PutChunk(std::uint32_t chunk, const std::string& data) {
    const std::uint64_t fence = tree_.Find(paths_.Assignment("w", "a"))->stat.czxid.value;
    store::MemoryStore(&loop_, &objects_)
        .Put(store::OutputKey("a", fence, store::Part::kOut, chunk), base::Bytes::Copy(data), [](const auto&) {});
  }
  void StartTask() {
    Start();
    Join("w", 1);
    SubmitOne(Spec("a"));
  }
  // Its attempt ends and the next one begins.
  void StartAgain() {
    worker::v1::TaskRecord record = *records::DecodeTaskRecord(tree_.Find(paths_.Task("a"))->data);
    const std::uint64_t fence = tree_.Find(paths_.Assignment("w", "a"))->stat.czxid.value;
    records::EndAttempt(&record, {.state = task::v1::FAILED, .reason = task::v1::EXIT_CODE, .fence = fence, .exit_code = 1});
    records::AddAttempt(&record, "w", 2);
    const std::string assignment = tree_.Find(paths_.Assignment("w", "a"))->data;
    ASSERT_TRUE(tree_.Apply({.then = {coord::Operation::Delete(paths_.Assignment("w", "a"))}}).ok());
    ASSERT_TRUE(tree_
                    .Apply({.then = {coord::Operation::Set(paths_.Task("a"), records::Encode(record)),
                                     coord::Operation::Create(paths_.Assignment("w", "a"), assignment)}})
                    .ok());
  }
  static worker::v1::Output Ended(std::uint32_t chunks, const std::string& tail) {
    worker::v1::Output output;
    output.mutable_out()->set_chunks(chunks);
    output.mutable_out()->set_data(tail);
    return output;
  }
  std::shared_ptr<Connection::Log> log_;
  std::unique_ptr<OutputStream> stream_;
};

TEST_F(OutputStreamTest, OutputIsFollowedWhileItGrowsUntilItsAttemptEnds) {
  StartTask();
  Read(0, true);
  EXPECT_EQ(Data(), "");
  PutChunk(0, "hello ");
  Run();
  EXPECT_EQ(Data(), "hello ");
  PutChunk(1, "wide ");
  Run();
  Finish("w", "a", Ended(2, "world"));
  Run();
  EXPECT_EQ(Data(), "hello wide world");
  ASSERT_TRUE(log_->closed.has_value());
  EXPECT_TRUE(log_->closed->ok());
}

TEST_F(OutputStreamTest, ReadingBeginsAtAnyOffset) {
  StartTask();
  PutChunk(0, "hello ");
  PutChunk(1, "wide ");
  Finish("w", "a", Ended(2, "world"));
  const std::string all = "hello wide world";
  for (std::size_t offset = 0; offset <= all.size() + 1; ++offset) {
    Read(offset, false);
    EXPECT_EQ(Data(), offset > all.size() ? "" : all.substr(offset)) << offset;
    if (!log_->sent.empty()) {
      EXPECT_EQ(log_->sent[0].offset(), offset);
    }
    EXPECT_TRUE(log_->closed.has_value() && log_->closed->ok()) << offset;
  }
}

TEST_F(OutputStreamTest, WithoutFollowARunningTaskGivesWhatThereIs) {
  StartTask();
  PutChunk(0, "so far");
  Read(0, false);
  EXPECT_EQ(Data(), "so far");
  EXPECT_TRUE(log_->closed.has_value() && log_->closed->ok());
}

TEST_F(OutputStreamTest, FollowingATaskThatHasNotStartedWaitsForIt) {
  Start();
  SubmitOne(Spec("a"));
  Read(0, true);
  EXPECT_FALSE(log_->closed.has_value());
  Join("w", 1);
  Finish("w", "a", Ended(0, "done"));
  Run();
  EXPECT_EQ(Data(), "done");
  EXPECT_TRUE(log_->closed.has_value());
}

TEST_F(OutputStreamTest, AnEarlierAttemptsOutputIsAllThatTheStoreHasOfIt) {
  StartTask();
  PutChunk(0, "first ");
  PutChunk(1, "attempt");
  Run();
  StartAgain();
  PutChunk(0, "second");
  Finish("w", "a", Ended(1, " attempt"));
  Read(0, false, 1);
  EXPECT_EQ(Data(), "first attempt");
  EXPECT_TRUE(log_->closed.has_value() && log_->closed->ok());
  Read(0, false);
  EXPECT_EQ(Data(), "second attempt");
}

TEST_F(OutputStreamTest, ALastChunkThatIsWrittenAndFollowedByAnotherAttemptWhileItIsAskedForIsNotMissed) {
  StartTask();
  Read(0, true);
  ASSERT_EQ(Data(), "");
  hang_.answers = true;
  Run();
  ASSERT_EQ(hang_.kept.size(), 1U) << "the answer that it is not there is on its way";
  PutChunk(0, "the last words");
  StartAgain();
  Run();
  hang_.LetGo();
  Run();
  EXPECT_EQ(Data(), "the last words");
  EXPECT_TRUE(log_->closed.has_value() && log_->closed->ok());
}

TEST_F(OutputStreamTest, AMissingChunkIsDataLossAndAnUnknownTaskNotFound) {
  StartTask();
  Finish("w", "a", Ended(1, "tail"));
  Read(0, true);
  EXPECT_EQ(log_->closed->code(), absl::StatusCode::kDataLoss);
  Read(0, true, 0, "nobody");
  EXPECT_EQ(*log_->closed, records::NoTaskError("nobody"));
}

TEST_F(OutputStreamTest, AnAttemptThatIsNotThereIsNotFoundAndThoseThatAreAreNamed) {
  StartTask();
  Read(0, false, 99);
  ASSERT_TRUE(log_->closed.has_value()) << "nobody follows";
  EXPECT_EQ(log_->closed->code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(log_->closed->message(), "task a has no attempt 99: there is 1");
  Read(0, true, 99);
  EXPECT_FALSE(log_->closed.has_value()) << "it may come";
  Finish("w", "a", Ended(0, "done"));
  Run();
  ASSERT_TRUE(log_->closed.has_value());
  EXPECT_EQ(log_->closed->code(), absl::StatusCode::kNotFound);
  Read(0, false, 1);
  EXPECT_TRUE(log_->closed->ok());
  EXPECT_EQ(Data(), "done");
}

TEST_F(OutputStreamTest, TheNewestAttemptOfATaskThatWasNeverStartedIsEmpty) {
  Start();
  SubmitOne(Spec("a"));
  Read(0, false);
  EXPECT_TRUE(log_->closed.has_value() && log_->closed->ok());
  Read(0, false, 1);
  EXPECT_EQ(log_->closed->message(), "task a has no attempt 1: it was never started");
}

TEST_F(OutputStreamTest, AStreamThatIsNoneIsRefused) {
  task::v1::ReadOutputRequest request;
  EXPECT_TRUE(CheckReadOutput(request).ok());
  request.set_stream(task::v1::STDERR);
  EXPECT_TRUE(CheckReadOutput(request).ok());
  request.set_stream(task::v1::RESULT);
  EXPECT_TRUE(CheckReadOutput(request).ok());
  request.set_stream(static_cast<task::v1::Stream>(3));
  EXPECT_EQ(CheckReadOutput(request).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(OutputStreamTest, NothingIsReadWhileTheClientDoesNotTakeIt) {
  StartTask();
  Read(0, true);
  log_->queued = 2u << 20;
  PutChunk(0, "hello");
  Run();
  EXPECT_EQ(Data(), "");
  log_->queued = 0;
  stream_->OnDrained();
  Run();
  EXPECT_EQ(Data(), "hello");
}

}  // namespace
}  // namespace drover::master::server
