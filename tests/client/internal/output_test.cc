#include <gtest/gtest.h>

#include "client/store/names.h"
#include "tests/client/internal/fakes.h"
#include "tests/client/store/temp_directory.h"

namespace drover::client {
namespace {

using task::v1::ReadOutputRequest;
using task::v1::ReadOutputResponse;
using OnMessage = std::function<bool(const ReadOutputResponse&)>;

class OutputTest : public ::testing::Test {
 protected:
  static ReadOutputResponse Part(std::uint64_t offset, const std::string& data) {
    ReadOutputResponse response;
    response.set_offset(offset);
    response.set_data(data);
    return response;
  }
  absl::Status Read(OutputOptions options) {
    options.id = "t";
    return cluster_.client->ReadOutput(options, [this](absl::string_view data) {
      read_ += std::string(data);
      return read_.size() < stop_after_;
    });
  }

  // Two chunks and what rides in the record, in a store that is the pool's.
  void PutOutput(worker::v1::TaskRecord* record) {
    const std::string url = "file:" + directory_.path();
    store::InlineExecutor executor;
    auto store = *store::OpenStore(url, &executor);
    store::EnsureMarker(store.get(), "mine", [](const absl::StatusOr<std::string>&) {});
    for (const auto& [chunk, data] : std::map<std::uint32_t, std::string>{{0, "first "}, {1, "second "}}) {
      store->Put(store::OutputKey("t", 17, store::Part::kOut, chunk), base::Bytes::Copy(data),
                 [](const absl::StatusOr<store::ObjectRef>& put) { EXPECT_TRUE(put.ok()); });
    }
    cluster_.directory->store = StoreLocation{url, "mine"};
    record->set_state(task::v1::SUCCEEDED);
    record->set_attempts_total(2);
    record->add_attempts()->set_fence(17);
    record->mutable_output()->mutable_out()->set_chunks(2);
    record->mutable_output()->mutable_out()->set_size(13);
    record->mutable_output()->mutable_err()->set_data("oops");
    record->mutable_output()->mutable_err()->set_size(4);
  }
  void SetRecord(const worker::v1::TaskRecord& record) { cluster_.directory->records["t"] = record.SerializeAsString(); }

  store::TempDirectory directory_;
  FakeCluster cluster_;
  std::shared_ptr<FakeMaster> a_ = cluster_.masters->at("a:1");
  std::shared_ptr<FakeMaster> b_ = cluster_.masters->at("b:2");
  std::string read_;
  std::size_t stop_after_ = 1000;
};

TEST_F(OutputTest, ABrokenStreamGoesOnAtAnotherMasterBehindWhatWasRead) {
  a_->read_output = [](const ReadOutputRequest& request, const OnMessage& on_message, const CallLimits&) {
    EXPECT_EQ(request.offset(), 0u);
    on_message(Part(0, "abc"));
    return absl::UnavailableError("killed");
  };
  b_->read_output = [](const ReadOutputRequest& request, const OnMessage& on_message, const CallLimits&) {
    EXPECT_EQ(request.offset(), 3u);
    on_message(Part(2, "cde"));  // more than was asked for
    on_message(Part(5, "f"));
    return absl::OkStatus();
  };
  EXPECT_TRUE(Read({}).ok());
  EXPECT_EQ(read_, "abcdef");
}

TEST_F(OutputTest, AHoleIsAnErrorAndNotLeftOut) {
  a_->read_output = [](const ReadOutputRequest&, const OnMessage& on_message, const CallLimits&) {
    on_message(Part(0, "abc"));
    on_message(Part(4, "e"));
    return absl::OkStatus();
  };
  EXPECT_TRUE(absl::IsDataLoss(Read({})));
  EXPECT_EQ(read_, "abc");
}

TEST_F(OutputTest, AQuietProgramIsFollowedForAnyTime) {
  int tries = 0;
  a_->read_output = b_->read_output = [&](const ReadOutputRequest& request, const OnMessage& on_message, const CallLimits&) {
    EXPECT_TRUE(request.follow());
    cluster_.waiter->Advance(std::chrono::seconds(15));
    if (++tries < 20) return absl::DeadlineExceededError("");
    on_message(Part(0, "done"));
    return absl::OkStatus();
  };
  EXPECT_TRUE(Read({.follow = true}).ok());
  EXPECT_EQ(read_, "done");
}

TEST_F(OutputTest, AReaderMayStop) {
  stop_after_ = 3;
  a_->read_output = [](const ReadOutputRequest&, const OnMessage& on_message, const CallLimits&) {
    EXPECT_FALSE(on_message(Part(0, "abcdef")));
    return absl::OkStatus();
  };
  EXPECT_TRUE(Read({}).ok());
}

TEST_F(OutputTest, OfAnEndedTaskItComesFromTheStore) {
  worker::v1::TaskRecord record;
  PutOutput(&record);
  SetRecord(record);
  EXPECT_TRUE(Read({}).ok());
  EXPECT_EQ(read_, "first second ");
  read_.clear();
  EXPECT_TRUE(Read({.attempt = 2, .offset = 4}).ok());
  EXPECT_EQ(read_, "t second ");
  read_.clear();
  EXPECT_TRUE(Read({.stream = OutputStream::kStderr, .follow = true}).ok());
  EXPECT_EQ(read_, "oops");
  EXPECT_EQ(a_->calls + b_->calls, 0);
}

TEST_F(OutputTest, OfAnOlderAttemptOrARunningTaskItComesThroughAMaster) {
  worker::v1::TaskRecord record;
  PutOutput(&record);
  SetRecord(record);
  a_->read_output = [](const ReadOutputRequest&, const OnMessage& on_message, const CallLimits&) {
    on_message(Part(0, "m"));
    return absl::OkStatus();
  };
  EXPECT_TRUE(Read({.attempt = 1}).ok());
  record.set_state(task::v1::RUNNING);
  SetRecord(record);
  EXPECT_TRUE(Read({}).ok());
  EXPECT_EQ(read_, "mm");
}

TEST_F(OutputTest, AMissingChunkIsAnError) {
  worker::v1::TaskRecord record;
  PutOutput(&record);
  record.mutable_output()->mutable_out()->set_chunks(3);
  SetRecord(record);
  EXPECT_FALSE(Read({}).ok());
  record.mutable_output()->mutable_out()->set_chunks(1);
  SetRecord(record);
  EXPECT_TRUE(absl::IsDataLoss(Read({})));
}

}  // namespace
}  // namespace drover::client
