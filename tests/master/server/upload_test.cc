#include "master/server/upload.h"

#include <gtest/gtest.h>

#include <deque>

#include "master/records/record_limits.h"
#include "tests/master/server/server_fixture.h"

namespace drover::master::server {
namespace {

class UploadTest : public ServerFixture {
 protected:
  class Stream final : public transport::ClientStream {
   public:
    explicit Stream(UploadTest* test) : test_(test) {}
    void Read(absl::AnyInvocable<void(absl::StatusOr<std::optional<base::Bytes>>)> done) override {
      test_->loop_.Post([test = test_, done = std::move(done)]() mutable {
        if (test->messages_.empty() && test->stalls_) {
          test->waiting_ = std::move(done);
          return;
        }
        if (test->messages_.empty()) return done(std::optional<base::Bytes>());
        base::Bytes next = transport::Encode(test->messages_.front());
        test->messages_.pop_front();
        done(std::optional<base::Bytes>(std::move(next)));
      });
    }
    void Reply(absl::StatusOr<base::Bytes> answer) override { test_->answer_ = std::move(answer); }

   private:
    UploadTest* const test_;
  };
  void Header(const std::string& task, std::uint64_t size) {
    task::v1::UploadRequest message;
    message.mutable_header()->set_task_id(task);
    message.mutable_header()->set_size(size);
    messages_.push_back(message);
  }
  void Chunk(const std::string& data) {
    task::v1::UploadRequest message;
    message.set_chunk(data);
    messages_.push_back(message);
  }
  absl::StatusOr<base::Bytes> Send() {
    answer_.reset();
    Upload upload(&loop_, store_.get(), &budget_, 7, std::make_unique<Stream>(this), [] {});
    Run();
    messages_.clear();
    EXPECT_TRUE(answer_.has_value());
    return answer_.value_or(absl::InternalError("not answered"));
  }
  std::deque<task::v1::UploadRequest> messages_;
  bool stalls_ = false;  // what comes after the messages: silence, not the end
  absl::AnyInvocable<void(absl::StatusOr<std::optional<base::Bytes>>)> waiting_;
  std::optional<absl::StatusOr<base::Bytes>> answer_;
  UploadBudget budget_;
};

TEST_F(UploadTest, AnObjectIsStoredAndItsReferenceComesBack) {
  Start();
  Header("a", 10);
  Chunk("hello");
  Chunk("world");
  const auto answer = Send();
  ASSERT_TRUE(answer.ok()) << answer.status();
  const auto response = transport::Decode<task::v1::UploadResponse>(*answer);
  EXPECT_EQ(objects_.objects.at(response->object().key()).data, "helloworld");
  EXPECT_EQ(response->object().size(), 10U);
  EXPECT_EQ(budget_.bytes, 0U);
}

TEST_F(UploadTest, EachMisuseIsRefused) {
  Start();
  Chunk("no header");
  EXPECT_EQ(Send().status().code(), absl::StatusCode::kInvalidArgument);
  Header("bad/id", 1);
  EXPECT_EQ(Send().status().code(), absl::StatusCode::kInvalidArgument);
  Header("a", records::kObjectBytesMax + 1);
  EXPECT_EQ(Send().status().code(), absl::StatusCode::kResourceExhausted);
  Header("a", 3);
  Chunk("too much");
  EXPECT_EQ(Send().status().code(), absl::StatusCode::kInvalidArgument);
  Header("a", 30);
  Chunk("too little");
  EXPECT_EQ(Send().status().code(), absl::StatusCode::kInvalidArgument);
  Header("a", 1);
  Header("a", 1);
  EXPECT_EQ(Send().status().code(), absl::StatusCode::kInvalidArgument);
  budget_.bytes_max = 5;
  Header("a", 6);
  EXPECT_EQ(Send().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(budget_.bytes, 0U);
  EXPECT_EQ(objects_.objects.size(), 1U) << "the marker alone";
}

TEST_F(UploadTest, AChunkHasAtMostAMebibyte) {
  Start();
  Header("a", 4u << 20);
  Chunk(std::string((1u << 20) + 1, 'x'));
  EXPECT_EQ(Send().status().code(), absl::StatusCode::kResourceExhausted);
  Header("a", 1u << 20);
  Chunk(std::string(1u << 20, 'x'));
  EXPECT_TRUE(Send().ok());
  EXPECT_EQ(budget_.bytes, 0U);
}

TEST_F(UploadTest, OneThatStallsIsEndedAndGivesItsMemoryBack) {
  Start();
  stalls_ = true;
  Header("a", 10);
  bool done = false;
  auto upload = std::make_unique<Upload>(
      &loop_, store_.get(), &budget_, 7, std::make_unique<Stream>(this), [&] { done = true; },
      UploadOptions{.stalled_after = std::chrono::seconds(2)});
  Run(1'500);
  task::v1::UploadRequest message;
  message.set_chunk("hello");
  waiting_(std::optional<base::Bytes>(transport::Encode(message)));
  Run(1'900);
  EXPECT_FALSE(answer_.has_value()) << "a chunk came in time";
  EXPECT_EQ(budget_.bytes, 10U);
  Run(200);
  ASSERT_TRUE(answer_.has_value());
  EXPECT_EQ(answer_->status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(done);
  upload.reset();
  EXPECT_EQ(budget_.bytes, 0U);
}

TEST_F(UploadTest, AStoreThatHasLostItsDirectoryIsNotSomethingThatTheClientDidNotFind) {
  Start();
  objects_.failure = absl::NotFoundError("open /s/tmp/1: No such file or directory");
  Header("a", 1);
  Chunk("x");
  const absl::Status status = Send().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_NE(status.message().find("bring its directory back"), absl::string_view::npos) << status;
}

TEST_F(UploadTest, WithoutAStoreItIsAFailedPrecondition) {
  StartWithoutStore();
  Header("a", 1);
  Chunk("x");
  EXPECT_EQ(Send().status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace drover::master::server
